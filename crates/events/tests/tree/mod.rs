//! Made-up sysfs trees, built in a temporary directory.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use oprof_events::{EventConfig, System};
use tempfile::TempDir;

/// A tree's directory, removed when dropped.
pub(crate) struct Tree {
    directory: TempDir,
}

/// Files as name and content.
type Files = &'static [(&'static str, &'static str)];

/// What every tree has beside the core's own PMU.
const COMMON: Files = &[
    ("bus/event_source/devices/breakpoint/type", "5"),
    ("bus/event_source/devices/tracepoint/type", "2"),
    ("bus/event_source/devices/software/type", "1"),
    ("devices/system/cpu/present", "0-1"),
    ("devices/system/cpu/possible", "0-1"),
    ("devices/system/cpu/online", "0-1"),
];

/// Fields that Intel's and AMD's core PMUs have in the same place, by PMU.
const X86_FIELDS: Files = &[
    ("format/edge", "config:18"),
    ("format/umask", "config:8-15"),
    ("format/inv", "config:23"),
    ("format/cmask", "config:24-31"),
];

/// The trees: name, PMUs with the common x86 fields, and the core PMUs' other files.
pub(crate) const TREES: &[(&str, &[&str], Files)] = &[
    (
        "intel",
        &["cpu"],
        &[
            ("cpu/type", "4"),
            ("cpu/format/event", "config:0-7"),
            ("cpu/format/any", "config:21"),
            ("cpu/format/pc", "config:19"),
            ("cpu/format/in_tx", "config:32"),
            ("cpu/format/in_tx_cp", "config:33"),
            ("cpu/format/frontend", "config1:0-23"),
            ("cpu/format/offcore_rsp", "config1:0-63"),
            ("cpu/format/ldlat", "config1:0-15"),
            ("cpu/events/branch-misses", "event=0xc5"),
            ("cpu/events/cpu-cycles", "event=0x3c"),
            ("cpu/events/mem-loads", "event=0xcd,umask=0x1,ldlat=3"),
        ],
    ),
    (
        "amd",
        &["cpu"],
        &[
            ("cpu/type", "4"),
            ("cpu/format/event", "config:0-7,32-35"),
            ("cpu/events/branch-misses", "event=0xc3"),
            ("cpu/events/cpu-cycles", "event=0x76"),
        ],
    ),
    (
        "hybrid",
        &["cpu_core", "cpu_atom"],
        &[
            ("cpu_core/type", "4"),
            ("cpu_core/cpus", "0"),
            ("cpu_core/format/event", "config:0-7"),
            ("cpu_core/format/frontend", "config1:0-23"),
            ("cpu_core/format/offcore_rsp", "config1:0-63"),
            ("cpu_core/format/ldlat", "config1:0-15"),
            ("cpu_core/events/cpu-cycles", "event=0x3c"),
            ("cpu_core/events/instructions", "event=0xc0"),
            ("cpu_atom/type", "8"),
            ("cpu_atom/cpus", "1"),
            ("cpu_atom/format/event", "config:0-7"),
            ("cpu_atom/format/frontend", "config1:0-23"),
            ("cpu_atom/format/offcore_rsp", "config1:0-63"),
            ("cpu_atom/format/ldlat", "config1:0-15"),
            ("cpu_atom/events/cpu-cycles", "event=0x3c"),
            ("cpu_atom/events/instructions", "event=0xc0"),
        ],
    ),
    (
        "p4",
        &[],
        &[
            ("cpu/type", "4"),
            ("cpu/format/escr", "config:32-62"),
            ("cpu/format/cccr", "config:0-31"),
            ("cpu/format/ht", "config:63"),
        ],
    ),
    ("vm", &[], &[]),
];

/// PMUs outside of the core, which only some tests want.
const UNCORE: Files = &[
    ("power/type", "9"),
    ("power/cpumask", "0"),
    ("power/format/event", "config:0-7"),
    ("power/events/energy-pkg", "event=0x02"),
    ("power/events/energy-pkg.scale", "2.3283064365386962890625e-10"),
    ("power/events/energy-pkg.unit", "Joules"),
    ("msr/type", "10"),
    ("msr/format/event", "config:0-63"),
    ("msr/events/tsc", "event=0x00"),
    ("uncore_imc_0/type", "11"),
    ("uncore_imc_0/cpumask", "0"),
    ("uncore_imc_0/format/event", "config:0-7"),
    ("uncore_imc_1/type", "12"),
    ("uncore_imc_1/cpumask", "0"),
    ("uncore_imc_1/format/event", "config:0-7"),
    ("arm_spe_0/type", "13"),
    ("arm_spe_0/cpumask", "0-1"),
    ("hv/type", "14"),
    ("hv/format/domain", "config:0-3"),
    ("hv/format/core", "config:16-31"),
    ("hv/events/runs", "domain=?,core=0x2"),
    ("hv/format/broken", "config:70"),
];

/// Tracepoints, as in tracefs.
const TRACEPOINTS: Files = &[
    ("events/enable", "0"),
    ("events/sched/enable", "0"),
    ("events/sched/sched_switch/id", "314\n"),
    ("events/sched/sched_wakeup/id", "318\n"),
    ("events/9p/9p_client_req/id", "77\n"),
    (
        "available_events",
        "sched:sched_switch\nsched:sched_wakeup\n9p:9p_client_req\nodd:number\nodd:huge\nno colon\n",
    ),
    ("events/odd/number/id", "x\n"),
    ("events/odd/huge/id", "99999999999999999999\n"),
];

impl Tree {
    /// The tree of this name.
    pub(crate) fn new(name: &str) -> Self {
        let tree = Self { directory: tempfile::tempdir().unwrap() };
        let (_, x86, files) = TREES.iter().find(|(tree, ..)| *tree == name).expect("a tree of this name");
        for (file, text) in COMMON {
            tree.write(file, text);
        }
        for pmu in *x86 {
            for (file, text) in X86_FIELDS {
                tree.write_pmu(&format!("{pmu}/{file}"), text);
            }
        }
        for (file, text) in *files {
            tree.write_pmu(file, text);
        }
        tree
    }

    /// The same with PMUs outside of the core and with tracepoints.
    pub(crate) fn full(name: &str) -> Self {
        let tree = Self::new(name);
        for (file, text) in UNCORE {
            tree.write_pmu(file, text);
        }
        for (file, text) in TRACEPOINTS {
            tree.write(&format!("tracing/{file}"), text);
        }
        tree
    }

    /// Puts a file of a PMU into the tree.
    pub(crate) fn write_pmu(&self, file: &str, text: &str) {
        self.write(&format!("bus/event_source/devices/{file}"), text);
    }

    /// Puts a file into the tree.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Where the tree is, as `/sys`.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The machine that it describes.
    pub(crate) fn system(&self) -> System {
        System::at(self.path(), self.path().join("tracing"))
    }

    /// Resolves a specification that is known to be good.
    pub(crate) fn resolve(&self, spec: &str) -> Vec<EventConfig> {
        self.system().resolve(spec).unwrap_or_else(|error| panic!("{spec}: {error}"))
    }

    /// Resolves a specification that is known to give one event.
    pub(crate) fn one(&self, spec: &str) -> EventConfig {
        let [config] = <[_; 1]>::try_from(self.resolve(spec)).expect("one event");
        config
    }

    /// The message for a specification that is known to be bad.
    pub(crate) fn error(&self, spec: &str) -> String {
        match self.system().resolve(spec) {
            Ok(configs) => panic!("{spec} was taken: {configs:?}"),
            Err(error) => error.to_string(),
        }
    }
}

/// All files below a directory with their trimmed content, sorted.
pub(crate) fn files(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text.trim().to_owned()));
            }
        }
    }
    found.sort();
    found
}
