//! The three formats, the tree, and what is cut.

use super::{Column, Format, Json, Layout, Row, Style, Table};

fn column(name: &'static str) -> Column {
    Column { name, width: 0, right: false, cut: false, tree: false, lines: false, json: Json::Text }
}

fn row(parent: Option<usize>, cells: [&str; 3]) -> Row {
    let cells = cells.map(|cell| (!cell.is_empty()).then(|| cell.as_bytes().to_vec()));
    Row { cells: cells.to_vec(), parent }
}

/// A number, files over several lines, and a command in which the tree is drawn.
fn table() -> Table {
    let number = Column { width: 5, right: true, json: Json::Number, ..column("NS") };
    let files = Column { lines: true, ..column("NSFS") };
    let command = Column { cut: true, tree: true, ..column("COMMAND") };
    let rows = vec![
        row(None, ["1", "", "init"]),
        row(Some(0), ["22", "/a\n/b b", "sh -c\n\u{202e}x"]),
        row(Some(1), ["333", "", "sleep é"]),
        row(Some(0), ["4", "/c", ""]),
        row(None, ["", "", "alone \\x"]),
    ];
    Table { name: "things", columns: vec![number, files, command], rows }
}

const STYLE: Style = Style { format: Format::Human, headings: true, utf8: true, terminal: None };

#[test]
fn people_see_columns_and_branches() {
    let expected = "
   NS NSFS COMMAND
    1      init
   22 /a   ├─sh -c\\x0a\\xe2\\x80\\xaex
      /b b │ │ 
  333      │ └─sleep é
    4 /c   └─
           alone \\x5cx
";
    assert_eq!(format!("\n{}", table().print(&STYLE)), expected);
}

#[test]
fn without_utf8_the_branches_and_the_letters_are_ascii() {
    let text = table().print(&Style { utf8: false, headings: false, ..STYLE });
    assert!(text.is_ascii());
    assert!(text.contains("| `-sleep \\xc3\\xa9\n"), "{text}");
    assert!(!text.contains("COMMAND"));
}

#[test]
fn what_may_be_cut_is_cut_at_the_edge_of_the_terminal() {
    let text = table().print(&Style { terminal: Some(20), ..STYLE });
    assert!(text.lines().all(|line| line.chars().count() <= 20), "{text}");
    assert!(text.contains("   22 /a   ├─sh -c\\x\n"), "{text}");
    let text = table().print(&Style { terminal: Some(1), ..STYLE });
    assert!(text.contains("COMMAND") && text.contains("├─sh -c\n"), "never below the header: {text}");
}

#[test]
fn scripts_see_one_word_a_cell() {
    let text = table().print(&Style { format: Format::Raw, ..STYLE });
    let expected = "NS NSFS COMMAND
1  init
22 /a\\x0a/b\\x20b \\xe2\\x94\\x9c\\xe2\\x94\\x80sh\\x20-c\\x0a\\xe2\\x80\\xaex
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn programs_see_numbers_strings_and_children() {
    let text = table().print(&Style { format: Format::Json(Layout::Pretty), ..STYLE });
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let things = value["things"].as_array().expect("an array");
    assert_eq!(things.len(), 2);
    assert_eq!(things[0]["ns"], 1);
    assert_eq!(things[0]["nsfs"], serde_json::Value::Null);
    assert_eq!(things[0]["children"][0]["command"], "sh -c\n\u{202e}x");
    assert_eq!(things[0]["children"][0]["children"][0]["ns"], 333);
    assert_eq!(things[1]["ns"], serde_json::Value::Null);
    assert!(!text.contains('\u{202e}'), "what misleads is escaped");
}

#[test]
fn json_is_laid_out_as_libsmartcols_does() {
    let mut table = table();
    table.rows.truncate(2);
    let expected = r#"{
   "things": [
      {
         "ns": 1,
         "nsfs": null,
         "command": "init",
         "children": [
            {
               "ns": 22,
               "nsfs": "/a\n/b b",
               "command": "sh -c\n\u202ex"
            }
         ]
      }
   ]
}
"#;
    assert_eq!(table.print(&Style { format: Format::Json(Layout::Pretty), ..STYLE }), expected);
}

#[test]
fn json_may_be_a_row_a_line() {
    let json = |layout| table().print(&Style { format: Format::Json(layout), ..STYLE });
    let compact: serde_json::Value = serde_json::from_str(&json(Layout::Compact)).expect("JSON");
    let pretty: serde_json::Value = serde_json::from_str(&json(Layout::Pretty)).expect("JSON");
    assert_eq!(compact, pretty);
    assert_eq!(json(Layout::Compact).lines().count(), 4);
    assert!(json(Layout::Compact).starts_with("{\"things\":[\n{\"ns\":1,\"nsfs\":null,"));
    let lines: Vec<serde_json::Value> =
        json(Layout::Lines).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(Some(&lines), pretty["things"].as_array());
}

#[test]
fn no_rows_are_no_lines_and_an_empty_array() {
    let empty = Table { rows: Vec::new(), ..table() };
    assert_eq!(empty.print(&STYLE), "");
    assert_eq!(empty.print(&Style { format: Format::Raw, ..STYLE }), "");
    let text = empty.print(&Style { format: Format::Json(Layout::Pretty), ..STYLE });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON"),
        serde_json::json!({"things": []})
    );
}

#[test]
fn without_a_column_for_the_tree_all_rows_stand_side_by_side() {
    let mut table = table();
    table.columns[2].tree = false;
    let text = table.print(&STYLE);
    assert!(!text.contains('─'));
    let json = table.print(&Style { format: Format::Json(Layout::Pretty), ..STYLE });
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["things"].as_array().map(Vec::len), Some(5));
}
