//! What the logic of the tours needs, and the middleware that their contract names.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::request;
use shared::error::Code;
use shared::pipeline::auth::Caller;
use shared::pipeline::{Admit, Concern, Cx, Refusal};

#[derive(Clone, Default)]
pub(crate) struct ServiceContext {
    pub(crate) audited: Arc<AtomicUsize>,
}

impl ServiceContext {
    pub(crate) fn admin_only(&self) -> Arc<dyn Concern> {
        Arc::new(AdminOnly)
    }

    pub(crate) fn audited(&self) -> Arc<dyn Concern> {
        Arc::new(Audited(self.audited.clone()))
    }
}

struct AdminOnly;

const FORBIDDEN: Refusal = Refusal::new(Code::Forbidden, "forbidden", "this is for administrators");

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

/// Counts what gets this far.
struct Audited(Arc<AtomicUsize>);

impl Concern for Audited {
    fn name(&self) -> &'static str {
        "audited"
    }

    fn admit(&self, _: &mut Cx, _: &mut request::Parts) -> Admit {
        self.0.fetch_add(1, Ordering::Relaxed);
        Admit::Go
    }
}
