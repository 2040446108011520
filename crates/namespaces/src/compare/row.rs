//! A row of a comparison.

use super::facts::{Namespace, Seen};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// A stable word for programs.
    pub key: String,
    /// What it is about: whether a difference is one of the view, and what is worth to be told.
    pub about: About,
    /// What A has.
    pub a: Value,
    /// What B has.
    pub b: Value,
    /// How they are to each other.
    pub state: State,
    /// What more there is to say.
    pub note: Option<String>,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// What a process sees and may do: it decides whether two views are the same, and is told where it differs.
    View,
    /// Where it stands for the moment, as its working directory: told where it differs.
    Place,
    /// What two processes have together, as open files: told where they have.
    Shared,
}

/// How the two sides of a row are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The same.
    Same,
    /// Not the same.
    Differs,
    /// It may not be seen.
    Unseen,
    /// A side has no such thing.
    Nothing,
}

impl State {
    /// As a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Same => "same",
            State::Differs => "differs",
            State::Unseen => "unseen",
            State::Nothing => "nothing",
        }
    }
}

/// What a side has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A namespace.
    Namespace(Namespace),
    /// Capabilities, a bit each.
    Capabilities(u64),
    /// Real, effective, saved and file system id.
    Ids([u32; 4]),
    /// Numbers.
    Numbers(Vec<u32>),
    /// Words.
    Text(String),
    /// It may not be seen.
    Unseen,
    /// There is none.
    Nothing,
}

impl Row {
    /// Is it worth to be told without being asked for?
    pub fn is_news(&self) -> bool {
        match (self.about, self.state) {
            (_, State::Nothing) => false,
            (About::Shared, state) => state == State::Same,
            (_, state) => state != State::Same,
        }
    }
}

/// A row of two things that may be known.
pub(super) fn row<T: PartialEq>(
    key: &str,
    about: About,
    [a, b]: [&Seen<T>; 2],
    value: impl Fn(&T) -> Value,
) -> Row {
    let show = |seen: &Seen<T>| match seen {
        Seen::Is(known) => value(known),
        Seen::Hidden(_) => Value::Unseen,
        Seen::Nothing(_) => Value::Nothing,
    };
    let (state, note) = match (a, b) {
        (Seen::Is(one), Seen::Is(other)) if one == other => (State::Same, None),
        (Seen::Is(_), Seen::Is(_)) => (State::Differs, None),
        (Seen::Hidden(why), _) | (_, Seen::Hidden(why)) => (State::Unseen, Some(why.words().to_owned())),
        (Seen::Nothing(why), _) | (_, Seen::Nothing(why)) => (State::Nothing, Some((*why).to_owned())),
    };
    Row { key: key.to_owned(), about, a: show(a), b: show(b), state, note }
}

pub(super) fn known<T>(value: T) -> Seen<T> {
    Seen::Is(value)
}

pub(super) fn text(value: &impl ToString) -> Value {
    Value::Text(value.to_string())
}
