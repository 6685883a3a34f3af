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

    /// `cells` are those of the columns, or `None` for what takes several lines or has no columns; `print` prints that.
    /// The comments behind are the last column.
    pub(super) fn table<T>(
        &mut self,
        bracket: Bracket,
        block: &Block<Item<T>>,
        cells: impl Fn(&T) -> Option<Vec<String>>,
        print: impl Fn(&mut Printer, &T),
    ) {
        let runs = block.items.chunk_by(|_, next| !is_apart(next));
        let lines: Vec<Option<String>> = runs.flat_map(|run| aligned(run, &cells)).collect();
        self.block(bracket, block, |printer, item, index| {
            printer.begin(item, within(index));
            match &lines[index] {
                Some(line) => {
                    printer.push(line);
                    printer.end_line();
                }
                None => {
                    print(printer, &item.value);
                    printer.finish(item);
                }
            }
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

fn aligned<T>(run: &[Item<T>], cells: impl Fn(&T) -> Option<Vec<String>>) -> Vec<Option<String>> {
    let mut rows: Vec<Option<Vec<String>>> = run.iter().map(|item| cells(&item.value)).collect();
    let columns = rows.iter().flatten().map(Vec::len).max().unwrap_or_default();
    for (row, item) in rows.iter_mut().zip(run) {
        if let Some(row) = row.as_mut().filter(|_| !item.behind.is_empty()) {
            row.resize(columns, String::new());
            row.push(behind(item));
        }
    }
    let widths = table::widths(rows.iter().flatten().map(Vec::as_slice));
    rows.into_iter().map(|row| row.map(|row| table::line(&row, &widths))).collect()
}

fn behind<T>(item: &Item<T>) -> String {
    let comments: Vec<&str> = item.behind.iter().map(|comment| comment.text.as_str()).collect();
    comments.join(" ")
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
