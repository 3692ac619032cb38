//! Signals and sudden ends: the command gets what is meant for it, and what was recorded is kept.

mod harness;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use harness::{Place, Started, User, assert_no_panic, share_of, symbols_of, until, users};
use rustix::process::{Pid, Signal, kill_process};

/// Burns so many seconds of CPU time, after telling its process id in a file; with a second argument it ignores
/// interrupts.
const LONG: &str = "#include <signal.h>
    BURNER(long_work)
    int main(int n, char **v) {
        if (n > 2) signal(SIGINT, SIG_IGN);
        FILE *file = fopen(\"pid.new\", \"w\");
        fprintf(file, \"%d\", getpid());
        fclose(file);
        rename(\"pid.new\", \"pid\");
        long_work(atof(v[1]));
        return 0;
    }";

/// `oprof record OPTIONS ./long ARGUMENTS`, running.
fn start(place: &Place, options: &str, arguments: &str) -> Option<Started> {
    if !place.path("long").exists() {
        place.cc("long", LONG)?;
    }
    let _ = fs::remove_file(place.path("pid"));
    let mut oprof = place.oprof(["record"]);
    oprof.args(options.split_whitespace()).args(["--", "./long"]).args(arguments.split_whitespace());
    Some(Started::new(oprof.stdout(Stdio::null()).stderr(Stdio::piped())))
}

/// The command's process id, once it runs.
fn command_pid(place: &Place) -> u32 {
    until("the command", || fs::read_to_string(place.path("pid")).ok()?.parse().ok())
}

fn exists(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// The CPU time that a process has used, in seconds: fields 14 and 15 of proc_pid_stat(5), in 1/100 s.
fn cpu_time(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?) / 100.0)
}

/// Waits until a process has used this much CPU time, however long a busy machine takes for it.
fn until_used(pid: u32, seconds: f64) {
    until("some CPU time", || cpu_time(pid).filter(|used| *used >= seconds));
}

/// Ctrl-C reaches both: the command dies of it, that is passed on, and the recording is whole.
#[test]
fn an_interrupt_from_the_terminal_ends_the_command() {
    for user in users() {
        let place = Place::of(user);
        let Some(started) = start(&place, "", "30") else { return };
        let pid = command_pid(&place);
        until_used(pid, 0.2);
        started.signal_group(Signal::INT);
        let finished = started.finish().with_status(130);
        assert!(!exists(pid), "{user:?}: the command is gone");
        assert!(!finished.stderr.contains("cut off"), "{user:?}: {}", finished.stderr);
        assert!(
            share_of(&symbols_of(&place, "oprof.data"), |row| row.name == "long_work") > 50.0,
            "{user:?}"
        );
        assert_eq!(place.names_ending(".tmp"), [""; 0], "{user:?}");
    }
}

/// A signal to oprof alone, from a script or a service manager, ends the command in order.
#[test]
fn a_termination_of_oprof_ends_the_command() {
    for (signal, user) in
        [(Signal::TERM, User::Own), (Signal::HUP, User::Own), (Signal::TERM, User::unprivileged())]
    {
        let place = Place::of(user);
        let Some(started) = start(&place, "", "30") else { return };
        let pid = command_pid(&place);
        until_used(pid, 0.2);
        started.signal(signal);
        let finished = started.finish();
        assert_eq!(finished.code(), Some(143), "{user:?}, {signal:?}: {}", finished.stderr);
        assert!(!exists(pid), "{user:?}: the command is gone");
        assert!(
            share_of(&symbols_of(&place, "oprof.data"), |row| row.name == "long_work") > 50.0,
            "{user:?}"
        );
    }
}

/// A command that ignores Ctrl-C cannot hold oprof: the second one ends the recording.
#[test]
fn two_interrupts_end_the_recording_of_a_stubborn_command() {
    for user in users() {
        let place = Place::of(user);
        let Some(mut started) = start(&place, "", "30 stubborn") else { return };
        let pid = command_pid(&place);
        until_used(pid, 0.3);
        started.signal_group(Signal::INT);
        // The first is the command's: recording goes on for as long as the command does.
        let used = cpu_time(pid).expect("it still runs");
        until_used(pid, used + 0.6);
        assert!(started.is_running(), "{user:?}: the first interrupt is left to the command");
        let group = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        started.signal_group(Signal::INT);
        let ours = started.id();
        let finished = started.finish_alone();
        assert_eq!(finished.code(), Some(130), "{user:?}: {}", finished.stderr);
        assert_no_panic(&finished.stderr);
        assert!(exists(pid), "{user:?}: the command was not killed");
        let after = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        assert!(
            !after.contains(&format!("oprof-{ours}-")),
            "{user:?}: it was moved out of {group}, into {after}"
        );
        kill_process(Pid::from_raw(pid as i32).expect("a process"), Signal::KILL).expect("it can be killed");
        let symbols = symbols_of(&place, "oprof.data");
        let samples: u64 = symbols.iter().filter(|row| row.name == "long_work").map(|row| row.samples).sum();
        assert!(samples > 320, "{user:?}: it was recorded after the first interrupt too: {symbols:#?}");
    }
}

/// A job that oprof runs in the background of a script is not ended by Ctrl-C: where signals are ignored they stay so.
#[test]
fn an_ignored_hang_up_stays_ignored() {
    let place = Place::new();
    let Some(_) = place.cc("long", LONG) else { return };
    let oprof = place.oprof(["record"]).get_program().to_owned();
    let mut nohup = place.command("nohup");
    nohup.arg(oprof).args(["record", "-q", "--", "./long", "0.4"]);
    let started = Started::new(nohup.stdout(Stdio::null()).stderr(Stdio::piped()));
    command_pid(&place);
    started.signal_group(Signal::HUP);
    started.finish().with_status(0);
}

/// The directory of a process's control group, if oprof made that.
fn own_group(pid: u32) -> Option<PathBuf> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = groups.lines().find(|line| line.contains("oprof-"))?.splitn(3, ':').nth(2)?.to_owned();
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let points =
        mounts.lines().filter(|line| line.contains(" - cgroup")).filter_map(|line| line.split(' ').nth(4));
    points.map(|point| PathBuf::from(format!("{point}{path}"))).find(|path| path.is_dir())
}

/// A recorder that is killed leaves a recording up to its last flush, which says that it was cut off; the next run
/// removes the control group that was left.
#[test]
fn a_killed_recorder_leaves_a_readable_recording() {
    for user in users() {
        let place = Place::of(user);
        let Some(mut started) = start(&place, "-e cpu-clock -c 1000000", "60") else { return };
        let pid = command_pid(&place);
        until_used(pid, 2.2);
        let group = own_group(pid);
        assert_eq!(group.is_some(), user.is_root() && scope_of(&place) == "cgroup", "{user:?}: {group:?}");
        let used = cpu_time(pid).expect("it runs");
        started.signal(Signal::KILL);
        let finished = started.finish_alone();
        assert_eq!(finished.code(), None, "{user:?}: a signal ended it");
        let symbols_lost = place.report("-l oprof.data").with_status(0);
        assert!(symbols_lost.stderr.contains("cut off"), "{user:?}: {}", symbols_lost.stderr);
        let symbols = symbols_of(&place, "oprof.data");
        // The program has symbols, and they were not looked at.
        assert!(symbols.iter().all(|row| row.name == "(names missing)"), "{user:?}: {symbols:#?}");
        assert!(symbols_lost.stderr.contains("names missing"), "{user:?}: {}", symbols_lost.stderr);
        let samples: u64 = symbols.iter().map(|row| row.samples).sum();
        // A sample stands for 1 ms. The command may have gone on between the look and the kill; a busy machine may
        // delay a flush.
        let recorded = samples as f64 / 1000.0;
        // Without privilege time in the kernel is used and not recorded.
        let least = if user.is_root() { used - 1.7 } else { 0.2 };
        assert!(recorded > least, "{user:?}: {recorded} s of {used} s are in the recording");
        assert!(recorded < used + 2.0, "{user:?}: {recorded} s of {used} s are in the recording");
        assert_eq!(place.names_ending(".tmp"), [""; 0], "{user:?}");
        // While the command lives its group cannot be removed, and is no obstacle.
        if exists(pid) {
            place.record("-q -o next.data", "true").with_status(0);
            kill_process(Pid::from_raw(pid as i32).expect("a process"), Signal::KILL)
                .expect("it can be killed");
            until("the end of the command", || (!exists(pid)).then_some(()));
        }
        if let Some(group) = group {
            until("the removal of the group", || {
                place.record("-q -o next.data", "true").with_status(0);
                (!group.exists()).then_some(())
            });
        }
        // The next recording under the same name keeps the one that was cut off.
        place.record("-q", "true").with_status(0);
        assert!(place.report("-l oprof.data.old").with_status(0).stderr.contains("cut off"), "{user:?}");
    }
}

/// However often a recorder is killed, the last whole recording is there.
#[test]
fn killed_recorders_cost_no_whole_recording() {
    for user in users() {
        let place = Place::of(user);
        place.record("-q", "true").with_status(0);
        let whole = place.bytes("oprof.data");
        let mut last = whole.clone();
        for _ in 0..3 {
            let Some(mut started) = start(&place, "", "60") else { return };
            until("its recording", || (place.bytes("oprof.data") != last).then_some(()));
            started.signal(Signal::KILL);
            started.finish_alone();
            last = place.bytes("oprof.data");
            assert!(place.bytes("oprof.data.old") == whole, "{user:?}");
            assert_eq!(place.names_ending(".tmp"), [""; 0], "{user:?}");
        }
        let finished = place.record("", "true").with_status(0);
        assert!(
            finished.stderr.contains("oprof.data was not complete and is replaced"),
            "{user:?}: {}",
            finished.stderr
        );
        assert!(place.bytes("oprof.data.old") == whole, "{user:?}");
    }
}

/// The scope that auto takes here.
fn scope_of(place: &Place) -> String {
    let finished = place.record("-v -o scope.data", "true").with_status(0);
    let words = finished.stderr.split_once("scope ").map_or("", |(_, rest)| rest);
    words.split([',', ' ', '\n']).next().unwrap_or_default().to_owned()
}

/// Without a command nothing but its reader needs the count.
#[test]
fn a_count_without_a_command_ends_with_its_reader() {
    let place = Place::new();
    let mut sleep = place.command("sleep");
    let sleeping = Started::new(sleep.arg("60"));
    let pid = sleeping.id().to_string();
    let mut oprof = place.oprof(["stat", "-e", "page-faults", "-I", "50", "-p", &pid]);
    let mut started = oprof.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(started.stderr.take());
    until("its end", || started.try_wait().expect("it was started").map(|status| assert!(status.success())));
}
