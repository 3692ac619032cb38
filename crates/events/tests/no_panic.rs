//! Whatever is typed and whatever sysfs and tables hold, there is an answer.

mod tree;

use oprof_events::processor::Identification;
use oprof_events::{EventTable, System, TableError};
use tree::Tree;

const SPECS: &[&str] = &[
    "cycles:100000:0:1:1",
    "cpu-clock:1000000",
    "L1-dcache-load-misses:ukpp",
    "r1a8",
    "cpu/event=0xc5,umask=1,cmask=2,inv,edge/u",
    "cpu_core/mem-loads,ldlat=30,name=x,period=5/:k:5",
    "hv/runs,domain=3/",
    "uncore_imc/config=1,config1=2,config2=3/",
    "sched:sched_switch:u",
    "power/energy-pkg/GH",
    "mem:0x1000/8:rw:u",
    "BR_INST_RETIRED.ALL_BRANCHES:400009:0:1",
    "uops_issued:2000003:stall_cycles",
    "br_inst_retired:400009:0x4+conditional",
    "BR_INST_RETIRED:400009:NEAR_CALL",
];
const PIECES: &[&str] = &[
    ":",
    "/",
    ",",
    "=",
    "..",
    "-",
    "é",
    "\u{1b}",
    "\0",
    "0x",
    "18446744073709551616",
    "r",
    "u",
    " ",
    "?",
    "\u{202e}",
    "\t",
    "\n",
    "\"",
    "{",
    "]",
    "null",
];
/// A table in each form, and what it is called.
const TABLES: &[(&str, &str)] = &[
    (
        "own",
        "#oprof-events 1\n#cpu i386/x\n#family p4\n#counters 4\n#field umask=escr:9-24\n\
         #field event=escr:25-30\n#default A 1\n\
         A\tevent=0x25,cccr=2\t0-3\t6000/500\tb:0x1:0x1=one,0x2!ht+pebs\t1d\tBranches\n\
         B\tconfig=1\tfixed1\t/7\te:two:0x1=one,0x1=two!ht\n#include s390/z10\n",
    ),
    (
        "perfmon",
        r#"{"Header":{"Info":"X - V5","Version":"5"},"Events":[{"EventName":"A.B","EventCode":"0xB7, 0xBB","UMask":"1",
        "UMaskExt":"2","MSRIndex":"0x3F6","MSRValue":"3","Counter":"0,1,33","PEBS":"2","Invert":"1","SampleAfterValue":
        "9","BriefDescription":"Loads. All."},{"ArchStdEvent":"BR_RETIRED"},{"Unit":"cpu_atom","UMask":7,"EventName":"c"}]}"#,
    ),
    (
        "arm",
        r#"{"cpu":"Core","pmu_architecture":"pmuv3","counters":6,"events":[{"name":"A","code":17,"description":"One. Two."},
        {"code":3}]}"#,
    ),
    (
        "arm by name",
        r#"{"product_configuration":{"product_name":"N"},"events":{"A":{"code":"0x11","title":"x","accesses":["PMU"]}}}"#,
    ),
];

/// A small generator (xorshift64*) so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn mutate(&mut self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(4) {
            let at = self.below(characters.len() + 1);
            match self.below(4) {
                0 if at < characters.len() => _ = characters.remove(at),
                1 if at < characters.len() => characters[at] = self.below(128) as u8 as char,
                2 => {
                    let piece = characters[at..].to_vec();
                    characters.extend(piece);
                    characters.truncate(600);
                }
                _ => {
                    let piece = PIECES[self.below(PIECES.len())];
                    characters.splice(at..at, piece.chars());
                }
            }
        }
        characters.into_iter().collect()
    }
}

/// Resolves and holds the answer against what is promised; true if there was an event.
fn check(system: &System, spec: &str) -> bool {
    match system.resolve(spec) {
        Ok(configs) => {
            assert!(!configs.is_empty(), "{spec:?}");
            for config in &configs {
                assert!(config.precise <= 3 && config.count != Some(0) && config.min_count > 0, "{spec:?}");
                assert!(config.user || config.kernel || config.hypervisor, "{spec:?}");
                assert!(!config.name.contains(char::is_control), "{spec:?} is named {:?}", config.name);
            }
            true
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control), "{spec:?}: {message:?}");
            false
        }
    }
}

#[test]
fn mutated_specifications() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut good = 0;
    for name in ["intel", "hybrid"] {
        let tree = Tree::full(name);
        let processor = Identification::new("GenuineIntel-6-5E-3");
        let system = tree.system().with_processor(processor);
        for round in 0..4000 {
            let spec = random.mutate(SPECS[round % SPECS.len()]);
            good += usize::from(check(&system, &spec));
            // As a list, it is one or several events, or a mistake; never fewer.
            let list = format!("{{{spec},cs}}:u,{spec}");
            assert!(system.resolve_all(&[list]).map_or(true, |configs| configs.len() > 2), "{spec:?}");
        }
    }
    // Otherwise the mutations would be too wild to reach the code behind the grammar.
    assert!((100..7000).contains(&good), "{good} of 8000 resolved");
}

#[test]
fn mutated_sysfs() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let contents = [
        ("cpu/format/event", "config:0-7,32-35"),
        ("cpu/events/mem-loads", "event=0xcd,umask=0x1,ldlat=3"),
        ("cpu/cpus", "0-3,8"),
        ("cpu/type", "4"),
        ("power/events/energy-pkg.scale", "2.3e-10"),
        ("power/events/energy-pkg.unit", "Joules"),
    ];
    for _ in 0..40 {
        let tree = Tree::full("intel");
        for _ in 0..25 {
            let (file, text) = contents[random.below(contents.len())];
            tree.write_pmu(file, &random.mutate(text));
            for spec in ["mem-loads", "cpu/event=0x1c0,mem-loads/", "cycles", "power/energy-pkg/"] {
                check(&tree.system(), spec);
            }
        }
        tree.system().catalogue();
    }
}

/// What is promised of the tables in a file; true if there were some.
fn check_tables(what: &str, read: Result<Vec<EventTable>, TableError>) -> bool {
    let tables = match read {
        Ok(tables) => tables,
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control) && message.len() < 3000, "{what}: {message:?}");
            return false;
        }
    };
    assert!(!tables.is_empty(), "{what}");
    for table in tables {
        let names: Vec<_> = table.events.iter().map(|event| event.name.clone()).collect();
        for event in &table.events {
            let texts = [&event.name, &event.terms, &event.description, &table.cpu, &table.source];
            assert!(!texts.iter().any(|text| text.contains(char::is_control)), "{what}: {event:?}");
            assert!(event.min_count > 0 && event.min_count <= event.default_count, "{what}: {event:?}");
        }
        let system = System::foreign(table);
        system.catalogue();
        for name in names.iter().take(4) {
            for spec in [name.clone(), format!("{name}:1000000:0x1:0:1"), format!("{name}:1000000:one+two:u")]
            {
                check(&system, &spec);
            }
        }
    }
    true
}

#[test]
fn mutated_tables() {
    let mut random = Random(0xfeed_5eed_0bad_cafe);
    for (what, text) in TABLES {
        assert!(check_tables(what, EventTable::from_bytes("x.json", text.as_bytes())), "{what}");
        let mut good = 0;
        for _ in 0..2000 {
            let text = random.mutate(text);
            good += usize::from(check_tables(&text, EventTable::from_bytes("x.json", text.as_bytes())));
        }
        // As above, the mutations must neither leave all as it is nor break everything.
        assert!((100..1950).contains(&good), "{what}: {good} of 2000 were read");
    }
}
