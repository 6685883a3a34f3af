//! From a checked contract to Rust: types, one handler a route, and the routes with their pipelines. What the code
//! expects of the crate that includes it stands in the documentation of `shared::rest`.

mod docs;
mod handlers;
mod read;
mod routes;
mod scope;
mod tokens;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Contract, Route};

/// The Rust of a contract, as a person would write it.
pub fn code(contract: &Contract) -> String {
    let handlers = contract.routes.iter().map(|route| {
        let text = text(handlers::item(route));
        with_place(&text, route)
    });
    let parts: Vec<String> = [header(contract), types_module(contract)]
        .into_iter()
        .chain([text(routes::item(contract))])
        .chain(handlers)
        .collect();
    parts.join("\n")
}

fn header(contract: &Contract) -> String {
    let durations = contract.routes.iter().any(|route| route.timeout.is_some());
    let std = durations.then(|| {
        quote!(
            use std::time::Duration;
        )
    });
    let uses = [
        quote! { #std },
        quote! {
            use axum::Router;
            use axum::extract::State;
            use axum::response::Response;
            use http::Method;
            use shared::rest::{Call, Server, Spec};
        },
        quote! {
            use crate::logic;
            use crate::svc::ServiceContext;
        },
    ];
    let uses: Vec<String> = uses.into_iter().map(text).filter(|uses| !uses.is_empty()).collect();
    let service = &contract.service;
    format!(
        "// Made by apigen from the contract of {service}: edit that one, not this.\n\n{}",
        uses.join("\n")
    )
}

fn types_module(contract: &Contract) -> String {
    let items = types::items(contract);
    let parts = scope::imports(contract, &items).into_iter().chain(items).map(text);
    let doc = "//! What requests and answers are made of.\n".to_owned();
    let whole = std::iter::once(doc).chain(parts).collect::<Vec<String>>().join("\n");
    let lines =
        whole.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    format!("pub(crate) mod types {{\n{}}}\n", lines.collect::<String>())
}

/// Where logic does not fit, rustc shows the line that calls it or the one that answers: both say for which route.
fn with_place(text: &str, route: &Route) -> String {
    let (call, place) = (handlers::call(route), handlers::place(route));
    let lines = text.lines().map(|line| {
        let shown = line.contains(&call) || line.ends_with("(outcome)");
        let place = if shown { format!(" // {place}") } else { String::new() };
        format!("{line}{place}\n")
    });
    lines.collect()
}

/// # Panics
/// Where the tokens are no Rust: a mistake of this generator.
fn text(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("the generator writes Rust"))
}
