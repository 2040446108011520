//! For tests: what a kernel would have to be mad to send. A reader answers with an error or with something, and never panics.

/// Each beginning of the bytes, each byte turned into a few others, and many random changes (always the same ones).
pub fn mangled(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..=bytes.len()).map(|end| bytes[..end].to_vec()).collect();
    for at in 0..bytes.len() {
        for value in [0, 1, 3, 4, 5, 0x7f, 0xff, bytes[at].wrapping_add(1), bytes[at].wrapping_sub(1)] {
            let mut one = bytes.to_vec();
            one[at] = value;
            all.push(one);
        }
    }
    // xorshift, Marsaglia 2003.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    for _ in 0..5_000 {
        let mut one = bytes.to_vec();
        for _ in 0..1 + next()[0] % 6 {
            let [value, at, at_high, ..] = next();
            let at = usize::from(u16::from_le_bytes([at, at_high])) % bytes.len().max(1);
            if let Some(byte) = one.get_mut(at) {
                *byte = value;
            }
        }
        one.truncate(one.len() - usize::from(next()[0] % 8).min(one.len()));
        all.push(one);
    }
    all
}
