//! Lines whose parts stand below each other.

/// How wide each column is but the last. A cell that is the last one of its row needs no width, and one of several lines
/// has none.
pub(super) fn widths<'a>(rows: impl IntoIterator<Item = &'a [String]>) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        let padded = row.len().saturating_sub(1);
        widths.resize(widths.len().max(padded), 0);
        for (width, cell) in widths.iter_mut().zip(&row[..padded]) {
            if !cell.contains('\n') {
                *width = (*width).max(cell.chars().count());
            }
        }
    }
    widths
}

pub(super) fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (index, cell) in row.iter().enumerate() {
        line.push_str(cell);
        if index + 1 < row.len() {
            let width = widths.get(index).copied().unwrap_or_default();
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 1));
        }
    }
    line
}
