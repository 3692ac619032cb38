//! The checklist of made-up machines.

use oprof_collector::{Hierarchy, Opening, Rehearsal, Settings};
use oprof_profile::Scope;
use rustix::io::Errno;

use super::*;
use crate::doctor::capabilities::Capabilities;
use crate::doctor::check::Verdict;
use crate::doctor::facts::{KernelAddresses, Refusal, Tracefs};

const ALL_CAPABILITIES: u64 = 0x1ff_ffff_ffff;

/// Root on a machine of its own.
fn root() -> Facts {
    let prepared = || Ok(Rehearsal { kernel: true, small_buffers: None });
    Facts {
        release: "6.1.0-18-amd64".to_owned(),
        architecture: "x86_64".to_owned(),
        cpus: 8,
        settings: Settings {
            paranoid: Some(2),
            max_sample_rate: Some(100_000),
            mlock_kb: Some(516),
            kptr_restrict: Some(0),
            cpu_time_max_percent: Some(25),
            nmi_watchdog: Some(0),
        },
        capabilities: Capabilities(ALL_CAPABILITIES),
        initial_user_namespace: true,
        seccomp: false,
        program: "/usr/bin/oprof".to_owned(),
        user_id: 0,
        group_id: 0,
        least_event: Ok(()),
        core_pmus: vec!["cpu".to_owned()],
        is_virtual: false,
        cycles: Ok(Opening::Samples),
        default_event: "cycles".to_owned(),
        hierarchy: Ok(Hierarchy { own_group: "/sys/fs/cgroup".into(), is_v2: true }),
        scopes: vec![(Scope::Cgroup, prepared()), (Scope::System, prepared()), (Scope::Inherit, prepared())],
        kernel_addresses: KernelAddresses::Shown,
        lockable_kb: Some(8192),
        open_files: Some(524_288),
        tracefs: Tracefs::Readable,
        build_ids: Some(true),
    }
}

fn refused(why: &str) -> Result<Rehearsal, Refusal> {
    Err(Refusal { why: why.to_owned(), is_permission: true, at_event: false })
}

/// An ordinary user of that machine.
fn user() -> Facts {
    Facts {
        capabilities: Capabilities(0),
        user_id: 1000,
        group_id: 1000,
        cycles: Ok(Opening::UserSamples),
        scopes: vec![
            (Scope::Cgroup, refused("cannot make a group: Permission denied (os error 13)")),
            (Scope::System, refused("not permitted")),
            (Scope::Inherit, Ok(Rehearsal { kernel: false, small_buffers: None })),
        ],
        kernel_addresses: KernelAddresses::Hidden,
        tracefs: Tracefs::NotPermitted,
        ..root()
    }
}

/// A user to whom nothing is permitted.
fn locked_out(settings: Settings, errno: Errno) -> Facts {
    let scopes =
        [Scope::Cgroup, Scope::System, Scope::Inherit].map(|scope| (scope, refused("not permitted")));
    Facts {
        settings,
        least_event: Err(errno),
        cycles: Err(errno),
        scopes: scopes.to_vec(),
        build_ids: None,
        ..user()
    }
}

fn check(facts: &Facts, what: &str) -> Check {
    checks(facts).into_iter().find(|check| check.what == what).expect("there is such a check")
}

fn cure(facts: &Facts, what: &str) -> String {
    check(facts, what).cure.expect("a cure")
}

#[test]
fn all_is_well_on_one_screen() {
    let checks = checks(&root());
    let not_ok: Vec<_> = checks.iter().filter(|check| check.verdict != Verdict::Ok).collect();
    assert!(not_ok.is_empty(), "{not_ok:?}");
    assert!(checks.len() <= 20 && checks.iter().all(|check| check.cure.is_none()));
    assert_eq!(
        conclusion(&root()),
        "`oprof record COMMAND` works here: event cycles, user and kernel code, scope cgroup."
    );
    assert!(can_record(&root()));
}

#[test]
fn each_check_has_its_own_name() {
    let names: std::collections::HashSet<_> = checks(&root()).iter().map(|check| check.what).collect();
    assert_eq!(names.len(), checks(&root()).len());
}

#[test]
fn an_ordinary_user_is_told_what_is_missed_and_how_to_get_it() {
    let facts = user();
    assert!(can_record(&facts));
    assert_eq!(check(&facts, "paranoid level").verdict, Verdict::Limited);
    assert_eq!(cure(&facts, "paranoid level"), "as root: sysctl kernel.perf_event_paranoid=1");
    assert_eq!(
        cure(&facts, "capabilities"),
        "as root: setcap cap_perfmon,cap_checkpoint_restore,cap_syslog,cap_ipc_lock+ep /usr/bin/oprof"
    );
    assert_eq!(cure(&facts, "scope"), cure(&facts, "capabilities"));
    assert!(check(&facts, "scope").meaning.starts_with("inherit: "));
    assert_eq!(cure(&facts, "kernel symbols"), cure(&facts, "paranoid level"));
    assert_eq!(
        cure(&facts, "tracepoints"),
        "as root: mount -o remount,mode=755,gid=1000 /sys/kernel/tracing"
    );
    assert!(conclusion(&facts).contains("event cycles, user code only, scope inherit"));
}

#[test]
fn each_paranoid_level_says_what_it_permits() {
    let at = |level| {
        let settings = Settings { paranoid: Some(level), ..user().settings };
        check(&Facts { settings, ..user() }, "paranoid level")
    };
    assert_eq!(at(-1).verdict, Verdict::Ok);
    assert_eq!(at(0).verdict, Verdict::Ok);
    assert_eq!(at(1).cure.as_deref(), Some("as root: sysctl kernel.perf_event_paranoid=0"));
    assert!(at(2).meaning.contains("user code only"));
    assert!(at(3).meaning.contains("takes as 2"), "events do open: this kernel knows no level 3");
}

#[test]
fn levels_of_some_distributions_permit_nothing() {
    for level in [3, 4] {
        let settings = Settings { paranoid: Some(level), ..user().settings };
        let facts = locked_out(settings, Errno::ACCESS);
        assert!(!can_record(&facts));
        assert_eq!(check(&facts, "paranoid level").verdict, Verdict::Missing);
        assert_eq!(check(&facts, "perf_event_open").verdict, Verdict::Missing);
        assert_eq!(cure(&facts, "perf_event_open"), "as root: sysctl kernel.perf_event_paranoid=1");
        assert_eq!(check(&facts, "scope").verdict, Verdict::Missing);
        assert!(conclusion(&facts).contains("cannot work"));
    }
}

#[test]
fn a_container_forbids_the_call() {
    let facts = Facts { seccomp: true, ..locked_out(user().settings, Errno::PERM) };
    let check = check(&facts, "perf_event_open");
    assert!(check.meaning.contains("seccomp"), "{check:?}");
    assert!(check.cure.is_some_and(|cure| cure.contains("--cap-add=PERFMON")));
    let without_filter = locked_out(user().settings, Errno::PERM);
    assert!(super::access::perf_event_open(&without_filter).meaning.contains("security module"));
}

#[test]
fn a_kernel_without_perf_events_is_not_the_users_fault() {
    let check = check(&locked_out(user().settings, Errno::NOSYS), "perf_event_open");
    assert!(check.meaning.contains("CONFIG_PERF_EVENTS") && check.cure.is_none());
}

#[test]
fn the_root_of_a_user_namespace_is_not_root() {
    let facts =
        Facts { initial_user_namespace: false, capabilities: Capabilities(ALL_CAPABILITIES), ..user() };
    assert_eq!(check(&facts, "capabilities").verdict, Verdict::Limited);
    assert!(check(&facts, "capabilities").meaning.contains("user namespace"));
    assert!(!cure(&facts, "scope").contains("setcap"));
    assert_eq!(check(&facts, "paranoid level").verdict, Verdict::Limited, "they do not lift the level");
}

#[test]
fn a_virtual_machine_without_counters_samples_a_clock() {
    let facts = Facts {
        core_pmus: Vec::new(),
        is_virtual: true,
        cycles: Err(Errno::NOENT),
        default_event: "cpu-clock".to_owned(),
        ..root()
    };
    assert_eq!(check(&facts, "hardware counters").verdict, Verdict::Missing);
    assert!(cure(&facts, "hardware counters").starts_with("on the host: "));
    assert!(check(&facts, "default event").meaning.starts_with("cpu-clock in place of cycles"));
    assert!(checks(&facts).iter().all(|check| check.what != "NMI watchdog"), "there is no counter to take");
    let metal = Facts { is_virtual: false, ..facts };
    assert_eq!(check(&metal, "hardware counters").cure, None);
}

#[test]
fn counters_without_interrupt_count_only() {
    let facts = Facts { cycles: Ok(Opening::Counts), ..root() };
    assert_eq!(check(&facts, "hardware counters").verdict, Verdict::Limited);
}

#[test]
fn without_control_groups_the_whole_system_is_sampled() {
    let mut facts = root();
    facts.hierarchy =
        Err("no cgroup v2 file system is mounted; as root: mount -t cgroup2 none /mnt".to_owned());
    facts.scopes[0].1 = refused("no cgroup v2 file system is mounted");
    assert_eq!(check(&facts, "control group").meaning, "no cgroup v2 file system is mounted");
    assert_eq!(cure(&facts, "control group"), "as root: mount -t cgroup2 none /mnt");
    assert!(check(&facts, "scope").meaning.starts_with("system: "));
    assert!(can_record(&facts));
}

#[test]
fn a_group_without_events_is_told_from_no_group() {
    let mut facts = user();
    let why = "event 'task records': not permitted".to_owned();
    facts.scopes[0].1 = Err(Refusal { why, is_permission: true, at_event: true });
    assert!(
        check(&facts, "control group")
            .meaning
            .ends_with("a group can be made; events for it take a privilege")
    );
    assert_eq!(cure(&facts, "control group"), cure(&facts, "capabilities"));
    facts.least_event = Err(Errno::PERM);
    assert!(check(&facts, "control group").meaning.ends_with("no event can be opened for it"));
}

#[test]
fn a_scope_that_fails_otherwise_ends_record_as_it_would() {
    let mut facts = root();
    facts.scopes[0].1 =
        Err(Refusal { why: "cannot start a process".to_owned(), is_permission: false, at_event: false });
    assert!(!can_record(&facts), "record does not go on to the next scope");
    assert_eq!(check(&facts, "scope").meaning, "none can be had: cannot start a process");
}

#[test]
fn hidden_kernel_addresses_are_cured_by_what_hides_them() {
    let hidden = |facts: Facts, restrict, paranoid| {
        let settings = Settings { kptr_restrict: Some(restrict), paranoid: Some(paranoid), ..facts.settings };
        check(&Facts { settings, kernel_addresses: KernelAddresses::Hidden, ..facts }, "kernel symbols").cure
    };
    let sysctl = |settings: &str| Some(format!("as root: sysctl {settings}"));
    assert_eq!(hidden(root(), 2, 2), sysctl("kernel.kptr_restrict=1"));
    assert_eq!(hidden(user(), 2, 1), sysctl("kernel.kptr_restrict=0"));
    assert_eq!(hidden(user(), 1, 2), sysctl("kernel.kptr_restrict=0 kernel.perf_event_paranoid=1"));
    assert_eq!(hidden(user(), 0, 2), sysctl("kernel.perf_event_paranoid=1"));
    assert_eq!(hidden(root(), 0, 2), None, "nothing known hides them");
}

#[test]
fn small_limits_are_limits() {
    let mut facts = root();
    facts.scopes[0].1 = Ok(Rehearsal {
        kernel: true,
        small_buffers: Some("ring buffers are only 64 KB per CPU: ulimit -l allows no more".to_owned()),
    });
    facts.settings.max_sample_rate = Some(500);
    facts.open_files = Some(1024);
    assert!(check(&facts, "ring buffers").meaning.starts_with("only 64 KB per CPU"));
    assert!(check(&facts, "sample rate").meaning.contains("-F 500"));
    assert!(check(&facts, "open files").meaning.contains("912 mapped files"));
    facts.open_files = Some(100);
    assert!(check(&facts, "open files").meaning.contains(": 0 mapped files"));
    facts.open_files = None;
    assert_eq!(check(&facts, "open files").verdict, Verdict::Ok);
}

#[test]
fn old_kernels_lack_some_things() {
    let old = |release: &str| Facts { release: release.to_owned(), build_ids: Some(false), ..user() };
    assert!(can_record(&old("5.4.0")));
    assert!(!can_record(&old("4.19.0-25")));
    assert_eq!(check(&old("4.19.0-25"), "kernel").verdict, Verdict::Missing);
    assert_eq!(check(&old("5.4.0"), "build ids").verdict, Verdict::Limited);
    assert!(cure(&old("5.4.0"), "capabilities").contains("cap_sys_admin,"));
    assert!(can_record(&old("custom")), "a release that says nothing is given the benefit of the doubt");
}

#[test]
fn a_watchdog_takes_a_counter() {
    let mut facts = root();
    facts.settings.nmi_watchdog = Some(1);
    assert_eq!(cure(&facts, "NMI watchdog"), "as root: sysctl kernel.nmi_watchdog=0");
}
