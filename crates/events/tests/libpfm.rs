//! libpfm4's catalogues, where it is installed.

mod any_processor;

use std::io::Write as _;

use any_processor::{loaded, of_any_processor};
use oprof_events::libpfm::{Libpfm, PfmErrorKind, PfmListed};
use oprof_events::{Error, System};

/// Expected values as in Intel's manual for P4: the escr in the upper half, the cccr in the lower, as the kernel has it
/// (`arch/x86/include/asm/perf_event_p4.h`).
#[test]
fn events_of_netburst_encode_escr_and_cccr() {
    let Some(libpfm) = of_any_processor("events_of_netburst_encode_escr_and_cccr") else { return };
    for (event, config) in [
        ("netburst::BSQ_CACHE_REFERENCE:RD_2ndL_MISS", 0x1202_000f_0003_f000),
        ("netburst::BRANCH_RETIRED:MMTP:MMTM", 0x5200_180f_0003_b000),
    ] {
        let encoded = libpfm.encode(event).expect(event);
        assert_eq!((encoded.attr_type, encoded.config), (4, config), "{event}: {:#x}", encoded.config);
        assert_eq!((encoded.config1, encoded.config2, encoded.precise), (0, 0, 0), "{event}");
        assert!(encoded.user && encoded.kernel, "{event}");
        assert_eq!(encoded.pmu, "netburst");
        assert!(encoded.name.to_lowercase().starts_with(&event.to_lowercase()), "{}", encoded.name);
    }
}

#[test]
fn configurations_and_modes_land_in_their_fields() {
    let Some(libpfm) = of_any_processor("configurations_and_modes_land_in_their_fields") else { return };
    let load = libpfm.encode("skl::MEM_TRANS_RETIRED:LOAD_LATENCY:ldlat=30:u").expect("an event");
    assert_eq!((load.attr_type, load.config, load.config1, load.config2), (4, 0x1cd, 30, 0));
    assert!(load.user && !load.kernel && load.host && !load.guest);
    let kernel = libpfm.encode("amd64_fam17h::RETIRED_INSTRUCTIONS:k:c=2:i").expect("an event");
    assert_eq!((kernel.attr_type, kernel.config), (4, 0x0280_00c0), "{:#x}", kernel.config);
    assert!(!kernel.user && kernel.kernel && !kernel.hypervisor);
}

#[test]
fn errors_tell_unknown_events_from_the_rest() {
    let Some(libpfm) = of_any_processor("errors_tell_unknown_events_from_the_rest") else { return };
    for (event, kind) in [
        ("no_such_event", PfmErrorKind::NotFound),
        ("skl::NO_SUCH_EVENT", PfmErrorKind::NotFound),
        ("no_such_pmu::INST_RETIRED", PfmErrorKind::NotFound),
        ("", PfmErrorKind::NotFound),
        ("::", PfmErrorKind::NotFound),
        ("skl::INST_RETIRED:NO_SUCH_MASK", PfmErrorKind::Other),
        ("netburst::BRANCH_RETIRED", PfmErrorKind::Other),
        ("perf::CYCLES,perf::INSTRUCTIONS", PfmErrorKind::Other),
        ("perf::CYCLES\0", PfmErrorKind::Other),
        ("ééé::\u{1b}[2J", PfmErrorKind::Other),
    ] {
        let error = libpfm.encode(event).expect_err(event);
        assert_eq!(error.kind, kind, "{error}");
        assert!(!error.reason.is_empty() && !error.to_string().contains(char::is_control), "{error}");
        if kind == PfmErrorKind::NotFound {
            assert_eq!(error.reason, "event not found");
            assert_eq!(libpfm.describe(event), None);
        }
    }
}

#[test]
fn catalogues_are_described_and_encode() {
    let Some(libpfm) = of_any_processor("catalogues_are_described_and_encode") else { return };
    let pmus = libpfm.pmus();
    for name in ["skl", "amd64_fam19h_zen4", "netburst"] {
        let Some(pmu) = pmus.iter().find(|pmu| pmu.name == name) else {
            let _ = writeln!(std::io::stderr(), "skipped: this libpfm4 is too old for {name}");
            continue;
        };
        let events = libpfm.events(name);
        assert_eq!(events.len(), pmu.events, "{name}");
        assert!(!pmu.description.is_empty() && (events.len() > 50 || name == "netburst"), "{pmu:?}");
        let mut aliases = 0;
        for event in &events {
            let full = format!("{name}::{}", event.name);
            assert!(!event.description.is_empty() && !event.description.contains(char::is_control), "{full}");
            // An alias is described as what it stands for.
            let described = libpfm.describe(&full).expect(&full);
            aliases += usize::from(described != event.description);
            assert!(!described.is_empty(), "{full}");
            assert!(encodes(&libpfm, &full, event), "{full}: {:?}", libpfm.encode(&full));
        }
        assert!(aliases < 10, "{name}: {aliases} of {}", events.len());
        assert!(events.iter().flat_map(|event| &event.masks).any(|mask| mask.default || name == "netburst"));
        assert!(events.iter().flat_map(|event| &event.masks).all(|mask| !mask.description.is_empty()));
    }
    assert!(libpfm.events("no_such_pmu").is_empty());
}

/// Whether the event encodes by itself or with one of its masks.
fn encodes(libpfm: &Libpfm, full: &str, event: &PfmListed) -> bool {
    let masked = event.masks.iter().map(|mask| format!("{full}:{}", mask.name));
    std::iter::once(full.to_owned()).chain(masked).any(|event| libpfm.encode(&event).is_ok())
}

#[test]
fn threads_share_one_library() {
    let Some(libpfm) = of_any_processor("threads_share_one_library") else { return };
    assert_eq!(libpfm.version().0, 4);
    let expected = libpfm.encode("skl::INST_RETIRED").expect("an event");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let libpfm = Libpfm::load().expect("it is loaded");
                    assert_eq!(libpfm.encode("skl::INST_RETIRED").as_ref(), Ok(&expected));
                    assert!(libpfm.events("skl").len() > 50);
                }
            });
        }
    });
}

/// The kernel's own events are there without the variable, whatever the processor.
#[test]
fn generic_events_need_no_variable() {
    let Some(libpfm) = loaded() else { return };
    let faults = libpfm.encode("perf::PAGE-FAULTS").expect("an event of the kernel");
    assert_eq!((faults.attr_type, faults.config, faults.pmu.as_str()), (1, 2, "perf"));
    assert!(libpfm.pmus().iter().any(|pmu| pmu.name == "perf" && pmu.present && pmu.events > 0));
}

#[test]
fn errors_name_the_event_as_typed() {
    let Some(_) = of_any_processor("errors_name_the_event_as_typed") else { return };
    let spec = "amd64_fam19h_zen4::RETIRED_BRANCH_INSTRUCTIONS:1";
    let error = System::at("/nonexistent", "/nonexistent").resolve(spec).expect_err(spec).to_string();
    assert!(error.starts_with(&format!("event {spec:?}: a count of 1 is too small")), "{error}");
}

#[test]
fn an_event_of_another_processor_is_told_from_an_unknown_one() {
    let Some(libpfm) = loaded() else { return };
    let others = ["netburst", "skl"];
    let pmus = libpfm.pmus();
    let Some(pmu) = pmus.iter().find(|pmu| others.contains(&pmu.name.as_str()) && !pmu.present) else {
        return;
    };
    let name = libpfm.events(&pmu.name)[0].name.clone();
    let system = System::at("/nonexistent", "/nonexistent");
    let error = system.resolve(&format!("{}::{name}:100000", pmu.name)).unwrap_err();
    assert!(matches!(error, Error::OtherProcessor { .. }), "{error}");
    assert!(error.to_string().contains(&format!("for another processor, {};", pmu.description)), "{error}");
    let unknown = system.resolve(&format!("{}::NO_SUCH_EVENT", pmu.name)).unwrap_err();
    assert!(matches!(unknown, Error::UnknownEvent { .. }), "{unknown}");
}
