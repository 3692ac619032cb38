//! Families of PMUs, and where their fields are.

/// A family of processors whose PMUs have the same fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Intel since the Pentium Pro, without the Pentium 4.
    Intel,
    /// AMD.
    Amd,
    /// Intel's Pentium 4.
    P4,
    /// Arm with PMUv3 (Armv8 and later).
    Arm,
    /// Arm before.
    ArmV7,
    /// IBM POWER.
    Power,
    /// RISC-V with the SBI PMU.
    Riscv,
    /// IBM Z.
    S390,
    /// One whose fields are not built in: its events are listed and cannot be encoded away from it.
    Other,
}

/// What goes into every x86 core PMU at the same place.
const AMD: &[(&str, &str)] = &[
    ("event", "config:0-7,32-35"),
    ("umask", "config:8-15"),
    ("edge", "config:18"),
    ("inv", "config:23"),
    ("cmask", "config:24-31"),
];
/// `intel_arch3_formats_attr`, `hsw_format_attr`, `skl_format_attr` and the fields of later cores in
/// arch/x86/events/intel/core.c of the kernel.
const INTEL: &[(&str, &str)] = &[
    ("event", "config:0-7"),
    ("umask", "config:8-15,40-47"),
    ("edge", "config:18"),
    ("pc", "config:19"),
    ("any", "config:21"),
    ("inv", "config:23"),
    ("cmask", "config:24-31"),
    ("in_tx", "config:32"),
    ("in_tx_cp", "config:33"),
    ("eq", "config:36"),
    ("offcore_rsp", "config1:0-63"),
    ("ldlat", "config1:0-15"),
    ("frontend", "config1:0-23"),
];
/// arch/x86/events/intel/p4.c.
const P4: &[(&str, &str)] = &[("escr", "config:32-62"), ("cccr", "config:0-31"), ("ht", "config:63")];
/// drivers/perf/arm_pmuv3.c.
const ARM: &[(&str, &str)] = &[("event", "config:0-15"), ("long", "config1:0")];
/// drivers/perf/arm_v7_pmu.c names no field; the event number fills the low byte.
const ARM_V7: &[(&str, &str)] = &[("event", "config:0-7")];
/// arch/powerpc/perf/power9-pmu.c and its siblings; OProfile's unit masks stand above the code.
const POWER: &[(&str, &str)] = &[("event", "config:0-59")];
/// drivers/perf/riscv_pmu_sbi.c.
const RISCV: &[(&str, &str)] = &[("event", "config:0-47"), ("firmware", "config:62-63")];
/// arch/s390/kernel/perf_cpum_cf.c.
const S390: &[(&str, &str)] = &[("event", "config:0-63")];

impl Family {
    /// All families by the name that a table's header has.
    const NAMES: [(&str, Self); 9] = [
        ("intel", Self::Intel),
        ("amd", Self::Amd),
        ("p4", Self::P4),
        ("arm", Self::Arm),
        ("armv7", Self::ArmV7),
        ("power", Self::Power),
        ("riscv", Self::Riscv),
        ("s390", Self::S390),
        ("other", Self::Other),
    ];

    /// The family of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|&(_, family)| family)
    }

    /// Its name in a table's header.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, family)| *family == self).map_or("other", |&(name, _)| name)
    }

    /// The fields, as sysfs writes them in `format/`; they serve for another machine's processors alone.
    pub(crate) fn formats(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Intel => INTEL,
            Self::Amd => AMD,
            Self::P4 => P4,
            Self::Arm => ARM,
            Self::ArmV7 => ARM_V7,
            Self::Power => POWER,
            Self::Riscv => RISCV,
            Self::S390 => S390,
            Self::Other => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    #[test]
    fn names_and_formats_are_sound() {
        for (name, family) in Family::NAMES {
            assert_eq!((Family::find(name), family.name()), (Some(family), name));
            for (field, format) in family.formats() {
                assert!(Format::parse(format).is_ok(), "{name} {field}");
            }
        }
    }
}
