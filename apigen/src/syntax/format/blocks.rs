//! What stands in brackets: an item a line, those without a blank line between them in columns.

use super::printer::{Printer, Space};
use super::table;
use crate::syntax::ast::{Block, Item, Pair, Pairs, Value};
use crate::syntax::token::Bracket;

impl Printer {
    pub(super) fn block<T>(
        &mut self,
        bracket: Bracket,
        block: &Block<T>,
        mut print: impl FnMut(&mut Printer, &T, usize),
    ) {
        self.push(bracket.open());
        if block.items.is_empty() && block.end.is_empty() {
            self.push(bracket.close());
            return;
        }
        self.end_line();
        self.indented(|printer| {
            for (index, item) in block.items.iter().enumerate() {
                print(printer, item, index);
            }
            let space = if block.items.is_empty() { Space::None } else { Space::AsWritten };
            printer.comments(&block.end, space);
        });
        self.start_line();
        self.push(bracket.close());
    }

    /// `cells` are `None` for what takes several lines, or has no columns; `print` prints that.
    pub(super) fn table<T>(
        &mut self,
        bracket: Bracket,
        block: &Block<Item<T>>,
        cells: impl Fn(&T) -> Option<Vec<String>>,
        print: impl Fn(&mut Printer, &T),
    ) {
        let rows: Vec<Option<Vec<String>>> = block.items.iter().map(|item| cells(&item.value)).collect();
        let mut widths = Vec::new();
        self.block(bracket, block, |printer, item, index| {
            if index == 0 || is_apart(item) {
                let run = block.items[index + 1..].iter().take_while(|item| !is_apart(item)).count();
                widths = table::widths(rows[index..=index + run].iter().flatten().map(Vec::as_slice));
            }
            printer.begin(item, within(index));
            match &rows[index] {
                Some(row) => printer.push(&table::line(row, &widths)),
                None => print(printer, &item.value),
            }
            printer.finish(item);
        });
    }

    pub(super) fn pairs(&mut self, pairs: &Pairs) {
        let cells = |pair: &Pair| Some(vec![format!("{}:", pair.key.value), value(&pair.value)]);
        self.table(Bracket::Round, pairs, cells, |_, _| {});
    }
}

/// Blank lines stay as they are, but for one before the first item.
pub(super) fn within(index: usize) -> Space {
    if index == 0 { Space::None } else { Space::AsWritten }
}

/// A blank line between all of them.
pub(super) fn apart(index: usize) -> Space {
    if index == 0 { Space::None } else { Space::Blank }
}

fn is_apart<T>(item: &Item<T>) -> bool {
    item.blank_before || item.above.iter().any(|comment| comment.blank_before)
}

fn value(value: &Value) -> String {
    match value {
        Value::Literal(literal) => literal.value.clone(),
        Value::Line(line) => line.value.clone(),
        Value::Words(words) => {
            let words: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
            words.join(", ")
        }
    }
}
