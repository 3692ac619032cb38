//! The stubs of the procedure linkage table as objdump(1) names them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::{output, run};

/// For the address of each instruction in the `.plt` sections, what objdump calls the code: `puts@plt`, or `.plt`
/// where it has no name for it. `None` where there is no objdump for the image.
pub(crate) fn stubs(image: &Path) -> Option<BTreeMap<u64, String>> {
    let machine = run("readelf", [OsStr::new("--file-header"), image.as_os_str()])?;
    let tool = match machine.lines().find(|line| line.contains("Machine:"))? {
        line if line.contains("AArch64") => "aarch64-linux-gnu-objdump",
        line if line.contains("RISC-V") => "riscv64-linux-gnu-objdump",
        _ => "objdump",
    };
    let flags = ["--disassemble", "--no-show-raw-insn", "-j.plt", "-j.plt.sec", "-j.plt.got", "-j.iplt"];
    // It fails where one of the sections is missing, but shows the others.
    let text = output(tool, flags.map(OsStr::new).into_iter().chain([image.as_os_str()]))?;
    let mut name = String::new();
    let mut stubs = BTreeMap::new();
    for line in text.lines() {
        if let Some((_, heading)) = line.split_once(" <").filter(|_| line.ends_with(">:")) {
            let heading = heading.trim_end_matches(">:");
            // `puts@plt-0x10` is what comes before the first stub.
            name = match heading.strip_suffix("@plt") {
                Some(stub) => format!("{}@plt", stub.split('@').next().unwrap_or(stub)),
                None => ".plt".to_string(),
            };
        } else if let Some((address, _)) = line.split_once(':')
            && let Ok(address) = u64::from_str_radix(address.trim(), 16)
            && line.starts_with(' ')
        {
            stubs.insert(address, name.clone());
        }
    }
    Some(stubs)
}
