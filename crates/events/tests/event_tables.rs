//! Tables that a user gives: what becomes of them, and what is said of those that cannot be read.

mod tree;

use std::path::Path;

use oprof_events::table::{Counters, Family};
use oprof_events::{EventKind, EventTable, Origin, System, TableError};
use tree::Tree;

/// The tables in a text, as the file `tables/mine.json`.
fn tables(text: &str) -> Result<Vec<EventTable>, TableError> {
    EventTable::from_bytes("tables/mine.json", text.as_bytes())
}

/// The one table in a text.
fn table(text: &str) -> EventTable {
    let mut tables = tables(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tables.len(), 1, "{text}");
    tables.remove(0)
}

/// The terms of the one event whose rest of a row this is.
fn terms(rest: &str) -> String {
    table(&format!(r#"[{{"EventName": "E", {rest}}}]"#)).events[0].terms.clone()
}

/// Row, column and message of the error.
fn error(text: &str) -> (usize, String, String) {
    let error = tables(text).expect_err(text);
    assert_eq!(error.file, "tables/mine.json");
    let message = error.to_string();
    assert!(message.starts_with("event table \"tables/mine.json\"") && !message.contains(char::is_control));
    (error.row, error.column, message)
}

const PERFMON: &str = r#"{
  "Header": {
    "Info": "Events of a made-up processor - V7",
    "Version": "7",
    "Legend": {"deep": [1, {"Info": "not this one"}]}
  },
  "Events": [
    {"EventCode": "0x00", "UMask": "0x01", "EventName": "INST_RETIRED.ANY", "Counter": "Fixed counter 0",
     "SampleAfterValue": "2000003", "MSRIndex": "0", "MSRValue": "0", "PEBS": "0"},
    {"EventCode": "0x00", "UMask": "0x03", "EventName": "CPU_CLK_UNHALTED.REF_TSC", "Counter": "34"},
    {"EventCode": "0XC5", "UMask": "0x20", "UMaskExt": "0x01", "EventName": "BRANCHES.WRONG",
     "BriefDescription": "Branches that went\nthe other way.", "PublicDescription": "Much more. In many words.",
     "Counter": "0,1,2,3,5", "CounterHTOff": "0,1,2,3,4,5,6,7", "SampleAfterValue": "400009", "CounterMask": "2",
     "Invert": "1", "EdgeDetect": "1", "AnyThread": "1", "PEBS": "1", "Data_LA": "1", "TakenAlone": "1",
     "Deprecated": "1", "Errata": "null", "NoSuchKey": {"a": [[], {}]}},
    {"EventCode": "0xC5", "UMask": "0x01", "EventName": "BRANCHES.WRONG"}
  ]
}"#;

#[test]
fn perfmon_with_its_header() {
    let table = table(PERFMON);
    assert_eq!((table.cpu.as_str(), table.family, table.counters), ("mine", Family::Intel, Some(6)));
    assert_eq!(table.source, "Events of a made-up processor - V7");
    assert_eq!((table.events.len(), table.left_out, &table.pmu), (3, 0, &None), "a name's first row counts");
    let any = table.find("inst_retired.any").unwrap();
    assert_eq!((any.terms.as_str(), any.counters), ("event=0xc0", Counters::Fixed(0)));
    let reference = table.find("CPU_CLK_UNHALTED.REF_TSC").unwrap();
    assert_eq!((reference.terms.as_str(), reference.counters), ("event=0x0,umask=0x3", Counters::Fixed(2)));
    assert_eq!(reference.default_count, 100_003, "without a figure, it is told by the name");
    let wrong = table.find("BRANCHES.WRONG").unwrap();
    assert_eq!(wrong.terms, "event=0xc5,umask=0x120,cmask=0x2,inv,edge,any");
    assert_eq!((wrong.default_count, wrong.min_count, wrong.precise), (400_009, 20_000, 1));
    assert_eq!(wrong.counters.to_string(), "0-3,5");
    assert!(wrong.data_address && wrong.taken_alone && wrong.deprecated && !wrong.refused);
    assert_eq!(wrong.description, "Branches that went the other way");
}

#[test]
fn numbers_are_texts_or_numbers() {
    assert_eq!(terms(r#""EventCode": 197, "UMask": 1"#), "event=0xc5,umask=0x1");
    assert_eq!(terms(r#""EventCode": "197", "CounterMask": "0x0a""#), "event=0xc5,cmask=0xa");
    assert_eq!(terms(r#""EventCode": " 0xB7, 0xBB ", "Invert": true"#), "event=0xb7,inv");
    assert_eq!(terms(r#""UMask": "4", "SampleAfterValue": null, "Counter": """#), "event=0x0,umask=0x4");
    assert_eq!(terms(r#""ConfigCode": "0x8000000000000005", "Counter": 3"#), "config=0x8000000000000005");
}

#[test]
fn extra_registers_have_names() {
    for (register, name) in [
        ("0x3F6", "ldlat"),
        ("1014", "ldlat"),
        ("0x3F7", "frontend"),
        ("0x1a6,0x1a7", "offcore_rsp"),
        ("0x1A7", "offcore_rsp"),
        ("0x3e0", "msr0x3e0"),
    ] {
        let rest = format!(r#""EventCode": "1", "MSRIndex": "{register}", "MSRValue": "0x11""#);
        assert_eq!(terms(&rest), format!("event=0x1,{name}=0x11"), "{register}");
    }
    // Each of the two registers has a code, or a unit mask, of its own.
    let offcore = table(
        r#"[{"EventName": "OFFCORE_RESPONSE:request=READ:response=HIT", "EventCode": "0xB7, 0xBB", "UMask": "0x01,0x02",
             "MSRIndex": "0x1a6, 0x1a7", "MSRValue": "0x10003"}]"#,
    );
    assert_eq!(offcore.events[0].name, "OFFCORE_RESPONSE.READ.HIT");
    assert_eq!(offcore.events[0].terms, "event=0xb7,umask=0x1,offcore_rsp=0x10003");
    for none in [r#""MSRIndex": "0""#, r#""MSRIndex": "0x00", "MSRValue": "0x00""#, r#""MSRIndex": 0"#] {
        assert_eq!(terms(&format!(r#""EventCode": "1", {none}"#)), "event=0x1");
    }
}

#[test]
fn rows_tell_whose_they_are() {
    let of = |rest: &str| table(&format!(r#"[{{"EventName": "E", "EventCode": "0xC5", {rest}}}]"#)).family;
    assert_eq!(of(r#""SampleAfterValue": "1""#), Family::Intel);
    assert_eq!(of(r#""UMask": "1""#), Family::Amd);
    assert_eq!(of(r#""ConfigCode": "1""#), Family::Riscv);
    assert_eq!(of(r#""BriefDescription": "x""#), Family::Other);
    assert_eq!(of(r#""Unit": "CPU-M-CF""#), Family::S390);
    assert_eq!(table(r#"[{"ArchStdEvent": "BR_RETIRED"}]"#).family, Family::Arm);
    let amd = table(r#"[{"EventName": "dispatched", "EventCode": "0x1AA", "UMask": "0x07"}]"#);
    let configs = System::foreign(amd).resolve("dispatched").unwrap();
    assert_eq!(configs[0].config, 1 << 32 | 0x7aa, "AMD's high bits of the event stand apart");
}

#[test]
fn common_events_are_known_by_name() {
    let table = table(
        r#"[{"ArchStdEvent": "L1D_CACHE_REFILL", "PublicDescription": "Refills. Of lines."},
            {"ArchStdEvent": "br_retired", "EventName": "MY_BRANCHES"}, {"ArchStdEvent": "FW_SET_TIMER"}]"#,
    );
    let [refill, mine, timer] = table.events.as_slice() else { panic!("{table:?}") };
    assert_eq!((refill.terms.as_str(), refill.description.as_str()), ("event=0x3", "Refills"));
    assert_eq!((mine.name.as_str(), mine.terms.as_str()), ("MY_BRANCHES", "event=0x21"));
    assert_eq!(timer.terms, "config=0x8000000000000005");
}

#[test]
fn what_no_core_counts_is_left_out() {
    let table = table(
        r#"[{"Unit": "CBO", "EventName": "UNC_X", "EventCode": "broken, and of no matter"},
            {"Unit": "L3PMC", "EventName": "l3", "EventCode": "0x1"}, {"MetricName": "ipc", "MetricExpr": "1 / 2"},
            {"Unit": "core", "CountersNumFixed": "3", "CountersNumGeneric": "8"},
            {"EventName": "e", "EventCode": "0x2", "Unit": "core"}]"#,
    );
    assert_eq!((table.events.len(), table.left_out, table.family), (1, 4, Family::Amd));
    let (row, _, message) = error(r#"[{"Unit": "iMC", "EventName": "x"}]"#);
    assert!(row == 0 && message.contains("no event that a core could count (1 rows"), "{message}");
}

#[test]
fn hybrid_parts_have_a_table_for_each_core() {
    let tables = tables(
        r#"[{"EventName": "TAKEN", "EventCode": "0xC4", "UMask": "0x1", "Unit": "cpu_core"},
            {"EventName": "TAKEN", "EventCode": "0xC4", "UMask": "0x2", "Unit": "cpu_atom"},
            {"EventName": "x", "EventCode": "1", "Unit": "iMC"}]"#,
    )
    .unwrap();
    let pmus: Vec<_> = tables.iter().map(|table| (table.pmu.as_deref(), table.left_out)).collect();
    assert_eq!(pmus, [(Some("cpu_core"), 1), (Some("cpu_atom"), 0)]);
    let tree = Tree::full("hybrid");
    let system = tables.into_iter().fold(tree.system(), System::with_table);
    let configs = system.resolve("taken").unwrap();
    let found: Vec<_> = configs.iter().map(|config| (config.kind.clone(), config.config)).collect();
    let kind = |name: &str| EventKind::Pmu { name: name.to_owned() };
    assert_eq!(found, [(kind("cpu_atom"), 0x2c4), (kind("cpu_core"), 0x1c4)]);
    assert!(configs.iter().all(|config| config.origin == Origin::UserTable("mine".to_owned())));
}

#[test]
fn arm_as_a_list_and_by_name() {
    let list = r#"{"_type": "Events", "cpu": "Cortex-M00", "architecture": "armv9-a", "pmu_architecture": "pmuv3",
        "counters": 6, "refs": [{"ref": "x"}], "events": [
        {"code": 17, "name": "CPU_CYCLES", "type": "CYCLE", "description": "Cycles. Of the core's clock."},
        {"code": 33, "name": "BR_RETIRED", "refs": [0]}, {"code": 64, "impdef": true, "description": "no name"}]}"#;
    let found = table(list);
    assert_eq!((found.cpu.as_str(), found.family, found.counters), ("Cortex-M00", Family::Arm, Some(6)));
    assert_eq!((found.events.len(), found.left_out), (2, 1));
    let cycles = &found.events[0];
    assert_eq!((cycles.terms.as_str(), cycles.default_count), ("event=0x11", 2_000_003));
    assert_eq!(cycles.description, "Cycles");
    assert_eq!(table(&list.replace("pmuv3", "pmuv2")).family, Family::ArmV7);

    let named = table(
        r#"{"document": {"version": 1}, "product_configuration": {"product_name": "Neo M0", "pmu_architecture": "pmu_v3"},
        "events": {"BR_RETIRED": {"code": "0x0021", "title": "Branch executed", "description": "Much. More.",
        "accesses": ["PMU", "ETE"]}, "TRACED": {"code": "0x4000", "accesses": ["ETE"]}}, "metrics": {"a": {}}}"#,
    );
    assert_eq!((named.cpu.as_str(), named.family, named.left_out), ("Neo M0", Family::Arm, 1));
    let [branch] = named.events.as_slice() else { panic!("{named:?}") };
    assert_eq!((branch.name.as_str(), branch.terms.as_str()), ("BR_RETIRED", "event=0x21"));
    assert_eq!(branch.description, "Branch executed");
    assert_eq!(System::foreign(named).resolve("br_retired:k").unwrap()[0].config, 0x21);
}

#[test]
fn mistakes_in_json_are_named_by_event_and_key() {
    let good = r#"{"EventName": "A", "EventCode": "1"}"#;
    for (rest, column, part) in [
        (r#""EventCode": "1""#, "EventName", "missing"),
        (r#""EventName": "B""#, "EventCode", "missing"),
        (r#""EventName": "B", "EventCode": "0xgg""#, "EventCode", "\"0xgg\": a number such as 12 or 0xc"),
        (r#""EventName": "B", "EventCode": -1"#, "EventCode", "below 0"),
        (r#""EventName": "B", "EventCode": [1]"#, "EventCode", "a list"),
        (r#""EventName": ["B"], "EventCode": "1""#, "EventName", "a list instead of a text"),
        (r#""EventName": "B:u", "EventCode": "1""#, "EventName", "':'"),
        (r#""EventName": "B\u001b[31m", "EventCode": "1""#, "EventName", "\\u{1b}"),
        (r#""EventName": "B", "EventCode": "1", "UMask": "0x1-0x2""#, "UMask", "0x1-0x2"),
        (r#""EventName": "B", "EventCode": "1", "UMaskExt": "0x100000000000000""#, "UMaskExt", "too large"),
        (r#""EventName": "B", "EventCode": "1", "Invert": "2""#, "Invert", "2 instead of 0 or 1"),
        (r#""EventName": "B", "EventCode": "1", "Counter": "0,x""#, "Counter", "\"x\": counters are wanted"),
        (r#""EventName": "B", "EventCode": "1", "Counter": "Fixed counter x""#, "Counter", "Fixed counter x"),
        (r#""EventName": "B", "EventCode": "1", "MSRIndex": "0x3F6""#, "MSRValue", "missing"),
        (r#""EventName": "B", "EventCode": "1", "PEBS": "no""#, "PEBS", "\"no\""),
        (r#""ArchStdEvent": "NO_SUCH""#, "ArchStdEvent", "NO_SUCH"),
    ] {
        let (row, found, message) = error(&format!("[{good}, {{{rest}}}]"));
        assert_eq!((row, found.as_str()), (2, column), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let arm = |event: &str| error(&format!(r#"{{"events": [{{"name": "A", "code": 1}}, {event}]}}"#));
    assert_eq!(arm(r#"{"name": "B"}"#).1, "code");
    assert_eq!(arm(r#"{"description": "x"}"#).1, "name");
    assert_eq!(arm(r#"{"name": "B", "code": "x"}"#).1, "code");
    assert_eq!((arm("5").0, arm("5").1.as_str()), (2, ""));
    assert_eq!(error(r#"{"events": [], "counters": 99}"#).1, "counters");
    assert_eq!(error(r#"{"events": {"A B": {"code": 1}}}"#).1, "name");
}

#[test]
fn broken_json_is_named_by_line() {
    let (row, column, message) = error("[\n {\"EventName\": \"A\"\n  \"EventCode\": 1}\n]");
    assert_eq!((row, column.as_str()), (3, ""));
    assert!(message.ends_with("not JSON: expected `,` or `}` (at character 3 of the line)"), "{message}");
    assert!(error("[").2.contains("not JSON: EOF"));
    assert!(error("[] []").2.contains("trailing characters"));
    assert!(error("[]").2.contains("no event that a core could count"));
    assert!(error("{\"Metrics\": []}").2.contains("neither \"Events\""));
    assert!(error("{\"events\": 5}").2.contains("expected the events"));
    assert!(error(&"[".repeat(100_000)).2.contains("recursion limit"));
}

#[test]
fn the_own_form_is_told_by_its_first_line() {
    let found = table("\u{feff}#oprof-events 1\r\n#family intel\nA\tevent=0xc5\n");
    assert_eq!((found.cpu.as_str(), found.family, found.events.len()), ("mine", Family::Intel, 1));
    for other in ["", "A\tevent=1\n", "#oprof-events 2\n", "\n#oprof-events 1\n"] {
        let (row, _, message) = error(other);
        let all = ["#oprof-events 1", "perfmon", "Arm"].iter().all(|form| message.contains(form));
        assert!(row == 0 && all, "{message}");
    }
}

#[test]
fn mistakes_in_the_own_form_are_named_by_row_and_column() {
    for (line, column) in [
        ("A", "terms"),
        ("A B\tevent=1", "name"),
        ("A\tevent=x", "terms"),
        ("A\tevent=1,event=2", "terms"),
        ("A\tevent=1\t64", "counters"),
        ("A\tevent=1\t0\t0", "counts"),
        ("A\tevent=1\t0\t5\te:0x1:0x2", "unit masks"),
        ("A\tevent=1\t0\t5\te:0x1:0x1=a\u{1b}", "unit masks"),
        ("A\tevent=1\t0\t5\te:0x1:0x1=a!cmask=x", "unit masks"),
        ("A\tevent=1\t0\t5\t\tq", "flags"),
        ("A\tevent=1\t0\t5\t\t\ta\u{1b}", "description"),
        ("A\tevent=1\t0\t5\t\t\t\tmore", ""),
        ("#family none", ""),
        ("#cpu a\u{1b}[31m", ""),
        ("#include nothing", ""),
    ] {
        let (row, found, message) = error(&format!("#oprof-events 1\n\nZ\tevent=1\n{line}\n"));
        assert_eq!((row, found.as_str()), (4, column), "{message}");
    }
}

/// A file can repeat what is small and stands for much.
#[test]
fn hostile_tables_stay_small() {
    let own = |line: &str, times: usize| error(&format!("#oprof-events 1\n{}", line.repeat(times))).2;
    assert!(own("#include ppc64/power7\n", 1_000_000).contains("more than 100000 events"));
    assert!(own("#include s390/z10\n", 1_000_000).contains("more than 64"));
    assert!(own("#field a=b:0-1\n", 1_000_000).contains("more than 64"));
    assert!(own("A\tevent=1\n", 100_001).contains("more than 100000 events"));
    assert!(own("x", 20_000).contains("longer than"));
    assert!(own(&format!("A\t{}\n", "a,".repeat(5000) + "b"), 1).contains("more than 64 terms"));
    let many = format!("[{}{{}}]", r#"{"EventName":"A"},"#.repeat(100_000));
    assert!(error(&many).2.contains("more than 100000 events"));
    let long = "é".repeat(100_000);
    assert!(error(&format!(r#"[{{"EventName": "A", "EventCode": "{long}"}}]"#)).2.len() < 2000);
}

#[test]
fn files_are_plain_small_and_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my cpu.v1.json");
    let failure = |path: &Path| EventTable::load(path).unwrap_err().to_string();
    assert!(failure(&path).contains("cannot be read: No such file"));
    assert!(failure(folder.path()).contains("not a plain file"));
    assert!(failure(Path::new("/dev/zero")).contains("not a plain file"));
    let fifo = folder.path().join("fifo");
    make_fifo(&fifo);
    assert!(failure(&fifo).contains("not a plain file"));

    std::fs::write(&path, PERFMON).unwrap();
    let loaded = EventTable::load(&path).unwrap();
    assert_eq!((loaded[0].cpu.as_str(), loaded[0].events.len()), ("my cpu.v1", 3));
    std::fs::write(&path, b"#oprof-events 1\nA\tevent=1\t\xff\n").unwrap();
    let error = EventTable::load(&path).unwrap_err();
    assert_eq!((error.row, error.file.as_str()), (2, path.to_str().unwrap()));
    assert!(error.reason.contains("not UTF-8: byte 27 of the file is 0xff"), "{error}");
    std::fs::File::create(&path).unwrap().set_len(33 << 20).unwrap();
    assert!(failure(&path).contains("larger than 32 MiB"));
}

/// A FIFO, which would hold whoever opens it until somebody writes.
fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo of coreutils");
}

#[test]
fn rows_that_no_field_could_hold_are_refused_at_once() {
    let own = |rows: &str| error(&format!("#oprof-events 1\n#family intel\nGOOD\tevent=0x1\n{rows}\n"));
    for (row, column, says) in [
        ("E\tevent=0xc55", "terms", "0xc55 is too large for the 8-bit field event (at most 0xff)"),
        ("E\tevent=1,frob=1", "terms", "family intel has no field \"frob\"; it has event, umask, "),
        (
            "E\tevent=1\t\t\te:1:1=a,0x10000=b",
            "unit masks",
            "0x10000 is too large for the 16-bit field umask",
        ),
        ("E\tevent=1\t\t\te:1:1=a,2=b!frob", "unit masks", "no field \"frob\""),
        ("good\tevent=0x2", "name", "\"good\" is the name of row 3 already"),
        ("E\tevent=1\t\t\te:1:1=a,2=A", "unit masks", "two unit masks are named \"A\""),
        ("E\tevent=1\t\t1000/2000", "counts", "the default 1000 is below the minimum 2000"),
    ] {
        let (at, wrong, message) = own(row);
        assert_eq!((at, wrong.as_str()), (4, column), "{message}");
        assert!(message.contains(says), "{message}");
    }
    let other = "#oprof-events 1\nE\tevent=0xc55,frob=1\n";
    assert_eq!(table(other).events.len(), 1, "the fields of no known family are the kernel's to know");
    let parts = "#oprof-events 1\n#family p4\n#field event=escr:25-30\nE\tevent=0x3f,code=0x100\n";
    assert_eq!(table(parts).events.len(), 1);
    assert!(error(&parts.replace("0x3f", "0x40")).2.contains("6-bit field event"));
    let replaced = "#oprof-events 1\n#family intel\n#include i386/arch_perfmon\nllc_misses\tevent=0x2\n";
    assert!(table(replaced).events.len() > 1, "an included name can be given anew");
}

#[test]
fn imported_values_that_no_field_could_hold_are_refused_at_once() {
    for (rest, column) in [
        (r#""EventCode": "0xC5", "UMask": "0x1FFFF", "PEBS": "0""#, "UMask"),
        (r#""EventCode": "0xC5", "CounterMask": "300", "PEBS": "0""#, "CounterMask"),
        (r#""EventCode": "0xC55", "PEBS": "0""#, "EventCode"),
        (r#""EventCode": "0xCD", "MSRIndex": "0x3F6", "MSRValue": "0x10000""#, "MSRValue"),
    ] {
        let (row, key, message) = error(&format!(r#"[{{"EventName": "E", {rest}}}]"#));
        assert_eq!((row, key.as_str()), (1, column), "{message}");
        assert!(message.contains("is too large for the"), "{message}");
    }
    let (row, key, _) = error(r#"{"events": [{"name": "A", "code": 17}, {"name": "B", "code": 99999999}]}"#);
    assert_eq!((row, key.as_str()), (2, "code"));
}

/// What turns the direction of writing or cannot be seen would make one name or description look like another.
#[test]
fn invisible_characters_are_treated_as_control_characters() {
    for hidden in ['\u{200e}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{feff}', '\u{200b}'] {
        let own = |row: &str| {
            let (row, column, message) = error(&format!("#oprof-events 1\n{row}\n"));
            assert!(row == 2 && !message.contains(hidden), "{message:?}");
            column
        };
        assert_eq!(own(&format!("A{hidden}\tevent=1")), "name");
        assert_eq!(own(&format!("A\tevent=1\t\t\te:1:1=a{hidden}")), "unit masks");
        assert_eq!(own(&format!("A\tevent=1\t\t\t\t\tloads{hidden}")), "description");
        assert_eq!(own(&format!("#cpu a{hidden}")), "");
        let json = |name: &str, brief: &str| {
            format!(r#"[{{"EventName": "{name}", "EventCode": "1", "BriefDescription": "{brief}"}}]"#)
        };
        assert_eq!(error(&json(&format!("A{hidden}"), "")).1, "EventName");
        assert_eq!(
            table(&json("A", &format!("Loads{hidden}of words"))).events[0].description,
            "Loads of words"
        );
    }
}
