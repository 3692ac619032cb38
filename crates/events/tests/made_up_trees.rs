//! Events resolved against made-up machines.

mod tree;

use std::io::Write as _;
use std::path::Path;

use oprof_events::{EventGroup, EventKind, Origin, System};
use tree::Tree;

#[test]
fn generic_events_on_one_core_pmu() {
    let intel = Tree::new("intel");
    let cycles = Tree::new("vm").one("CPU-Cycles");
    assert_eq!((cycles.name.as_str(), cycles.kind.clone()), ("cycles", EventKind::Hardware));
    assert_eq!((cycles.pmu_type, cycles.config), (0, 0));
    assert_eq!((cycles.count, cycles.default_count, cycles.min_count), (None, 2_000_003, 100_000));
    assert!(!cycles.description.is_empty() && cycles.user && cycles.kernel && !cycles.guest);
    let misses = intel.one("L1-dcache-load-misses:k");
    assert_eq!((misses.pmu_type, misses.config, misses.user), (3, 0x10000, false));
    assert_eq!(misses.kind, EventKind::HardwareCache);
    let raw = intel.one(" r1A8:p ");
    assert_eq!((raw.pmu_type, raw.config, raw.precise, raw.kind), (4, 0x1a8, 1, EventKind::Raw));
    assert_eq!((raw.name.as_str(), raw.spec.as_str()), ("r1a8", "r1A8:p"));
}

#[test]
fn generic_events_are_encoded_without_any_pmu() {
    let vm = Tree::new("vm");
    assert_eq!(vm.one("cycles").config, 0);
    assert_eq!(vm.one("LLC-loads").config, 2);
    assert_eq!(vm.one("r1a8").pmu_type, 4);
    assert!(vm.system().core_pmus().is_empty());
    assert_eq!(vm.system().default_event(), None);
    let nowhere = System::at("/nonexistent", "/nonexistent");
    assert!(nowhere.pmus().is_empty());
    assert!(nowhere.resolve("cpu-clock").unwrap()[0].nanoseconds);
    assert!(!nowhere.catalogue().is_empty());
}

#[test]
fn hybrid_parts_get_one_event_per_core_pmu() {
    let hybrid = Tree::new("hybrid");
    let encoded = |spec: &str| {
        let configs = hybrid.resolve(spec).into_iter();
        configs.map(|c| (c.name, c.pmu_type, c.config, c.cpus.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(
        encoded("cycles"),
        [
            ("cpu_atom/cycles/".to_owned(), 0, 0x8_0000_0000, vec![1]),
            ("cpu_core/cycles/".to_owned(), 0, 0x4_0000_0000, vec![0])
        ]
    );
    assert_eq!(encoded("LLC-load-misses")[1].2, 0x4_0001_0002);
    assert_eq!(encoded("r1a8").iter().map(|e| (e.1, e.2)).collect::<Vec<_>>(), [(8, 0x1a8), (4, 0x1a8)]);
    // A generic name that the PMU's own events lack still means the generic event there.
    assert_eq!(encoded("cpu_core/branch-misses/u")[0].2, 0x4_0000_0005);
    assert_eq!(encoded("cpu_core/instructions/"), [("cpu_core/instructions/".to_owned(), 4, 0xc0, vec![0])]);
    assert_eq!(hybrid.resolve("page-faults").len(), 1);
    assert_eq!(hybrid.system().default_event().unwrap().len(), 2);
}

#[test]
fn a_core_pmu_without_cpus_online_is_left_out() {
    let hybrid = Tree::new("hybrid");
    hybrid.write_pmu("cpu_atom/cpus", "\n");
    let cycles = hybrid.one("cycles");
    assert_eq!((cycles.config, cycles.cpus), (0x4_0000_0000, Some(vec![0])));
    hybrid.write_pmu("cpu_core/cpus", "");
    assert_eq!(hybrid.resolve("cycles").len(), 2);
}

#[test]
fn terms_are_placed_as_the_formats_say() {
    let intel = Tree::new("intel");
    let event = intel.one("cpu/event=0xc5,umask=1,cmask=2,inv,edge/ku");
    assert_eq!((event.pmu_type, event.config, event.unit_mask), (4, 0x284_01c5, 1));
    assert!(event.user && event.kernel && !event.hypervisor);
    assert_eq!(event.kind, EventKind::Pmu { name: "cpu".to_owned() });
    assert_eq!(intel.one("CPU/Event=0xc5,UMASK=0x20/").unit_mask, 0x20);
    assert_eq!(intel.one("cpu/config=0x1c0,config1=7,config2=8,config3=9,in_tx/").config, 0x1_0000_01c0);
    let words = intel.one("cpu/config1=7,config2=8,config3=9/");
    assert_eq!((words.config1, words.config2, words.config3), (7, 8, 9));
    assert_eq!(intel.one("cpu/r1a8/").config, 0x1a8);
    assert_eq!(intel.one("cpu//").config, 0);
    assert_eq!(Tree::new("amd").one("cpu/event=0x1c2,umask=3/").config, 0x1_0000_03c2);
    assert_eq!(Tree::new("p4").one("cpu/escr=0x1202000f,cccr=0x3f000/").config, 0x1202_000f_0003_f000);
}

#[test]
fn named_events_of_a_pmu() {
    let intel = Tree::new("intel");
    let loads = intel.one("mem-loads:pp");
    assert_eq!((loads.name.as_str(), loads.config, loads.config1), ("mem-loads", 0x1cd, 3));
    assert_eq!((loads.unit_mask, loads.precise), (1, 2));
    assert_eq!(intel.one("cpu/Mem-Loads/").config, 0x1cd);
    // What the user gives replaces the named event's term; the bits are not combined.
    assert_eq!(intel.one("cpu/mem-loads,ldlat=30/").config1, 30);
    assert_eq!(intel.one("cpu/ldlat=30,mem-loads/").config1, 30);
    let masked = intel.one("mem-loads:5000:0x2:0:1");
    assert_eq!((masked.config, masked.unit_mask, masked.count), (0x2cd, 2, Some(5000)));
    assert!(masked.user && !masked.kernel);
    // The PMU's own names come before generic ones.
    let misses = intel.one("branch-misses");
    assert_eq!((misses.config, misses.origin), (0xc5, Origin::Sysfs));
    assert_eq!(misses.description, "branch instructions retired that were mispredicted");
    assert_eq!(intel.one("branches").origin, Origin::Generic);
    assert_eq!(intel.one("cpu/branch-misses/").config, 0xc5);
}

#[test]
fn settings_are_no_part_of_the_encoding() {
    let intel = Tree::new("intel");
    let named = intel.one("cpu/event=0xc5,name=mine,period=5000/");
    assert_eq!((named.name.as_str(), named.count, named.config), ("mine", Some(5000), 0xc5));
    assert_eq!(intel.one("cpu/event=1,freq=99/").frequency, Some(99));
    assert_eq!(intel.one("cycles/period=700000/u").count, Some(700_000));
    assert_eq!(intel.one("cpu/instructions,period=700000/").count, Some(700_000));
    for bad in [
        "cpu/event=1,period=5,freq=5/",
        "cpu/event=1,period=5/:6",
        "cpu/event=1,freq=5/:6",
        "cycles/period=5/:6",
        "cpu/event=1,period=0/",
        "cpu/event=1,period/",
        "cycles/umask=1/",
        "cpu/instructions,umask=1/",
        "cpu/instructions,mem-loads/",
        "cpu/event=1,event=2/",
        "cpu/umask=1/:5:2",
    ] {
        intel.error(bad);
    }
}

#[test]
fn oprofile_suffixes() {
    let intel = Tree::new("intel");
    let clock = intel.one("cpu-clock:1000000");
    assert_eq!((clock.count, clock.min_count, clock.nanoseconds), (Some(1_000_000), 10_000, true));
    let cycles = intel.one("cycles:100000:0:1:0");
    assert!(cycles.kernel && cycles.hypervisor && !cycles.user);
    assert!(intel.error("cycles:100000:1").contains("no unit masks"));
    assert!(intel.error("cycles:100000:0:0:0").contains("neither kernel nor user"));
}

#[test]
fn pmus_outside_of_the_core() {
    let full = Tree::full("intel");
    let count_only: Vec<_> =
        full.system().pmus().iter().filter(|p| p.count_only).map(|p| p.name.clone()).collect();
    assert_eq!(count_only, ["msr", "power", "uncore_imc_0", "uncore_imc_1"]);
    let energy = full.one("power/energy-pkg/");
    assert_eq!((energy.pmu_type, energy.config, energy.cpus), (9, 2, Some(vec![0])));
    assert!(energy.count_only && energy.unit == "Joules" && (energy.scale - 2.328e-10).abs() < 1e-12);
    for spec in ["uncore_imc/event=4/", "imc/event=4/", "IMC/event=4/"] {
        let types: Vec<_> = full.resolve(spec).iter().map(|c| c.pmu_type).collect();
        assert_eq!(types, [11, 12], "{spec}");
    }
    assert_eq!(full.one("imc_1/event=4/").pmu_type, 12);
    assert_eq!(full.one("hv/runs,domain=3/").config, 0x2_0003);
    assert!(full.error("hv/runs/").contains("domain=NUMBER"));
}

#[test]
fn tracepoints() {
    let full = Tree::full("intel");
    let switch = full.one("sched:sched_switch:u");
    assert_eq!((switch.pmu_type, switch.config, switch.kernel), (2, 314, false));
    assert_eq!((switch.kind, switch.default_count), (EventKind::Tracepoint, 1));
    assert_eq!(full.one("SCHED:Sched_Wakeup:5").count, Some(5));
    assert_eq!(full.one("9p:9p_client_req").config, 77);
    assert!(full.error("sched:sched_swicth").contains("did you mean sched:sched_switch?"));
    assert!(full.error("schde:sched_switch").contains("did you mean sched:sched_switch?"));
    for bad in ["sched:..", "..:sched_switch", "sched:enable", "sched:", "sched", "enable:sched", "odd:huge"]
    {
        full.error(bad);
    }
    assert!(full.error("odd:number").contains("does not hold a number"));
    let unmounted = Tree::new("intel").error("sched:sched_switch");
    assert!(unmounted.contains("mount -t tracefs") && unmounted.contains("run as root"), "{unmounted}");
}

#[test]
fn errors_name_the_event_and_the_cure() {
    let intel = Tree::full("intel");
    for (spec, parts) in [
        ("cyclse:u", &["\"cyclse:u\"", "did you mean cycles?", "oprof list"][..]),
        ("mem-laods", &["did you mean mem-loads?"]),
        ("nothing-like-it-at-all", &["unknown event"]),
        ("cpu/nosuch=1/", &["no term \"nosuch\"", "umask", "mem-loads", "period"]),
        ("cpu/nosuch/", &["no term \"nosuch\""]),
        ("cpu_core/event=1/", &["no PMU \"cpu_core\"", "software"]),
        ("../event=1/", &["no PMU \"..\""]),
        ("cpu/../", &["no term \"..\""]),
        ("cpu/event=0x1ff/", &["0x1ff", "\"event\"", "8-bit", "0xff"]),
        ("cpu/inv=2/", &["\"inv\"", "1-bit"]),
        ("cpu/event=x/", &["cannot read \"x\"", "not a number"]),
        ("cpu/event=1", &["closing slash"]),
        ("cycles:z", &["cannot read \"z\"", "u, k, h"]),
        ("hv/broken=1/", &["format/broken", "config:70"]),
    ] {
        let message = intel.error(spec);
        for part in parts {
            assert!(message.contains(part), "{spec}: {part:?} is not in: {message}");
        }
        assert!(!message.contains('\n') && message.starts_with(char::is_lowercase), "{message}");
    }
    intel.write_pmu("cpu/format/event", &"x".repeat(70_000));
    assert!(intel.error("cpu/event=1/").contains("64 KiB"));
    assert!(Tree::new("amd").error("cpu/event=0x1000/").contains("12-bit"));
}

#[test]
fn everything_in_the_catalogue_resolves_to_what_it_says() {
    for name in ["intel", "amd", "hybrid", "p4", "vm"] {
        let full = Tree::full(name);
        let catalogue = full.system().catalogue();
        for listed in &catalogue {
            // These made-up ones are broken or need a parameter, and are listed nevertheless.
            if ["hv/runs/", "odd:number", "odd:huge"].contains(&listed.spec.as_str()) {
                continue;
            }
            for config in full.resolve(&listed.spec) {
                // The generic event stays listed where the PMU has the name for itself.
                if listed.group == EventGroup::Hardware && config.origin == Origin::Sysfs {
                    continue;
                }
                let kind = match &listed.group {
                    EventGroup::Hardware => EventKind::Hardware,
                    EventGroup::HardwareCache => EventKind::HardwareCache,
                    EventGroup::Software => EventKind::Software,
                    EventGroup::Pmu(name) => EventKind::Pmu { name: name.clone() },
                    EventGroup::Tracepoint(_) => EventKind::Tracepoint,
                    other => panic!("{other:?}"),
                };
                assert_eq!((&config.kind, config.count_only), (&kind, listed.count_only), "{}", listed.spec);
                let described = !matches!(kind, EventKind::Tracepoint | EventKind::Pmu { .. });
                assert!(!described || !config.description.is_empty(), "{}", listed.spec);
            }
            for alias in &listed.aliases {
                let (by_alias, by_name) = (&full.resolve(alias)[0], &full.resolve(&listed.spec)[0]);
                let same = by_alias.config == by_name.config;
                assert!(same || by_alias.origin == Origin::Sysfs, "{alias}");
            }
        }
        assert!(catalogue.iter().any(|e| e.group == EventGroup::Tracepoint("sched".to_owned())));
        assert_eq!(catalogue.iter().filter(|e| e.group == EventGroup::HardwareCache).count(), 32);
    }
}

#[test]
fn the_trees_are_those_that_the_makers_share() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/sysfs");
    if !shared.is_dir() {
        let _ = writeln!(std::io::stderr(), "skipped: no trees beside this checkout");
        return;
    }
    for name in ["intel", "amd", "hybrid", "p4"] {
        assert_eq!(tree::files(Tree::new(name).path()), tree::files(&shared.join(name)), "{name}");
        assert!(!System::at(shared.join(name), "/nonexistent").core_pmus().is_empty());
    }
}
