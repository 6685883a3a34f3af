//! The structs of a contract: what answers serialize, and what is read from requests.

use proc_macro2::TokenStream;
use quote::quote;

use super::scope::Scope;
use super::tokens::ident;
use super::{docs, read};
use crate::model::{Contract, Field, Presence, Struct, Type};
use crate::names::snake;

/// The items of `types`. A struct that no route uses, or that is only embedded, has none.
pub(super) fn items(contract: &Contract) -> Vec<TokenStream> {
    let used = contract.structs.iter().filter(|one| one.usage.in_requests || one.usage.in_answers);
    used.flat_map(|one| {
        let decode = is_inner(contract, one).then(|| read::decode(contract, one));
        let request = is_request(contract, one).then(|| read::request(contract, one));
        std::iter::once(definition(contract, one)).chain(decode).chain(request)
    })
    .collect()
}

fn definition(contract: &Contract, one: &Struct) -> TokenStream {
    let (doc, name) = (docs::attributes(&one.doc), ident(&one.name));
    let scope = Scope::Types(contract);
    let serialize = one.usage.in_answers.then(|| scope.known("Serialize"));
    let serialize = serialize.map(|serialize| quote!(, #serialize));
    // Clippy's own condition, so that the expectation is always fulfilled.
    let capitals = one.name.len() > 2 && !one.name.contains(|letter: char| letter.is_ascii_lowercase());
    let expect =
        capitals.then(|| quote!(#[expect(clippy::upper_case_acronyms, reason = "the contract's name")]));
    let fields = one.fields.iter().map(|field| member(contract, one, field));
    quote! {
        #doc
        #[derive(Clone, PartialEq #serialize)]
        #expect
        pub(crate) struct #name {
            #(#fields,)*
        }
    }
}

fn member(contract: &Contract, owner: &Struct, field: &Field) -> TokenStream {
    let (doc, name) = (docs::attributes(&field.doc), snake(&field.name));
    let mut serde = Vec::new();
    if owner.usage.in_answers && field.wire != name {
        let wire = &field.wire;
        serde.push(quote!(rename = #wire));
    }
    if owner.usage.in_answers && field.presence == Presence::Optional {
        let path = Scope::Types(contract).known("Option").to_string().replace(' ', "") + "::is_none";
        serde.push(quote!(skip_serializing_if = #path));
    }
    let serde = (!serde.is_empty()).then(|| quote!(#[serde(#(#serde),*)]));
    let (name, ty) = (ident(&name), Scope::Types(contract).field(field));
    quote! {
        #doc
        #serde
        pub #name: #ty
    }
}

/// The whole of a request.
fn is_request(contract: &Contract, one: &Struct) -> bool {
    contract.routes.iter().any(|route| route.request.as_ref() == Some(&one.name))
}

/// A value inside of a request.
fn is_inner(contract: &Contract, one: &Struct) -> bool {
    let requests = contract.structs.iter().filter(|other| other.usage.in_requests);
    requests.flat_map(|other| &other.fields).any(|field| names(&field.ty, &one.name))
}

fn names(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Struct(other) => other == name,
        Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => names(inner, name),
        Type::Bool | Type::Text | Type::Integer { .. } | Type::Float { .. } | Type::Any => false,
    }
}
