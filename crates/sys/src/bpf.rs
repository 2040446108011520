//! bpf(2), as far as programs on devices need it: loaded, attached to a control group, found there again.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;

const PROG_LOAD: libc::c_long = 5;
const PROG_ATTACH: libc::c_long = 8;
const PROG_DETACH: libc::c_long = 9;
const PROG_GET_FD_BY_ID: libc::c_long = 13;
const PROG_QUERY: libc::c_long = 16;

/// `BPF_PROG_TYPE_CGROUP_DEVICE`.
const CGROUP_DEVICE_PROGRAM: u32 = 15;
/// `BPF_CGROUP_DEVICE`.
const CGROUP_DEVICE: u32 = 6;

/// `BPF_F_ALLOW_MULTI`: programs of groups below, and others on the same group, are asked as well.
const ALLOW_MULTI: u32 = 2;
/// `BPF_F_REPLACE` (Linux 5.6).
const REPLACE: u32 = 4;

/// How many programs of one group are looked at; the kernel allows 64.
const MOST: usize = 64;

/// The part of `union bpf_attr` that PROG_LOAD reads; the kernel takes a shorter one as filled up with zeros.
#[repr(C)]
#[derive(Default)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

#[repr(C)]
#[derive(Default)]
struct Attach {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
    replace_bpf_fd: u32,
}

#[repr(C)]
#[derive(Default)]
struct Query {
    target_fd: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    prog_ids: u64,
    prog_cnt: u32,
    // The struct's own padding: the kernel reads all of it.
    padding: u32,
}

#[repr(C)]
#[derive(Default)]
struct GetFd {
    prog_id: u32,
    next_id: u32,
    open_flags: u32,
}

/// int bpf(int cmd, union bpf_attr *attr, unsigned int size);
///
/// # Safety
///
/// `attr` is the part of the union that `command` reads and writes, without uninitialised padding, and the addresses in
/// it are of memory that is as large as it says and outlives the call.
unsafe fn bpf<T>(command: libc::c_long, attr: &mut T) -> Result<libc::c_long, Errno> {
    // SAFETY: the caller keeps the contract above; the size is the struct's own.
    crate::check(unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>()) })
}

fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// The descriptor that a command returned.
fn owned(number: libc::c_long) -> Result<OwnedFd, Errno> {
    let number = i32::try_from(number).map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel has just made this descriptor for us, CLOEXEC, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Loads a program of type `BPF_PROG_TYPE_CGROUP_DEVICE`; each instruction as the 8 bytes of `struct bpf_insn`.
pub fn load_device_program(instructions: &[u64]) -> Result<OwnedFd, Errno> {
    let license = c"MIT OR Apache-2.0";
    let mut attr = Load {
        prog_type: CGROUP_DEVICE_PROGRAM,
        insn_cnt: u32::try_from(instructions.len()).map_err(|_| Errno::TOOBIG)?,
        insns: instructions.as_ptr().addr() as u64,
        license: license.as_ptr().addr() as u64,
        prog_name: *b"insula_devices\0\0",
        expected_attach_type: CGROUP_DEVICE,
        ..Load::default()
    };
    // SAFETY: Load is PROG_LOAD's part of the union; it has no padding; both pointers are to borrowed memory of the
    // length that it says, a string that ends in NUL.
    owned(unsafe { bpf(PROG_LOAD, &mut attr) }?)
}

/// Attaches a program to a control group of version 2, in the place of `replaced` if there is one.
pub fn attach_device_program(
    group: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    replaced: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut attr = Attach {
        target_fd: raw(group),
        attach_bpf_fd: raw(program),
        attach_type: CGROUP_DEVICE,
        attach_flags: if replaced.is_some() { ALLOW_MULTI | REPLACE } else { ALLOW_MULTI },
        replace_bpf_fd: replaced.map_or(0, raw),
    };
    // SAFETY: Attach is PROG_ATTACH's part of the union, of integers only, without padding.
    unsafe { bpf(PROG_ATTACH, &mut attr) }.map(drop)
}

/// Takes a program off a control group.
pub fn detach_device_program(group: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut attr = Attach {
        target_fd: raw(group),
        attach_bpf_fd: raw(program),
        attach_type: CGROUP_DEVICE,
        ..Attach::default()
    };
    // SAFETY: as in `attach_device_program`.
    unsafe { bpf(PROG_DETACH, &mut attr) }.map(drop)
}

/// The programs on devices that are attached to this very group, not to those above it.
pub fn device_programs(group: BorrowedFd<'_>) -> Result<Vec<OwnedFd>, Errno> {
    let mut ids = [0_u32; MOST];
    let mut attr = Query {
        target_fd: raw(group),
        attach_type: CGROUP_DEVICE,
        prog_ids: ids.as_mut_ptr().addr() as u64,
        prog_cnt: u32::try_from(MOST).map_err(|_| Errno::TOOBIG)?,
        ..Query::default()
    };
    // SAFETY: Query is PROG_QUERY's part of the union, its padding a field of its own; `prog_ids` is the address of
    // `prog_cnt` integers that outlive the call, and nobody else looks at them meanwhile.
    unsafe { bpf(PROG_QUERY, &mut attr) }?;
    let count = usize::try_from(attr.prog_cnt).unwrap_or(0).min(MOST);
    let open = |id: &u32| {
        let mut attr = GetFd { prog_id: *id, ..GetFd::default() };
        // SAFETY: GetFd is PROG_GET_FD_BY_ID's part of the union, of integers only, without padding.
        match unsafe { bpf(PROG_GET_FD_BY_ID, &mut attr) } {
            // It was detached meanwhile.
            Err(Errno::NOENT) => None,
            number => Some(number.and_then(owned)),
        }
    };
    ids[..count].iter().filter_map(open).collect()
}
