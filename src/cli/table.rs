//! Tables for people: a line of titles, columns as wide as they need to be, two blanks between them.

/// Lines of a table. Cells of the last column are not padded, and no line ends with a blank.
pub(super) fn table<const N: usize, S: AsRef<str>>(titles: [&str; N], rows: &[[S; N]]) -> String {
    let mut widths = titles.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell.as_ref()));
        }
    }
    let mut text = String::new();
    let mut line = |cells: [&str; N]| {
        let mut line = String::new();
        for (cell, widest) in cells.into_iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', 2 + widest - width(cell)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    line(titles);
    for row in rows {
        line(std::array::from_fn(|column| row[column].as_ref()));
    }
    text
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a1", "Ünïcode", "x"], ["a1b2c3", "", ""]];
        assert_eq!(
            table(["ID", "NAME", "LAST COLUMN"], &rows),
            "ID      NAME     LAST COLUMN\n\
             a1      Ünïcode  x\n\
             a1b2c3\n"
        );
        assert_eq!(table::<2, &str>(["A", "B"], &[]), "A  B\n");
    }
}
