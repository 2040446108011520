//! Commands as an ordinary user, also where the tests run as root.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::id::{ORDINARY_ID, is_root};
use crate::scratch::Scratch;
use crate::{binary, need};

/// The name that the ordinary user has where it has subordinate ids.
pub const ACCOUNT: &str = "insula-proof";

/// The first of the 65,536 subordinate ids of [`ACCOUNT`].
pub const FIRST_SUBORDINATE_ID: u32 = 5_432_100;

/// Puts the private copies over the files of `/etc`, then becomes the user. `$1` is where the copies lie.
const WITH_ACCOUNT: &str = r#"
copies=$1 id=$2; shift 2
for file in passwd group subuid subgid; do
    mount --bind "$copies/$file" "/etc/$file" || exit 125
done
exec setpriv --reuid="$id" --regid="$id" --clear-groups --inh-caps=-all -- "$@"
"#;

/// An ordinary user: uid 54321 where the tests run as root, else whoever runs them.
#[derive(Debug)]
pub struct Ordinary {
    home: Scratch,
    how: How,
}

#[derive(Debug)]
enum How {
    /// The tests are an ordinary user themselves.
    Already,
    /// By setuid between fork and exec.
    Bare,
    /// By unshare(1) and setpriv(1), with an account in private copies of passwd, group, subuid and subgid.
    Account { copies: Scratch },
}

impl Ordinary {
    /// A user without an account and without subordinate ids (the current one may have both).
    #[must_use]
    pub fn new() -> Ordinary {
        let how = if is_root() { How::Bare } else { How::Already };
        Ordinary { home: home(), how }
    }

    /// A user with 65,536 subordinate uids and gids, so that newuidmap(1) works. As root it is the account
    /// [`ACCOUNT`], which only the commands themselves see: the host's files are not touched.
    pub fn with_subuids() -> Result<Ordinary, String> {
        need::program("newuidmap")?;
        need::program("newgidmap")?;
        need::privileged_programs()?;
        if !is_root() {
            let name = std::env::var("USER").unwrap_or_default();
            let id = rustix::process::getuid().as_raw().to_string();
            for file in ["/etc/subuid", "/etc/subgid"] {
                let text = fs::read_to_string(file).unwrap_or_default();
                let mut owners = text.lines().filter_map(|line| line.split(':').next());
                need::that(owners.any(|o| o == name || o == id), &format!("this user is not in `{file}`"))?;
            }
            return Ok(Ordinary::new());
        }
        need::program("unshare")?;
        need::program("setpriv")?;
        let home = home();
        let copies = account(&home).map_err(|error| format!("copy /etc/passwd and its kin: {error}"))?;
        Ok(Ordinary { home, how: How::Account { copies } })
    }

    /// The user's uid, which is also its gid where the tests run as root.
    #[must_use]
    pub fn uid(&self) -> u32 {
        match self.how {
            How::Already => rustix::process::getuid().as_raw(),
            How::Bare | How::Account { .. } => ORDINARY_ID,
        }
    }

    /// The user's own directory, also its `HOME`; `XDG_RUNTIME_DIR` is `run` in it.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A command that runs as this user, in its home.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.how {
            How::Already => Command::new(program),
            How::Bare => {
                // With a uid given, std also drops the supplementary groups.
                let mut command = Command::new(program);
                command.uid(ORDINARY_ID).gid(ORDINARY_ID);
                command
            }
            How::Account { copies } => {
                let mut command = Command::new("unshare");
                command.args(["--mount", "--propagation", "private", "--", "sh", "-c", WITH_ACCOUNT, "sh"]);
                command.arg(&**copies).arg(ORDINARY_ID.to_string()).arg(program);
                command
            }
        };
        command.env("HOME", &*self.home).env("XDG_RUNTIME_DIR", self.home.join("run"));
        command.env("USER", ACCOUNT).env("LOGNAME", ACCOUNT).current_dir(&self.home);
        if matches!(self.how, How::Already) {
            command.env_remove("USER").env_remove("LOGNAME").envs(
                ["USER", "LOGNAME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))),
            );
        }
        command
    }

    /// The `insula` under test as this user: a copy in its home, as the target directory may be closed to it.
    ///
    /// # Panics
    ///
    /// Where there is no `insula`, or it cannot be copied.
    #[must_use]
    pub fn insula(&self) -> Command {
        self.command(self.insula_path())
    }

    /// The path of that copy.
    ///
    /// # Panics
    ///
    /// As [`Ordinary::insula`].
    #[must_use]
    pub fn insula_path(&self) -> PathBuf {
        let copy = self.home.join("insula");
        if !copy.exists() {
            // Written aside and renamed: a command of another thread never meets a half-written or busy file.
            let aside = self.home.join(format!("insula-{}", crate::scratch::unique()));
            // By cp(1): a file that this process has open for writing could be in the hands of a child that another
            // thread has forked, and would be busy when it is executed.
            let made = Command::new("cp")
                .arg(binary::path())
                .arg(&aside)
                .status()
                .and_then(|_| fs::set_permissions(&aside, Permissions::from_mode(0o755)))
                .and_then(|()| fs::rename(&aside, &copy));
            if let Err(error) = made {
                panic!("copy insula to `{}`: {error}", copy.display());
            }
        }
        copy
    }

    /// Gives a path, and all under it, to this user.
    ///
    /// # Panics
    ///
    /// Where the owner cannot be changed.
    pub fn own(&self, path: &Path) {
        if let Err(error) = own(path, self.uid()) {
            panic!("give `{}` to uid {}: {error}", path.display(), self.uid());
        }
    }
}

impl Default for Ordinary {
    fn default() -> Ordinary {
        Ordinary::new()
    }
}

fn home() -> Scratch {
    let home = Scratch::new();
    let run = home.join("run");
    let made = fs::create_dir(&run)
        .and_then(|()| fs::set_permissions(&run, Permissions::from_mode(0o700)))
        .and_then(|()| if is_root() { own(&home, ORDINARY_ID) } else { Ok(()) });
    if let Err(error) = made {
        panic!("make a home for the ordinary user: {error}");
    }
    home
}

fn own(path: &Path, id: u32) -> std::io::Result<()> {
    chown(path, Some(id), Some(id))?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_symlink() {
                std::os::unix::fs::lchown(entry.path(), Some(id), Some(id))?;
            } else {
                own(&entry.path(), id)?;
            }
        }
    }
    Ok(())
}

/// Copies of the four files, each with a line for [`ACCOUNT`].
fn account(home: &Path) -> std::io::Result<Scratch> {
    let copies = Scratch::new();
    let subordinate = format!("{ACCOUNT}:{FIRST_SUBORDINATE_ID}:65536");
    let lines = [
        ("passwd", format!("{ACCOUNT}:x:{ORDINARY_ID}:{ORDINARY_ID}::{}:/bin/sh", home.display())),
        ("group", format!("{ACCOUNT}:x:{ORDINARY_ID}:")),
        ("subuid", subordinate.clone()),
        ("subgid", subordinate),
    ];
    for (file, line) in lines {
        let there = Path::new("/etc").join(file);
        // A bind mount needs a file to lie on; an empty one changes nothing for anyone.
        if !there.exists() {
            fs::write(&there, "")?;
        }
        let mut text = fs::read_to_string(&there)?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        copies.write(file, format!("{text}{line}\n"));
    }
    Ok(copies)
}
