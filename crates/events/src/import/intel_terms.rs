//! Intel's terms under the names of the kernel's fields.

use crate::number;

/// Turns `event=0xc6,umask=0x1,umask_ext=0x2,msr0x3f7=0x11,inv=1` into `event=0xc6,umask=0x201,frontend=0x11,inv`.
///
/// An event of a fixed counter becomes one that the kernel takes for it: the architectural code where there is one, else
/// the kernel's pseudo code (`intel_pmu_event_map` and the fixed counters' constraints in arch/x86/events/intel/core.c).
pub fn intel_terms(name: &str, terms: &str) -> String {
    if let Some(terms) = of_fixed_counter(name) {
        return terms.to_owned();
    }
    if name.eq_ignore_ascii_case("CPU_CLK_UNHALTED.REF") && !terms.starts_with("event=0x3c") {
        // The oldest tables have codes that mean nothing; later ones an event of general counters by the same name.
        return "event=0x0,umask=0x3".to_owned();
    }
    let mut named = Vec::new();
    let mut unit_mask: Option<u64> = None;
    for term in terms.split(',') {
        let (field, value) = term.split_once('=').unwrap_or((term, "1"));
        match (field, number::parse(value)) {
            ("umask", Some(value)) => unit_mask = Some(unit_mask.unwrap_or(0) | value),
            ("umask_ext", Some(value)) => unit_mask = Some(unit_mask.unwrap_or(0) | value << 8),
            ("msr0x1a6" | "msr0x1a7", _) => named.push(format!("offcore_rsp={value}")),
            ("msr0x3f6", _) => named.push(format!("ldlat={value}")),
            ("msr0x3f7", _) => named.push(format!("frontend={value}")),
            ("inv" | "edge" | "any" | "pc" | "in_tx" | "in_tx_cp" | "eq", Some(1)) => {
                named.push(field.to_owned());
            }
            _ => named.push(term.to_owned()),
        }
    }
    if let Some(value) = unit_mask {
        named.insert(named.len().min(1), format!("umask={value:#x}"));
    }
    named.join(",")
}

/// The architectural event of what a fixed counter counts, in any case of the name.
pub(super) fn of_fixed_counter(name: &str) -> Option<&'static str> {
    match name.to_ascii_uppercase().as_str() {
        "INST_RETIRED.ANY" => Some("event=0xc0"),
        "CPU_CLK_UNHALTED.THREAD" | "CPU_CLK_UNHALTED.CORE" => Some("event=0x3c"),
        "CPU_CLK_UNHALTED.THREAD_ANY" => Some("event=0x3c,any"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_named_as_the_kernel_names_them() {
        let terms = "event=0xc6,umask=0x1,umask_ext=0x2,cmask=2,msr0x3f7=0x11,inv=1,edge=0";
        assert_eq!(intel_terms("X", terms), "event=0xc6,umask=0x201,cmask=2,frontend=0x11,inv,edge=0");
        assert_eq!(intel_terms("X", "event=0xb7,msr0x1a6=0x10001"), "event=0xb7,offcore_rsp=0x10001");
        assert_eq!(intel_terms("inst_retired.any", "event=0x0,umask=0x1"), "event=0xc0");
        assert_eq!(intel_terms("CPU_CLK_UNHALTED.REF", "event=0xa"), "event=0x0,umask=0x3");
        assert_eq!(intel_terms("CPU_CLK_UNHALTED.REF", "event=0x3c,umask=0x1"), "event=0x3c,umask=0x1");
        assert_eq!(intel_terms("X", "umask=0x1"), "umask=0x1");
        assert_eq!(intel_terms("X", ""), "");
    }
}
