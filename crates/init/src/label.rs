//! The security label of the program, as AppArmor and SELinux take it: one write to a file of our own procfs directory,
//! proc_pid_attr(5). Here and not before, because a label for the next execve(2) must not be spent on ours; and opened here,
//! because the kernel takes it only from the memory that has opened the file.
use core::ffi::CStr;

use crate::report::{EXIT_INTERNAL, Report};
use crate::syscall::{self, Errno};

/// Where it is written, and what.
#[derive(Clone, Copy)]
pub struct Label {
    directory: i32,
    text: &'static [u8],
}

impl Label {
    /// `directory` is our own `/proc/PID/attr`, or what a module has below it.
    pub const fn new(directory: i32, text: &'static [u8]) -> Self {
        Self { directory, text }
    }

    /// Writes it to this file, if there is one; without it there is no program.
    pub fn begin(label: Option<Self>, file: &CStr, report: Report) {
        if let Some(label) = label
            && let Err(errno) = label.write(file)
        {
            report.label_failed(errno);
            syscall::exit_group(EXIT_INTERNAL);
        }
    }

    fn write(self, file: &CStr) -> Result<(), Errno> {
        let fd = syscall::open_to_write(self.directory, file)?;
        syscall::close(self.directory);
        // In one write, or the kernel takes the first part for the whole.
        let written = syscall::write(fd, self.text);
        syscall::close(fd);
        written.map(drop)
    }
}
