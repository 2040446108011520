//! When, where and on which memory the program runs: the numbers behind the specification's words.

use super::draft::Draft;
use insula_launch::step::{Affinity, IoPriority, MemoryPolicy, Personality, Scheduler};
use insula_oci::linux::{MemoryPolicyFlag, MemoryPolicyMode, PersonalityDomain};
use insula_oci::scheduling::{IoPriorityClass, Policy, SchedulerFlag};
use insula_sys::scheduling::{Attributes, Nodes};
use rustix::thread::CpuSet;

/// `PER_LINUX32`, personality(2).
const PER_LINUX32: u32 = 8;

/// Pushes what the configuration has of it. `joins`: the process joins a container, for which `execCPUAffinity` is meant.
pub(super) fn push(draft: &mut Draft<'_>, joins: bool) {
    push_affinity(draft, joins);
    push_scheduler(draft);
    push_io_priority(draft);
    push_memory_policy(draft);
    if let Some(personality) = &draft.linux.personality {
        let persona = match personality.domain {
            PersonalityDomain::Linux => 0,
            PersonalityDomain::Linux32 => PER_LINUX32,
        };
        draft.child.push(Personality(persona).into());
    }
}

fn push_scheduler(draft: &mut Draft<'_>) {
    let Some(scheduler) = draft.spec.process.as_ref().and_then(|process| process.scheduler.as_ref()) else {
        return;
    };
    let (number, name) = match scheduler.policy {
        Policy::Other => (0, "SCHED_OTHER"),
        Policy::Fifo => (1, "SCHED_FIFO"),
        Policy::Rr => (2, "SCHED_RR"),
        Policy::Batch => (3, "SCHED_BATCH"),
        Policy::Iso => (4, "SCHED_ISO"),
        Policy::Idle => (5, "SCHED_IDLE"),
        Policy::Deadline => (6, "SCHED_DEADLINE"),
    };
    let flags = scheduler.flags.iter().fold(0, |flags, flag| {
        flags
            | match flag {
                SchedulerFlag::ResetOnFork => 0x01,
                SchedulerFlag::Reclaim => 0x02,
                SchedulerFlag::DlOverrun => 0x04,
                SchedulerFlag::KeepPolicy => 0x08,
                SchedulerFlag::KeepParams => 0x10,
                SchedulerFlag::UtilClampMin => 0x20,
                SchedulerFlag::UtilClampMax => 0x40,
            }
    });
    let (nice, runtime, deadline, period) =
        (scheduler.nice, scheduler.runtime, scheduler.deadline, scheduler.period);
    let real_time = matches!(scheduler.policy, Policy::Fifo | Policy::Rr);
    if !(-20..=19).contains(&nice) {
        draft.fault("process.scheduler.nice", "it is not between -20 and 19");
    }
    let priority = u32::try_from(scheduler.priority).ok();
    match priority {
        Some(0) if real_time => {
            draft.fault("process.scheduler.priority", "a real-time policy has one from 1 to 99")
        }
        Some(1..=99) if real_time => {}
        Some(0) => {}
        Some(_) if !real_time => {
            draft.fault("process.scheduler.priority", "only SCHED_FIFO and SCHED_RR have one")
        }
        _ => draft.fault("process.scheduler.priority", "it is not between 0 and 99"),
    }
    if scheduler.policy != Policy::Deadline && (runtime, deadline, period) != (0, 0, 0) {
        draft.fault("process.scheduler", "`runtime`, `deadline` and `period` are those of SCHED_DEADLINE");
    }
    let attributes = Attributes {
        policy: number,
        flags,
        nice,
        priority: priority.unwrap_or(0),
        runtime_ns: runtime,
        deadline_ns: deadline,
        period_ns: period,
    };
    draft.child.push(Scheduler { attributes, name }.into());
}

fn push_io_priority(draft: &mut Draft<'_>) {
    let Some(priority) = draft.spec.process.as_ref().and_then(|process| process.io_priority) else { return };
    let class = match priority.class {
        IoPriorityClass::Rt => 1,
        IoPriorityClass::Be => 2,
        IoPriorityClass::Idle => 3,
    };
    match u16::try_from(priority.priority).ok().filter(|level| *level < 8) {
        Some(level) => draft.child.push(IoPriority { class, priority: level }.into()),
        None => draft.fault("process.ioPriority.priority", "it is not between 0 and 7"),
    }
}

/// A process that joins runs where `execCPUAffinity` says; the first process everywhere that its group lets it.
fn push_affinity(draft: &mut Draft<'_>, joins: bool) {
    let Some(affinity) = draft.spec.process.as_ref().and_then(|process| process.exec_cpu_affinity.as_ref())
    else {
        return;
    };
    let lists = [("initial", &affinity.initial), ("final", &affinity.last)];
    let lists = lists.map(|(name, list)| (format!("process.execCPUAffinity.{name}"), list.clone()));
    for (field, list) in lists {
        let Some(list) = list else { continue };
        match set_of(&list, CpuSet::MAX_CPU) {
            Ok(numbers) => {
                let mut set = CpuSet::new();
                numbers.iter().for_each(|number| set.set(*number));
                if joins {
                    draft.child.push(Affinity { set, list }.into());
                }
            }
            Err(reason) => draft.fault(field, reason),
        }
    }
}

fn push_memory_policy(draft: &mut Draft<'_>) {
    let Some(policy) = &draft.linux.memory_policy else { return };
    let (number, name) = match policy.mode {
        MemoryPolicyMode::Default => (0, "MPOL_DEFAULT"),
        MemoryPolicyMode::Preferred => (1, "MPOL_PREFERRED"),
        MemoryPolicyMode::Bind => (2, "MPOL_BIND"),
        MemoryPolicyMode::Interleave => (3, "MPOL_INTERLEAVE"),
        MemoryPolicyMode::Local => (4, "MPOL_LOCAL"),
        MemoryPolicyMode::PreferredMany => (5, "MPOL_PREFERRED_MANY"),
        MemoryPolicyMode::WeightedInterleave => (6, "MPOL_WEIGHTED_INTERLEAVE"),
    };
    let flags = policy.flags.iter().fold(0, |flags, flag| {
        flags
            | match flag {
                MemoryPolicyFlag::StaticNodes => 1 << 15,
                MemoryPolicyFlag::RelativeNodes => 1 << 14,
                MemoryPolicyFlag::NumaBalancing => 1 << 13,
            }
    });
    let mut nodes = None;
    if let Some(list) = &policy.nodes {
        let mut words: Nodes = [0; 16];
        match set_of(list, words.len() * 64) {
            Ok(numbers) => numbers.iter().for_each(|number| words[number / 64] |= 1 << (number % 64)),
            Err(reason) => draft.fault("linux.memoryPolicy.nodes", reason),
        }
        nodes = Some(Box::new(words));
    }
    let shown =
        policy.nodes.as_ref().map_or_else(|| name.to_owned(), |list| format!("{name} from nodes {list}"));
    draft.child.push(MemoryPolicy { mode: number | flags, nodes, shown }.into());
}

/// The numbers of a list like `0-3,7`, cpuset(7) "List format".
fn set_of(list: &str, most: usize) -> Result<Vec<usize>, String> {
    let mut numbers = Vec::new();
    for part in list.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.trim().parse::<usize>().ok().zip(last.trim().parse::<usize>().ok());
        match range {
            Some((first, last)) if first <= last && last < most => numbers.extend(first..=last),
            Some((first, last)) if first <= last => return Err(format!("`{part}` is above {}", most - 1)),
            _ => return Err(format!("`{part}` is neither a number nor a range, as in 0-3,7")),
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::set_of;

    #[test]
    fn lists_of_numbers() {
        assert_eq!(set_of("0-2,7", 64), Ok(vec![0, 1, 2, 7]));
        assert_eq!(set_of("3", 64), Ok(vec![3]));
        for list in ["", "x", "3-1", "64", "0-64", "1-", "-1", "0,,1"] {
            assert!(set_of(list, 64).is_err(), "{list}");
        }
    }
}
