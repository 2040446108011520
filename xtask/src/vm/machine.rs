//! The machine: QEMU, what it says, and its end.
//!
//! It has three disks (system, modules, payload), a console that goes to a file, and a port by which the guest reports,
//! which is QEMU's stdout. It has no network. The system's disk is never written: what the guest writes goes to a
//! nameless file.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::ask::Accelerator;
use super::bed::Booted;
use crate::stop::Stop;

/// What the early user space says on the console: the kernel runs.
const UP: &str = "insula-vm: up";

/// Where the guest reports: the name of the port.
pub const PORT: &str = "insula-vm";

/// The word of the kernel's command line that tells how slow the machine is.
pub const SLOW: &str = "insula_vm.slow=";

/// How long a kernel may take to its first program. On some machines /dev/kvm opens and boots nothing.
const KVM_BOOT: Duration = Duration::from_secs(20);
const TCG_BOOT: Duration = Duration::from_secs(300);

const MEMORY_MIB: u32 = 2048;

/// What a machine is made of.
pub struct Machine<'a> {
    pub kernel: &'a Booted,
    pub system: &'a Path,
    pub payload: &'a Path,
    pub accelerator: Accelerator,
    /// Where its console is written.
    pub console: PathBuf,
    /// About how many times slower than a real one.
    pub slow: u32,
    /// How long it may say nothing.
    pub silence: Duration,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The guest said that it is done.
    Done,
    /// No program of the guest ever ran.
    NeverUp,
    /// It said nothing for too long.
    Silent,
    /// QEMU ended before the guest was done.
    Early,
}

impl Machine<'_> {
    /// Runs the machine. Each line of the guest is handed to `hear`, which answers whether it was the last.
    pub fn run(&self, hear: &mut dyn FnMut(&str) -> bool) -> Result<End, Stop> {
        fs::write(&self.console, "")
            .map_err(|error| Stop::Failed(format!("write `{}`: {error}", self.console.display())))?;
        let errors = File::create(self.errors())
            .map_err(|error| Stop::Failed(format!("make `{}`: {error}", self.errors().display())))?;
        let mut command = self.command();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn();
        let mut child = child.map_err(|error| Stop::Failed(format!("start QEMU: {error}")))?;
        let end = self.listen(&mut child, hear);
        // ESRCH: it has ended. What it wrote was for this boot alone.
        drop(child.kill());
        drop(child.wait());
        Ok(end)
    }

    /// The last lines of the console and of QEMU itself, for where the guest could say nothing.
    pub fn last_words(&self) -> String {
        let tail = |path: &Path| {
            let text = fs::read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        };
        format!("{}\n{}", tail(&self.console), tail(&self.errors()))
    }

    /// Where QEMU's own complaints go.
    fn errors(&self) -> PathBuf {
        self.console.with_extension("qemu")
    }

    fn listen(&self, child: &mut Child, hear: &mut dyn FnMut(&str) -> bool) -> End {
        let lines = lines(child);
        let patience = if self.accelerator == Accelerator::Kvm { KVM_BOOT } else { TCG_BOOT };
        let mut up = false;
        let mut last = Instant::now();
        loop {
            match lines.recv_timeout(Duration::from_millis(500)) {
                Ok(line) if hear(&line) => return End::Done,
                Ok(_) => last = Instant::now(),
                Err(RecvTimeoutError::Disconnected) => return End::Early,
                Err(RecvTimeoutError::Timeout) if !up => {
                    up =
                        fs::read(&self.console).is_ok_and(|said| String::from_utf8_lossy(&said).contains(UP));
                    if !up && last.elapsed() > patience {
                        return End::NeverUp;
                    }
                }
                Err(RecvTimeoutError::Timeout) if last.elapsed() > self.silence => return End::Silent,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// QEMU, which ends when xtask does, however that ends.
    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "qemu-system-x86_64"]);
        command.args(["-M", "q35", "-m", &MEMORY_MIB.to_string()]);
        command.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
        let host = thread::available_parallelism().map_or(1, usize::from);
        match self.accelerator {
            Accelerator::Kvm => {
                command.args(["-accel", "kvm", "-cpu", "host", "-smp", &host.min(4).to_string()]);
            }
            Accelerator::Tcg => {
                // Five levels of page tables only cost time here.
                command.args(["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max,la57=off"]);
                command.args(["-smp", &host.min(2).to_string()]);
            }
        }
        command.arg("-kernel").arg(&self.kernel.vmlinuz).arg("-initrd").arg(&self.kernel.initrd);
        command.args(["-append", &format!("{KERNEL_COMMAND_LINE} {SLOW}{}", self.slow)]);
        for (disk, how) in [
            (self.system, "snapshot=on,cache=unsafe"),
            (&self.kernel.modules, "readonly=on"),
            (self.payload, "readonly=on"),
        ] {
            // A comma in a path is doubled, or QEMU ends the path there.
            let path = disk.display().to_string().replace(',', ",,");
            command.args(["-drive", &format!("file={path},if=virtio,format=raw,{how}")]);
        }
        command.args(["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]);
        // Not as `stdio`: where stdin is at its end, QEMU tells the guest that nobody listens.
        command.args(["-chardev", "file,id=port,path=/dev/stdout"]);
        command.args(["-device", &format!("virtserialport,chardev=port,name={PORT}")]);
        let console = self.console.display().to_string().replace(',', ",,");
        command.args(["-chardev", &format!("file,id=console,path={console}"), "-serial", "chardev:console"]);
        command
    }
}

/// Pure cgroup v2 is systemd's way; no audit, no mitigations, no status lines: each costs time in emulation.
const KERNEL_COMMAND_LINE: &str = "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off audit=0 net.ifnames=0 \
     random.trust_cpu=on systemd.unified_cgroup_hierarchy=1 systemd.show_status=0";

/// What the guest says, line by line, read on the side.
fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
            for line in lines {
                let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    lines
}
