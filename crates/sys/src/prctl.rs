//! prctl(2) and capset(2) with plain numbers, for capability masks that come from a table.

use rustix::io::Errno;

/// The highest capability number that can exist in a 64-bit mask.
pub const CAP_LIMIT: u32 = 63;

fn prctl(option: libc::c_int, a: libc::c_ulong, b: libc::c_ulong) -> Result<libc::c_int, Errno> {
    // SAFETY: the options used here take integers only.
    let done = unsafe { libc::prctl(option, a, b, 0, 0) };
    if done < 0 { Err(crate::last_errno()) } else { Ok(done) }
}

/// `PR_CAPBSET_READ`: is `capability` in the bounding set? EINVAL: the kernel does not know it.
pub fn bounding_has(capability: u32) -> Result<bool, Errno> {
    prctl(libc::PR_CAPBSET_READ, capability.into(), 0).map(|v| v == 1)
}

/// `PR_CAPBSET_DROP`.
pub fn bounding_drop(capability: u32) -> Result<(), Errno> {
    prctl(libc::PR_CAPBSET_DROP, capability.into(), 0).map(drop)
}

/// `PR_CAP_AMBIENT_RAISE`.
pub fn ambient_raise(capability: u32) -> Result<(), Errno> {
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong, capability.into()).map(drop)
}

/// `PR_CAP_AMBIENT_CLEAR_ALL`.
pub fn ambient_clear() -> Result<(), Errno> {
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong, 0).map(drop)
}

/// `PR_SET_KEEPCAPS`: the permitted set survives the change of user ids.
pub fn keep_caps(keep: bool) -> Result<(), Errno> {
    prctl(libc::PR_SET_KEEPCAPS, keep.into(), 0).map(drop)
}

/// `PR_SET_NO_NEW_PRIVS`.
pub fn no_new_privs() -> Result<(), Errno> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
}

/// `PR_SET_DUMPABLE`: 0 makes `/proc/PID` root's, and the process untraceable by its equals.
pub fn dumpable(on: bool) -> Result<(), Errno> {
    prctl(libc::PR_SET_DUMPABLE, on.into(), 0).map(drop)
}

/// `PR_GET_DUMPABLE`: may its equals look into this process?
pub fn is_dumpable() -> Result<bool, Errno> {
    prctl(libc::PR_GET_DUMPABLE, 0, 0).map(|value| value == 1)
}

/// `PR_SET_PDEATHSIG`: the signal that this process gets when the thread that made it ends; 0 for none.
pub fn death_signal(signal: i32) -> Result<(), Errno> {
    prctl(libc::PR_SET_PDEATHSIG, libc::c_ulong::try_from(signal).map_err(|_| Errno::INVAL)?, 0).map(drop)
}

/// `struct __user_cap_header_struct`, capset(2).
#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

/// `_LINUX_CAPABILITY_VERSION_3`: 64-bit sets.
const CAP_VERSION_3: u32 = 0x2008_0522;

/// capset(2) of the calling thread: three masks, bit N for capability N.
pub fn capset(effective: u64, permitted: u64, inheritable: u64) -> Result<(), Errno> {
    let header = CapHeader { version: CAP_VERSION_3, pid: 0 };
    let low = |mask: u64| (mask & 0xffff_ffff) as u32;
    let high = |mask: u64| (mask >> 32) as u32;
    let data = [
        [low(effective), low(permitted), low(inheritable)],
        [high(effective), high(permitted), high(inheritable)],
    ];
    // SAFETY: version 3 reads a header and two data structs of three u32 each, which `data` is; both outlive the call.
    crate::check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) }).map(drop)
}

/// capget(2) of the calling thread: (effective, permitted, inheritable).
pub fn capget() -> Result<(u64, u64, u64), Errno> {
    let header = CapHeader { version: CAP_VERSION_3, pid: 0 };
    let mut data = [[0u32; 3]; 2];
    // SAFETY: version 3 writes two data structs of three u32 each, which `data` is; both outlive the call.
    crate::check(unsafe { libc::syscall(libc::SYS_capget, &raw const header, data.as_mut_ptr()) })?;
    let join = |i: usize| u64::from(data[1][i]) << 32 | u64::from(data[0][i]);
    Ok((join(0), join(1), join(2)))
}
