//! Lines, their indentation, and the comments around things.

use crate::syntax::ast::{Comment, Item};

pub(super) struct Printer {
    text: String,
    indent: usize,
}

/// Between a thing and what is above it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    None,
    Blank,
    AsWritten,
}

impl Printer {
    pub(super) fn new() -> Printer {
        Printer { text: String::new(), indent: 0 }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The comments above an item, and the indentation of its first line.
    pub(super) fn begin<T>(&mut self, item: &Item<T>, space: Space) {
        self.comments(&item.above, space);
        let space = if item.above.is_empty() { space } else { Space::AsWritten };
        self.space(space, item.blank_before);
        self.start_line();
    }

    /// The comments behind an item, and the end of its last line.
    pub(super) fn finish<T>(&mut self, item: &Item<T>) {
        for comment in &item.behind {
            self.push(" ");
            self.push(&comment.text);
        }
        self.end_line();
    }

    /// `space` is that before the first one.
    pub(super) fn comments(&mut self, comments: &[Comment], space: Space) {
        for (index, comment) in comments.iter().enumerate() {
            let space = if index == 0 { space } else { Space::AsWritten };
            self.space(space, comment.blank_before);
            self.start_line();
            self.push(&comment.text);
            self.end_line();
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn start_line(&mut self) {
        self.text.extend(std::iter::repeat_n('\t', self.indent));
    }

    pub(super) fn end_line(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn indented(&mut self, print: impl FnOnce(&mut Printer)) {
        self.indent += 1;
        print(self);
        self.indent -= 1;
    }

    fn space(&mut self, space: Space, written: bool) {
        if space == Space::Blank || space == Space::AsWritten && written {
            self.end_line();
        }
    }
}
