//! What the verbs that look share: the word for what is looked at, `--kind`, `--json`, and what could not be seen.

use crate::table::{Column, Format, Json, Layout, Row, Style, Table, is_utf8, terminal_width};
use crate::tell;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use insula_launch::plan::Kind;
use insula_namespaces::error::Error;
use insula_namespaces::id::Identity;
use insula_namespaces::scan::Snapshot;
use insula_namespaces::subject::{Of, Subject};
use insula_oci::escaped;
use std::ffi::OsString;
use std::process::ExitCode;

/// The id of the word for what is looked at.
const SUBJECT: &str = "NAME|PID|ID";

/// What that word may be, for the helps.
pub const WORDS: &str = "NAME is a name of `insula ns ls` or `ip netns`. PID stands for the namespaces of a process. One namespace \
     is meant by its inode (a number, or KIND:[INODE] as readlink /proc/PID/ns/KIND shows it), its 64-bit id (:ID, from \
     Linux 6.18 on) or a FILE: one of /proc/PID/ns, or one on which it is mounted.";

/// A verb with its line of help.
pub fn verb(name: &'static str, about: &'static str) -> Command {
    Command::new(name).bin_name(format!("insula ns {name}")).about(about)
}

/// The word for what is looked at.
pub fn subject() -> Arg {
    Arg::new(SUBJECT)
        .required(true)
        .value_parser(clap::value_parser!(OsString))
        .help("A name, a process, or a namespace: its inode, :ID or FILE")
}

/// `--json`.
pub fn json() -> Arg {
    Arg::new("json").long("json").short('J').action(ArgAction::SetTrue).help("Print JSON")
}

/// `--kind`.
pub fn kind() -> Arg {
    Arg::new("kind")
        .long("kind")
        .short('t')
        .value_name("KIND")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .value_parser(PossibleValuesParser::new(Kind::ALL.map(|kind| {
            let value = PossibleValue::new(kind.name());
            // unshare(1)'s and nsenter(1)'s word.
            if kind == Kind::Mnt { value.alias("mount") } else { value }
        })))
        .help("Only this kind; may be given again, or several with commas")
}

/// The kinds that are asked for, by `Kind as usize`; all where none is.
pub fn kinds(matches: &ArgMatches) -> [bool; 8] {
    let Some(words) = matches.get_many::<String>("kind") else { return [true; 8] };
    let mut kinds = [false; 8];
    for word in words {
        let word = if word == "mount" { Kind::Mnt.name() } else { word };
        for kind in Kind::ALL.into_iter().filter(|kind| kind.name() == word) {
            kinds[kind as usize] = true;
        }
    }
    kinds
}

/// Finds what the word means, of the kinds that are asked for.
pub fn find(matches: &ArgMatches) -> Result<Subject, Error> {
    let word = matches.get_one::<OsString>(SUBJECT).cloned().unwrap_or_default();
    let mut subject = Subject::find(&word)?;
    if let (Of::Name(named), true) = (&subject.of, subject.parts.is_empty()) {
        // It was left half made: what opens it says so, and what to do.
        named.open_all(&[Kind::Net])?;
    }
    let kinds = kinds(matches);
    subject.parts.retain(|part| kinds[part.kind as usize]);
    if subject.parts.is_empty() {
        let word = word.to_string_lossy().into_owned();
        let hint = Some("leave `--kind` out to see which it has".to_owned());
        return Err(Error::Asked { what: word, reason: "it has no namespace of this kind".to_owned(), hint });
    }
    Ok(subject)
}

/// Tells an error.
pub fn failed(error: &Error) -> ExitCode {
    tell::error(&escaped(&error.to_string()).to_string(), error.hint().as_deref(), tell::FAILED)
}

/// Is it the caller's own namespace?
pub fn is_own(kind: Kind, inode: u64) -> bool {
    Identity::of(format!("/proc/self/ns/{}", kind.name())).is_ok_and(|own| own.inode == inode)
}

/// Says how much could not be looked at: never in silence.
pub fn note_unseen(snapshot: &Snapshot) {
    if let Some(text) = unseen(snapshot) {
        tell::note(&text);
    }
}

/// How much could not be looked at, in words.
pub fn unseen(snapshot: &Snapshot) -> Option<String> {
    let (unseen, seen) = (snapshot.unseen, snapshot.seen);
    let why = if rustix::process::geteuid().is_root() {
        "they have rights that this process lacks, ptrace(2)"
    } else {
        "they are other users', and root may"
    };
    (unseen > 0).then(|| {
        format!("{unseen} of {seen} processes could not be looked at, nor what only they hold: {why}")
    })
}

/// A column of text at the left, or of numbers at the right.
pub fn column(name: &'static str, is_number: bool) -> Column {
    let json = if is_number { Json::Number } else { Json::Text };
    Column { name, width: 0, right: is_number, cut: false, tree: false, lines: false, json }
}

/// Rows for people, with headings; an empty cell is `-`.
pub fn human(columns: Vec<Column>, rows: Vec<Vec<Option<Vec<u8>>>>) -> String {
    let dash = |cell: Option<Vec<u8>>| cell.filter(|cell| !cell.is_empty()).or_else(|| Some(b"-".to_vec()));
    let row =
        |cells: Vec<Option<Vec<u8>>>| Row { cells: cells.into_iter().map(dash).collect(), parent: None };
    let rows = rows.into_iter().map(row).collect();
    Table { name: "", columns, rows }.print(&style(false, true))
}

/// How a table is printed.
pub fn style(json: bool, headings: bool) -> Style {
    let format = if json { Format::Json(Layout::of_environment()) } else { Format::Human };
    Style { format, headings, utf8: is_utf8(), terminal: terminal_width() }
}

/// A text that may be anybody's, for JSON.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
