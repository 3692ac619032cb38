//! Who knows a name, in which order, and what OProfile's numbers do to it.

mod tree;

use oprof_events::processor::Identification;
use oprof_events::table::{BuiltInTable, EventTable};
use oprof_events::{Error, EventConfig, Origin, System};
use tree::Tree;

fn machine(tree: &Tree, processor: &str) -> System {
    tree.system().with_processor(Identification::new(processor))
}

fn one(system: &System, spec: &str) -> EventConfig {
    let [config] = <[_; 1]>::try_from(system.resolve(spec).unwrap_or_else(|error| panic!("{spec}: {error}")))
        .expect("one event");
    config
}

fn error(system: &System, spec: &str) -> String {
    system.resolve(spec).expect_err(spec).to_string()
}

#[test]
fn the_first_that_knows_a_name_has_it() {
    let tree = Tree::full("intel");
    let skylake = machine(&tree, "GenuineIntel-6-5E-3");
    let vendor = Origin::Vendor("skylake".to_owned());
    for (spec, config, origin) in [
        ("r1a8", 0x1a8, Origin::Explicit),
        ("cpu/event=0xc5/", 0xc5, Origin::Explicit),
        ("sched:sched_switch", 314, Origin::Explicit),
        ("branch-misses", 0xc5, Origin::Sysfs),
        ("br_misp_retired.all_branches", 0xc5, vendor.clone()),
        ("BR_INST_RETIRED:400009:NEAR_CALL", 0x2c4, Origin::OProfile("i386/skylake".to_owned())),
        ("BR_INST_RETIRED:400009:COND", 0x1c4, vendor),
        ("uops_issued", 0x10e, Origin::OProfile("i386/skylake".to_owned())),
        ("branches", 4, Origin::Generic),
        ("page-faults", 2, Origin::Generic),
    ] {
        let event = one(&skylake, spec);
        assert_eq!((event.config, event.origin), (config, origin), "{spec}");
    }
    let table = "#oprof-events 1\n#cpu mine\nbranch-misses\tevent=0x1\nr1a8\tevent=0x2\n";
    let with_table = skylake.with_table(EventTable::parse("mine", table).unwrap());
    let mine = Origin::UserTable("mine".to_owned());
    assert_eq!(
        (one(&with_table, "BRANCH-misses").config, one(&with_table, "BRANCH-misses").origin),
        (1, mine)
    );
    assert_eq!(one(&with_table, "r1a8").config, 0x1a8, "what is spelt out is what it is");
}

#[test]
fn a_hybrid_part_opens_an_event_on_each_pmu_that_knows_it() {
    let tree = Tree::new("hybrid");
    let alder_lake = machine(&tree, "GenuineIntel-6-97-2");
    let pmus = |spec: &str| -> Vec<_> {
        let configs = alder_lake.resolve(spec).unwrap().into_iter();
        configs.map(|event| (event.name, event.pmu_type, event.config)).collect()
    };
    assert_eq!(
        pmus("BR_MISP_RETIRED.ALL_BRANCHES"),
        [
            ("cpu_atom/BR_MISP_RETIRED.ALL_BRANCHES/".to_owned(), 8, 0xc5),
            ("cpu_core/BR_MISP_RETIRED.ALL_BRANCHES/".to_owned(), 4, 0xc5)
        ]
    );
    assert_eq!(
        pmus("EXE_ACTIVITY.2_PORTS_UTIL"),
        [("cpu_core/EXE_ACTIVITY.2_PORTS_UTIL/".to_owned(), 4, 0x4a6)]
    );
    assert_eq!(pmus("LD_HEAD.ANY_AT_RET").len(), 1);
    // A table can be for one PMU alone.
    let table = "#oprof-events 1\n#pmu cpu_atom\nMINE\tevent=0x7\n";
    let with_table = alder_lake.clone().with_table(EventTable::parse("mine", table).unwrap());
    assert_eq!(with_table.resolve("mine").unwrap().iter().map(|e| e.pmu_type).collect::<Vec<_>>(), [8]);
    // One for a PMU that is not there would never be asked.
    let missing = EventTable::parse("mine", &table.replace("cpu_atom", "cpu_cor")).unwrap();
    let message = alder_lake.clone().with_checked_table(missing.clone()).unwrap_err().to_string();
    assert!(message.contains("\"mine\" is for PMU \"cpu_cor\""), "{message}");
    assert!(message.contains("its core PMUs are cpu_atom, cpu_core;"), "{message}");
    assert!(alder_lake.with_checked_table(EventTable::parse("mine", table).unwrap()).is_ok());
    let vm = Tree::new("vm");
    assert!(vm.system().with_checked_table(missing.clone()).is_ok(), "nothing to compare with");
    let foreign = System::foreign(BuiltInTable::find("skylake").unwrap().parse().unwrap());
    assert!(foreign.with_checked_table(missing).is_ok());
}

#[test]
fn names_of_tables_stand_between_slashes_too() {
    let tree = Tree::new("hybrid");
    let alder_lake = machine(&tree, "GenuineIntel-6-97-2");
    let misses = one(&alder_lake, "cpu_core/BR_MISP_RETIRED.ALL_BRANCHES/u");
    assert_eq!((misses.pmu_type, misses.config, misses.kernel), (4, 0xc5, false));
    assert_eq!(misses.origin, Origin::Vendor("alderlake_goldencove".to_owned()));
    assert_eq!(
        (misses.name.as_str(), misses.cpus),
        ("cpu_core/BR_MISP_RETIRED.ALL_BRANCHES/", Some(vec![0]))
    );
    assert!(error(&alder_lake, "cpu_atom/EXE_ACTIVITY.2_PORTS_UTIL/").contains("cpu_atom has no term"));

    let tree = Tree::full("intel");
    let skylake = machine(&tree, "GenuineIntel-6-5E-3");
    let config = |spec: &str| one(&skylake, spec).config;
    assert_eq!(config("cpu/UOPS_ISSUED.ANY,cmask=1/"), 0x0100_010e);
    assert_eq!(
        config("cpu/inv,uops_issued.any,cmask=2,umask=3/"),
        0x0280_030e,
        "what is typed is what counts"
    );
    assert_eq!(config("cpu/uops_issued/:2000003:stall_cycles"), config("uops_issued:2000003:stall_cycles"));
    assert_eq!(one(&skylake, "cpu/UOPS_ISSUED.ANY,period=2000003,name=mine/").name, "mine");
    assert_eq!(one(&skylake, "cpu/branch-misses/").origin, Origin::Sysfs);
    for (spec, part) in [
        ("cpu/UOPS_ISSUED.ANY,BACLEARS.ANY/", "no term \"BACLEARS.ANY\""),
        ("cpu/UOPS_ISSUED.ANY,branch-misses/", "one named event only"),
        ("cpu/uops_issued,umask=1/:2000003:stall_cycles", "given twice"),
        ("cpu/UOPS_ISSUED.ANY/:10", "the minimum is"),
        ("power/UOPS_ISSUED.ANY/", "no term"),
    ] {
        assert!(error(&skylake, spec).contains(part), "{}", error(&skylake, spec));
    }
    let table = "#oprof-events 1\nbranch-misses\tevent=0x1\nmine\tevent=0x2\n";
    let with_table = skylake.clone().with_table(EventTable::parse("mine", table).unwrap());
    assert_eq!(one(&with_table, "cpu/mine,edge/").config, 0x4_0002);
    assert_eq!(one(&with_table, "cpu/branch-misses/").config, 0xc5, "sysfs first");
}

#[test]
fn a_unit_mask_without_description_is_described_by_its_name() {
    let tree = Tree::new("intel");
    let table = "#oprof-events 1\nmine\tevent=0xc4\t\t\tb:0x1:0x1=first,0x2=second\n";
    let system = machine(&tree, "GenuineIntel-6-3C-3").with_table(EventTable::parse("mine", table).unwrap());
    assert_eq!(one(&system, "mine:100000:second").unit_mask_description, "second");
    assert_eq!(one(&system, "mine:100000:first+second").unit_mask_description, "first+second");
}

#[test]
fn oprofiles_specifications_choose_unit_masks() {
    let tree = Tree::new("intel");
    let haswell = machine(&tree, "GenuineIntel-6-3C-3");
    let stalls = one(&haswell, "uops_issued:2000003:stall_cycles:0:1");
    assert_eq!((stalls.config, stalls.count, stalls.kernel), (0x0180_010e, Some(2_000_003), false));
    assert_eq!((stalls.unit_mask, stalls.unit_mask_name.as_str()), (1, "stall_cycles"));
    assert_eq!(one(&haswell, "uops_issued:2000003:0x10").config, 0x100e | 0x10 << 8);
    assert_eq!(one(&haswell, "uops_issued:2000003").config, 0x10e, "the default has a name");
    assert_eq!(one(&haswell, "br_inst_retired:400009:all_branches_pebs").precise, 2);
    for (spec, parts) in [
        ("uops_issued:2000003:1", &["0x1", "any", "stall_cycles", "name"][..]),
        ("uops_issued:2000003:0x77", &["0x77", "none of uops_issued"]),
        ("uops_issued:2000003:nosuch", &["nosuch", "stall_cycles"]),
        ("uops_issued:2000003:any+slow_lea", &["cannot be joined"]),
        ("uops_issued:100", &["100", "minimum is 2000003"]),
        ("LD_BLOCKS.NO_SR:100003:0x3", &["no unit masks"]),
        ("LD_BLOCKS.NO_SR:10", &["minimum is 5000"]),
        ("uops_isued", &["did you mean", "uops_issued"]),
    ] {
        let message = error(&haswell, spec);
        for part in parts {
            assert!(message.contains(part), "{spec}: {part:?} is not in {message}");
        }
        assert!(!message.contains('\n'));
    }
    assert_eq!(one(&haswell, "LD_BLOCKS.NO_SR:100003:0x8").unit_mask, 8, "to say what is so is no mistake");
}

#[test]
fn masks_chosen_by_number_bring_their_terms() {
    let westmere = System::foreign(BuiltInTable::find("i386/westmere").unwrap().parse().unwrap());
    let (any, cmask) = (1 << 21, 1 << 24);
    for (mask, config) in [
        ("0x3", 0x3b1),
        ("0x4", 0x4b1 | any),
        ("port2_core", 0x4b1 | any),
        ("0xc", 0xcb1 | any),
        ("0x4+0x8", 0xcb1 | any),
        ("0x1f", 0x1fb1 | any | cmask),
    ] {
        assert_eq!(one(&westmere, &format!("UOPS_EXECUTED:2000000:{mask}")).config, config, "{mask}");
    }
    let numbers = error(&westmere, "UOPS_EXECUTED:2000000:0x5");
    assert!(numbers.contains("0x5 mixes ways of counting that exclude each other"), "{numbers}");
    assert_eq!(numbers.replace("0x5", "0x1+0x4"), error(&westmere, "UOPS_EXECUTED:2000000:0x1+0x4"));
}

#[test]
fn the_pentium_4_is_encoded_by_the_kernels_numbers() {
    let tree = Tree::new("p4");
    let p4 = machine(&tree, "GenuineIntel-15-2-7");
    let branches = one(&p4, "BRANCH_RETIRED:6000");
    assert_eq!((branches.config, branches.unit_mask, branches.pmu_type), (41 << 57 | 0xc << 41, 0xc, 4));
    assert_eq!(branches.unit_mask_description, "branch taken predicted; branch taken mispredicted");
    assert_eq!(one(&p4, "BRANCH_RETIRED:6000:0x1+0x2").unit_mask, 3);
    assert_eq!(one(&p4, "BSQ_CACHE_REFERENCE:6000:0x100").config, 9 << 57 | 0x100 << 41);
    assert!(error(&p4, "MEMORY_COMPLETE:6000:4").contains("which the kernel refuses"));
    assert!(error(&p4, "X87_SIMD_MOVES_UOP:6000").contains("no encoding"));
    assert!(error(&p4, "BRANCH_RETIRED:100").contains("minimum is 3000"));
}

#[test]
fn groups_are_numbered_and_share_modifiers() {
    let tree = Tree::new("intel");
    let skylake = machine(&tree, "GenuineIntel-6-5E-3");
    let events = skylake.resolve_all(&["{branches,instructions}:u,cs", "{r1c0}"]).unwrap();
    let number = |event: &EventConfig| event.group.map(|group| group.number);
    let seen: Vec<_> = events.iter().map(|event| (number(event), event.kernel)).collect();
    assert_eq!(seen, [(Some(0), false), (Some(0), false), (None, true), (Some(1), true)]);
    let spaces = |list: &str| -> Vec<_> {
        let events = skylake.resolve_all(&[list]).unwrap().into_iter();
        events.map(|event| (event.user, event.kernel, event.hypervisor, event.precise)).collect()
    };
    assert_eq!(spaces("{cycles:u,instructions}:k"), [(true, true, false, 0), (false, true, false, 0)]);
    assert_eq!(spaces("{cycles:5000000:0:0:1,cs:p}:k"), [(true, true, false, 0), (false, true, false, 1)]);
    assert_eq!(spaces("{cycles:u,cs}:p"), [(true, false, false, 1), (true, true, true, 1)]);
    let flags = |list: &str| -> Vec<_> {
        let groups = skylake.resolve_all(&[list]).unwrap().into_iter().map(|event| event.group.unwrap());
        groups.map(|group| (group.leader_samples, group.weak)).collect()
    };
    assert_eq!(flags("{cycles:5000000,cs}:Su"), [(true, false); 2]);
    assert_eq!(flags("{cycles,cs}:W"), [(false, true); 2]);
    assert_eq!(spaces("{cycles,cs:u}:S"), [(true, true, true, 0), (true, false, false, 0)]);
    let own = skylake.resolve_all(&["{cycles,cs:5}:S"]).unwrap_err().to_string();
    assert!(own.contains("only the first event is sampled"), "{own}");
    for bad in [
        "{cycles,cs}:SW",
        "cycles:S",
        "cs:W",
        "{cycles,cs}:",
        "{cycles",
        "{cycles,{cs}}",
        "cycles}",
        "{cycles}u",
        "{}",
        "{cycles}:z",
    ] {
        assert!(skylake.resolve_all(&[bad]).is_err(), "{bad}");
    }
}

#[test]
fn counters_that_do_not_suffice_are_told_before_anything_is_opened() {
    let tree = Tree::new("intel");
    let skylake = machine(&tree, "GenuineIntel-6-5E-3");
    let together = |lists: &[&str]| skylake.check_together(&mut skylake.resolve_all(lists).unwrap());
    let five = "LD_BLOCKS.NO_SR,BACLEARS.ANY,ARITH.DIVIDER_ACTIVE,ICACHE_16B.IFDATA_STALL,UOPS_ISSUED.ANY";
    assert_eq!(together(&["BACLEARS.ANY,cycles,instructions"]).unwrap(), [""; 0]);
    let notes = together(&[five]).unwrap();
    assert!(
        notes.len() == 1 && notes[0].contains("5 events do not fit on the 4 counters of PMU cpu"),
        "{notes:?}"
    );
    assert_eq!(
        together(&["cycles,instructions,ref-cycles", "BACLEARS.ANY"]).unwrap(),
        [""; 0],
        "fixed counters"
    );
    let group = format!("{{{five}}}");
    assert!(matches!(together(&[&group]), Err(Error::GroupTooLarge { events: 5, counters: 4, .. })));
    let mut weak = skylake.resolve_all(&[&format!("{group}:W")]).unwrap();
    let broken_up = skylake.check_together(&mut weak).unwrap();
    assert!(
        broken_up.len() == 2 && broken_up[1].contains("cannot be counted at the same time"),
        "{broken_up:?}"
    );
    assert!(weak.iter().all(|event| event.group.is_none()));
    let fixed = "cycles,instructions,CPU_CLK_UNHALTED.REF_TSC";
    let four = "LD_BLOCKS.NO_SR,BACLEARS.ANY,ARITH.DIVIDER_ACTIVE,ICACHE_16B.IFDATA_STALL";
    let full = format!("{{{fixed},{four}}}");
    assert_eq!(together(&[&full]).unwrap(), [""; 0], "three fixed counters and all four general ones");
    let again = format!("{{{fixed},r1c0,{four}}}");
    assert!(
        matches!(together(&[&again]), Err(Error::GroupTooLarge { events: 8, .. })),
        "a fixed counter is one"
    );
    // On Haswell only counter 2 can count misses of the L1D.
    let haswell = machine(&tree, "GenuineIntel-6-3C-3");
    let mut both = haswell.resolve_all(&["L1D_PEND_MISS.PENDING,CYCLE_ACTIVITY.STALLS_L1D_PENDING"]).unwrap();
    assert_eq!(haswell.check_together(&mut both).unwrap().len(), 1);
    let group = "{cycles,L1D_PEND_MISS.PENDING,BACLEARS.ANY,CYCLE_ACTIVITY.STALLS_L1D_PENDING}";
    let refused =
        haswell.check_together(&mut haswell.resolve_all(&[group]).unwrap()).unwrap_err().to_string();
    assert!(
        refused
            .starts_with("events \"L1D_PEND_MISS.PENDING,CYCLE_ACTIVITY.STALLS_L1D_PENDING\": in one group"),
        "{refused}"
    );
    assert!(refused.contains("PMU cpu has no more than counter 2 for them"), "{refused}");
    // Three that two counters have to do for, none of which wants both of the others' two.
    let rows = "#oprof-events 1\na\tevent=1\t0\nb\tevent=2\t1\nc\tevent=3\t0-1\nd\tevent=4\t0-3\n";
    let with_table = skylake.clone().with_table(EventTable::parse("mine", rows).unwrap());
    let refused =
        with_table.check_together(&mut with_table.resolve_all(&["{a,b,c,d}"]).unwrap()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("events \"a,b,c\": in one group, and PMU cpu has no more than counter 0-1")
    );
    let mut fits = with_table.resolve_all(&["{a,c,d}"]).unwrap();
    assert_eq!(with_table.check_together(&mut fits).unwrap(), [""; 0]);
}

#[test]
fn an_event_is_given_once() {
    let tree = Tree::new("intel");
    let skylake = machine(&tree, "GenuineIntel-6-5E-3");
    let twice = |lists: &[&str]| {
        skylake.check_together(&mut skylake.resolve_all(lists).unwrap()).map_err(|e| e.to_string())
    };
    assert_eq!(
        twice(&["cs", "cpu-clock", "cpu-clock"]).unwrap_err(),
        "event \"cpu-clock\" is given twice; leave one of them out"
    );
    assert_eq!(
        twice(&["{cpu-clock,context-switches}", "cs:u,cs:1000"]).unwrap_err(),
        "event \"cs:1000\" is given twice, first as \"context-switches\"; leave one of them out"
    );
    assert_eq!(twice(&["cycles", "cycles:u", "cycles:p", "r1c0", "r2c0"]).unwrap(), [""; 0]);
}

#[test]
fn without_a_pmu_the_processors_events_are_known_and_out_of_reach() {
    let tree = Tree::new("vm");
    let vm = machine(&tree, "AuthenticAMD-25-61-2");
    assert_eq!(vm.cpu_types(), ["amdzen4", "x86-64/generic"]);
    assert!(
        error(&vm, "ls_not_halted_cyc")
            .contains("amdzen4 has it, but this machine offers no hardware counters")
    );
    assert!(error(&vm, "ls_not_haltd_cyc").contains("did you mean ls_not_halted_cyc?"));
}

#[test]
fn an_other_processors_events_are_encoded_by_built_in_fields() {
    for (cpu, spec, config) in [
        ("i386/p4", "BRANCH_RETIRED:6000:0xc", 0x5200_1800_0000_0000),
        ("x86-64/family10", "LFENCE_INSTRUCTIONS_RETIRED", 0x1_0000_00d3),
        ("lunarlake_lioncove", "BR_INST_RETIRED.COND", 0x100_0000_11c4),
        ("neoverse-n1", "l1d_cache_refill", 0x3),
        ("power10", "PM_1FLOP_CMPL", 0x45050),
    ] {
        let system = System::foreign(BuiltInTable::find(cpu).unwrap().parse().unwrap());
        assert_eq!(one(&system, spec).config, config, "{cpu} {spec}");
        assert!(system.resolve("cpu-clock").is_err(), "nothing of this machine's");
    }
}

#[test]
fn descriptions_come_by_name_by_vendor_and_by_encoding() {
    let tree = Tree::new("intel");
    let skylake = machine(&tree, "GenuineIntel-6-5E-3");
    let described = |spec: &str| one(&skylake, spec).description;
    let mispredicts = "retired branch instructions that were mispredicted";
    assert_eq!(described("BR_MISP_RETIRED.ALL_BRANCHES"), mispredicts);
    assert_eq!(described("br_misp_retired:400009:all_branches"), mispredicts);
    let tree = Tree::new("amd");
    let zen = machine(&tree, "AuthenticAMD-25-61-2");
    assert!(!one(&zen, "ex_ret_brn_misp").description.is_empty());
}
