//! The tables of Skylake, Zen 4, the Pentium 4 and OProfile's types of AMD ask for what libpfm4 asks for, where that is
//! installed and knows the event.

mod any_processor;
mod tree;

use std::collections::BTreeSet;
use std::io::Write as _;

use any_processor::of_any_processor;
use oprof_events::libpfm::{Libpfm, PfmListed};
use oprof_events::processor::Identification;
use oprof_events::table::{BuiltInTable, TableEvent, UnitMask};
use oprof_events::{EventConfig, EventTable, System};
use tree::Tree;

/// What the kernel takes of a Pentium 4 event: its number of the event and the unit mask, both within the ESCR
/// (`P4_ESCR_EVENT_MASK`, `P4_ESCR_EVENTMASK_MASK` and `P4_CONFIG_MASK` in arch/x86/include/asm/perf_event_p4.h). The
/// rest it sets itself.
const P4_KERNEL: u64 = 0x3f << 57 | 0xffff << 41;

/// OProfile's types whose names, with those of the unit masks, are libpfm4's.
const SAME_NAMES: &[(&str, &str, usize)] = &[
    ("x86-64/hammer", "amd64_k8_revg", 40),
    ("x86-64/family10", "amd64_fam10h_shanghai", 40),
    ("x86-64/family11h", "amd64_fam11h_turion", 40),
    ("x86-64/family12h", "amd64_fam12h_llano", 40),
    ("x86-64/family14h", "amd64_fam14h_bobcat", 30),
    ("x86-64/family15h", "amd64_fam15h_interlagos", 40),
    ("i386/core_2", "core", 60),
    ("i386/silvermont", "slm", 50),
    ("i386/skylake", "skl", 180),
    ("skylake", "skl", 230),
];

/// Events that libpfm4 encodes otherwise: table, event and unit mask, reason.
const OTHERWISE: &[(&str, &str, &str)] = &[
    ("skylake", "UOPS_RETIRED.STALL_CYCLES", STALLS),
    ("skylake", "UOPS_RETIRED.TOTAL_CYCLES", STALLS),
    ("i386/silvermont", "UNHALTED_REFERENCE_CYCLES", FIXED),
    ("i386/skylake", "uops_retired:2000003:stall_cycles", STALLS),
    ("i386/skylake", "uops_retired:2000003:total_cycles", STALLS),
    ("i386/skylake", "br_inst_retired:400009:all_branches_pebs", PRECISE),
    ("i386/skylake", "br_misp_retired:400009:all_branches_pebs", PRECISE),
];
const STALLS: &str = "Intel's table V59 and perf 6.1 have unit mask 2; 1 is that of earlier processors";
const FIXED: &str = "libpfm4 has the kernel's number of the fixed counter, OProfile the architectural code";
const PRECISE: &str =
    "Intel's table V59 has unit mask 4 for the precise variant, which libpfm4 does not have";

/// Events of Zen 4 whose unit mask has bits that libpfm4 has no names for.
const ZEN_4_UNKNOWN: &[&str] = &[
    "ex_no_retire.all",
    "fp_ops_retired_by_type.all",
    "fp_pack_ops_retired.all",
    "ls_any_fills_from_sys.all",
    "ls_dmnd_fills_from_sys.all",
    "packed_int_op_type.all",
    "sse_avx_ops_retired.all",
];

fn table(cpu: &str) -> EventTable {
    BuiltInTable::find(cpu).expect("built in").parse().expect("sound")
}

fn words(config: &EventConfig) -> [u64; 3] {
    [config.config, config.config1, config.config2]
}

/// An event of ours for which there is no more than one configuration.
fn resolve(system: &System, spec: &str) -> EventConfig {
    let configs = system.resolve(spec).unwrap_or_else(|error| panic!("{error}"));
    let [config] = <[_; 1]>::try_from(configs).unwrap_or_else(|configs| panic!("{spec}: {configs:?}"));
    config
}

/// libpfm4's encoding of an event that it knows.
fn theirs(libpfm: &Libpfm, name: &str) -> Option<[u64; 3]> {
    libpfm.encode(name).ok().map(|event| [event.config, event.config1, event.config2])
}

fn knows(libpfm: &Libpfm, pmu: &str) -> bool {
    let known = libpfm.pmus().iter().any(|known| known.name == pmu);
    if !known {
        let _ = writeln!(std::io::stderr(), "skipped: this libpfm4 is too old for {pmu}");
    }
    known
}

#[test]
fn events_of_the_same_name_are_encoded_alike() {
    let Some(libpfm) = of_any_processor("events_of_the_same_name_are_encoded_alike") else { return };
    let mut different = BTreeSet::new();
    for &(cpu, pmu, least) in SAME_NAMES {
        let table = table(cpu);
        let system = System::foreign(table.clone());
        if !knows(&libpfm, pmu) {
            continue;
        }
        let mut compared = 0;
        for (ours, name) in table.events.iter().flat_map(names) {
            let Some(theirs) = theirs(&libpfm, &format!("{pmu}::{name}")) else { continue };
            if words(&resolve(&system, &ours)) != theirs {
                different.insert((cpu, ours));
            }
            compared += 1;
        }
        println!("{compared} events of {cpu} are known to libpfm4's {pmu}");
        assert!(compared >= least, "{cpu}: {compared}");
    }
    // Another version may know better.
    different.retain(|(cpu, event)| !OTHERWISE.iter().any(|known| (known.0, known.1) == (*cpu, event)));
    assert!(different.is_empty(), "{different:#?}");
}

/// Ours and libpfm4's name of an event, or of each of its named unit masks.
fn names(row: &TableEvent) -> Vec<(String, String)> {
    let upper = row.name.to_ascii_uppercase();
    let Some(set) = &row.unit_masks else { return vec![(row.name.clone(), upper.replacen('.', ":", 1))] };
    let named = set.masks.iter().filter(|mask| !mask.name.is_empty());
    let pair = |mask: &UnitMask| {
        let plain = mask.name.strip_suffix("_pebs").unwrap_or(&mask.name).to_ascii_uppercase();
        (format!("{}:{}:{}", row.name, row.default_count, mask.name), format!("{upper}:{plain}"))
    };
    match set.masks.as_slice() {
        [only] if only.name.is_empty() => vec![(row.name.clone(), upper)],
        _ => named.map(pair).collect(),
    }
}

/// AMD's names differ, so that the events are found by their code: that libpfm4 has one with this code and unit masks
/// says that the code exists, and its encoding where the code goes.
#[test]
fn codes_of_zen_4_exist_and_go_to_the_same_place() {
    let Some(libpfm) = of_any_processor("codes_of_zen_4_exist_and_go_to_the_same_place") else { return };
    let pmu = "amd64_fam19h_zen4";
    if !knows(&libpfm, pmu) {
        return;
    }
    let (table, listed) = (table("amdzen4"), libpfm.events(pmu));
    let system = System::foreign(table.clone());
    let (mut compared, mut unknown) = (0, BTreeSet::new());
    for row in &table.events {
        let config = resolve(&system, &row.name);
        let of_code = listed.iter().filter(|event| Some(event.code) == row.code());
        let mut named = of_code.filter_map(|event| with_masks(event, config.unit_mask));
        let Some(theirs) = named.find_map(|name| theirs(&libpfm, &format!("{pmu}::{name}"))) else {
            unknown.insert(row.name.as_str());
            continue;
        };
        assert_eq!(words(&config), theirs, "{}", row.name);
        compared += 1;
    }
    assert!(unknown.iter().all(|event| ZEN_4_UNKNOWN.contains(event)), "{unknown:#?} of {compared}");
    println!("{compared} events of amdzen4 are known to libpfm4's {pmu}, {} are not", unknown.len());
}

/// The event with unit masks that make this value, if there are some.
fn with_masks(event: &PfmListed, value: u64) -> Option<String> {
    if let Some(mask) = event.masks.iter().find(|mask| mask.code == value) {
        return Some(format!("{}:{}", event.name, mask.name));
    }
    let parts: Vec<_> = event.masks.iter().filter(|mask| mask.code & !value == 0 && mask.code != 0).collect();
    let union = parts.iter().fold(0, |union, mask| union | mask.code);
    let names = parts.iter().map(|mask| mask.name.as_str());
    (union == value).then(|| [event.name.as_str()].into_iter().chain(names).collect::<Vec<_>>().join(":"))
}

/// On a machine with a Pentium 4, each of OProfile's names goes through the kernel's ESCR to what libpfm4 asks for.
#[test]
fn the_kernel_takes_the_same_of_pentium_4_events() {
    let Some(libpfm) = of_any_processor("the_kernel_takes_the_same_of_pentium_4_events") else { return };
    let listed = libpfm.events("netburst");
    let tree = Tree::new("p4");
    let system = tree.system().with_processor(Identification::new("GenuineIntel-15-2-7"));
    let foreign = System::foreign(table("i386/p4"));
    let mut compared = 0;
    for row in table("i386/p4").events.iter().filter(|row| !row.refused) {
        let name = if row.name == "UOP_TYPE" { "UOPS_TYPE" } else { &row.name };
        let event = listed.iter().find(|event| event.name.eq_ignore_ascii_case(name)).expect(name);
        for spec in specs(row) {
            let ours = resolve(&system, &spec);
            assert_eq!(ours.config, resolve(&foreign, &spec).config, "{spec}, away from the machine");
            let named = format!("netburst::{}{}", event.name, with_bits(event, ours.unit_mask));
            let theirs = theirs(&libpfm, &named).unwrap_or_else(|| panic!("{spec}: {named}"));
            assert_eq!(ours.config & P4_KERNEL, theirs[0] & P4_KERNEL, "{spec}: {named} is {:#x}", theirs[0]);
            compared += 1;
        }
    }
    assert!(compared > 150, "{compared}");
    println!("{compared} events of i386/p4 are known to libpfm4's netburst");
}

/// The names of the unit mask's bits, each led by a colon; libpfm4 numbers the bits.
fn with_bits(event: &PfmListed, mask: u64) -> String {
    let bits = event.masks.iter().filter(|bit| bit.code < 16 && mask >> bit.code & 1 == 1);
    bits.map(|bit| format!(":{}", bit.name)).collect()
}

/// The event by itself and with each of its unit masks that the kernel takes.
fn specs(row: &TableEvent) -> Vec<String> {
    let masks = row.unit_masks.iter().flat_map(|set| &set.masks).filter(|mask| !mask.refused);
    let each = masks.map(|mask| format!("{}:{}:{:#x}", row.name, row.default_count, mask.value));
    std::iter::once(row.name.clone()).chain(each).collect()
}

/// The second of these OProfile could not encode although its table has it. The numbers are libpfm4's.
#[test]
fn events_of_the_pentium_4_as_libpfm4_encodes_them() {
    let tree = Tree::new("p4");
    let here = tree.system().with_processor(Identification::new("GenuineIntel-15-2-7"));
    for system in [here, System::foreign(table("i386/p4"))] {
        for (spec, theirs) in [
            ("BSQ_CACHE_REFERENCE:6000:0x100", 0x1202_000f_0003_f000),
            ("BRANCH_RETIRED:6000:0xc", 0x5200_180f_0003_b000),
            ("BRANCH_RETIRED:6000", 0x5200_180f_0003_b000),
        ] {
            assert_eq!(resolve(&system, spec).config, theirs & P4_KERNEL, "{spec}");
        }
    }
}
