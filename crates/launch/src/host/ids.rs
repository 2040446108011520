//! Who we are: ids, capabilities, and the subordinate ids that /etc/subuid and /etc/subgid grant.

use rustix::process::{getegid, geteuid};

/// `CAP_SETGID`, capabilities(7).
const CAP_SETGID: u32 = 6;
/// `CAP_SETUID`.
const CAP_SETUID: u32 = 7;
/// `CAP_SYS_ADMIN`.
const CAP_SYS_ADMIN: u32 = 21;

/// Who grants subordinate user ids, subuid(5).
pub const SUBUID: &str = "/etc/subuid";
/// Who grants subordinate group ids, subgid(5).
pub const SUBGID: &str = "/etc/subgid";

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// The facts about the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Effective capabilities, bit N for capability N.
    pub capabilities: u64,
    /// Subordinate user ids, subuid(5), in the file's order.
    pub subuids: Vec<Range>,
    /// Subordinate group ids, subgid(5).
    pub subgids: Vec<Range>,
    /// newuidmap(1) and newgidmap(1) are on the PATH.
    pub helpers: bool,
    /// Our pid, from which a shifted range is chosen.
    pub pid: u32,
}

impl Ids {
    /// `CAP_SYS_ADMIN`, capabilities(7).
    pub const SYS_ADMIN: u32 = CAP_SYS_ADMIN;

    /// Looks at this process and the system's files.
    pub fn probe() -> Ids {
        let uid = geteuid().as_raw();
        let capabilities = insula_sys::prctl::capget().map_or(0, |(effective, _, _)| effective);
        let mut ids = Ids {
            uid,
            gid: getegid().as_raw(),
            capabilities,
            subuids: Vec::new(),
            subgids: Vec::new(),
            helpers: false,
            pid: std::process::id(),
        };
        if !ids.may_map_any() {
            ids.helpers = on_path("newuidmap") && on_path("newgidmap");
            let name = user_name(uid);
            ids.subuids = granted(SUBUID, uid, name.as_deref()).unwrap_or_default();
            ids.subgids = granted(SUBGID, uid, name.as_deref()).unwrap_or_default();
        }
        ids
    }

    /// May we mount in the present mount namespace?
    pub fn may_mount(&self) -> bool {
        self.has(CAP_SYS_ADMIN)
    }

    /// May we write any id map, user_namespaces(7)?
    pub fn may_map_any(&self) -> bool {
        self.has(CAP_SYS_ADMIN) && self.has(CAP_SETUID) && self.has(CAP_SETGID)
    }

    /// Do newuidmap and newgidmap grant us ranges?
    pub fn may_ask_helpers(&self) -> bool {
        self.helpers && !self.subuids.is_empty() && !self.subgids.is_empty()
    }

    fn has(&self, capability: u32) -> bool {
        self.capabilities & (1 << capability) != 0
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The account's name, by /etc/passwd alone: a static binary loads no name service modules.
pub fn user_name(uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let wanted = uid.to_string();
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == wanted).then(|| name.to_owned())
    })
}

/// The ranges that a file, [`SUBUID`] or [`SUBGID`], grants to a user.
pub fn granted(file: &str, uid: u32, name: Option<&str>) -> std::io::Result<Vec<Range>> {
    std::fs::read_to_string(file).map(|text| parse_ranges(&text, uid, name))
}

/// The lines `owner:first:count` of one owner, who is named or numbered, subuid(5).
fn parse_ranges(text: &str, uid: u32, name: Option<&str>) -> Vec<Range> {
    let number = uid.to_string();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let owner = fields.next()?;
            if owner != number && Some(owner) != name {
                return None;
            }
            let first = fields.next()?.trim().parse().ok()?;
            let count: u32 = fields.next()?.trim().parse().ok()?;
            (count > 0).then_some(Range { first, count })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subordinate_ranges_belong_to_a_name_or_a_number() {
        let text = "ada:100000:65536\n1000:300000:10\nbob:1:1\nada:x:1\nada:5:0\n";
        assert_eq!(
            parse_ranges(text, 1000, Some("ada")),
            [Range { first: 100_000, count: 65536 }, Range { first: 300_000, count: 10 }]
        );
        assert_eq!(parse_ranges(text, 7, None), []);
    }
}
