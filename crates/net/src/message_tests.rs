//! What is built is read again; what is malformed is an error.

use super::{Answer, HEADER, Malformed, Request, answers, attributes, i32_at, text, u32_at};
use crate::mangle::mangled;

/// A request with all sorts of attributes.
fn request() -> Request {
    let mut request = Request::new(16, 0x400, &[7; 16]);
    request.put_text(3, "eth0");
    request.put_u32(4, 1500);
    request.put_i32(37, -1);
    request.put(1, &[1, 2, 3]);
    request.nest(18, |info| {
        info.put(1, b"veth");
        info.nest(2, |data| {
            data.structure(&[0; 16]);
            data.put_text(3, "x");
        });
    });
    request
}

#[test]
fn what_is_built_is_read_again() {
    let mut request = request();
    let bytes = request.sealed(9, 0x4).to_vec();
    let all: Vec<Answer<'_>> = answers(&bytes).collect::<Result<_, _>>().unwrap();
    let [answer] = all[..] else { panic!("one message") };
    assert_eq!((answer.kind, answer.flags, answer.sequence), (16, 0x405, 9));
    let all: Vec<(u16, &[u8])> = attributes(answer.payload, 16).collect::<Result<_, _>>().unwrap();
    assert_eq!(all.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [3, 4, 37, 1, 18]);
    assert_eq!(text(all[0].1), "eth0");
    assert_eq!((u32_at(all[1].1, 0), i32_at(all[2].1, 0)), (Ok(1500), Ok(-1)));
    assert_eq!(all[3].1, [1, 2, 3]);
    let info: Vec<(u16, &[u8])> = attributes(all[4].1, 0).collect::<Result<_, _>>().unwrap();
    assert_eq!(info[0], (1, &b"veth"[..]));
    let data: Vec<(u16, &[u8])> = attributes(info[1].1, 16).collect::<Result<_, _>>().unwrap();
    assert_eq!(data, [(3, &b"x\0"[..])]);
}

#[test]
fn a_datagram_holds_several_messages() {
    let one = request().sealed(1, 0).to_vec();
    let mut padded = one.clone();
    padded.resize(one.len().next_multiple_of(4), 0);
    let both = [padded, one].concat();
    assert_eq!(answers(&both).filter(Result::is_ok).count(), 2);
}

#[test]
fn a_length_beyond_the_end_is_an_error_and_the_last() {
    let bytes = request().sealed(1, 0).to_vec();
    for end in 1..bytes.len() {
        let all: Vec<_> = answers(&bytes[..end]).collect();
        assert_eq!(all, [Err(Malformed("a message's length"))], "{end} bytes");
    }
    let mut short = bytes.clone();
    short[0..4].copy_from_slice(&15u32.to_ne_bytes());
    assert!(answers(&short).next().unwrap().is_err(), "shorter than its header");
    let length = [200, 0, 3, 0, 1];
    let all: Vec<_> = attributes(&length, 0).collect();
    assert_eq!(all, [Err(Malformed("an attribute's length"))]);
    for length in 0..4u8 {
        let bytes = [length, 0, 3, 0, 1, 1, 1, 1];
        assert!(attributes(&bytes, 0).next().unwrap().is_err(), "shorter than its head: {length}");
    }
}

#[test]
fn nothing_malformed_is_a_panic() {
    let mut read = 0;
    for bytes in mangled(request().sealed(1, 0)) {
        for answer in answers(&bytes).flatten() {
            read += 1;
            for (_, value) in attributes(answer.payload, 16).flatten() {
                let _ = (text(value), u32_at(value, 0), attributes(value, 0).count());
            }
        }
    }
    assert!(read > 1_000, "most are read all the same: {read}");
    assert_eq!(HEADER, 16);
}
