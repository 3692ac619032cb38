//! What identifies a processor.

use std::path::Path;

use crate::kernel_file;

/// What identifies a processor, in the form that perf(1) has it: on x86 `VENDOR-FAMILY-MODEL-STEPPING` with the family
/// in decimal and the rest in hexadecimal, on Arm the MIDR (`0x00000000413fd0c1`), on POWER the PVR (`0x00801200`), on
/// RISC-V `MVENDORID-MARCHID-MIMPID`. Empty where the kernel tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identification(String);

impl Identification {
    /// One that is known otherwise.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// That of a CPU of this machine.
    pub(crate) fn read(sysfs: &Path, procfs: &Path, cpu: u32) -> Self {
        let midr = sysfs.join(format!("devices/system/cpu/cpu{cpu}/regs/identification/midr_el1"));
        if let Ok(midr) = kernel_file::read(&midr) {
            return Self::new(&midr);
        }
        let text = kernel_file::read_start(&procfs.join("cpuinfo")).unwrap_or_default();
        Self(from_cpuinfo(&text).unwrap_or_default())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The text without the last part of an x86 identification.
    pub(super) fn without_stepping(&self) -> &str {
        match self.0.rsplit_once('-') {
            Some((before, _)) if before.matches('-').count() == 2 && !self.0.starts_with("0x") => before,
            _ => &self.0,
        }
    }

    /// Vendor, family and model of an x86 processor.
    pub(super) fn x86(&self) -> Option<(&str, u32, u32)> {
        let mut parts = self.0.split('-');
        let (vendor, family, model) = (parts.next()?, parts.next()?, parts.next()?);
        (!vendor.starts_with("0x")).then_some(())?;
        Some((vendor, family.parse().ok()?, u32::from_str_radix(model, 16).ok()?))
    }

    /// Implementer and part of an Arm processor, from its MIDR (Arm Architecture Reference Manual, MIDR_EL1).
    pub(super) fn arm(&self) -> Option<(u64, u64)> {
        let digits = self.0.strip_prefix("0x").filter(|digits| digits.len() == 16)?;
        let midr = u64::from_str_radix(digits, 16).ok()?;
        Some((midr >> 24 & 0xff, midr >> 4 & 0xfff))
    }

    /// Version of a POWER processor, the upper half of the PVR.
    pub(super) fn power(&self) -> Option<u64> {
        let digits = self.0.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
        u64::from_str_radix(digits, 16).ok().map(|pvr| pvr >> 16)
    }
}

/// From the first processor of /proc/cpuinfo.
fn from_cpuinfo(text: &str) -> Option<String> {
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
    };
    let number = |key: &str| {
        let value = value(key)?;
        match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => value.parse().ok(),
        }
    };
    if let Some(vendor) = value("vendor_id") {
        let (family, model) = (number("cpu family")?, number("model")?);
        let stepping = number("stepping").unwrap_or(0);
        return Some(format!("{vendor}-{family}-{model:X}-{stepping:X}"));
    }
    if let Some(implementer) = number("CPU implementer") {
        let (variant, part) = (number("CPU variant").unwrap_or(0), number("CPU part")?);
        let revision = number("CPU revision").unwrap_or(0);
        return Some(format!("0x00000000{implementer:02x}{:x}f{part:03x}{:x}", variant & 15, revision & 15));
    }
    if let Some(vendor) = number("mvendorid") {
        return Some(format!("{vendor:#x}-{:#x}-{:#x}", number("marchid")?, number("mimpid")?));
    }
    // `revision : 2.0 (pvr 0080 0200)`
    let pvr = value("revision")?.split_once("(pvr ")?.1.trim_end_matches(')').replace(' ', "");
    Some(format!("0x{pvr}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpuinfo_of_every_architecture() {
        let x86 = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: X\n\
                   stepping\t: 4\n";
        assert_eq!(from_cpuinfo(x86).unwrap(), "GenuineIntel-6-55-4");
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n\
                   CPU revision\t: 1\n";
        assert_eq!(from_cpuinfo(arm).unwrap(), "0x00000000413fd0c1");
        let power = "processor\t: 0\ncpu\t\t: POWER10\nrevision\t: 2.0 (pvr 0080 0200)\n";
        assert_eq!(from_cpuinfo(power).unwrap(), "0x00800200");
        let riscv = "hart\t: 1\nmvendorid\t: 0x489\nmarchid\t: 0x8000000000000007\nmimpid\t: 0x4210427\n";
        assert_eq!(from_cpuinfo(riscv).unwrap(), "0x489-0x8000000000000007-0x4210427");
        assert_eq!(from_cpuinfo("nothing of use"), None);
        assert_eq!(from_cpuinfo("vendor_id : X\n"), None);
    }

    #[test]
    fn parts_of_an_identification() {
        assert_eq!(Identification::new("GenuineIntel-6-9E-A").x86(), Some(("GenuineIntel", 6, 0x9e)));
        assert_eq!(Identification::new("GenuineIntel-6-9E-A").without_stepping(), "GenuineIntel-6-9E");
        assert_eq!(Identification::new("0x00000000413fd0c1").arm(), Some((0x41, 0xd0c)));
        assert_eq!(Identification::new("0x00800200").power(), Some(0x80));
        let riscv = Identification::new("0x489-0x8000000000000007-0x4210427");
        assert_eq!((riscv.x86(), riscv.without_stepping()), (None, riscv.text()));
    }
}
