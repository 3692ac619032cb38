//! `oprof list` of other processors, and `ophelp`, against OProfile's own lists.

mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use harness::{Finished, Place};
use serde_json::Value;

fn finish(place: &Place, arguments: &[&str]) -> Finished {
    harness::finish(&mut place.oprof(arguments))
}

/// What `oprof` prints when all is well.
fn oprof(place: &Place, arguments: &[&str]) -> String {
    finish(place, arguments).with_status(0).text().to_owned()
}

/// Runs the program under another name: exit status, standard output and error.
fn called(place: &Place, name: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = place.oprof_as(name).args(arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_hyper_threaded_pentium_4_is_listed_as_oprofile_lists_it() {
    let place = Place::new();
    let list = oprof(&place, &["list", "--cpu", "i386/p4-ht"]);
    for block in [
        "\nGLOBAL_POWER_EVENTS: (counter: 0)\n",
        "(min count: 6000)\n\tUnit masks (default 0x1)\n",
        "\nBRANCH_RETIRED: (counter: 3)\n",
        "(min count: 6000)\n\tUnit masks (default 0xc)\n\t----------\n\t0x01: branch not-taken predicted\n",
        "\t0x08: branch taken mispredicted\n",
    ] {
        assert!(list.contains(block), "{block:?} is not in:\n{list}");
    }
}

#[test]
fn types_are_listed_and_found_in_any_case() {
    let place = Place::new();
    let types = oprof(&place, &["list", "--cpus"]);
    for cpu in ["skylake", "amdzen4", "neoverse-n1", "power10", "sifive-u74", "i386/p4-ht", "ppc64/power8"] {
        assert!(types.lines().any(|line| line.split_whitespace().next() == Some(cpu)), "{cpu}:\n{types}");
    }
    assert!(oprof(&place, &["list", "--cpu", "SkyLake", "ld_blocks"]).contains("LD_BLOCKS.NO_SR"));
    let finished = finish(&place, &["list", "--cpu", "skylaek"]);
    assert_eq!(finished.code(), Some(1));
    harness::assert_one_line(&finished.stderr, &["'skylaek'", "skylake", "oprof list --cpus"]);
    let finished = finish(&place, &["list", "--cpu", "skylake", "nosuchevent"]);
    harness::assert_one_line(&finished.stderr, &["no event of skylake", "'nosuchevent'"]);
}

#[test]
fn verbose_shows_encoding_and_origin() {
    let place = Place::new();
    let list = oprof(&place, &["list", "--cpu", "skylake", "-v", "LD_BLOCKS.NO_SR"]);
    for part in [
        "(counter: all)",
        "(min count: 5000)",
        "default count: 100003",
        "config 0x803",
        "built-in table skylake",
    ] {
        assert!(list.contains(part), "{part:?} is not in:\n{list}");
    }
}

/// Fields by the documentation, each with whether it is always there.
const EVENT_FIELDS: [(&str, bool); 14] = [
    ("name", true),
    ("aliases", true),
    ("description", true),
    ("group", true),
    ("state", true),
    ("encodings", true),
    ("reason", false),
    ("terms", false),
    ("counters", false),
    ("minimum_count", false),
    ("default_count", false),
    ("precise", false),
    ("deprecated", false),
    ("unit_masks", false),
];

#[test]
fn json_holds_what_its_documentation_says() {
    let documentation = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/list-json.md"))
        .expect("the documentation");
    let place = Place::new();
    let mut seen = BTreeSet::new();
    for arguments in [
        &["list", "--json"][..],
        &["list", "--json", "--cpu", "i386/haswell"],
        &["list", "--json", "--cpu", "skylake"],
    ] {
        let list: Value = serde_json::from_str(&oprof(&place, arguments)).expect("JSON");
        assert_eq!(list["schema"], "oprof-list/1");
        assert!(list["cpu_types"].is_array());
        let events = list["events"].as_array().expect("events");
        assert!(!events.is_empty());
        for event in events {
            let fields = event.as_object().expect("an event");
            for (field, always) in EVENT_FIELDS {
                assert!(!always || fields.contains_key(field), "{field} is missing: {event}");
            }
            for field in fields.keys() {
                assert!(EVENT_FIELDS.iter().any(|(known, _)| known == field), "{field} is not documented");
                seen.insert(field.clone());
            }
        }
    }
    for (field, _) in EVENT_FIELDS.iter().filter(|(field, _)| *field != "reason") {
        assert!(seen.contains(*field), "{field} was never seen");
        assert!(documentation.contains(&format!("`{field}`")), "{field} is not in the documentation");
    }
    let haswell: Value =
        serde_json::from_str(&oprof(&place, &["list", "--json", "--cpu", "i386/haswell", "uops_issued"]))
            .expect("JSON");
    let event = &haswell["events"][0];
    assert_eq!(event["unit_masks"]["kind"], "exclusive");
    assert_eq!(event["unit_masks"]["default_name"], "any");
    assert_eq!(event["encodings"][0]["config"], "0x10e");
}

#[test]
fn a_users_table_comes_first() {
    let place = Place::new();
    let table = place.path("mine.tsv");
    fs::write(
        &table,
        "#oprof-events 1\n#cpu mine\nMY_EVENT\tevent=0x42,umask=0x3\t0-1\t5000/100\t\t\tfirst of mine\n\
         arith.divider_active\tevent=0x43\n",
    )
    .expect("written");
    let path = table.to_str().expect("text");
    let list = oprof(&place, &["list", "--cpu", "skylake", "--event-table", path, "-v", "my_event"]);
    for part in
        ["MY_EVENT: (counter: 0, 1)", "first of mine (min count: 100)", "config 0x342", "event table mine"]
    {
        assert!(list.contains(part), "{part:?} is not in:\n{list}");
    }
    let list = oprof(&place, &["list", "--cpu", "skylake", "--event-table", path, "divider_active"]);
    assert!(list.contains("arith.divider_active"), "{list}");
    assert!(!list.contains("ARITH.DIVIDER_ACTIVE"), "its name stands for another's:\n{list}");
    fs::write(&table, "#oprof-events 1\nMY_EVENT\tevent=0x42\t0-99\n").expect("written");
    let finished = finish(&place, &["record", "--event-table", path, "true"]);
    assert_eq!(finished.code(), Some(125));
    harness::assert_one_line(&finished.stderr, &["mine.tsv", "row 2", "counters", "0-99"]);
}

#[test]
fn a_processors_event_without_a_pmu_says_what_is_missing() {
    let place = Place::new();
    let table = place.path("mine.tsv");
    fs::write(&table, "#oprof-events 1\n#cpu mine\nMY_EVENT\tevent=0x42\n").expect("written");
    let path = table.to_str().expect("text");
    let finished = finish(&place, &["record", "--event-table", path, "-e", "MY_EVENT", "--", "true"]);
    if finished.code() == Some(0) {
        let _ = writeln!(std::io::stderr(), "skipped: this machine has a PMU");
        return;
    }
    assert_eq!(finished.code(), Some(125));
    harness::assert_one_line(&finished.stderr, &["MY_EVENT", "no hardware counters", "oprof list"]);
}

#[test]
fn ophelp_checks_events() {
    let place = Place::new();
    let ophelp = |arguments: &[&str]| called(&place, "ophelp", arguments);
    let printed = |arguments: &[&str]| ophelp(arguments).1;
    assert_eq!(printed(&["-c", "i386/p4", "-d"]), "GLOBAL_POWER_EVENTS:100000:1:1:1\n");
    assert_eq!(printed(&["-c", "i386/p4", "-r"]), "P4 / Xeon\n");
    assert_eq!(printed(&["-c", "i386/p4", "BRANCH_RETIRED"]), "1\n");
    let two = ["-c", "x86-64/family10", "-e", "CPU_CLK_UNHALTED:100000", "DATA_CACHE_MISSES:500"];
    assert_eq!(printed(&two), "0 1 \n");
    assert_eq!(printed(&["-c", "i386/haswell", "-u", "uops_issued:2000003"]), "any\n");
    for (arguments, parts) in [
        (&["-c", "i386/p4", "-e", "BRANCH_RETIRED:100"][..], &["100", "minimum is 3000"][..]),
        (&["-c", "i386/p4", "-e", "BRANCH_RETIRED:6000:0xf0"], &["0xf0", "0x1, 0x2, 0x4, 0x8"]),
        (&["-c", "i386/haswell", "-e", "uops_issued:2000003:1"], &["stall_cycles", "name"]),
        (&["-c", "i386/p4", "-e", "NOPE:6000"], &["'NOPE'"]),
        (&["-c", "i386/p4", "-e", "X87_SIMD_MOVES_UOP:6000"], &["kernel has no encoding"]),
        (&["-c", "nosuch/type"], &["'nosuch/type'"]),
        (&["--\x1b[31mx"], &[r"'--\x1b[31mx'", "ophelp --help"]),
    ] {
        let (status, _, stderr) = ophelp(arguments);
        assert_eq!(status, Some(1), "{arguments:?}");
        harness::assert_one_line(&stderr, parts);
    }
}

/// The folder with what OProfile printed, if it is beside this checkout.
fn golden() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/opreport/out");
    if !folder.is_dir() {
        let _ = writeln!(std::io::stderr(), "skipped: OProfile's outputs are not beside this checkout");
        return None;
    }
    Some(folder)
}

/// The events of a type whose facts are put right here.
fn corrected(cpu: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/tables/corrections.tsv");
    let text = fs::read_to_string(path).expect("corrections");
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0] == cpu).map(|row| row[1].to_owned()).collect()
}

/// What a list says beside descriptions, event by event.
fn facts(list: &str) -> Vec<(String, Vec<String>)> {
    let mut events: Vec<(String, Vec<String>)> = Vec::new();
    let mut text = String::new();
    for line in list.lines() {
        if let Some((name, counters)) = line.split_once(": (counter: ") {
            // OProfile took the number of counters from the processor that it ran on (its defect D26), and so missed
            // that these are all of Skylake's.
            let counters = if counters == "0, 1, 2, 3)" { "all)" } else { counters };
            events.push((name.to_owned(), vec![counters.to_owned()]));
            text.clear();
            continue;
        }
        let Some((_, facts)) = events.last_mut() else { continue };
        let line = line.trim();
        let is_mask = line.starts_with("0x") && line.contains(':');
        if line.starts_with("Unit masks") {
            facts.push(line.to_owned());
        } else if is_mask {
            let (value, rest) = line.split_once(": ").unwrap_or((line, ""));
            let name = rest.strip_prefix("(name=").and_then(|rest| rest.split(')').next());
            facts.push(format!("{} {}", value.trim_end_matches(':'), name.unwrap_or_default()));
        } else if facts.len() == 1 {
            // The minimum count may be broken between two lines.
            text = format!("{text} {line}");
            if let Some((_, count)) = text.split_once("(min count: ") {
                facts.push(count.trim_end_matches(')').to_owned());
            }
        }
    }
    events
}

#[test]
fn lists_hold_the_facts_of_oprofiles() {
    let Some(golden) = golden() else { return };
    let place = Place::new();
    let mut compared = 0;
    for entry in fs::read_dir(golden).expect("outputs") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(cpu) = name.strip_prefix("ophelp.").and_then(|name| name.strip_suffix(".txt")) else {
            continue;
        };
        let cpu = type_of(cpu);
        let (status, ours, stderr) = called(&place, "ophelp", &["-c", &cpu]);
        assert_eq!(status, Some(0), "{stderr}");
        let theirs = String::from_utf8_lossy(&fs::read(&path).expect("an output")).into_owned();
        assert_eq!(ours.lines().next(), theirs.lines().next(), "{cpu}");
        let corrected = corrected(&cpu);
        let kept = |list: &str| -> Vec<_> {
            facts(list).into_iter().filter(|(name, _)| !corrected.contains(name)).collect()
        };
        let (ours, theirs) = (kept(&ours), kept(&theirs));
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our, their, "{cpu}");
        }
        assert_eq!(ours.len(), theirs.len(), "{cpu}");
        compared += ours.len();
    }
    println!("{compared} events compared with OProfile's lists");
    assert!(compared > 1000, "{compared}");
}

#[test]
fn xml_holds_the_facts_of_oprofiles() {
    let Some(golden) = golden() else { return };
    let place = Place::new();
    let mut compared = 0;
    for entry in fs::read_dir(golden).expect("outputs") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(cpu) = name.strip_prefix("ophelp-xml.").and_then(|name| name.strip_suffix(".txt")) else {
            continue;
        };
        let cpu = type_of(cpu);
        let (_, ours, _) = called(&place, "ophelp", &["-X", "-c", &cpu]);
        let theirs = String::from_utf8_lossy(&fs::read(&path).expect("an output")).into_owned();
        let corrected = corrected(&cpu);
        let kept = |xml: &str| -> Vec<Vec<String>> {
            let mut events: Vec<Vec<String>> = Vec::new();
            for line in xml.lines().map(without_description) {
                match line.starts_with("<event ") {
                    true => events.push(vec![line]),
                    false if line.starts_with("<unit_mask") => {
                        events.last_mut().expect("an event").push(line)
                    }
                    false => {}
                }
            }
            events.retain(|event| !corrected.iter().any(|name| event[0].contains(&format!("\"{name}\""))));
            events
        };
        let (ours, theirs) = (kept(&ours), kept(&theirs));
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our, their, "{cpu}");
        }
        assert_eq!(ours.len(), theirs.len(), "{cpu}");
        compared += ours.len();
    }
    assert!(compared > 500, "{compared}");
}

/// `i386-p4` as `i386/p4`.
fn type_of(file: &str) -> String {
    let at = if file.starts_with("x86-64-") { 6 } else { file.find('-').expect("a type") };
    format!("{}/{}", &file[..at], &file[at + 1..])
}

/// A line of XML without its description.
fn without_description(line: &str) -> String {
    match line.split_once(" desc=\"") {
        Some((before, rest)) => format!("{before}{}", rest.split_once('"').map_or("", |(_, after)| after)),
        None => line.to_owned(),
    }
}
