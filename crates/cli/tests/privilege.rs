//! Without privilege oprof does what it may, and says in a line what it may not and what would help.

mod harness;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use harness::{Coverage, Place, User, assert_one_line, finish, share_of, skipped, symbols_of};

const BURN_A_FIFTH: &str = "BURNER(work) int main(void) { work(0.2); return 0; }";

fn paranoid() -> i32 {
    let level = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap_or_default();
    level.trim().parse().unwrap_or(2)
}

/// Everybody can profile their own programs.
#[test]
fn an_ordinary_user_can_profile_a_command() {
    let place = Place::of(User::unprivileged());
    let Some(_) = place.cc("program", BURN_A_FIFTH) else { return };
    if paranoid() > 2 {
        return skipped("perf events are forbidden to ordinary users here");
    }
    let finished = place.record("-v", "./program").with_status(0);
    assert!(finished.stderr.contains("scope inherit") || paranoid() < 1, "{}", finished.stderr);
    assert!(share_of(&symbols_of(&place, "oprof.data"), |row| row.name == "work") > 80.0);
    assert_eq!(Coverage::read(&finished.stderr).processes, 1);
    place.report("").with_status(0);
}

/// Where only user code may be sampled, a line says so with the setting that would change it, and no kernel row is
/// in the table.
#[test]
fn what_may_not_be_sampled_is_told() {
    let place = Place::of(User::unprivileged());
    if paranoid() != 2 {
        return skipped("kernel.perf_event_paranoid is not 2");
    }
    if !User::Own.is_root() && place.record("-q --scope system", "true").code() == Some(0) {
        return skipped("this user has the privilege");
    }
    let finished = place.record("", "true").with_status(0);
    let line = finished.stderr.lines().find(|line| line.contains("perf_event_paranoid"));
    let line = line.unwrap_or_else(|| panic!("the setting is not named:\n{}", finished.stderr));
    assert!(line.contains("user code") && line.contains("sysctl"), "{line}");
    assert!(symbols_of(&place, "oprof.data").iter().all(|row| row.image != "[kernel]"));
}

/// Of several events the one is named that is refused, and not one that would do without the kernel.
#[test]
fn the_event_that_is_refused_is_named() {
    let place = Place::of(User::unprivileged());
    if paranoid() != 2 || place.record("-q -e context-switches", "true").code() == Some(0) {
        return skipped("this user may look into the kernel");
    }
    let finished = place.record("-e page-faults,context-switches", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["event 'context-switches'", "perf_event_paranoid"]);
    assert!(!place.path("was-run").exists());
}

/// Where the directory of the configuration is somebody else's, as HOME can be under sudo, there is none.
#[test]
fn a_configuration_that_is_out_of_reach_is_none() {
    let place = Place::of(User::unprivileged());
    let directory = place.path("locked");
    fs::create_dir_all(directory.join("oprof")).expect("a directory");
    fs::write(directory.join("oprof/config.toml"), "nonsense").expect("a file");
    let lock = |mode| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).expect("permissions");
    lock(0o000);
    let mut oprof = place.oprof(["record", "-q", "true"]);
    let finished = finish(oprof.env("XDG_CONFIG_HOME", &directory));
    lock(0o700);
    finished.with_status(0);
}

/// A scope that needs privilege is refused in one line, with the remedy, before the command runs.
#[test]
fn a_scope_that_needs_privilege_is_one_line() {
    let place = Place::of(User::unprivileged());
    for scope in ["cgroup", "system"] {
        let finished = place.record(&format!("-e cpu-clock --scope {scope}"), "touch was-run");
        if finished.code() == Some(0) {
            skipped(&format!("this user may use scope {scope}"));
            continue;
        }
        assert_one_line(&finished.with_status(125).stderr, &["root"]);
        assert!(!place.path("was-run").exists());
        assert!(!place.path("oprof.data").exists());
    }
}

/// An event of the kernel alone cannot be narrowed to user code: that is an error, not an empty recording.
#[test]
fn a_kernel_event_without_privilege_is_one_line() {
    let place = Place::of(User::unprivileged());
    if paranoid() < 2 || (!User::Own.is_root() && place.record("-q --scope system", "true").code() == Some(0))
    {
        return skipped("this user may sample the kernel");
    }
    let finished = place.record("-q -e cpu-clock:k", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["cpu-clock:k", "perf_event_paranoid"]);
    assert!(!place.path("was-run").exists());
}

/// A program that its user may execute but not read runs as ever, and has no names.
#[test]
fn a_program_that_cannot_be_read_has_no_names() {
    use std::os::unix::fs::PermissionsExt;
    if !User::Own.is_root() {
        return skipped("only root can make a file that its user cannot read");
    }
    let place = Place::of(User::Nobody);
    let Some(program) = place.cc("program", BURN_A_FIFTH) else { return };
    fs::set_permissions(&program, fs::Permissions::from_mode(0o711)).expect("permissions");
    // The kernel may refuse to let such a program be watched at all.
    let finished = place.record("", "./program").with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    assert!(symbols.iter().all(|row| row.name != "work"), "{symbols:#?}");
    assert!(finished.stderr.contains("coverage"), "{}", finished.stderr);
}

/// Kernel functions are named for root, and never with user code's names.
#[test]
fn kernel_functions_are_named_for_root() {
    if !User::Own.is_root() {
        return skipped("kernel samples need root");
    }
    let place = Place::new();
    let restricted =
        fs::read_to_string("/proc/sys/kernel/kptr_restrict").is_ok_and(|level| level.trim() == "2");
    place
        .record("-q -e cpu-clock", "dd if=/dev/zero of=/dev/null bs=1M count=3000 status=none")
        .with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    let samples = |named: bool| -> u64 {
        let of_kernel = symbols.iter().filter(|row| row.image == "[kernel]");
        of_kernel.filter(|row| !named || !row.name.starts_with('(')).map(|row| row.samples).sum()
    };
    let all: u64 = symbols.iter().map(|row| row.samples).sum();
    assert!(samples(false) * 2 > all, "it is the kernel that clears memory: {symbols:#?}");
    assert!(restricted || samples(true) * 100 > samples(false) * 95, "{symbols:#?}");
}

#[test]
fn a_command_runs_as_another_user_who_owns_the_recording() {
    let Some(root) = harness::users().into_iter().find(|user| user.is_root()) else {
        let place = Place::of(User::unprivileged());
        let finished = finish(place.oprof(["record", "--user", "root", "true"]).env("HOME", "/"));
        return assert_one_line(&finished.with_status(125).stderr, &["root", "sudo"]);
    };
    let place = Place::of(root);
    let script = "id -u; id -g; echo $USER; echo $HOME; if touch file 2>/dev/null; then echo writes; fi";
    for (scope, user) in [("auto", "nobody"), ("inherit", "65534"), ("system", "nobody")] {
        let mut oprof = place.oprof(["record", "--scope", scope, "--user", user]);
        let finished = finish(oprof.args(["sh", "-c", script])).with_status(0);
        let lines: Vec<&str> = finished.text().lines().collect();
        assert_eq!(lines[..1], ["65534"], "{lines:?}: {}", finished.stderr);
        assert_eq!(lines[2], "nobody");
        assert!(!lines.contains(&"writes"), "it has root's rights: {lines:?}");
        let recording = place.path("oprof.data").metadata().expect("a recording");
        assert_eq!((recording.uid(), recording.mode() & 0o777), (65534, 0o600));
        place.report("-l").with_status(0);
    }
    let finished = finish(&mut place.oprof(["record", "--user", "no-such-user", "true"])).with_status(125);
    assert_one_line(&finished.stderr, &["no-such-user", "none of this name"]);
    let finished = finish(&mut place.oprof(["record", "--user", "nobody", "-a"])).with_status(125);
    assert_one_line(&finished.stderr, &["COMMAND"]);
}
