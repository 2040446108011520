//! The table of system calls of `crates/seccomp`: written from a list of numbers, so that a newer kernel's calls are
//! one command away.
//!
//! The list is comma-separated: a first line `#syscall (KERNEL …),ARCHITECTURE,…`, then a line for each call; a column whose
//! name ends in `_kver` is passed over, `PNR` says that the architecture has not the call. libseccomp keeps such a list as
//! `src/syscalls.csv`, gathered from the kernel's own tables; the numbers are the kernel's ABI.

use crate::stop::Stop;
use std::fmt::Write as _;
use std::fs;

/// The columns of the table, in the order of `Column` in `crates/seccomp/src/architecture.rs`.
const COLUMNS: [&str; 18] = [
    "x86",
    "x86_64",
    "x32",
    "arm",
    "aarch64",
    "loongarch64",
    "m68k",
    "mips",
    "mips64",
    "mips64n32",
    "parisc",
    "parisc64",
    "ppc",
    "ppc64",
    "riscv64",
    "s390",
    "s390x",
    "sh",
];

/// Where the calls of arm that are its own begin: `__ARM_NR_BASE`, written as `ARM_PRIVATE` and the rest.
const ARM_BASE: u32 = 0xf_0000;
const ARM_PRIVATE: u32 = 0xf000;

const FILE: &str = "crates/seccomp/src/table.rs";

/// `cargo xtask syscalls LIST`.
pub fn command(words: &[String]) -> Result<(), Stop> {
    let [list] = words else { return Err(Stop::Usage("syscalls wants one file".to_owned())) };
    let text = fs::read_to_string(list).map_err(|error| Stop::Failed(format!("read `{list}`: {error}")))?;
    let table = table(&text).map_err(|words| Stop::Failed(format!("`{list}`: {words}")))?;
    fs::write(FILE, table).map_err(|error| Stop::Failed(format!("write `{FILE}`: {error}")))
}

fn table(list: &str) -> Result<String, String> {
    let mut lines = list.lines();
    let head = lines.next().ok_or("it is empty")?;
    let kernel = head
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(inside, _)| inside.split(' ').next().unwrap_or_default().trim_start_matches('v'))
        .ok_or("its first line does not name a kernel")?;
    let names: Vec<&str> = head.split(',').collect();
    let places: Vec<usize> = COLUMNS
        .iter()
        .map(|column| {
            names.iter().position(|name| name == column).ok_or_else(|| format!("no column `{column}`"))
        })
        .collect::<Result<_, _>>()?;
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let cells: Vec<&str> = line.split(',').collect();
        let name = cells[0];
        let numbers = places.iter().map(|at| cell(cells.get(*at).copied().unwrap_or("PNR")));
        rows.push((name, numbers.collect::<Result<_, _>>().map_err(|words| format!("{name}: {words}"))?));
    }
    rows.sort_unstable();
    Ok(written(kernel, &rows))
}

/// One number as it stands in the table.
fn cell(text: &str) -> Result<String, String> {
    if text == "PNR" {
        return Ok("NO".to_owned());
    }
    let number: u32 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    match number {
        0..1024 => Ok(number.to_string()),
        ARM_BASE.. if number - ARM_BASE < 0xfff => Ok(format!("{}", ARM_PRIVATE + number - ARM_BASE)),
        _ => Err(format!("{number} does not fit the table")),
    }
}

fn written(kernel: &str, rows: &[(&str, Vec<String>)]) -> String {
    let mut out = format!(
        "//! The numbers of the system calls on each architecture, from the tables of Linux {kernel}.\n\
         //!\n\
         //! Written by `cargo xtask syscalls LIST`, which says what a list is; not to be edited.\n\n\
         /// The newest kernel whose calls are known.\n\
         pub const KERNEL: &str = \"{kernel}\";\n\n\
         /// The architecture has not this call.\n\
         pub const NO: u16 = u16::MAX;\n\n\
         /// A name, and its number on each architecture; see `architecture::Column`. The numbers are without the\n\
         /// architecture's base; one from {ARM_PRIVATE:#x} on counts arm's own calls.\n\
         pub type Row = (&'static str, [u16; {columns}]);\n\n\
         //  {heads}\n\
         #[rustfmt::skip]\n\
         pub static TABLE: [Row; {count}] = [\n",
        columns = COLUMNS.len(),
        heads = COLUMNS.join(", "),
        count = rows.len(),
    );
    for (name, numbers) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(out, "    (\"{name}\", [{}]),", numbers.join(", "));
    }
    out.push_str("];\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(row: &str) -> String {
        let head = COLUMNS.map(|column| format!("{column},{column}_kver")).join(",");
        format!("#syscall (v7.1.0-rc4 2026-05-19),{head}\n{row}\n")
    }

    #[test]
    fn a_row_is_its_numbers_without_the_kernels_versions() {
        let row = format!("read,{}", ["0,X"; 18].join(","));
        let table = table(&list(&row)).unwrap();
        assert!(
            table.contains("    (\"read\", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),\n"),
            "{table}"
        );
        assert!(table.contains("KERNEL: &str = \"7.1.0-rc4\""), "{table}");
    }

    #[test]
    fn what_is_missing_and_what_is_arms_own_are_marked() {
        let mut cells = ["PNR,X"; 18];
        cells[3] = "983041,X";
        let table = table(&list(&format!("breakpoint,{}", cells.join(",")))).unwrap();
        assert!(table.contains("[NO, NO, NO, 61441, NO,"), "{table}");
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        let row = format!("odd,{}", ["5000,X"; 18].join(","));
        assert_eq!(table(&list(&row)), Err("odd: 5000 does not fit the table".to_owned()));
        assert_eq!(table("#syscall (v1),x86\n"), Err("no column `x86_64`".to_owned()));
    }
}
