//! The names of a uts namespace, uname(2).

use super::ask::Asked;
use super::told::{Detail, Names, Told};
use rustix::system::uname;

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let look = || {
        let names = uname();
        let text = [names.nodename().to_bytes(), names.domainname().to_bytes()].join(&b'\0');
        Ok((text, None))
    };
    match asked.visit("its hostname", look) {
        Ok(visit) => {
            let text = String::from_utf8_lossy(&visit.text).into_owned();
            Told { detail: Detail::Uts(Some(names(&text))), hidden: Vec::new() }
        }
        Err(hidden) => Told { detail: Detail::Uts(None), hidden: vec![hidden] },
    }
}

fn names(text: &str) -> Names {
    let (hostname, domainname) = text.split_once('\0').unwrap_or((text, ""));
    // What the kernel has where none was set.
    let domainname = Some(domainname.to_owned()).filter(|name| !matches!(name.as_str(), "" | "(none)"));
    Names { hostname: hostname.to_owned(), domainname }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domainname_that_is_not_set_is_none() {
        assert_eq!(names("a\0(none)"), Names { hostname: "a".to_owned(), domainname: None });
        assert_eq!(names("a\0b.c").domainname.as_deref(), Some("b.c"));
    }
}
