//! Code is parted into instructions where binutils' objdump parts it, and most of them are spelled the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;

use oprof_profile::ImageAddress;
use oprof_symbolizer::{Syntax, disassemble, image_code};

/// What objdump says of `.text`: address, then text without the names of targets.
fn objdump(path: &str, options: &[&str]) -> Option<BTreeMap<u64, String>> {
    let mut objdump = Command::new("objdump");
    let output = objdump.args(["-d", "--no-show-raw-insn", "-j", ".text"]).args(options).arg(path).output();
    let Ok(output) = output else {
        eprintln!("skipped: objdump is not installed");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| {
        let (address, instruction) = line.trim_start().split_once(":\t")?;
        let bare = instruction.split(" <").next().unwrap_or_default().split(" #").next().unwrap_or_default();
        Some((u64::from_str_radix(address, 16).ok()?, bare.trim_end().to_owned()))
    });
    Some(lines.collect())
}

fn compare(path: &str, syntax: Syntax, options: &[&str]) {
    let Some(expected) = objdump(path, options) else { return };
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: no {path}");
        return;
    };
    let (Some((&first, _)), Some((&last, _))) = (expected.first_key_value(), expected.last_key_value())
    else {
        eprintln!("skipped: objdump does not know {path}");
        return;
    };
    let code = image_code(&file, ImageAddress(first), last - first).expect("code");
    let Some(machine) = code.machine else {
        eprintln!("skipped: {path} is for a processor that cannot be shown");
        return;
    };
    let ours = disassemble(machine, syntax, &code.bytes, ImageAddress(first));
    let theirs = expected.range(..last);
    let mut same = 0;
    let mut differing = Vec::new();
    for (ours, (address, theirs)) in ours.iter().zip(theirs) {
        assert_eq!(ours.address.0, *address, "after {:?}", differing.last());
        match ours.text == *theirs {
            true => same += 1,
            false => differing.push(format!("{address:x}: {} / {theirs}", ours.text)),
        }
    }
    let share = same as f64 / ours.len() as f64;
    let shown: Vec<&String> = differing.iter().take(40).collect();
    assert!(share > 0.9, "{same} of {} are spelled as objdump does:\n{shown:#?}", ours.len());
}

#[test]
fn programs_are_shown_as_objdump_shows_them() {
    compare("/bin/cat", Syntax::Att, &[]);
    compare("/bin/cat", Syntax::Intel, &["-M", "intel"]);
}

#[test]
fn what_is_no_code_is_an_error() {
    let file = File::open("/etc/passwd").expect("a file");
    assert!(image_code(&file, ImageAddress(0), 10).is_err());
    let file = File::open("/proc/self/exe").expect("this program");
    assert!(image_code(&file, ImageAddress(u64::MAX - 3), 10).is_err());
}
