//! How a struct is read from a request: every field is asked for before the first that failed is looked at, so that
//! one answer tells all that is wrong.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::scope::Scope;
use super::tokens::{float, ident, integer};
use crate::model::{Contract, Edge, Field, Literal, Presence, Rule, Source, Struct, Type};
use crate::names::snake;

/// `Decode`, for a struct inside of a request.
pub(super) fn decode(contract: &Contract, one: &Struct) -> TokenStream {
    let scope = Scope::Types(contract);
    let (name, members) = (ident(&one.name), unused(one, "members"));
    let [decode, value, pointer, faults, all] =
        ["Decode", "Value", "Pointer", "Faults", "Members"].map(|name| scope.known(name));
    let option = scope.of("Option", &quote!(#name));
    let reads = one.fields.iter().map(|field| read(scope, field, &quote!(#members)));
    let binding = if one.fields.is_empty() { quote!(#members) } else { quote!(mut #members) };
    let whole = whole(one);
    quote! {
        impl #decode for #name {
            fn decode(value: #value, at: &#pointer<'_>, faults: &mut #faults) -> #option {
                let #binding = #all::of(value, at, faults)?;
                #(#reads)*
                #members.close();
                #whole
            }
        }
    }
}

/// `Request`, for a struct that is one.
pub(super) fn request(contract: &Contract, one: &Struct) -> TokenStream {
    let scope = Scope::Types(contract);
    let (name, from) = (ident(&one.name), unused(one, "input"));
    let [request, input] = ["Request", "Input"].map(|name| scope.known(name));
    let option = scope.of("Option", &quote!(#name));
    let body = one.fields.iter().any(|field| field.source == Source::Json);
    let reads = one.fields.iter().map(|field| {
        let source = match field.source {
            Source::Json => quote!(body),
            Source::Path => quote!(path),
            Source::Form => quote!(query),
            Source::Header => quote!(header),
        };
        read(scope, field, &quote!(#from.#source))
    });
    let binding = if one.fields.is_empty() { quote!(_) } else { quote!(#from) };
    let whole = whole(one);
    quote! {
        impl #request for #name {
            const BODY: bool = #body;
            fn read(#binding: &mut #input<'_>) -> #option {
                #(#reads)*
                #whole
            }
        }
    }
}

/// `name`, which no field's value may hide. No field ends in an underscore.
fn unused(one: &Struct, name: &str) -> Ident {
    let taken = one.fields.iter().any(|field| snake(&field.name) == name);
    format_ident!("{name}{}", if taken { "_" } else { "" })
}

fn whole(one: &Struct) -> TokenStream {
    let name = ident(&one.name);
    let fields = one.fields.iter().map(|field| ident(&snake(&field.name)));
    quote!(Some(#name { #(#fields: #fields?),* }))
}

fn read(scope: Scope<'_>, field: &Field, from: &TokenStream) -> TokenStream {
    let (name, wire) = (ident(&snake(&field.name)), &field.wire);
    let rules = field.rules.iter().map(|one| rule(scope, one));
    let rules = quote!(&[#(#rules),*]);
    match &field.presence {
        Presence::Required => quote!(let #name = #from.required(#wire, #rules);),
        Presence::Optional | Presence::Nullable => quote!(let #name = #from.optional(#wire, #rules);),
        Presence::Default(default) => {
            let default = literal(default, &field.ty);
            quote!(let #name = #from.or_else(#wire, #rules, || #default);)
        }
    }
}

fn rule(scope: Scope<'_>, one: &Rule) -> TokenStream {
    let rule = scope.known("Rule");
    match one {
        Rule::Integer { from, to } => {
            let from = from.map_or(quote!(i128::MIN), integer);
            let to = to.map_or(quote!(i128::MAX), integer);
            quote!(#rule::Integer(#from..=#to))
        }
        Rule::Number { from, to } => {
            let (from, to) = (edge(scope, *from), edge(scope, *to));
            quote!(#rule::Number(#from, #to))
        }
        Rule::Length { from, to } => {
            let from = integer(*from as i128);
            let to = to.map_or(quote!(usize::MAX), |to| integer(to as i128));
            quote!(#rule::Length(#from..=#to))
        }
        Rule::Options(options) => quote!(#rule::Options(&[#(#options),*])),
        Rule::Format(name) => {
            // Each format is one word, so its variant is the word with a capital.
            let (first, rest) = name.split_at(1);
            let (format, name) = (scope.known("Format"), ident(&(first.to_ascii_uppercase() + rest)));
            quote!(#rule::Format(#format::#name))
        }
    }
}

fn edge(scope: Scope<'_>, edge: Edge) -> TokenStream {
    let bound = scope.known("Bound");
    match edge {
        Edge::Open => quote!(#bound::Unbounded),
        Edge::Included(number) => {
            let number = float(number);
            quote!(#bound::Included(#number))
        }
        Edge::Excluded(number) => {
            let number = float(number);
            quote!(#bound::Excluded(#number))
        }
    }
}

fn literal(literal: &Literal, ty: &Type) -> TokenStream {
    match (literal, ty) {
        (Literal::Bool(value), _) => quote!(#value),
        (Literal::Text(text), _) => quote!(#text.to_owned()),
        (Literal::Integer(number), Type::Float { .. }) => float(*number as f64),
        (Literal::Integer(number), _) => integer(*number),
        (Literal::Number(number), Type::Float { bits: 32 }) => {
            let shortest = format!("{:?}", *number as f32);
            float(shortest.parse().expect("a number that was just written"))
        }
        (Literal::Number(number), _) => float(*number),
    }
}
