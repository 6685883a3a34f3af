//! AdminOnly: behind auth, lets administrators through and nobody else.

use http::request;
use shared::error::Code;
use shared::pipeline::auth::Caller;
use shared::pipeline::{Admit, Concern, Cx, Refusal};

const FORBIDDEN: Refusal = Refusal::new(Code::Forbidden, "forbidden", "this is for administrators");

pub(crate) struct AdminOnly;

impl Concern for AdminOnly {
    fn name(&self) -> &'static str {
        "admin_only"
    }

    fn admit(&self, _: &mut Cx, head: &mut request::Parts) -> Admit {
        match head.extensions.get::<Caller>() {
            Some(caller) if caller.role == "admin" => Admit::Go,
            _ => FORBIDDEN.into(),
        }
    }
}
