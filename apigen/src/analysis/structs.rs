//! Structs with what each of their fields means; embedded ones are still names.

use std::collections::HashMap;

use super::declared::{Declared, What, check_name};
use super::field::Field;
use crate::diagnostics::{Diagnostic, Faults, did_you_mean};
use crate::syntax::ast::{self, Block, Item, Name};
use crate::syntax::span::{Located, Span};

/// A struct on its way from the tree to the model.
pub(super) struct Shape {
    pub(super) name: Name,
    pub(super) doc: Vec<String>,
    pub(super) lines: Vec<Line>,
}

pub(super) enum Line {
    Field(Box<Field>),
    /// The name of a struct that is there.
    Embedded(Name),
}

pub(super) struct Lowering<'a, 'f> {
    pub(super) declared: &'a Declared<'a>,
    pub(super) faults: &'f mut Faults,
    shapes: Vec<Shape>,
    /// The names of structs that have none in the text, and where these begin.
    nested: HashMap<String, Span>,
}

impl<'a, 'f> Lowering<'a, 'f> {
    pub(super) fn new(declared: &'a Declared<'a>, faults: &'f mut Faults) -> Lowering<'a, 'f> {
        Lowering { declared, faults, shapes: Vec::new(), nested: HashMap::new() }
    }

    pub(super) fn structs(&mut self) {
        let declared = self.declared;
        for declaration in &declared.structs {
            self.structure(declaration.name.clone(), declaration.doc.clone(), declaration.fields);
        }
    }

    pub(super) fn into_shapes(self) -> Vec<Shape> {
        self.shapes
    }

    /// A struct without a name is called after where it stands.
    pub(super) fn nested(
        &mut self,
        owner: &str,
        field: &Name,
        fields: &Block<Item<ast::Field>>,
        span: Span,
    ) -> Option<String> {
        let name = format!("{owner}{}", field.value);
        if fields.items.is_empty() {
            self.faults.add(Diagnostic::new("this struct has no fields", span, "expected fields"));
            return None;
        }
        let other = self.declared.place(&name).or(self.nested.get(&name).copied());
        if let Some(other) = other {
            let title = format!("this struct would be called `{name}`, as another one is");
            let diagnostic = Diagnostic::new(title, field.span, "its name is made of where it stands");
            self.faults
                .add(diagnostic.and(other, "the other one").help("give it a name in a `type` of its own"));
            return None;
        }
        self.nested.insert(name.clone(), span);
        self.structure(Located::new(name.clone(), field.span), Vec::new(), fields);
        Some(name)
    }

    fn structure(&mut self, name: Name, doc: Vec<String>, fields: &Block<Item<ast::Field>>) {
        let index = self.shapes.len();
        let owner = name.value.clone();
        self.shapes.push(Shape { name, doc, lines: Vec::new() });
        for item in &fields.items {
            let lines = self.lines(&owner, item);
            self.shapes[index].lines.extend(lines);
        }
    }

    fn lines(&mut self, owner: &str, item: &Item<ast::Field>) -> Vec<Line> {
        match &item.value {
            ast::Field::Embedded { pointer, name, tag } => {
                let tag = tag.as_ref().map(|tag| tag.span);
                self.embedded(*pointer, name, tag).into_iter().collect()
            }
            ast::Field::Named { names, ty, tag } => {
                let mut lines = Vec::new();
                let Some((first, others)) = names.split_first() else { return lines };
                for name in names {
                    check_name(name, What::Field, self.faults);
                }
                // What is wrong with their type or tag is wrong once, however many they are.
                let field = self.field(owner, first, ty, tag.as_ref(), doc(item));
                lines.extend(others.iter().map(|name| Line::Field(Box::new(field.called(name)))));
                lines.insert(0, Line::Field(Box::new(field)));
                lines
            }
        }
    }

    fn embedded(&mut self, pointer: bool, name: &Name, tag: Option<Span>) -> Option<Line> {
        if self.declared.place(&name.value).is_none() {
            let title = format!("there is no struct `{}` to embed", name.value);
            let help = did_you_mean(&name.value, self.declared.names());
            let label = "expected a struct, or a field with a type";
            self.faults.add(Diagnostic::new(title, name.span, label).maybe_help(help));
            return None;
        }
        if let Some(tag) = tag {
            let diagnostic = Diagnostic::new("an embedded struct has no tag", tag, "its fields have theirs");
            self.faults.add(diagnostic.help(format!("a field of its own has a name: `{0} {0}`", name.value)));
        }
        if pointer {
            let diagnostic =
                Diagnostic::new("an embedded struct is always there", name.span, "expected no `*`");
            self.faults.add(diagnostic);
        }
        Some(Line::Embedded(name.clone()))
    }
}

/// What stands above a field, or behind it.
fn doc(item: &Item<ast::Field>) -> Vec<String> {
    let above = item.doc();
    if above.is_empty() { item.behind.iter().flat_map(ast::Comment::lines).collect() } else { above }
}
