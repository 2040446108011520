//! libseccomp, asked through a small C program, and the comparison of its decisions with ours.

use crate::machine::{Call, answer};
use insula_oci::Seccomp;
use insula_oci::seccomp::{Action, Arch, Operator};
use insula_proof::Scratch;
use insula_sys::seccomp::Instruction;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// What libseccomp says of a profile.
#[derive(Debug, Default)]
pub struct Said {
    pub program: Vec<Instruction>,
    /// It has not this architecture yet.
    pub no_architecture: Option<String>,
    /// Names that it does not know.
    pub unknown: BTreeSet<String>,
    /// Calls of rules that it did not take.
    pub refused: BTreeSet<String>,
    /// The highest number that the profile names, by architecture.
    pub newest: Vec<(String, i64)>,
    /// Numbers of calls with conditions.
    pub asked: BTreeSet<u32>,
}

/// The C program that asks.
pub struct Oracle {
    scratch: Scratch,
}

impl Oracle {
    /// Builds it.
    pub fn new() -> Oracle {
        let scratch = Scratch::new();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libseccomp/ask.c");
        let status = Command::new("gcc")
            .args(["-O1", "-Wall", "-Werror", "-o"])
            .arg(scratch.join("ask"))
            .args([source, "-lseccomp"])
            .status()
            .expect("start gcc");
        assert!(status.success(), "gcc {source}");
        Oracle { scratch }
    }

    /// Asks libseccomp as runc does: a rule with two conditions on an argument is one rule for each condition.
    pub fn ask(&self, profile: &Seccomp, native: Arch) -> Said {
        let lines = lines(profile, native);
        let mut child = Command::new(self.scratch.join("ask"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the C program");
        child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("write the profile");
        let output = child.wait_with_output().expect("hear the answer");
        assert!(output.status.success(), "{lines}");
        read(&String::from_utf8(output.stdout).expect("it is text"))
    }
}

/// A profile in the words of the C program.
fn lines(profile: &Seccomp, native: Arch) -> String {
    let default = returned(profile.default_action, profile.default_errno_ret);
    let mut lines = format!("default {default}\nnative {}\n", name(native));
    for arch in &profile.architectures {
        let _ = writeln!(lines, "arch {}", name(*arch));
    }
    for rule in &profile.syscalls {
        let action = returned(rule.action, rule.errno_ret);
        let twice =
            rule.args.iter().enumerate().any(|(i, a)| rule.args[..i].iter().any(|b| a.index == b.index));
        let parts = if twice { rule.args.chunks(1).collect() } else { vec![&rule.args[..]] };
        for (call, part) in rule.names.iter().flat_map(|call| parts.iter().map(move |part| (call, part))) {
            let _ = write!(lines, "rule {action} {call} {}", part.len());
            for arg in *part {
                let _ = write!(lines, " {} {} {} {}", arg.index, operator(arg.op), arg.value, arg.value_two);
            }
            lines.push('\n');
        }
    }
    lines
}

fn read(text: &str) -> Said {
    let mut said = Said::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["noarch", arch] => said.no_architecture = Some(arch.to_owned()),
            ["unknown", name] => drop(said.unknown.insert(name.to_owned())),
            ["refused", _, name] => drop(said.refused.insert(name.to_owned())),
            ["newest", arch, number] => {
                said.newest.push((arch.to_owned(), number.parse().expect("a number")))
            }
            ["asked", _, number] => said.asked.extend(number.parse::<u32>().ok()),
            [code, jt, jf, k] => said.program.push(Instruction {
                code: code.parse().expect("a code"),
                jt: jt.parse().expect("a jump"),
                jf: jf.parse().expect("a jump"),
                k: k.parse().expect("a word"),
            }),
            _ => panic!("{line}"),
        }
    }
    said
}

/// The value that a filter returns, <linux/seccomp.h>; libseccomp's actions are the same numbers.
pub fn returned(action: Action, errno: Option<u32>) -> u32 {
    let errno = errno.unwrap_or(1);
    match action {
        Action::Kill | Action::KillThread => 0,
        Action::KillProcess => 0x8000_0000,
        Action::Trap => 0x0003_0000,
        Action::Errno => 0x0005_0000 | errno,
        Action::Notify => 0x7fc0_0000,
        Action::Trace => 0x7ff0_0000 | errno,
        Action::Log => 0x7ffc_0000,
        Action::Allow => 0x7fff_0000,
    }
}

/// `enum scmp_compare`, <seccomp.h>.
fn operator(op: Operator) -> u32 {
    match op {
        Operator::Ne => 1,
        Operator::Lt => 2,
        Operator::Le => 3,
        Operator::Eq => 4,
        Operator::Ge => 5,
        Operator::Gt => 6,
        Operator::MaskedEq => 7,
    }
}

fn name(arch: Arch) -> String {
    let word = serde_json::to_string(&arch).expect("a word");
    word.trim_matches('"').trim_start_matches("SCMP_ARCH_").to_lowercase()
}

/// `AUDIT_ARCH_*`, whether its bytes stand with the lowest first, and what its numbers begin with.
pub fn facts(arch: Arch) -> (u32, bool, u32) {
    let (machine, wide, little, base) = match arch {
        Arch::X86 => (3, false, true, 0),
        Arch::X86_64 => (62, true, true, 0),
        Arch::X32 => (62, true, true, 1 << 30),
        Arch::Arm => (40, false, true, 0),
        Arch::Aarch64 => (183, true, true, 0),
        Arch::Loongarch64 => (258, true, true, 0),
        Arch::M68k => (4, false, false, 0),
        Arch::Mips => (8, false, false, 4000),
        Arch::Mipsel => (8, false, true, 4000),
        Arch::Mips64 => (8, true, false, 5000),
        Arch::Mipsel64 => (8, true, true, 5000),
        Arch::Mips64n32 => (8 | 1 << 29, true, false, 6000),
        Arch::Mipsel64n32 => (8 | 1 << 29, true, true, 6000),
        Arch::Ppc => (20, false, false, 0),
        Arch::Ppc64 => (21, true, false, 0),
        Arch::Ppc64le => (21, true, true, 0),
        Arch::S390 => (22, false, false, 0),
        Arch::S390x => (22, true, false, 0),
        Arch::Sh => (42, false, true, 0),
        Arch::Sheb => (42, false, false, 0),
        Arch::Parisc => (15, false, false, 0),
        Arch::Parisc64 => (15, true, false, 0),
        Arch::Riscv64 => (243, true, true, 0),
    };
    (machine | u32::from(wide) << 31 | u32::from(little) << 30, little, base)
}

/// Numbers that version 2.5 of libseccomp gives to a call and the kernel does not: parisc64 has no _llseek(2).
const WRONG_IN_2_5: &[(Arch, u32)] = &[(Arch::Parisc64, 140)];

const ENOSYS: u32 = 0x0005_0000 | 38;

/// Compares all decisions on a profile of which libseccomp knows every name. Returns how many were compared, and the
/// first that differ. `most`: how many classes of arguments a call with conditions gets, about.
pub fn compare(profile: &Seccomp, native: Arch, said: &Said, most: usize) -> (usize, Vec<String>) {
    let ours = insula_seccomp::compile(profile, Some(native)).expect("it compiles").program;
    let default = returned(profile.default_action, profile.default_errno_ret);
    let passes = matches!(profile.default_action, Action::Allow | Action::Log | Action::Trace);
    let mut listed = vec![native];
    listed.extend(&profile.architectures);
    listed.dedup();
    let few = vec![[0; 6], [u64::MAX; 6]];
    let many = arguments(profile, most);
    let some = arguments(profile, most / 50);
    let (mut count, mut unlike) = (0, Vec::new());
    let unlisted = if listed.contains(&Arch::Aarch64) { Arch::Riscv64 } else { Arch::Aarch64 };
    for arch in listed.iter().copied().chain([unlisted]) {
        let (token, _, base) = facts(arch);
        let little = facts(native).1;
        let newest = |number: u32| {
            // These two have one token.
            let arch = match arch {
                Arch::X86_64 | Arch::X32 if number >> 30 == 0 => Arch::X86_64,
                Arch::X86_64 | Arch::X32 => Arch::X32,
                other => other,
            };
            said.newest.iter().find(|(known, _)| *known == name(arch)).map_or(i64::MAX, |known| known.1)
        };
        let edges = [base.wrapping_sub(1), 0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, u32::MAX, 0x8000_0000];
        let numbers = (base..base + 1040).chain(0x4000_0000..0x4000_0230).chain(0xe_fff0..0xf_0010);
        for number in numbers.chain(edges) {
            let classes = if said.asked.contains(&number) {
                &many
            } else if (330..430).contains(&number) {
                // Calls that are also behind socketcall(2) or ipc(2), whose numbers libseccomp does not tell.
                &some
            } else {
                &few
            };
            for arguments in classes {
                let call = Call { token, number, arguments: *arguments };
                let (we, they) = (answer(&ours, &call, little), answer(&said.program, &call, little));
                count += 1;
                // The exception: what the profile's author did not know of does not exist.
                let newer = i64::from(number) > newest(number)
                    || (number == 0 && matches!(arch, Arch::S390 | Arch::S390x));
                let exception = we == ENOSYS && they == default && !passes && newer && arch != unlisted;
                let known = WRONG_IN_2_5.contains(&(arch, number)) && we == default;
                if we != they && !exception && !known && unlike.len() < 8 {
                    unlike.push(format!(
                        "{arch:?} {number} {arguments:x?}: ours {we:#x}, libseccomp's {they:#x}"
                    ));
                }
            }
        }
    }
    (count, unlike)
}

/// The classes of arguments: all values at the edges of each condition, of the arguments that have any together.
pub fn arguments(profile: &Seccomp, most: usize) -> Vec<[u64; 6]> {
    let mut classes: [BTreeSet<u64>; 6] = Default::default();
    for arg in profile.syscalls.iter().flat_map(|rule| &rule.args) {
        let edges = &mut classes[arg.index as usize];
        for value in [arg.value, arg.value_two] {
            let other_half =
                [value ^ 1 << 32, value ^ 1 << 63, value & 0xffff_ffff, value | 0xffff_ffff << 32];
            edges.extend([value, value.wrapping_sub(1), value.wrapping_add(1), !value]);
            edges.extend(other_half);
        }
        if arg.op == Operator::MaskedEq {
            let inside = arg.value_two & arg.value;
            let lowest = 1 << arg.value.trailing_zeros().min(63);
            edges.extend([inside, inside | !arg.value, inside ^ lowest, inside | !arg.value & 0xffff_ffff]);
        }
    }
    // Which call is meant, behind socketcall(2) and ipc(2).
    if classes.iter().any(|class| !class.is_empty()) {
        classes[0].extend(0..26);
    }
    let product: usize = classes.iter().map(|class| class.len().max(1)).product();
    // Where they are too many, every so manieth of them; a prime step goes through all values of each argument.
    let step = [1, 7, 61, 509, 4099, 32_771, 262_147, 2_097_169]
        .into_iter()
        .find(|step| product / step <= most)
        .unwrap_or(16_777_259);
    let classes = classes.map(|class| if class.is_empty() { vec![0] } else { class.into_iter().collect() });
    (0..product)
        .step_by(step)
        .map(|mut at| {
            classes.each_ref().map(|class| {
                let value = class[at % class.len()];
                at /= class.len();
                value
            })
        })
        .collect()
}

/// The profile without what libseccomp does not know.
pub fn without_unknown(profile: &Seccomp, said: &Said) -> Seccomp {
    let mut profile = profile.clone();
    for rule in &mut profile.syscalls {
        rule.names.retain(|name| !said.unknown.contains(name));
    }
    profile.syscalls.retain(|rule| !rule.names.is_empty());
    profile
}
