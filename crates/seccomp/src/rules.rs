//! Reads a profile: its values checked, its names found, each rule as what it asks for.

use crate::error::Error;
use crate::multiplex::outer;
use crate::names::Name;
use crate::returns;
use insula_oci::Seccomp;
use insula_oci::seccomp::{Arg, Rule as OciRule};

/// One call that a rule names.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The call itself.
    pub call: Name,
    /// The call that it is behind on some architectures, and the first argument there.
    pub outer: Option<(Name, u64)>,
}

/// One entry of `syscalls`.
#[derive(Debug)]
pub struct Rule<'a> {
    /// Its place in the profile.
    pub at: usize,
    /// The calls that it names and that are known; the rest are passed over, as a profile is written for many kernels.
    pub names: Vec<Named>,
    /// Its conditions: one of these lists must hold in all its parts. None at all: the rule holds always.
    pub alternatives: Vec<Vec<&'a Arg>>,
    /// The answer.
    pub answer: u32,
}

/// A profile as it was read.
#[derive(Debug)]
pub struct Rules<'a> {
    /// What is answered where no rule holds.
    pub default: u32,
    /// The rules.
    pub rules: Vec<Rule<'a>>,
}

impl<'a> Rules<'a> {
    /// Reads `profile`, and puts what is wrong with it into `faults`.
    pub fn read(profile: &'a Seccomp, faults: &mut Vec<Error>) -> Rules<'a> {
        let field = || "linux.seccomp.defaultErrnoRet".to_owned();
        let default = returns::value(profile.default_action, profile.default_errno_ret, field);
        let default = default.unwrap_or_else(|fault| kept(fault, faults));
        let rules = profile.syscalls.iter().enumerate();
        Rules { default, rules: rules.map(|(at, rule)| read(at, rule, faults)).collect() }
    }

    /// Whether an agent is asked, for any call.
    pub fn notifies(&self) -> bool {
        returns::notifies(self.default) || self.rules.iter().any(|rule| returns::notifies(rule.answer))
    }
}

fn kept(fault: Error, faults: &mut Vec<Error>) -> u32 {
    faults.push(fault);
    returns::KILL_THREAD
}

fn read<'a>(at: usize, rule: &'a OciRule, faults: &mut Vec<Error>) -> Rule<'a> {
    let field = |rest: &str| format!("linux.seccomp.syscalls[{at}].{rest}");
    if rule.names.iter().all(String::is_empty) {
        faults.push(Error::NoNames { field: field("names") });
    }
    for (i, arg) in rule.args.iter().enumerate().filter(|(_, arg)| arg.index > 5) {
        let field = field(&format!("args[{i}].index"));
        faults.push(Error::NoSuchArgument { field, index: arg.index });
    }
    let answer = returns::value(rule.action, rule.errno_ret, || field("errnoRet"));
    let answer = answer.unwrap_or_else(|fault| kept(fault, faults));
    let names = rule.names.iter().filter_map(|name| {
        let call = Name::find(name)?;
        let outer = outer(name).and_then(|(name, value)| Some((Name::find(name)?, value)));
        Some(Named { call, outer })
    });
    Rule { at, names: names.collect(), alternatives: alternatives(&rule.args), answer }
}

/// Conditions on different arguments must all hold. Two on the same argument are alternatives, and so are then all of the
/// rule: libseccomp has no word for them, and runc and crun have always made a rule of each.
fn alternatives(args: &[Arg]) -> Vec<Vec<&Arg>> {
    if args.is_empty() {
        return Vec::new();
    }
    let twice =
        args.iter().enumerate().any(|(i, arg)| args[..i].iter().any(|other| other.index == arg.index));
    if twice {
        return args.iter().map(|arg| vec![arg]).collect();
    }
    let mut all: Vec<&Arg> = args.iter().collect();
    all.sort_by_key(|arg| arg.index);
    vec![all]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_faults(json: &str) -> Vec<String> {
        let profile: Seccomp = serde_json::from_str(json).unwrap();
        let mut faults = Vec::new();
        Rules::read(&profile, &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_fault_is_named_with_its_field() {
        let faults = read_faults(
            r#"{"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1, "syscalls": [
                {"names": [], "action": "SCMP_ACT_ALLOW"},
                {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000, "args": [
                    {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"},
                    {"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#,
        );
        assert_eq!(
            faults,
            [
                "linux.seccomp.defaultErrnoRet: this action returns no errno: leave it out, or use SCMP_ACT_ERRNO or \
                 SCMP_ACT_TRACE",
                "linux.seccomp.syscalls[0].names: it is empty: name a system call, or leave the rule out",
                "linux.seccomp.syscalls[1].args[1].index: 6 is not between 0 and 5: a system call has six arguments",
                "linux.seccomp.syscalls[1].errnoRet: 5000 is above 4095, the greatest there can be",
            ]
        );
    }

    #[test]
    fn conditions_on_one_argument_are_alternatives() {
        let arg = |index| Arg { index, value: 0, value_two: 0, op: insula_oci::seccomp::Operator::Eq };
        assert_eq!(alternatives(&[arg(2), arg(0)]), [[&arg(0), &arg(2)]]);
        assert_eq!(alternatives(&[arg(0), arg(1), arg(0)]), [[&arg(0)], [&arg(1)], [&arg(0)]]);
        assert_eq!(alternatives(&[]), [[] as [&Arg; 0]; 0]);
    }
}
