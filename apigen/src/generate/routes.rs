//! `routes`: each route of the contract with its list, in the order of the contract.

use std::time::Duration;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::tokens::{ident, integer};
use crate::model::{Contract, Route};
use crate::names::snake;

pub(super) fn item(contract: &Contract, handlers: &[Ident]) -> TokenStream {
    let doc = format!(" The routes of {}, each behind its pipeline.", contract.service);
    let adds = contract.routes.iter().zip(handlers).map(|(route, handler)| {
        let spec = spec(route);
        quote!(.add(&#spec, #handler))
    });
    quote! {
        #[doc = #doc]
        pub(crate) fn routes(server: &Server, ctx: &ServiceContext) -> Router {
            server.routes() #(#adds)* .into_router(ctx.clone())
        }
    }
}

fn spec(route: &Route) -> TokenStream {
    let (method, pattern) = (ident(&route.method), &route.pattern);
    let handler = format!("{}.{}", route.group, snake(&route.handler));
    let plain = quote!(Spec::new(Method::#method, #pattern, #handler));
    let middleware = route.middleware.iter().map(|name| {
        let method = ident(&snake(name));
        quote!(ctx.#method())
    });
    let fields: Vec<TokenStream> = [
        route.jwt.then(|| quote!(jwt: true)),
        route.sse.then(|| quote!(sse: true)),
        route.timeout.map(|timeout| {
            let timeout = duration(timeout);
            quote!(timeout: Some(#timeout))
        }),
        route.max_bytes.map(|most| {
            let most = integer(most.into());
            quote!(max_bytes: Some(#most))
        }),
        (!route.middleware.is_empty()).then(|| quote!(middleware: vec![#(#middleware),*])),
    ]
    .into_iter()
    .flatten()
    .collect();
    if fields.is_empty() { plain } else { quote!(Spec { #(#fields,)* ..#plain }) }
}

/// In the largest unit that it is a whole number of.
fn duration(duration: Duration) -> TokenStream {
    let nanos = duration.as_nanos();
    let (unit, number) = [("secs", 1_000_000_000), ("millis", 1_000_000), ("micros", 1_000)]
        .into_iter()
        .find(|(_, unit)| nanos.is_multiple_of(*unit))
        .map_or(("nanos", nanos), |(name, unit)| (name, nanos / unit));
    let (from, number) = (ident(&format!("from_{unit}")), Literal::u128_unsuffixed(number));
    quote!(Duration::#from(#number))
}
