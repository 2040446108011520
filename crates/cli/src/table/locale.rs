//! What the terminal and the locale allow.

use std::path::Path;

/// Does the caller's locale have UTF-8 (locale(7): `LC_ALL`, then `LC_CTYPE`, then `LANG`)? A static program cannot load
/// a locale; it looks whether the one that is named is installed, as the tools that can would fall back to C.
pub fn is_utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(name) = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set) else { return false };
    names_utf8(&name) && is_installed(&name)
}

fn names_utf8(name: &str) -> bool {
    let charset = name.split('@').next().and_then(|name| name.split_once('.')).map(|(_, charset)| charset);
    charset
        .is_some_and(|charset| charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8"))
}

fn is_installed(name: &str) -> bool {
    // Built into the C library (glibc 2.35).
    if name.starts_with("C.") || name.contains('/') {
        return name.starts_with("C.");
    }
    let spellings = [name.to_owned(), name.replace("UTF-8", "utf8").replace("utf-8", "utf8")];
    Path::new("/usr/lib/locale/locale-archive").exists()
        || spellings.iter().any(|name| Path::new("/usr/lib/locale").join(name).exists())
}

/// How wide the terminal on standard output is, in cells; `None`: it is no terminal. As the tools have it, `COLUMNS`
/// counts where the terminal does not say, and 80 where nothing does.
pub fn terminal_width() -> Option<usize> {
    let stdout = rustix::stdio::stdout();
    if !rustix::termios::isatty(stdout) {
        return None;
    }
    let told = rustix::termios::tcgetwinsize(stdout).ok().map(|size| usize::from(size.ws_col));
    let from_environment = || std::env::var("COLUMNS").ok()?.parse().ok();
    told.filter(|width| *width > 0).or_else(from_environment).filter(|width| *width > 0).or(Some(80))
}

#[cfg(test)]
mod tests {
    use super::{is_installed, names_utf8};

    #[test]
    fn a_locale_names_its_charset() {
        for name in ["C.UTF-8", "en_US.utf8", "de_DE.UTF-8@euro"] {
            assert!(names_utf8(name), "{name}");
        }
        for name in ["C", "POSIX", "en_US", "en_US.ISO-8859-1", "UTF-8"] {
            assert!(!names_utf8(name), "{name}");
        }
        assert!(is_installed("C.UTF-8"));
        assert!(!is_installed("../../etc.UTF-8"));
    }
}
