//! A table for people: columns as wide as what is in them.

use insula_oci::escaped;

/// Lines of a head and rows. What is foreign is escaped; an empty cell is `-`.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let cells: Vec<[String; N]> = std::iter::once(head.map(str::to_owned))
        .chain(rows.iter().map(|row| {
            row.each_ref()
                .map(|cell| if cell.is_empty() { "-".to_owned() } else { escaped(cell).to_string() })
        }))
        .collect();
    let widths: Vec<usize> =
        (0..N).map(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &cells {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest() {
        let rows = [["a".into(), "long".into()], ["é\u{1b}".into(), String::new()]];
        assert_eq!(table(["X", "Y"], &rows), "X        Y\na        long\né\\u{1b}  -\n");
    }
}
