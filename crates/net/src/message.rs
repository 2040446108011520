//! Messages of netlink(7): a request is built, an answer is taken apart with every length checked.
//!
//! A message is a header of 16 bytes, a structure of the message's kind, and attributes: length, type, payload, padded to
//! 4 bytes. All numbers are in the machine's own order.

use crate::number::{NLA_F_NESTED, NLA_TYPE_MASK, NLM_F_REQUEST};

/// The header's length: `struct nlmsghdr`.
pub const HEADER: usize = 16;

/// What of an answer cannot be read, as a noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// The next multiple of 4, to which all is padded.
const fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// A request, as far as it is built.
#[derive(Debug, Clone)]
pub struct Request {
    bytes: Vec<u8>,
    kind: u16,
    flags: u16,
}

impl Request {
    /// A request of a kind (`RTM_…`), with flags beside `NLM_F_REQUEST`, and the structure of the kind.
    pub fn new(kind: u16, flags: u16, structure: &[u8]) -> Request {
        let mut bytes = Vec::with_capacity(128);
        bytes.resize(HEADER, 0);
        bytes.extend_from_slice(structure);
        Request { bytes, kind, flags: flags | NLM_F_REQUEST }
    }

    /// Adds an attribute.
    pub fn put(&mut self, kind: u16, payload: &[u8]) {
        self.nest_as(kind, |request| request.bytes.extend_from_slice(payload));
    }

    /// Adds an attribute with a number.
    pub fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Adds an attribute with a number that may be negative.
    pub fn put_i32(&mut self, kind: u16, value: i32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Adds an attribute with a text, NUL behind it.
    pub fn put_text(&mut self, kind: u16, text: &str) {
        self.nest_as(kind, |request| {
            request.bytes.extend_from_slice(text.as_bytes());
            request.bytes.push(0);
        });
    }

    /// Adds an attribute that holds what `inside` adds.
    pub fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Request)) {
        self.nest_as(kind | NLA_F_NESTED, inside);
    }

    /// Adds bytes that are no attribute: a structure inside of one.
    pub fn structure(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn nest_as(&mut self, kind: u16, inside: impl FnOnce(&mut Request)) {
        self.bytes.resize(aligned(self.bytes.len()), 0);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        inside(self);
        let length = u16::try_from(self.bytes.len() - start)
            .expect("names are checked and answers are shorter: no attribute has 64 KiB");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
    }

    /// The whole message, under a sequence number, with more flags.
    pub fn sealed(&mut self, sequence: u32, flags: u16) -> &[u8] {
        let length = u32::try_from(self.bytes.len()).expect("a request of a few attributes");
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[4..6].copy_from_slice(&self.kind.to_ne_bytes());
        self.bytes[6..8].copy_from_slice(&(self.flags | flags).to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        // The kernel knows the sender by its socket; the port stays 0.
        &self.bytes
    }
}

/// One message of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Its type: `RTM_…` or `NLMSG_…`.
    pub kind: u16,
    /// Its flags.
    pub flags: u16,
    /// The sequence number of the request; 0 in an event.
    pub sequence: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// The messages of a datagram, one after another. What cannot be read is the last.
pub fn answers(datagram: &[u8]) -> impl Iterator<Item = Result<Answer<'_>, Malformed>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (answer, next) = match first_answer(rest) {
            Ok((answer, next)) => (Ok(answer), next),
            Err(malformed) => (Err(malformed), &[][..]),
        };
        rest = next;
        Some(answer)
    })
}

fn first_answer(bytes: &[u8]) -> Result<(Answer<'_>, &[u8]), Malformed> {
    const PART: Malformed = Malformed("a message's length");
    let length = usize::try_from(u32_at(bytes, 0).map_err(|_| PART)?).map_err(|_| PART)?;
    let message = bytes.get(..length).filter(|message| message.len() >= HEADER).ok_or(PART)?;
    let answer = Answer {
        kind: u16_at(message, 4)?,
        flags: u16_at(message, 6)?,
        sequence: u32_at(message, 8)?,
        payload: &message[HEADER..],
    };
    Ok((answer, bytes.get(aligned(length)..).unwrap_or_default()))
}

/// An attribute: its type, and what it holds.
pub type Attribute<'a> = (u16, &'a [u8]);

/// The attributes behind a structure of `structure` bytes, without the flags of their types. What cannot be read is the
/// last.
pub fn attributes(
    payload: &[u8],
    structure: usize,
) -> impl Iterator<Item = Result<Attribute<'_>, Malformed>> {
    let mut rest = payload.get(aligned(structure)..).unwrap_or_default();
    std::iter::from_fn(move || {
        // Fewer bytes than an attribute's head are padding, as the kernel's own nla_ok() has it.
        if rest.len() < 4 {
            return None;
        }
        let (attribute, next) = match first_attribute(rest) {
            Ok((attribute, next)) => (Ok(attribute), next),
            Err(malformed) => (Err(malformed), &[][..]),
        };
        rest = next;
        Some(attribute)
    })
}

fn first_attribute(bytes: &[u8]) -> Result<(Attribute<'_>, &[u8]), Malformed> {
    let length = usize::from(u16_at(bytes, 0)?);
    let kind = u16_at(bytes, 2)? & NLA_TYPE_MASK;
    let payload = bytes.get(4..length).ok_or(Malformed("an attribute's length"))?;
    Ok(((kind, payload), bytes.get(aligned(length)..).unwrap_or_default()))
}

/// The byte at an offset.
pub fn u8_at(bytes: &[u8], at: usize) -> Result<u8, Malformed> {
    bytes.get(at).copied().ok_or(Malformed("a byte"))
}

/// The number of two bytes at an offset.
pub fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Malformed> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

/// The number of four bytes at an offset.
pub fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}

/// The number of four bytes at an offset, which may be negative.
pub fn i32_at(bytes: &[u8], at: usize) -> Result<i32, Malformed> {
    array_at(bytes, at).map(i32::from_ne_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Malformed("a number"))
}

/// A text, up to its NUL. What is no UTF-8 is replaced: such a thing is spoken of by its index.
pub fn text(payload: &[u8]) -> String {
    let end = payload.iter().position(|byte| *byte == 0).unwrap_or(payload.len());
    String::from_utf8_lossy(&payload[..end]).into_owned()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
