//! Whatever is typed and whatever sysfs holds, there is an answer.

mod tree;

use oprof_events::System;
use oprof_events::processor::Identification;
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
                    characters.truncate(400);
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
