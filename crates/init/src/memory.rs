//! What a compiler may call behind our back. Nothing here is called today (the linker drops it), but which
//! copies become calls is the choice of each compiler version, and there is no libc to answer.
//!
//! Volatile accesses, so that the loops are not recognised as what they are and turned into calls of
//! themselves.

/// `void *memcpy(void dest[restrict .n], const void src[restrict .n], size_t n)`: memcpy(3)
///
/// # Safety
/// `source` may be read and `target` written for `count` bytes; the compiler, who alone calls it, keeps this.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(target: *mut u8, source: *const u8, count: usize) -> *mut u8 {
    for at in 0..count {
        // SAFETY: at < count, and our contract.
        unsafe { target.add(at).write_volatile(source.add(at).read_volatile()) }
    }
    target
}

/// `void *memset(void s[.n], int c, size_t n)`: memset(3)
///
/// # Safety
/// `target` may be written for `count` bytes; the compiler, who alone calls it, keeps this.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(target: *mut u8, byte: i32, count: usize) -> *mut u8 {
    let [low, ..] = byte.to_le_bytes();
    for at in 0..count {
        // SAFETY: at < count, and our contract.
        unsafe { target.add(at).write_volatile(low) }
    }
    target
}
