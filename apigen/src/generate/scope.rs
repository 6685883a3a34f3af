//! How a type is written: the contract's own, and those of Rust and the framework, one of whose names a struct of the
//! contract may have taken.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::tokens::ident;
use crate::model::{Contract, Field, Presence, Type};

/// What the code of a contract uses, and where it is from.
const KNOWN: [(&str, &[&str]); 6] = [
    ("std", &["boxed::Box", "option::Option", "string::String", "vec::Vec"]),
    ("std", &["collections::BTreeMap", "ops::Bound"]),
    ("serde", &["Serialize"]),
    ("serde_json", &["Value"]),
    ("shared::format", &["Format"]),
    ("shared::rest", &["Decode", "Faults", "Input", "Members", "Pointer", "Request", "Rule"]),
];

/// Where a type is written.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Among the structs.
    Types(&'a Contract),
    Handlers,
}

impl Scope<'_> {
    pub(super) fn ty(self, ty: &Type) -> TokenStream {
        match ty {
            Type::Bool => quote!(bool),
            Type::Text => self.known("String"),
            Type::Integer { bits, signed } => {
                let name = ident(&format!("{}{bits}", if *signed { 'i' } else { 'u' }));
                quote!(#name)
            }
            Type::Float { bits } => {
                let name = ident(&format!("f{bits}"));
                quote!(#name)
            }
            Type::Any => self.known("Value"),
            Type::List(item) => self.of("Vec", &self.ty(item)),
            Type::Map(value) => {
                let (map, text, value) = (self.known("BTreeMap"), self.known("String"), self.ty(value));
                quote!(#map<#text, #value>)
            }
            Type::Nullable(inner) => self.of("Option", &self.ty(inner)),
            Type::Struct(name) => {
                let name = ident(name);
                match self {
                    Scope::Types(_) => quote!(#name),
                    Scope::Handlers => quote!(types::#name),
                }
            }
        }
    }

    pub(super) fn field(self, field: &Field) -> TokenStream {
        let mut ty = self.ty(&field.ty);
        if field.boxed {
            ty = self.of("Box", &ty);
        }
        match field.presence {
            Presence::Optional | Presence::Nullable => self.of("Option", &ty),
            Presence::Required | Presence::Default(_) => ty,
        }
    }

    pub(super) fn of(self, outer: &str, inner: &TokenStream) -> TokenStream {
        let outer = self.known(outer);
        quote!(#outer<#inner>)
    }

    /// One of [`KNOWN`]: by its name where that means it, else by its path.
    pub(super) fn known(self, name: &str) -> TokenStream {
        let plain = match self {
            Scope::Types(contract) => !is_taken(contract, name),
            Scope::Handlers => matches!(name, "Box" | "Option" | "String" | "Vec"),
        };
        let path = if plain { name.to_owned() } else { path(name) };
        path.parse().expect("a path is made of tokens")
    }
}

/// The `use` lines of the items among the structs, in groups: what Rust has, and the rest.
pub(super) fn imports(contract: &Contract, items: &[TokenStream]) -> Vec<TokenStream> {
    let used = |name: &str| !is_taken(contract, name) && items.iter().any(|item| mentions(item, name));
    let lines = |module: &str, names: &[&str]| {
        let names = names.iter().filter(|name| used(last(name)));
        let names: Vec<&str> = names.copied().collect();
        let names = if let [one] = names[..] { one.to_owned() } else { format!("{{{}}}", names.join(", ")) };
        let line: TokenStream = format!("use {module}::{names};").parse().expect("a use is made of tokens");
        (names != "{}").then_some(line)
    };
    let [_, (std, rust), others @ ..] = KNOWN;
    let rust = rust.iter().filter_map(|path| lines(std, &[path]));
    let others = others.iter().filter_map(|(module, names)| lines(module, names));
    let groups = [rust.collect::<TokenStream>(), others.collect()];
    groups.into_iter().filter(|group| !group.is_empty()).collect()
}

fn is_taken(contract: &Contract, name: &str) -> bool {
    contract.structs.iter().any(|one| one.name == name)
}

fn path(name: &str) -> String {
    let found = KNOWN.iter().find_map(|(module, names)| {
        names.iter().find(|path| last(path) == name).map(|path| format!("{module}::{path}"))
    });
    found.expect("the generator names what it knows")
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
