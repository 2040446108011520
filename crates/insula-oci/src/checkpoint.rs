//! `checkpoint` and `restore`: known by their flags, and refused in one line. Both are criu's work, which this version does
//! not drive.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use std::process::ExitCode;

const IMAGES: Flag = Flag::value("image-path", "DIR", "Where criu's image files are");
const WORK: Flag = Flag::value("work-path", "DIR", "Where its work files and logs go");
const TCP: Flag = Flag::switch("tcp-established", "Take open TCP connections along");
const UNIX: Flag = Flag::switch("ext-unix-sk", "Take sockets along whose other end is outside");
const SHELL_JOB: Flag = Flag::switch("shell-job", "Take a job of a shell along, with its terminal");
const LAZY: Flag = Flag::switch("lazy-pages", "Leave memory behind until it is asked for");
const LOCKS: Flag = Flag::switch("file-locks", "Take file locks along");
const CGROUPS: Flag = Flag::value(
    "manage-cgroups-mode",
    "MODE",
    "What criu does with control groups: soft, full, strict, ignore",
);
const EMPTY: Flag = Flag::value("empty-ns", "KIND", "Make this namespace, without what was in it");
const DEDUP: Flag = Flag::switch("auto-dedup", "Keep each page of memory in one image only");

/// `checkpoint`.
pub const CHECKPOINT: Verb = Verb {
    name: "checkpoint",
    about: "Refused: this version does not drive criu",
    usage: "ID",
    flags: &[
        IMAGES,
        WORK,
        Flag::value("parent-path", "DIR", "Where the images of the pre-dump before are"),
        Flag::switch("leave-running", "Let the container go on"),
        TCP,
        UNIX,
        SHELL_JOB,
        LAZY,
        Flag::value("status-fd", "N", "Write a zero byte there when lazy pages can be asked for"),
        Flag::value("page-server", "ADDRESS:PORT", "Send memory there"),
        LOCKS,
        Flag::switch("pre-dump", "Write down memory alone, and let the container go on"),
        CGROUPS,
        EMPTY,
        DEDUP,
    ],
    order: Order::Anywhere,
    go: refuse_checkpoint,
    failed: tell::FAILED,
};

/// `restore`.
pub const RESTORE: Verb = Verb {
    name: "restore",
    about: "Refused: this version does not drive criu",
    usage: "ID",
    flags: &[
        Flag::value("bundle", "DIR", "The bundle; without it, the working directory").short('b'),
        Flag::value("console-socket", "SOCKET", "Send the terminal's other end there"),
        Flag::switch("detach", "Do not wait").short('d'),
        Flag::value("pid-file", "FILE", "Write the process's id there"),
        Flag::switch("no-subreaper", "Do not reap what it leaves behind"),
        Flag::switch("no-pivot", "Enter the root without pivot_root"),
        IMAGES,
        WORK,
        TCP,
        UNIX,
        SHELL_JOB,
        LAZY,
        LOCKS,
        CGROUPS,
        EMPTY,
        DEDUP,
    ],
    order: Order::Anywhere,
    go: refuse_restore,
    failed: tell::FAILED,
};

fn refuse_checkpoint(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    // Who asks for a container that is not there hears that first, as from runc.
    global.find(given.only("checkpoint")?)?;
    Err(Error::NotDone("checkpoint"))
}

fn refuse_restore(_: &Global, given: &Given) -> Result<ExitCode, Error> {
    given.only("restore")?;
    Err(Error::NotDone("restore"))
}
