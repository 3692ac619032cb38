//! The tables of Intel's and AMD's processors, encoded through sysfs, ask the kernel for what perf(1) asks for.
//!
//! Rows are compared twice: by name against their terms spelt out to perf, all rows of a few tables and some at random of
//! the others; and all rows that perf's own tables have by the same name against perf's terms. Random terms try values
//! that no row has.

mod perf;
mod random;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use oprof_events::processor::Identification;
use oprof_events::table::{BuiltInTable, Family, TableEvent, UnitMask, UnitMasks};
use oprof_events::{EventConfig, EventKind, EventTable, Origin, System};
use perf::Pair;
use random::Random;
use tree::Tree;

/// A processor for each of the tables, and the tree that its kernel has.
const PROCESSORS: &[(&str, &[&str])] = &[
    (
        "intel",
        &[
            "GenuineIntel-6-1-0",
            "GenuineIntel-6-3-0",
            "GenuineIntel-6-7-0",
            "GenuineIntel-6-9-0",
            "GenuineIntel-6-E-0",
            "GenuineIntel-6-F-0",
            "GenuineIntel-6-1A-0",
            "GenuineIntel-6-1C-0",
            "GenuineIntel-6-25-0",
            "GenuineIntel-6-2A-0",
            "GenuineIntel-6-2C-0",
            "GenuineIntel-6-2D-0",
            "GenuineIntel-6-2E-0",
            "GenuineIntel-6-2F-0",
            "GenuineIntel-6-37-0",
            "GenuineIntel-6-3A-0",
            "GenuineIntel-6-3C-0",
            "GenuineIntel-6-3D-0",
            "GenuineIntel-6-3E-0",
            "GenuineIntel-6-3F-0",
            "GenuineIntel-6-4F-0",
            "GenuineIntel-6-55-0",
            "GenuineIntel-6-55-7",
            "GenuineIntel-6-56-0",
            "GenuineIntel-6-57-0",
            "GenuineIntel-6-5C-0",
            "GenuineIntel-6-5E-3",
            "GenuineIntel-6-6A-0",
            "GenuineIntel-6-7A-0",
            "GenuineIntel-6-7D-0",
            "GenuineIntel-6-86-0",
            "GenuineIntel-6-8C-0",
            "GenuineIntel-6-8F-0",
            "GenuineIntel-6-96-0",
            "GenuineIntel-6-A7-0",
        ],
    ),
    (
        "wide",
        &[
            "GenuineIntel-6-AD-0",
            "GenuineIntel-6-AF-0",
            "GenuineIntel-6-B6-0",
            "GenuineIntel-6-CF-0",
            "GenuineIntel-6-DD-0",
        ],
    ),
    (
        "hybrid",
        &[
            "GenuineIntel-6-97-2",
            "GenuineIntel-6-AA-0",
            "GenuineIntel-6-BD-0",
            "GenuineIntel-6-C5-0",
            "GenuineIntel-6-CC-0",
            "GenuineIntel-18-1-0",
        ],
    ),
    (
        "amd",
        &[
            "AuthenticAMD-6-1-0",
            "AuthenticAMD-15-5-0",
            "AuthenticAMD-16-2-0",
            "AuthenticAMD-17-3-0",
            "AuthenticAMD-18-1-0",
            "AuthenticAMD-20-1-0",
            "AuthenticAMD-21-1-0",
            "AuthenticAMD-23-1-0",
            "AuthenticAMD-23-31-0",
            "AuthenticAMD-25-21-0",
            "AuthenticAMD-25-61-2",
            "AuthenticAMD-26-44-0",
        ],
    ),
    ("p4", &["GenuineIntel-15-2-7"]),
    ("p4-ht", &["GenuineIntel-15-2-7"]),
];

/// Tables of no processor: OProfile lists the first Core i7 beside Nehalem, and gives both the latter's.
const OF_NO_PROCESSOR: &[&str] = &["i386/core_i7"];

/// Tables of which every row is compared.
const ALL_ROWS: &[&str] = &["skylake", "i386/skylake", "amdzen4", "x86-64/generic", "i386/p4", "i386/p4-ht"];
/// Of the others one row in so many. All of them would take more than a minute, and are equal as well.
const ONE_IN: u64 = 8;

/// Events that are not encoded here by their name: table, the name's beginning, reason.
const NOT_ENCODED: &[(&str, &str, &str)] = &[
    ("i386/atom", "THERMAL_TRIP:", "Intel's event of this name comes first and has no unit masks"),
    (
        "novalake_coyotecove",
        "MEM_LOAD_L2_MISS_RETIRED.",
        "four need MSR 0x3e0, for which the kernel has no field",
    ),
];

/// Events that perf 6.1's own tables encode otherwise: tables, event, reason.
const OTHERWISE: &[(&[&str], &str, &str)] = &[
    (
        &["elkhartlake", "goldmont", "goldmontplus", "knightslanding", "silvermont", "snowridgex"],
        "cpu_clk_unhalted.ref",
        "perf takes the name for a fixed counter's; in these tables it is an event of the general counters",
    ),
    (
        &["nehalemep", "nehalemex", "westmereep-dp", "westmereep-sp", "westmereex"],
        "inst_retired.any_p",
        "perf replaces Intel's unit mask 1 by that of the architectural event, which counts the same",
    ),
    (&["broadwell", "broadwellde"], "uops_retired.total_cycles", "Intel has made the threshold 16 since"),
    (&["broadwellde"], "l2_rqsts.demand_data_rd_hit", "Intel has put the unit mask right since"),
    (&["broadwellde"], "l2_rqsts.rfo_hit", "the same"),
    (&["broadwellde"], "l2_rqsts.code_rd_hit", "the same"),
    (&["broadwellde"], "l2_rqsts.l2_pf_hit", "the same"),
    (&["alderlake_goldencove", "sapphirerapids"], "arith.idiv_active", "Intel has added the threshold since"),
    (&["amdzen4"], "fp_ret_sse_avx_ops.all", "perf 6.1 gives Zen 3's table to Zen 4, which has fewer bits"),
];

/// A tree of this name, with what later kernels have beside the common fields.
fn tree(name: &str) -> Tree {
    let (base, pmus): (_, &[&str]) = match name {
        "wide" => ("intel", &["cpu"]),
        "hybrid" => ("hybrid", &["cpu_core", "cpu_atom", "cpu_lowpower"]),
        "p4-ht" => ("p4", &[]),
        name => (name, &[]),
    };
    let tree = Tree::new(base);
    for pmu in pmus {
        for (field, format) in WIDE_FIELDS {
            tree.write_pmu(&format!("{pmu}/format/{field}"), format);
        }
    }
    match name {
        "hybrid" => {
            // The machine at hand may have another PMU with the number 8, which takes another config.
            tree.write_pmu("cpu_atom/type", "2008");
            tree.write_pmu("cpu_lowpower/type", "2009");
            tree.write_pmu("cpu_lowpower/cpus", "1");
        }
        "p4-ht" => tree.write("devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1"),
        _ => {}
    }
    tree
}

/// The fields of Intel's latest cores (arch/x86/events/intel/core.c).
const WIDE_FIELDS: &[(&str, &str)] = &[
    ("event", "config:0-7"),
    ("umask", "config:8-15,40-47"),
    ("edge", "config:18"),
    ("any", "config:21"),
    ("inv", "config:23"),
    ("cmask", "config:24-31"),
    ("eq", "config:36"),
    ("offcore_rsp", "config1:0-63"),
    ("ldlat", "config1:0-15"),
    ("frontend", "config1:0-23"),
];

/// The machine with this processor.
fn machine(tree: &Tree, processor: &str) -> System {
    tree.system().with_processor(Identification::new(processor))
}

#[test]
fn rows_are_encoded_as_their_terms() {
    let Some(version) = perf::version() else { return };
    let mut random = Random::new(0x5eed_0f7a_b1e5);
    let mut tables = BTreeSet::new();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (name, processors) in PROCESSORS {
        let tree = tree(name);
        let mut pairs = Vec::new();
        for processor in *processors {
            let system = machine(&tree, processor);
            for cpu in system.cpu_types().into_iter().filter(|cpu| tables.insert(*cpu)) {
                let table = BuiltInTable::find(cpu).expect("a table").parse().expect("it is sound");
                let rows = table.events.iter().filter(|row| !row.refused);
                for row in rows.filter(|_| ALL_ROWS.contains(&cpu) || random.below(ONE_IN) == 0) {
                    match pairs_of_row(&system, &table, row) {
                        Ok(found) => pairs.extend(found),
                        Err(error) => wrong.push(error),
                    }
                }
            }
        }
        wrong.extend(perf::differences(&tree, &pairs));
        compared += pairs.len();
    }
    assert_eq!(x86_tables().filter(|cpu| !tables.contains(cpu)).collect::<Vec<_>>(), OF_NO_PROCESSOR);
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 2000, "{compared}");
    println!("{compared} rows of {} tables are encoded as by {version}", tables.len());
}

fn x86_tables() -> impl Iterator<Item = &'static str> {
    let of_x86 = |family| matches!(family, Family::Intel | Family::Amd | Family::P4);
    let tables = BuiltInTable::all();
    tables.filter(move |table| of_x86(table.parse().expect("it is sound").family)).map(|table| table.cpu)
}

/// A row by itself and with each of its unit masks, as far as it is this table's: others come before some.
fn pairs_of_row(system: &System, table: &EventTable, row: &TableEvent) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    let set = row.unit_masks.as_ref();
    let masks = set.into_iter().flat_map(|set| &set.masks).filter(|mask| !mask.refused);
    let named = masks.map(|mask| match mask.name.as_str() {
        "" => (format!("{}:{}:{:#x}", row.name, row.default_count, mask.value), Some(Mask::of(mask))),
        name => (format!("{}:{}:{name}", row.name, row.default_count), Some(Mask::of(mask))),
    });
    let alone = (row.name.clone(), set.map(Mask::default_of));
    for (spec, mask) in std::iter::once(alone).chain(named) {
        match system.resolve(&spec) {
            Ok(configs) => {
                pairs.extend(configs.into_iter().filter(|config| is_from(config, &table.cpu)).map(|ours| {
                    let spelt_out = spelt_out(row, mask.as_ref(), &ours);
                    Pair { ours, spelt_out }
                }))
            }
            Err(error) if !is_known(&table.cpu, &spec) => return Err(format!("{}: {error}", table.cpu)),
            Err(_) => {}
        }
    }
    Ok(pairs)
}

fn is_from(config: &EventConfig, cpu: &str) -> bool {
    matches!(&config.origin, Origin::Vendor(table) | Origin::OProfile(table) if table == cpu)
}

fn is_known(cpu: &str, spec: &str) -> bool {
    NOT_ENCODED.iter().any(|(table, start, _)| *table == cpu && spec.starts_with(start))
}

/// What a unit mask adds to a row.
#[derive(Default)]
struct Mask {
    value: u64,
    terms: String,
    precise: bool,
}

impl Mask {
    fn of(mask: &UnitMask) -> Self {
        Self { value: mask.value, terms: mask.terms.clone(), precise: mask.precise }
    }

    /// The one that stands when none was typed: by its name, or the plainest of its value, which may be a union.
    fn default_of(set: &UnitMasks) -> Self {
        let named = set.named(&set.default_name);
        let mut valued: Vec<_> = set.masks.iter().filter(|mask| mask.value == set.default).collect();
        valued.sort_by_key(|mask| (!mask.terms.is_empty(), mask.precise));
        let found = named.or_else(|| valued.first().copied());
        found.map_or_else(|| Self { value: set.default, ..Self::default() }, Self::of)
    }
}

/// A row as `PMU/TERMS/`.
fn spelt_out(row: &TableEvent, mask: Option<&Mask>, config: &EventConfig) -> String {
    let EventKind::Pmu { name: pmu } = &config.kind else { panic!("{config:?}") };
    let none = Mask::default();
    let mask = mask.unwrap_or(&none);
    let row_terms = row.terms.split(',').filter(|term| !term.starts_with("code="));
    let mut terms: Vec<_> = row_terms.map(str::to_owned).collect();
    if is_p4(config) {
        // The kernel's number and the unit mask within the ESCR (arch/x86/include/asm/perf_event_p4.h).
        let number =
            terms[0].strip_prefix("event=0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let escr = number.expect("the kernel's number") << 25 | mask.value << 9;
        terms = vec![format!("escr={escr:#x}"), "cccr=0".to_owned()];
    } else if mask.value != 0 {
        terms.push(format!("umask={:#x}", mask.value));
    }
    if !mask.terms.is_empty() {
        terms.push(mask.terms.clone());
    }
    let modifiers = if mask.precise || row.precise == 2 { "pp" } else { "" };
    format!("{pmu}/{}/{modifiers}", terms.join(","))
}

fn is_p4(config: &EventConfig) -> bool {
    matches!(&config.origin, Origin::OProfile(cpu) if cpu.starts_with("i386/p4"))
}

#[test]
fn random_terms_are_encoded_alike() {
    let Some(version) = perf::version() else { return };
    let intel = "event:8 umask:8 cmask:8 inv:1 edge:1 any:1 pc:1 in_tx:1 in_tx_cp:1 offcore_rsp:64";
    let core = "event:8 umask:16 cmask:8 inv:1 edge:1 eq:1 ldlat:16";
    let mut random = Random::new(0x0dd5_eed5);
    let mut compared = 0;
    for (name, pmus, fields) in [
        ("intel", &["cpu"][..], intel),
        ("hybrid", &["cpu_core", "cpu_atom"], core),
        ("amd", &["cpu"], "event:12 umask:8 cmask:8 inv:1 edge:1"),
        ("p4", &["cpu"], "escr:31 cccr:32 ht:1"),
    ] {
        let tree = tree(name);
        let system = tree.system();
        let pairs: Vec<_> = (0..400)
            .map(|_| {
                let pmu = pmus[random.index(pmus.len())];
                let spelt_out = format!("{pmu}/{}/{}", random.terms(fields), random.modifiers());
                let ours = system.resolve(&spelt_out).unwrap_or_else(|error| panic!("{error}"));
                let [ours] = <[_; 1]>::try_from(ours).expect("of one PMU");
                Pair { ours, spelt_out }
            })
            .collect();
        assert_eq!(perf::differences(&tree, &pairs), Vec::<String>::new(), "{name}");
        compared += pairs.len();
    }
    println!("{compared} events of random terms are encoded as by {version}");
}

#[test]
fn names_that_perf_shares_are_encoded_alike() {
    let Some(version) = perf::version() else { return };
    if !perf::is_6_1(&version) {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the differences to the tables of perf 6.1 are known, this is {version}"
        );
        return;
    }
    let mut found = BTreeSet::new();
    let mut compared = 0;
    for (name, processors) in PROCESSORS {
        let tree = tree(name);
        for processor in *processors {
            let system = machine(&tree, processor);
            let tables = vendor_tables(&system);
            for (pmu, event, theirs) in perf::table(&tree, processor) {
                let Some(table) = tables.get(&pmu) else { continue };
                let Some(row) = table.find(&event) else { continue };
                if numbers(&row.terms) != numbers(&theirs) {
                    found.insert((table.cpu.clone(), event));
                }
                compared += 1;
            }
        }
    }
    let known = OTHERWISE.iter().flat_map(|(tables, event, _)| tables.iter().map(|table| (*table, *event)));
    let known: BTreeSet<_> = known.map(|(table, event)| (table.to_owned(), event.to_owned())).collect();
    assert_eq!(found, known, "of {compared}");
    println!("{compared} events by name are encoded as by {version}");
}

/// The vendor's tables by the PMU that they are for.
fn vendor_tables(system: &System) -> BTreeMap<String, EventTable> {
    let names = system.cpu_types().into_iter().filter(|cpu| !cpu.contains('/'));
    let tables = names.map(|cpu| BuiltInTable::find(cpu).expect("a table").parse().expect("it is sound"));
    let of_pmu = |table: EventTable| {
        let configs = system.resolve(&table.events[0].name).unwrap_or_default();
        let own = configs.into_iter().find(|config| is_from(config, &table.cpu))?;
        let EventKind::Pmu { name } = own.kind else { return None };
        Some((name, table))
    };
    tables.filter_map(of_pmu).collect()
}

/// Terms by name, without those that are 0. That equal ones are encoded alike is tested with the others.
fn numbers(terms: &str) -> BTreeMap<&str, u64> {
    let number = |value: &str| match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => value.parse(),
    };
    let numbers = terms.split(',').map(|term| match term.split_once('=') {
        Some((name, value)) => (name, number(value).unwrap_or_else(|_| panic!("{terms}"))),
        None => (term, 1),
    });
    numbers.filter(|(_, value)| *value != 0).collect()
}
