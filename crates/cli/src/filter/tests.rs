//! The language as a table, and random input.

use super::{Filter, Mismatch, Type};

/// A row: a name, a number, an empty text, an empty number.
fn row(name: &str) -> (Type, Option<String>) {
    match name.to_ascii_uppercase().as_str() {
        "TYPE" => (Type::Text, Some("net".to_owned())),
        "COMMAND" => (Type::Text, Some(" sleep 300 ".to_owned())),
        "NPROCS" => (Type::Number, Some("3".to_owned())),
        "NSFS" => (Type::Text, None),
        _ => (Type::Number, None),
    }
}

fn ask(text: &str) -> Result<bool, Mismatch> {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    filter.holds(&|number| row(&filter.names()[number]))
}

#[test]
fn expressions_say_what_the_manual_says() {
    let table = [
        ("TYPE == \"net\"", true),
        ("TYPE == 'net'", true),
        ("type eq ' net '", true),
        ("TYPE != \"net\"", false),
        ("TYPE NE 'mnt'", true),
        ("NPROCS == 3 && TYPE == 'net'", true),
        ("NPROCS > 3 || NPROCS < 3", false),
        ("NPROCS >= 3 and NPROCS <= 3", true),
        ("NPROCS GE 3 AND NPROCS LE 3 AND NOT (NPROCS LT 3 OR NPROCS GT 3)", true),
        ("NPROCS > 2.5", true),
        ("2.5 < NPROCS", true),
        ("NPROCS == '3'", true),
        ("NPROCS < 1K", true),
        ("1KiB == 1024", true),
        ("2M == 2097152", true),
        ("TYPE =~ '^n.t$'", true),
        ("TYPE !~ '^n.t$'", false),
        ("NPROCS =~ '[0-9]'", true),
        ("COMMAND == 'sleep 300'", true),
        ("TYPE", true),
        ("!TYPE", false),
        ("NSFS", false),
        ("not NSFS", true),
        ("NSFS =~ '^$'", true),
        ("NSFS == ''", false),
        ("PID", false),
        ("PID == 0", false),
        ("PID != 0", false),
        ("true", true),
        ("FALSE", false),
        ("NPROCS == true", true),
        ("(NPROCS > 1) == true", true),
        ("!NPROCS == 3", false),
        ("'b' > 'a'", true),
        ("3 == 3.0", true),
        // From left to right: (true or true) and false.
        ("true or true and false", false),
        ("NPROCS==3&&(TYPE=='mnt'||TYPE=='net')", true),
        ("TYPE\n==\t'net'", true),
    ];
    for (text, expected) in table {
        assert_eq!(ask(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    for text in ["COMMAND > 5", "5 =~ '5'", "TYPE == 1.5", "(NPROCS > 1) =~ 'x'"] {
        assert_eq!(ask(text), Err(Mismatch), "{text}");
    }
    assert_eq!(ask("false and COMMAND > 5"), Ok(false), "the right side is not asked for");
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    let table = [
        ("", 0),
        ("NPROCS ==", 9),
        ("== 3", 0),
        ("(NPROCS", 7),
        ("NPROCS)", 6),
        ("NPROCS 3", 7),
        ("TYPE == 'net", 8),
        ("TYPE == net'", 11),
        ("TYPE =~ TYPE", 8),
        ("TYPE =~ '('", 8),
        ("TYPE =~ 'a++'", 8),
        ("TYPE =~ '(a+)+'", 8),
        ("TYPE =~ 'a{,9999}'", 8),
        ("NPROCS > -1", 9),
        ("NPROCS > 1.", 10),
        ("99999999999999999999G > 1", 0),
        ("1Z > 1", 0),
        ("NPROCS # 3", 7),
        ("é", 0),
    ];
    for (text, at) in table {
        assert_eq!(Filter::parse(text).map(drop).map_err(|error| error.at), Err(at), "{text}");
    }
    assert!(Filter::parse(&"(".repeat(1000)).is_err());
    assert!(Filter::parse(&"!".repeat(1000)).is_err());
    assert!(Filter::parse(&format!("1{}", " and 1".repeat(170))).is_err());
    assert!(Filter::parse(&"1".repeat(1025)).is_err());
}

/// Numbers that look random and are the same each time, so that a failure can be repeated: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).expect("a small number")).expect("below a usize")
    }
}

#[test]
fn random_input_never_panics() {
    let pieces = [
        "TYPE", "NPROCS", "NSFS", "PID", "and", "OR", "!", "not", "(", ")", "==", "!=", "<", "<=", ">", ">=",
        "=~", "!~", "'x'", "\"net\"", "'", "\"", "3", "1.5", "2K", "9Y", "true", "FALSE", " ", "\n", "&&",
        "||", "é", "\0", "{", "*", "'[a-'", "'a{1,3}'", ".", "%", "-",
    ];
    let mut random = Random(0x5eed);
    let mut understood = 0;
    for _ in 0..20_000 {
        let length = random.below(12);
        let text: String = (0..length).map(|_| pieces[random.below(pieces.len())]).collect();
        if let Ok(filter) = Filter::parse(&text) {
            understood += 1;
            let _ = filter.holds(&|number| row(&filter.names()[number]));
        }
    }
    assert!(understood > 100, "the pieces make expressions: {understood}");
}
