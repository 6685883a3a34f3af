//! From trees to what they mean: names are resolved, embedded structs flattened, tags understood, and whatever would
//! not work is refused. A step goes on where it can, so that one run finds all faults.

mod declared;
mod embedding;
mod field;
mod graph;
mod header;
mod imports;
mod json;
mod path;
mod recursion;
mod request;
mod routes;
mod rules;
mod server;
mod structs;
mod summary;
mod tag;
mod types;
mod unique;

pub(crate) use imports::{Origin, Tree, load};

use crate::diagnostics::{Diagnostic, Faults};
use crate::model::Contract;
use crate::syntax::source::Sources;
use crate::syntax::span::FileId;

/// `None` where there are faults.
pub(crate) fn contract(tree: &Tree, sources: &Sources, faults: &mut Faults) -> Option<Contract> {
    let service = header::service_name(tree, faults);
    let info = header::info(tree, faults);
    let declared = declared::Declared::of(tree, faults);
    let mut lowering = structs::Lowering::new(&declared, faults);
    lowering.structs();
    let routes = routes::routes(tree, &service, &mut lowering);
    let shapes = lowering.into_shapes();
    let mut structs = embedding::flatten(shapes, faults);
    recursion::check(&mut structs, faults);
    request::check(&routes, &structs, faults);
    json::check(&routes, &mut structs, faults);
    if service.is_empty() && faults.is_empty() {
        let name = &sources.get(FileId(0)).name;
        faults.add(Diagnostic::without_place(format!("{name} has no `service`, and so no routes")));
    }
    if !faults.is_empty() {
        return None;
    }
    Some(Contract {
        service,
        info,
        structs: structs.into_iter().map(embedding::Flat::into_model).collect(),
        routes: routes.into_iter().map(|route| route.model).collect(),
        files: sources.paths(),
    })
}
