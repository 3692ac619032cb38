//! Which of OProfile's CPU types a processor is.

use super::Identification;

/// OProfile's CPU type of a processor; `hyper_threads` says whether its cores run two threads each, which only the
/// Pentium 4 cares about. `None` where OProfile knows nothing of the like.
///
/// Models are those of libop/op_hw_specific.h and the kernel's arch/x86/include/asm/intel-family.h; an Intel processor
/// without a type of its own is `i386/arch_perfmon`, an AMD one `x86-64/generic`, as OProfile has it.
pub fn oprofile_type(identification: &Identification, hyper_threads: bool) -> Option<&'static str> {
    if let Some((vendor, family, model)) = identification.x86() {
        return match vendor {
            "GenuineIntel" => Some(intel(family, model, hyper_threads)),
            "AuthenticAMD" | "HygonGenuine" => Some(amd(family)),
            _ => None,
        };
    }
    if let Some((implementer, part)) = identification.arm() {
        return arm(implementer, part);
    }
    identification.power().and_then(power)
}

fn intel(family: u32, model: u32, hyper_threads: bool) -> &'static str {
    match (family, model) {
        (15, _) if hyper_threads => "i386/p4-ht",
        (15, _) => "i386/p4",
        (6, 0..=2) => "i386/ppro",
        (6, 3..=5) => "i386/pii",
        (6, 6 | 7 | 8 | 0xa | 0xb) => "i386/piii",
        (6, 9 | 0xd) => "i386/p6_mobile",
        (6, 0xe) => "i386/core",
        (6, 0xf | 0x16 | 0x17 | 0x1d) => "i386/core_2",
        (6, 0x1a | 0x1e | 0x1f | 0x2e) => "i386/nehalem",
        (6, 0x25 | 0x2c | 0x2f) => "i386/westmere",
        (6, 0x1c | 0x26 | 0x27 | 0x35 | 0x36) => "i386/atom",
        (6, 0x2a | 0x2d) => "i386/sandybridge",
        (6, 0x3a | 0x3e) => "i386/ivybridge",
        (6, 0x3c | 0x3f | 0x45 | 0x46) => "i386/haswell",
        (6, 0x3d | 0x47 | 0x4f | 0x56) => "i386/broadwell",
        (6, 0x37 | 0x4a | 0x4c | 0x4d | 0x5a | 0x5d) => "i386/silvermont",
        (6, 0x4e | 0x5e | 0x55 | 0x8e | 0x9e | 0xa5 | 0xa6) => "i386/skylake",
        (6, 0x5c | 0x5f) => "i386/goldmont",
        (6, 0x7a) => "i386/goldmontplus",
        (6, 0x57 | 0x85) => "i386/knightslanding",
        _ => "i386/arch_perfmon",
    }
}

fn amd(family: u32) -> &'static str {
    match family {
        6 => "i386/athlon",
        0xf => "x86-64/hammer",
        0x10 => "x86-64/family10",
        0x11 => "x86-64/family11h",
        0x12 => "x86-64/family12h",
        0x14 => "x86-64/family14h",
        0x15 => "x86-64/family15h",
        _ => "x86-64/generic",
    }
}

/// Part numbers of arch/arm64/include/asm/cputype.h and arch/arm/include/asm/cputype.h of the kernel.
fn arm(implementer: u64, part: u64) -> Option<&'static str> {
    Some(match (implementer, part) {
        (0x41, 0xb36 | 0xb56 | 0xb76) => "arm/armv6",
        (0x41, 0xb02) => "arm/mpcore",
        (0x41, 0xc08) => "arm/armv7",
        (0x41, 0xc05) => "arm/armv7-ca5",
        (0x41, 0xc07) => "arm/armv7-ca7",
        (0x41, 0xc09) => "arm/armv7-ca9",
        (0x41, 0xc0f) => "arm/armv7-ca15",
        (0x41, 0xc0e) => "arm/armv7-ca17",
        (0x51, 0x00f) => "arm/armv7-scorpion",
        (0x51, 0x02d) => "arm/armv7-scorpionmp",
        (0x51, 0x04d | 0x06f) => "arm/armv7-krait",
        (0x41, 0xd03) => "arm/armv8-ca53",
        (0x41, 0xd07) => "arm/armv8-ca57",
        (0x43, 0x0af) | (0x42, 0x516) => "arm/armv8-thunderx2",
        (0x50, 0x000) => "arm/armv8-xgene",
        (0x41, 0xd00..=0xdff) => "arm/armv8-pmuv3-common",
        _ => return None,
    })
}

/// Versions of arch/powerpc/include/asm/reg.h of the kernel.
fn power(version: u64) -> Option<&'static str> {
    Some(match version {
        0x35 | 0x38 => "ppc64/power4",
        0x39 | 0x3c => "ppc64/970",
        0x44 | 0x45 => "ppc64/970MP",
        0x3a => "ppc64/power5",
        0x3b => "ppc64/power5+",
        0x3e => "ppc64/power6",
        0x3f | 0x4a => "ppc64/power7",
        0x4b..=0x4d => "ppc64/power8",
        0x4e => "ppc64/power9",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_known_processors() {
        let of = |text| oprofile_type(&Identification::new(text), false);
        assert_eq!(of("GenuineIntel-6-5E-3"), Some("i386/skylake"));
        assert_eq!(of("GenuineIntel-6-97-2"), Some("i386/arch_perfmon"));
        assert_eq!(of("GenuineIntel-15-4-1"), Some("i386/p4"));
        assert_eq!(oprofile_type(&Identification::new("GenuineIntel-15-4-1"), true), Some("i386/p4-ht"));
        assert_eq!(of("AuthenticAMD-16-4-2"), Some("x86-64/family10"));
        assert_eq!(of("AuthenticAMD-25-61-2"), Some("x86-64/generic"));
        assert_eq!(of("0x00000000410fd034"), Some("arm/armv8-ca53"));
        assert_eq!(of("0x00000000413fd0c1"), Some("arm/armv8-pmuv3-common"));
        assert_eq!(of("0x004e1202"), Some("ppc64/power9"));
        assert_eq!(of("CentaurHauls-6-F-E"), None);
    }
}
