//! Each event of each built-in table can be typed and encoded: none turns out to be broken only where a machine has it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use oprof_events::table::{BuiltInTable, Counters, Family, TableEvent, UnitMask};
use oprof_events::{EventTable, System};

/// Bound on what the tables add to the program.
const LARGEST: u64 = 3 << 20;

/// Events that a family's built-in fields cannot encode, and why.
const NO_FIELD: &[(&str, &[&str], &str)] = &[(
    "novalake_coyotecove",
    &[
        "MEM_LOAD_L2_MISS_RETIRED.L3_HIT_SAME_CBB",
        "MEM_LOAD_L2_MISS_RETIRED.L3_HIT_SAME_CBB_SNP_HIT_NO_FWD",
        "MEM_LOAD_L2_MISS_RETIRED.L3_MISS",
        "MEM_LOAD_L2_MISS_RETIRED.MEM_REGION_1",
    ],
    "they need MSR 0x3e0, for which the kernel has no field",
)];

/// Pairs of events whose names differ in their case alone, the one OProfile's for all of Intel's processors, the other
/// this type's own with unit masks. As typed, so found.
const SAME_BUT_FOR_CASE: &[(&str, &[&str])] = &[
    ("i386/broadwell", &["BR_INST_RETIRED", "INST_RETIRED"]),
    ("i386/haswell", &["BR_INST_RETIRED"]),
    ("i386/ivybridge", &["BR_INST_RETIRED"]),
    ("i386/knightslanding", &["BR_INST_RETIRED"]),
    ("i386/sandybridge", &["BR_INST_RETIRED", "INST_RETIRED"]),
    ("i386/silvermont", &["BR_INST_RETIRED"]),
];

/// Names that look like something else, and why that does not matter.
const LOOKS_LIKE_RAW: &[(&str, &str, &str)] =
    &[("tile/tilegx", "READ", "Linux has dropped Tile, and another machine's processor has no raw events")];

#[test]
fn every_event_with_every_unit_mask_fits_its_fields() {
    let wrong = each_table(|table| {
        let system = System::foreign(table.clone());
        let rows = table.events.iter().filter(|row| table.family != Family::Other && !row.refused);
        let (excepted, rows): (Vec<_>, Vec<_>) = rows.partition(|row| has_no_field(&table.cpu, &row.name));
        let taken = excepted.iter().filter(|row| system.resolve(&row.name).is_ok());
        let taken = taken.map(|row| format!("{} {}: no longer an exception", table.cpu, row.name));
        taken.chain(rows.iter().flat_map(|row| unencoded(&system, &table, row))).collect()
    });
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

fn has_no_field(cpu: &str, name: &str) -> bool {
    NO_FIELD.iter().any(|(table, names, _)| *table == cpu && names.contains(&name))
}

/// What is wrong with an event by itself and with each of its unit masks.
fn unencoded(system: &System, table: &EventTable, row: &TableEvent) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut asked = vec![(row.name.clone(), None)];
    for mask in row.unit_masks.iter().flat_map(|set| &set.masks) {
        let ways = ways(row, mask);
        if ways.is_empty() && !mask.refused {
            wrong.push(format!("{} {}: {mask:x?} cannot be typed", table.cpu, row.name));
        }
        let count = row.default_count;
        asked.extend(ways.into_iter().map(|way| (format!("{}:{count}:{way}", row.name), Some(mask))));
    }
    let failures = asked.iter().filter_map(|(spec, mask)| {
        let refused = mask.is_some_and(|mask| mask.refused);
        match system.resolve(spec) {
            Err(error) => (!refused).then(|| error.to_string()),
            Ok(_) if refused => Some(format!("{spec} was taken")),
            Ok(configs) => {
                let [config] = configs.as_slice() else { return Some(format!("{spec} is several")) };
                let given = config.unit_mask;
                mask.filter(|mask| mask.value != given).map(|_| format!("{spec} has unit mask {given:#x}"))
            }
        }
    });
    wrong.extend(failures.map(|failure| format!("{} {failure}", table.cpu)));
    wrong
}

/// How a unit mask can be typed: by name if it is the first of that name, by number if it alone has it. The number 0
/// stands for the default.
fn ways(row: &TableEvent, mask: &UnitMask) -> Vec<String> {
    let set = row.unit_masks.as_ref().expect("it has this mask");
    let by_name = set.named(&mask.name).is_some_and(|named| named == mask).then(|| mask.name.clone());
    let alone = set.masks.iter().filter(|other| other.value == mask.value).count() == 1;
    let is_default = mask.value == set.default;
    let by_number = (alone && (mask.value != 0 || is_default)).then(|| format!("{:#x}", mask.value));
    let by_default = (is_default && set.default_name == mask.name).then(|| "default".to_owned());
    by_name.into_iter().chain(by_number).chain(by_default).collect()
}

#[test]
fn no_name_can_be_taken_for_something_else() {
    let wrong = each_table(|table| table.events.iter().flat_map(|row| misread(&table.cpu, row)).collect());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of an event and its unit masks that would not be read as such.
fn misread(cpu: &str, row: &TableEvent) -> Vec<String> {
    let mut wrong = Vec::new();
    let listed = LOOKS_LIKE_RAW.iter().any(|(table, name, _)| *table == cpu && *name == row.name);
    if row.name.is_empty() || untypable(&row.name) || is_raw(&row.name) != listed {
        wrong.push(format!("{cpu} {:?}", row.name));
    }
    let mut seen = BTreeSet::new();
    let masks = row.unit_masks.iter().flat_map(|set| &set.masks);
    for name in masks.map(|mask| mask.name.as_str()).filter(|name| !name.is_empty()) {
        let repeated = !seen.insert(name.to_ascii_lowercase());
        let is_number = name.starts_with(|c: char| c.is_ascii_digit());
        let reserved = name.eq_ignore_ascii_case("default");
        if is_modifiers(name) || is_number || reserved || repeated || untypable(name) || name.contains('+') {
            wrong.push(format!("{cpu} {}: unit mask {name:?}", row.name));
        }
    }
    wrong
}

/// `r1a8`, the number of a raw event.
fn is_raw(name: &str) -> bool {
    let digits = name.strip_prefix(['r', 'R']);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `uk`, which behind a count says where to count.
fn is_modifiers(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| b"ukhGHp".contains(&byte))
}

fn untypable(name: &str) -> bool {
    name.contains(|c: char| ":/,{}".contains(c) || c.is_whitespace() || c.is_control())
}

#[test]
fn counts_and_counters_are_valid() {
    let wrong = each_table(|table| {
        let bad = table.events.iter().filter(|row| {
            row.min_count < 1 || row.default_count < row.min_count || !has_counters(&table, row.counters)
        });
        bad.map(|row| format!("{} {row:?}", table.cpu)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the type has these counters, as far as it is known how many it has.
fn has_counters(table: &EventTable, counters: Counters) -> bool {
    let Some(numbers) = counters.numbers() else { return true };
    let known = table.counters.unwrap_or(64);
    !numbers.is_empty() && numbers.iter().all(|&number| u32::from(number) < known)
}

#[test]
fn the_default_event_of_each_type_resolves() {
    let wrong = each_table(|table| {
        let Some(default) = table.default_event.clone() else { return Vec::new() };
        let Some(row) = table.find(&default.name) else {
            return vec![format!("{}: there is no {}", table.cpu, default.name)];
        };
        let spec = format!("{}:{}:{:#x}", row.name, row.default_count, default.unit_mask);
        let resolved = System::foreign(table.clone()).resolve(&spec);
        let error = resolved.err().filter(|_| table.family != Family::Other);
        error.into_iter().map(|error| format!("{}: {error}", table.cpu)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique() {
    let found = each_table(|table| {
        let mut by_name: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for row in &table.events {
            if !by_name.entry(row.name.to_ascii_uppercase()).or_default().insert(&row.name) {
                wrong.push(format!("{} {} is there twice", table.cpu, row.name));
            }
        }
        let several = by_name.iter().filter(|(_, names)| names.len() > 1);
        let several: Vec<_> = several.map(|(name, _)| name.as_str()).collect();
        let known = SAME_BUT_FOR_CASE.iter().find(|(cpu, _)| *cpu == table.cpu).map_or(&[][..], |row| row.1);
        if several != known {
            wrong.push(format!("{}: {several:?} differ in their case alone", table.cpu));
        }
        wrong.extend(table.events.iter().filter(|row| !is_found(&table, row)).map(|row| row.name.clone()));
        wrong
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whether the name as the table writes it leads to this event and no other.
fn is_found(table: &EventTable, row: &TableEvent) -> bool {
    table.find(&row.name).is_some_and(|found| std::ptr::eq(found, row))
}

#[test]
fn an_own_event_comes_before_an_included_one() {
    let parse = |cpu: &str| BuiltInTable::find(cpu).expect("built in").parse().expect("sound");
    let (common, own) = (parse("i386/arch_perfmon"), parse("i386/westmere"));
    for name in ["CPU_CLK_UNHALTED", "INST_RETIRED", "BR_INST_RETIRED"] {
        assert!(common.find(name).is_some_and(|row| row.unit_masks.is_none()), "{name}");
        assert!(own.find(name).is_some_and(|row| row.unit_masks.is_some()), "{name}");
    }
    assert_eq!(
        own.find("LLC_MISSES"),
        common.find("LLC_MISSES"),
        "included, as westmere has none of its own"
    );
    let counters = parse("arm/armv7").find("SW_INCR").map(|row| row.counters.to_string());
    assert_eq!(counters.as_deref(), Some("1-4"), "the included 1-6 of the type's own five");
}

#[test]
fn the_tables_are_small() {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables");
    let mut folders = vec![tables.clone()];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            match entry.file_type().expect("a type").is_dir() {
                true => folders.push(entry.path()),
                // Read by the generator alone.
                false if entry.path() == tables.join("corrections.tsv") => {}
                false => bytes += entry.metadata().expect("a size").len(),
            }
        }
    }
    assert!((1 << 20..LARGEST).contains(&bytes), "{bytes} bytes are embedded, {LARGEST} are allowed");
}

/// Asks for what is wrong with each table, several at a time.
fn each_table(check: impl Fn(EventTable) -> Vec<String> + Sync) -> Vec<String> {
    let tables: Vec<_> = BuiltInTable::all().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            match table.parse() {
                Ok(parsed) => found.extend(check(parsed)),
                Err(error) => found.push(error.to_string()),
            }
        }
        found
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut found: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a check without panic")).collect()
    });
    found.sort();
    found
}
