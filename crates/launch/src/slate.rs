//! The Slate: a shared page on which the child writes where it is and what failed.
//!
//! The parent words a failure from its own copy of the plan; from the page it takes three numbers and a short text,
//! and trusts them no more than any input: the step is checked against the plan, the text is bounded and escaped.

use crate::fault::{Call, Fault};
use insula_sys::page::SharedPage;
use rustix::io::Errno;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const STEP: usize = 0;
const CALL: usize = 1;
const ERRNO: usize = 2;
const TEXT_LENGTH: usize = 3;
const TEXT: usize = 4;
/// A word for each step: it was done.
const HELD: usize = 256;
/// Bytes of kernel message that are kept.
pub const TEXT_BYTES: usize = 512;

/// The shared page of one birth.
#[derive(Debug)]
pub struct Slate {
    page: SharedPage,
    /// Of a rehearsal: the steps that are not tried, by their place. Each side has its copy, equal since the birth.
    rehearsal: Option<Vec<bool>>,
}

/// What the page says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The index of the step that the child was in.
    pub step: usize,
    /// It was past the last step's preparation: the end of the baton means that it has executed.
    pub executing: bool,
    /// What failed there, if the child had time to say it.
    pub fault: Option<Fault>,
    /// What the kernel wrote about it (fsopen(2)'s message log), bytes as they came.
    pub text: Vec<u8>,
}

impl Reading {
    /// The text, if there is one.
    pub fn said(&self) -> Option<String> {
        (!self.text.is_empty()).then(|| String::from_utf8_lossy(&self.text).trim().to_owned())
    }
}

impl Slate {
    /// Maps the page.
    pub fn new() -> Result<Self, Errno> {
        Ok(Slate { page: SharedPage::new()?, rehearsal: None })
    }

    /// Maps the page for a rehearsal, in which some steps are not tried.
    pub fn rehearsing(untried: Vec<bool>) -> Result<Self, Errno> {
        Ok(Slate { page: SharedPage::new()?, rehearsal: Some(untried) })
    }

    /// Is this a rehearsal, in which the program is not executed?
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// Is the step with this index not tried?
    pub fn skips(&self, index: usize) -> bool {
        self.rehearsal.as_ref().and_then(|untried| untried.get(index)).is_some_and(|untried| *untried)
    }

    /// Whoever walks: "the step with this index is done." A plan longer than the page has room for loses its end.
    pub fn hold(&self, index: usize) {
        if let Some(word) = self.words()[HELD..].get(index) {
            word.store(1, Release);
        }
    }

    /// Was the step with this index done?
    pub fn has_held(&self, index: usize) -> bool {
        self.words()[HELD..].get(index).is_some_and(|word| word.load(Acquire) == 1)
    }

    fn words(&self) -> &[AtomicU32] {
        self.page.words()
    }

    /// Child: "I am in step `index` now"; the number of all steps means "executing".
    pub fn enter(&self, index: usize) {
        self.words()[STEP].store(u32::try_from(index).unwrap_or(u32::MAX), Release);
    }

    /// Child: "it failed so."
    pub fn fail(&self, fault: Fault) {
        self.words()[CALL].store(fault.call as u32, Relaxed);
        self.words()[ERRNO].store(fault.errno.raw_os_error().unsigned_abs(), Release);
    }

    /// Child: keeps what the kernel said, cut to [`TEXT_BYTES`].
    pub fn note(&self, text: &[u8]) {
        let text = &text[..text.len().min(TEXT_BYTES)];
        for (word, bytes) in self.words()[TEXT..].iter().zip(text.chunks(4)) {
            let mut four = [0u8; 4];
            four[..bytes.len()].copy_from_slice(bytes);
            word.store(u32::from_le_bytes(four), Relaxed);
        }
        self.words()[TEXT_LENGTH].store(u32::try_from(text.len()).unwrap_or(0), Release);
    }

    /// Child: what was kept, copied into `to`; how many bytes. Allocates nothing.
    pub(crate) fn copy_text(&self, to: &mut [u8]) -> usize {
        let words = self.page.words();
        let length = (words[TEXT_LENGTH].load(Acquire) as usize).min(TEXT_BYTES).min(to.len());
        for (bytes, word) in to[..length].chunks_mut(4).zip(&words[TEXT..]) {
            bytes.copy_from_slice(&word.load(Relaxed).to_le_bytes()[..bytes.len()]);
        }
        length
    }

    /// Parent: what the page says, for a plan of `steps` steps.
    pub fn read(&self, steps: usize) -> Reading {
        let words = self.words();
        let at = words[STEP].load(Acquire) as usize;
        let step = at.min(steps.saturating_sub(1));
        let errno = i32::try_from(words[ERRNO].load(Acquire)).ok().filter(|e| (1..4096).contains(e));
        let fault = errno.map(|e| Fault {
            call: Call::from_number(words[CALL].load(Relaxed)),
            errno: Errno::from_raw_os_error(e),
        });
        let length = (words[TEXT_LENGTH].load(Acquire) as usize).min(TEXT_BYTES);
        let mut text: Vec<u8> = words[TEXT..]
            .iter()
            .take(length.div_ceil(4))
            .flat_map(|w| w.load(Relaxed).to_le_bytes())
            .collect();
        text.truncate(length);
        Reading { step, executing: at == steps, fault, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_bounded_whatever_the_page_holds() {
        let slate = Slate::new().unwrap();
        for word in slate.words() {
            word.store(u32::MAX, Relaxed);
        }
        let reading = slate.read(7);
        assert_eq!((reading.step, reading.fault, reading.text.len()), (6, None, TEXT_BYTES));
    }

    #[test]
    fn what_is_written_is_read() {
        let slate = Slate::new().unwrap();
        slate.enter(3);
        slate.fail(Fault { call: Call::MoveMount, errno: Errno::LOOP });
        slate.note(b"overlay: no");
        let reading = slate.read(9);
        assert_eq!(reading.step, 3);
        assert_eq!(reading.fault, Some(Fault { call: Call::MoveMount, errno: Errno::LOOP }));
        assert_eq!(reading.text, b"overlay: no");
    }
}
