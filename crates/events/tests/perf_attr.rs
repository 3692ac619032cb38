//! What perf(1) asks the kernel for, compared with what this crate encodes.
//!
//! Known differences are left out of the list: perf(1) combines the bits of a named event's term with the user's own,
//! knows event names in lower case only, and takes no colon after a closing slash. Of a name that is both a generic event
//! and one of the PMU's own it takes the generic one; here it is asked for the PMU's.

mod perf;
mod tree;

use std::collections::BTreeSet;

use oprof_events::{EventKind, Origin};
use perf::Attribute;
use tree::Tree;

const GENERIC: &[&str] = &[
    "cycles",
    "cpu-cycles",
    "instructions",
    "cache-references",
    "cache-misses",
    "branches",
    "branch-instructions",
    "branch-misses",
    "bus-cycles",
    "stalled-cycles-frontend",
    "idle-cycles-frontend",
    "stalled-cycles-backend",
    "idle-cycles-backend",
    "ref-cycles",
    "cycles:u",
    "cycles:k",
    "cycles:uk",
    "cycles:h",
    "instructions:p",
    "instructions:upp",
    "cycles:ppp",
];
const SOFTWARE: &[&str] = &[
    "cpu-clock",
    "task-clock",
    "page-faults",
    "faults",
    "context-switches",
    "cs",
    "cpu-migrations",
    "migrations",
    "minor-faults",
    "major-faults",
    "alignment-faults",
    "emulation-faults",
    "dummy",
    "cgroup-switches",
    "cpu-clock:u",
];
const CACHE: &[&str] = &[
    "L1-dcache-loads",
    "L1-dcache-load-misses",
    "L1-dcache-stores",
    "L1-dcache-store-misses",
    "L1-dcache-prefetches",
    "L1-dcache-prefetch-misses",
    "L1-icache-loads",
    "L1-icache-load-misses",
    "L1-icache-prefetches",
    "LLC-loads",
    "LLC-load-misses",
    "LLC-stores",
    "LLC-store-misses",
    "LLC-prefetches",
    "LLC-prefetch-misses",
    "dTLB-loads",
    "dTLB-load-misses",
    "dTLB-stores",
    "dTLB-store-misses",
    "dTLB-prefetch-misses",
    "iTLB-loads",
    "iTLB-load-misses",
    "branch-loads",
    "branch-load-misses",
    "node-loads",
    "node-load-misses",
    "node-stores",
    "node-prefetches",
    "L1-dcache-misses",
    "bpu-miss",
    "LLC-loads:u",
];
const RAW: &[&str] = &["r1a8", "r003c", "rffffffffffffffff", "r1c0:k"];
const ONE_CORE: &[&str] = &[
    "cpu/event=0xc5/",
    "cpu/event=0xc5,umask=1,cmask=2,inv,edge/",
    "cpu/event=0x3c,umask=0x1/ukp",
    "cpu/umask=255/",
    "cpu/cpu-cycles/",
    "cpu/branch-misses/u",
    "cpu/branch-misses,umask=4/",
    "cpu/config=0x1c0,umask=2/",
    "cpu/r1a8/",
    "cpu/config=1,config1=2,config2=3/",
    "cpu/event=1,period=1000/",
    "cpu/event=1,name=mine/k",
    "cpu/event/",
    "cycles/period=500000/u",
    "software/config=1/",
];
const INTEL: &[&str] = &[
    "mem-loads",
    "cpu/mem-loads/pp",
    "cpu/event=0xb7,umask=1,offcore_rsp=0xffffffffffffffff/",
    "cpu/in_tx,in_tx_cp/",
    "cpu/event=0xc6,umask=1,frontend=0x400406/",
    "cpu/event=0xc4,any,pc/",
];
const AMD: &[&str] = &["cpu/event=0xfff/", "cpu/event=0x1c2,umask=3/", "cpu/event=0xf00,cmask=255/h"];
const HYBRID: &[&str] = &[
    "cpu_core/cycles/",
    "cpu_core/instructions/u",
    "cpu_atom/event=0xc5,umask=1/",
    "cpu_atom/cpu-cycles/k",
    "cpu_core/event=0xcd,umask=1,ldlat=3/p",
];
const P4: &[&str] =
    &["cpu/escr=0x1202000f,cccr=0x3f000/", "cpu/escr=0x5200180f,cccr=0x3b000,ht/", "cpu/escr=0x7fffffff/"];
const REFUSED: &[&str] = &[
    "nosuch",
    "cpu/event=0x1000/",
    "cpu/umask=0x100/",
    "cpu/nosuch=1/",
    "nosuch/event=1/",
    "cycles:z",
    "cycles:pppp",
    "cpu/event=0xc5",
    "cpu/event=zz/",
    "cpu/inv=2/",
    "L1-icache-stores",
];

#[test]
fn the_same_attributes_as_perf() {
    let Some(version) = perf::version() else { return };
    // Later versions open further events to probe the kernel, so that only this one's list can be taken as complete.
    let complete = perf::is_6_1(&version);
    let per_tree: [(&str, &[&[&str]]); 4] = [
        ("intel", &[GENERIC, SOFTWARE, CACHE, RAW, ONE_CORE, INTEL]),
        ("amd", &[GENERIC, RAW, ONE_CORE, AMD]),
        ("hybrid", &[GENERIC, SOFTWARE, CACHE, RAW, HYBRID]),
        ("p4", &[P4]),
    ];
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, lists) in per_tree {
        let tree = Tree::new(name);
        for spec in lists.iter().copied().flatten() {
            let ours: BTreeSet<_> = tree.resolve(spec).iter().map(perf::encoded).collect();
            let theirs = attributes_of_own(&tree, spec);
            // perf 6.1 only probes cache events on hybrid parts, without modifiers, and then drops them.
            let probed = name == "hybrid" && CACHE.contains(spec);
            let found =
                ours.iter().all(|ours| theirs.iter().any(|t| t.0 == ours.0 && (probed || t.1 == ours.1)));
            let no_more = theirs.iter().all(|theirs| ours.iter().any(|ours| ours.0 == theirs.0));
            if !found || complete && !no_more {
                wrong.push(format!("{name} {spec}: ours {ours:x?}, perf's {theirs:x?}"));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    println!("{compared} events are encoded as by {version}");
}

#[test]
fn perf_refuses_what_is_refused_here() {
    if perf::version().is_none() {
        return;
    }
    let tree = Tree::new("intel");
    for spec in REFUSED {
        assert!(tree.system().resolve(spec).is_err(), "{spec} was taken");
        assert_eq!(attributes(&tree, spec), BTreeSet::new(), "{spec}");
    }
}

/// The attributes that perf prints for an event, under the PMU's name where the PMU has the event for itself.
fn attributes_of_own(tree: &Tree, spec: &str) -> BTreeSet<Attribute> {
    let own =
        tree.resolve(spec).into_iter().filter(|config| config.origin == Origin::Sysfs && !spec.contains('/'));
    let own: Vec<_> = own
        .filter_map(|config| match config.kind {
            EventKind::Pmu { name } => Some(name),
            _ => None,
        })
        .collect();
    let (name, modifiers) = spec.split_once(':').unwrap_or((spec, ""));
    let asked = own.iter().map(|pmu| format!("{pmu}/{name}/{modifiers}"));
    match own.is_empty() {
        true => attributes(tree, spec),
        false => asked.flat_map(|asked| attributes(tree, &asked)).collect(),
    }
}

/// The attributes that perf prints for an event.
fn attributes(tree: &Tree, spec: &str) -> BTreeSet<Attribute> {
    perf::attributes(tree, &[spec]).into_iter().collect()
}
