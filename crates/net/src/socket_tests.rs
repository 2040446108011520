//! What the kernel says about a refusal.

use super::{Listed, Listing, said, verdict};
use crate::error::{Act, Error};
use crate::mangle::mangled;
use crate::message::{Answer, Request, answers};
use crate::number::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSGERR_ATTR_MSG,
};
use rustix::io::Errno;

/// An answer of the kernel's: a number, the request's header (and payload), a text.
fn refusal(kind: u16, flags: u16, code: i32, request: &[u8], text: &str) -> Vec<u8> {
    let structure = [&code.to_ne_bytes()[..], request].concat();
    let mut answer = Request::new(kind, flags, &structure);
    answer.put_text(NLMSGERR_ATTR_MSG, text);
    answer.sealed(1, 0).to_vec()
}

fn first(bytes: &[u8]) -> Answer<'_> {
    answers(bytes).next().expect("a message").expect("that can be read")
}

fn said_of(bytes: &[u8]) -> (Option<Errno>, Option<String>) {
    match verdict(Act::Make, "make `x`", &first(bytes)) {
        Err(Error::Refused { errno, said, .. }) => (Some(errno), said),
        Err(other) => panic!("{other}"),
        Ok(()) => (None, None),
    }
}

#[test]
fn a_refusal_has_a_number_and_a_text() {
    let mut request = Request::new(16, 0, &[0; 16]);
    request.put_text(3, "eth0");
    let whole = request.sealed(1, 0).to_vec();
    let head = &whole[..16];
    let code = -Errno::BUSY.raw_os_error();
    let text = || Some("because".to_owned());
    let flags = NLM_F_ACK_TLVS | NLM_F_CAPPED;
    let table = [
        (refusal(NLMSG_ERROR, flags, code, head, "because"), Some(Errno::BUSY), text()),
        (refusal(NLMSG_ERROR, NLM_F_ACK_TLVS, code, &whole, "because"), Some(Errno::BUSY), text()),
        (refusal(NLMSG_DONE, NLM_F_ACK_TLVS, code, &[], "because"), Some(Errno::BUSY), text()),
        (refusal(NLMSG_ERROR, NLM_F_CAPPED, code, head, "not flagged"), Some(Errno::BUSY), None),
        (refusal(NLMSG_ERROR, flags, code, head, ""), Some(Errno::BUSY), None),
        (refusal(NLMSG_ERROR, flags, 0, head, "a warning"), None, None),
    ];
    for (at, (bytes, errno, said)) in table.into_iter().enumerate() {
        assert_eq!(said_of(&bytes), (errno, said), "row {at}");
    }
}

#[test]
fn an_end_without_a_number_is_one() {
    let bytes = Request::new(NLMSG_DONE, 0, &[]).sealed(1, 0).to_vec();
    assert_eq!(verdict(Act::List, "list", &first(&bytes)), Ok(()));
    let bytes = Request::new(NLMSG_ERROR, 0, &[]).sealed(1, 0).to_vec();
    assert!(matches!(verdict(Act::List, "list", &first(&bytes)), Err(Error::Malformed { .. })));
}

/// What a list of these messages comes to; each item is a number at its beginning.
fn listed(messages: &[(u16, u16)]) -> Listed<u8> {
    let mut listing = Listing::new();
    let read = |answer: &Answer<'_>| Ok(answer.payload.first().copied());
    for (at, (kind, flags)) in messages.iter().enumerate() {
        // DONE has an errno, 0; an item its number.
        let payload =
            if *kind == NLMSG_DONE { [0; 4] } else { [u8::try_from(at).expect("few messages"), 0, 0, 0] };
        let answer = Answer { kind: *kind, flags: *flags, sequence: 1, payload: &payload };
        if listing.is_ended_by("list", &answer, &read).expect("it can be read") {
            assert_eq!(at + 1, messages.len(), "the end is the last one");
            return listing.listed();
        }
    }
    panic!("no end");
}

#[test]
fn a_list_that_changed_meanwhile_is_not_taken() {
    let item = 16;
    assert_eq!(listed(&[(item, 0), (NLMSG_NOOP, 0), (item, 0), (NLMSG_DONE, 0)]), Listed::All(vec![0, 2]));
    for changed in 0..3 {
        let mut messages = [(item, 2), (item, 2), (NLMSG_DONE, 2)];
        messages[changed].1 |= NLM_F_DUMP_INTR;
        assert_eq!(listed(&messages), Listed::Changed, "said in message {changed}");
    }
}

#[test]
fn nothing_malformed_is_a_panic() {
    let whole = Request::new(16, 0, &[0; 16]).sealed(1, 0).to_vec();
    for bytes in mangled(&refusal(NLMSG_ERROR, NLM_F_ACK_TLVS, -17, &whole, "because")) {
        for answer in answers(&bytes).flatten() {
            let _ = (said(&answer), verdict(Act::Make, "make `x`", &answer));
        }
    }
}
