//! The flags, those of lsns(8) and one of ours, and the request that they make.

use super::columns::Column;
use super::request::{Request, Tree, kind};
use crate::face::given::Given;
use crate::face::table::{Flag, Order, Table, Value};
use crate::filter::Filter;
use insula_oci::escaped;
use std::ffi::OsStr;

/// The table of flags.
pub const TABLE: Table = Table {
    name: "lsns",
    about: "List namespaces, and what holds them, as lsns(8) does",
    usage: "[OPTIONS] [NAMESPACE]",
    groups: &[
        (
            "Which",
            &[
                Flag::value(
                    't',
                    "type",
                    Value::Required("KIND"),
                    "Only this kind: mnt, net, ipc, user, pid, uts, cgroup or time; may be given again",
                ),
                Flag::value('p', "task", Value::Required("PID"), "Only the namespaces of this process"),
                Flag::switch('P', "persistent", "Only namespaces without processes"),
                Flag::value(
                    'Q',
                    "filter",
                    Value::Required("EXPR"),
                    "Only rows for which the expression is true, scols-filter(5): `TYPE == \"net\" and NPROCS > 1`",
                ),
                Flag::long(
                    "all-holders",
                    Value::None,
                    "Look for everything that can hold a namespace: threads, processes' future children, and mounts in other mount namespaces too",
                ),
            ],
        ),
        (
            "What is shown",
            &[
                Flag::value(
                    'o',
                    "output",
                    Value::Required("COLUMNS"),
                    "Show these columns, separated by commas; +COLUMNS: more than the usual ones",
                ),
                Flag::long(
                    "output-all",
                    Value::None,
                    "Show all columns of lsns(8); with --all-holders ours too",
                ),
                Flag::value(
                    'T',
                    "tree",
                    Value::Optional("BY"),
                    "Show a tree: by owner (what -T alone means), parent or process",
                ),
                Flag::switch('l', "list", "Show a list: no tree"),
                Flag::switch('J', "json", "Print JSON"),
                Flag::switch('r', "raw", "Print for scripts: words with one space between them"),
                Flag::switch('n', "noheadings", "Print no headings"),
                Flag::switch('u', "notruncate", "Cut no text where the terminal is too narrow"),
                Flag::switch('W', "nowrap", "Print a cell on one line: commas between mount points"),
                Flag::switch(
                    'H',
                    "list-columns",
                    "Print what columns there are; with --json or --raw for programs",
                ),
            ],
        ),
    ],
    order: Order::Permute,
    after_help: "NAMESPACE is an inode number, as readlink /proc/PID/ns/KIND shows it: its processes are listed.\n\
                 Ours are the columns NAME, HOLDERS and ID; HOLDERS looks as --all-holders does.\n\n\
                 EXPR compares columns, \"strings\", numbers (1K, 2MiB) and true and false by == != < <= > >= \
                 (eq ne lt le gt ge),\nmatches regular expressions by =~ and !~, and joins by !, and, or (&& ||), which \
                 bind from left to right.\n\n\
                 LIBSMARTCOLS_JSON=compact or =lines in the environment lays JSON out as a row a line.\n\
                 Exit codes: 0, or 1 where something failed.",
};

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub hint: Option<&'static str>,
}

impl Refusal {
    fn new(message: String) -> Refusal {
        Refusal { message, hint: None }
    }
}

const COLUMNS_HINT: &str = "`insula lsns --list-columns` lists them";

/// Reads the flags in the order in which they were given, as the tool does: the first that is wrong is told.
pub fn request(given: &Given) -> Result<Request, Refusal> {
    let mut request = Request {
        json: false,
        raw: false,
        headings: true,
        cut: true,
        wrap: true,
        persistent: false,
        all_holders: false,
        tree: Tree::None,
        task: None,
        namespace: None,
        kinds: [false; 8],
        columns: Vec::new(),
        filter: None,
    };
    let mut output = None;
    for (flag, value) in &given.flags {
        exclusive(given, flag)?;
        if *flag == "tree" {
            request.tree = value.as_deref().map_or(Ok(Tree::Owner), tree)?;
            continue;
        }
        let value = value.as_deref().unwrap_or_default();
        match *flag {
            "json" => request.json = true,
            "raw" => (request.raw, request.wrap) = (true, false),
            "noheadings" => request.headings = false,
            "notruncate" => request.cut = false,
            "nowrap" => request.wrap = false,
            "persistent" => request.persistent = true,
            "all-holders" => request.all_holders = true,
            "output" => output = Some(value),
            "task" => request.task = Some(pid(value)?),
            "filter" => request.filter = filter(value)?,
            "type" => match kind(&value.to_string_lossy()) {
                Some(kind) => request.kinds[kind as usize] = true,
                None => return Err(Refusal::new(format!("unknown namespace type: {}", shown(value)))),
            },
            _ => {}
        }
    }
    if !given.has("list-columns") {
        complete(given, &mut request, output)?;
    }
    Ok(request)
}

/// `--json` and `--raw`, `--task` and `--persistent`: told when the second of them comes.
fn exclusive(given: &Given, flag: &str) -> Result<(), Refusal> {
    for (one, two) in [("json", "raw"), ("persistent", "task")] {
        let mut both = given.flags.iter().map(|(name, _)| *name).filter(|name| *name == one || *name == two);
        let first = both.next();
        if let (Some(first), Some(second)) = (first, both.find(|name| Some(*name) != first))
            && flag == second
        {
            return Err(Refusal::new(format!("options --{first} and --{second} cannot be combined")));
        }
    }
    Ok(())
}

/// What the flags mean together: kinds, columns, and the tree that there is where nothing was said.
fn complete(given: &Given, request: &mut Request, output: Option<&OsStr>) -> Result<(), Refusal> {
    let only_net = request.kinds[insula_launch::plan::Kind::Net as usize];
    if request.kinds == [false; 8] {
        request.kinds = [true; 8];
    }
    let free = request.tree == Tree::None && !given.has("list");
    if given.has("output-all") {
        let count = if request.all_holders { Column::ALL.len() } else { Column::OF_LSNS };
        request.columns = Column::ALL[..count].to_vec();
    }
    if let Some(word) = given.words.first() {
        if request.task.is_some() {
            return Err(Refusal::new("--task is mutually exclusive with <namespace>".to_owned()));
        }
        request.namespace = Some(
            number(word)
                .ok_or_else(|| Refusal::new(format!("invalid namespace argument: '{}'", shown(word))))?,
        );
        if free {
            request.tree = Tree::Process;
        }
        if request.columns.is_empty() {
            request.columns = vec![Column::Pid, Column::Ppid, Column::User, Column::Command];
        }
    }
    if request.columns.is_empty() {
        request.columns = vec![Column::Ns, Column::Type, Column::Nprocs, Column::Pid, Column::User];
        if only_net {
            request.columns.extend([Column::Netnsid, Column::Nsfs]);
        }
        request.columns.push(Column::Command);
        if free {
            request.tree = Tree::Process;
        }
    }
    output.map_or(Ok(()), |list| columns(list, &mut request.columns))
}

/// Reads `-o`.
fn columns(list: &OsStr, columns: &mut Vec<Column>) -> Result<(), Refusal> {
    /// As many as twice those that there are.
    const MOST: usize = Column::ALL.len() * 2;
    let text = list.to_string_lossy();
    let names = match text.strip_prefix('+') {
        Some(more) => more,
        None => {
            columns.clear();
            &text
        }
    };
    for name in names.split(',') {
        let column = Column::find(name).ok_or_else(|| Refusal {
            message: format!("unknown column: {}", escaped(name)),
            hint: Some(COLUMNS_HINT),
        })?;
        columns.push(column);
    }
    if columns.len() > MOST {
        return Err(Refusal::new(format!("too many columns, {MOST} are the limit")));
    }
    Ok(())
}

/// Reads `-T`; `=` may stand before the word, for `-T=owner`.
fn tree(value: &OsStr) -> Result<Tree, Refusal> {
    match value.to_string_lossy().trim_start_matches('=') {
        "owner" => Ok(Tree::Owner),
        "parent" => Ok(Tree::Parent),
        "process" => Ok(Tree::Process),
        other => Err(Refusal::new(format!("unknown tree type: {}", escaped(other)))),
    }
}

/// Reads `-Q`. An empty expression is none.
fn filter(value: &OsStr) -> Result<Option<(Filter, Vec<Column>)>, Refusal> {
    let text = value.to_string_lossy();
    if text.is_empty() {
        return Ok(None);
    }
    let filter = Filter::parse(&text)
        .map_err(|error| Refusal::new(format!("failed to parse \"{}\": {}", escaped(&text), error)))?;
    let columns = filter.names().iter().map(|name| {
        Column::find(name).ok_or_else(|| Refusal {
            message: format!("failed to initialize filter: unknown column: {}", escaped(name)),
            hint: Some(COLUMNS_HINT),
        })
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Some((filter, columns)))
}

/// A pid, from 1 on: lsns(8) from 2.40 on takes no others.
fn pid(value: &OsStr) -> Result<u32, Refusal> {
    let pid = number(value).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
    pid.and_then(|pid| u32::try_from(pid).ok())
        .ok_or_else(|| Refusal::new(format!("invalid PID argument: '{}'", shown(value))))
}

/// A number as strtoumax(3) reads it: blanks and a plus may stand before it.
fn number(value: &OsStr) -> Option<u64> {
    let text = value.to_str()?;
    let digits = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    digits.starts_with(|first: char| first.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn shown(value: &OsStr) -> String {
    escaped(&value.to_string_lossy()).to_string()
}
