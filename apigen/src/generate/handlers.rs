//! A handler a route: it takes the request apart, calls logic, and hands the outcome back.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::docs;
use super::scope::Scope;
use super::tokens::ident;
use crate::model::{Answers, Contract, Route};
use crate::names::snake;

pub(super) fn item(route: &Route, name: &Ident) -> TokenStream {
    let doc = docs::attributes(&doc(route));
    let (group, function) = (ident(&route.group), ident(&snake(&route.handler)));
    let caller = route.jwt.then(|| quote!(let caller = call.caller()?;));
    let request = route.request.as_ref().map(|request| {
        let request = ident(request);
        quote!(let request: types::#request = call.request().await?;)
    });
    let arguments = [caller.as_ref().map(|_| quote!(caller)), request.as_ref().map(|_| quote!(request))];
    let arguments = arguments.into_iter().flatten();
    let logic = quote!(logic::#group::#function(&ctx, #(#arguments),*).await);
    let (call, outcome) = if caller.is_none() && request.is_none() {
        (quote!(call), quote!(let outcome = #logic;))
    } else {
        let work = quote!(async { #caller #request #logic });
        (quote!(mut call), quote!(let work = #work; let outcome = work.await;))
    };
    let answer = match &route.returns {
        _ if route.sse => quote!(call.stream(outcome)),
        Some(ty) => {
            let ty = Scope::Handlers.ty(ty);
            quote!(call.answer::<#ty>(outcome))
        }
        None => quote!(call.done(outcome)),
    };
    quote! {
        #doc
        async fn #name(State(ctx): State<ServiceContext>, #call: Call) -> Response {
            #outcome
            #answer
        }
    }
}

/// Of the handlers, one a route: `user_list` of the group `user`, which is not alone with its handlers' names. A second
/// `user_admin_list`, of the group `user_admin`, gets a number.
pub(super) fn names(contract: &Contract) -> Vec<Ident> {
    let mut taken = BTreeSet::new();
    let names = contract.routes.iter().map(|route| {
        let plain = format!("{}_{}", route.group, snake(&route.handler));
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let mut names = std::iter::once(plain.clone()).chain(numbered);
        names.find(|name| taken.insert(name.clone())).unwrap_or(plain)
    });
    names.map(|name| ident(&name)).collect()
}

/// How the line that calls logic begins.
pub(super) fn call(route: &Route) -> String {
    format!("logic::{}::{}(", ident(&route.group), ident(&snake(&route.handler)))
}

pub(super) fn place(route: &Route) -> String {
    format!("{} {}", route.method, route.pattern)
}

fn doc(route: &Route) -> Vec<String> {
    let mut lines = route.summary.clone();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let mut last = format!("`{}`", place(route));
    if !route.answers.is_empty() {
        let answers: Vec<String> = route.answers.iter().map(answer).collect();
        last += &format!(" answers {}", answers.join(", "));
    }
    lines.extend(docs::wrap(&last));
    lines
}

fn answer(answers: &Answers) -> String {
    let codes = answers.codes.iter().map(|code| format!(" `{code}`"));
    answers.status.to_string() + &codes.collect::<String>()
}
