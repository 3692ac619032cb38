//! `oprof stat`: exact counts, of all and of each process.

mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use harness::{
    Finished, Place, SmallDisk, Started, User, assert_no_panic, assert_one_line, finish, skipped, until,
    users,
};
use rustix::process::Signal;
use serde_json::Value;

/// Touches so many pages that were never touched; with more arguments it then runs as many children, each of which
/// touches one page more than the one before.
const TOUCH: &str = r#"
#include <sys/mman.h>
#include <sys/wait.h>
static void touch(long pages) {
    volatile char *memory = mmap(0, (pages + 1) * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise((void *)memory, (pages + 1) * 4096, MADV_NOHUGEPAGE);
    for (long page = 0; page < pages; page++) memory[page * 4096] = 1;
}
int main(int n, char **v) {
    touch(atol(v[1]));
    long children = n > 2 ? atol(v[2]) : 0;
    for (long child = 0; child < children; child++) {
        if (fork() == 0) {
            char pages[32];
            sprintf(pages, "%ld", child);
            if (n > 3) { execl(v[0], v[0], pages, (char *)0); _exit(1); }
            touch(child);
            _exit(0);
        }
        if (child % 8 == 7) while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    while (wait(0) > 0) {}
    return 0;
}"#;

/// Runs `oprof stat OPTIONS -- COMMAND` to its end; options and command are split at blanks.
#[track_caller]
fn stat(place: &Place, options: &str, command: &str) -> Finished {
    stat_these(place, options, &command.split_whitespace().collect::<Vec<_>>())
}

#[track_caller]
fn stat_these(place: &Place, options: &str, command: &[&str]) -> Finished {
    let mut oprof = place.oprof(["stat"]);
    oprof.args(options.split_whitespace());
    if !command.is_empty() {
        oprof.arg("--").args(command);
    }
    finish(&mut oprof)
}

/// The object that `--json` printed.
#[track_caller]
fn object(finished: &Finished) -> Value {
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "one object on a line, and nothing else:\n{}", finished.stderr);
    serde_json::from_str(lines[0]).unwrap_or_else(|error| panic!("{error}:\n{}", finished.stderr))
}

/// The count of an event in an object.
#[track_caller]
fn count(object: &Value, event: &str) -> u64 {
    let events = object["events"].as_array().expect("events");
    let found = events.iter().find(|found| found["name"] == event);
    let found = found.unwrap_or_else(|| panic!("{event} is missing: {object}"));
    found["count"].as_u64().unwrap_or_else(|| panic!("a whole number: {found}"))
}

/// Page faults in user code, which every user may count.
const FAULTS: &str = "page-faults:u";

/// Who runs a build under it sees the build's output and status, and the counts apart from them.
#[test]
fn the_command_keeps_its_output_and_its_status() {
    for user in users() {
        let place = Place::of(user);
        let finished = stat_these(&place, "", &["sh", "-c", "echo hello; exit 3"]).with_status(3);
        assert_eq!(finished.text(), "hello\n", "{user:?}");
        for word in ["counts of sh -c 'echo hello; exit 3'", "task-clock", "page-faults", "wall time"] {
            assert!(finished.stderr.contains(word), "{user:?}: {word} is missing:\n{}", finished.stderr);
        }
        let not_here = finished.stderr.matches("not counted here").count();
        assert!(not_here <= 1, "{user:?}: one line at most on what cannot be counted:\n{}", finished.stderr);
        let killed = stat_these(&place, "-q", &["sh", "-c", "kill -9 $$"]).with_status(137);
        assert!(killed.stderr.contains("wall time"), "{user:?}: a killed command has counts, too");
    }
}

/// What comes to nothing is one line with the status that shells give, and the command does not run.
#[test]
fn what_cannot_be_counted_is_one_line() {
    for user in users() {
        let place = Place::of(user);
        let script = place.script("runs", "echo ran > ran");
        let script = script.to_string_lossy();
        for (options, command, status, word) in [
            ("", "no-such-command-anywhere", 127, "no such command"),
            ("--per-process", "no-such-command-anywhere", 127, "no such command"),
            ("-r 3", "/", 126, "cannot be executed"),
            ("-e no-such-event", &*script, 125, "no-such-event"),
            ("-e page-faults:u,page-faults:u", &*script, 125, "page-faults:u"),
            ("-p 4194305", &*script, 125, "process 4194305"),
            ("-t 4194305", &*script, 125, "thread 4194305"),
            ("-p x", &*script, 125, "not a whole number"),
            ("-C 0,65000", &*script, 125, "65000"),
            ("-C x", &*script, 125, "not a list of CPUs"),
            ("-I 0", &*script, 125, "at least 1"),
            ("-x , --json", &*script, 125, "cannot be used with"),
            ("--per-process -r 2", &*script, 125, "cannot be used with"),
            ("--threshold 5", &*script, 125, "--per-process"),
            ("-o no/such/file", &*script, 125, "no such directory"),
            ("-q", "", 125, "COMMAND"),
        ] {
            let finished = stat(&place, options, command).with_status(status);
            // Without privilege it is the CPU that is refused, whichever it is.
            let word = if options.starts_with("-C 0") && !user.is_root() { "oprof" } else { word };
            assert_one_line(&finished.stderr, &[word]);
            assert!(
                !place.path("ran").exists(),
                "{user:?}: '{options}' did not keep the command from running"
            );
        }
    }
}

/// A count is exact: what a program does more often shows, to the last page but for what the kernel lays out anew each
/// time.
#[test]
fn counts_are_exact_and_those_of_perf() {
    let place = Place::new();
    let Some(_) = place.cc_with("touch", TOUCH, &["-static"]) else { return };
    let faults = |pages: &str| {
        let finished = stat(&place, &format!("--json -e {FAULTS}"), &format!("./touch {pages}"));
        count(&object(&finished.with_status(0)), FAULTS)
    };
    let (few, many) = (faults("1000"), faults("21000"));
    assert!((many - few).abs_diff(20_000) <= 20, "20,000 pages more: {few}, {many}");
    let mut perf = place.command("perf");
    perf.args(["stat", "-x", ",", "-e", FAULTS, "./touch", "21000"]);
    match perf.stderr(Stdio::piped()).stdout(Stdio::piped()).output() {
        Ok(perf) if perf.status.success() => {
            let text = String::from_utf8_lossy(&perf.stderr).into_owned();
            let theirs = text.lines().find_map(|line| line.split(',').next()?.parse::<u64>().ok());
            let theirs = theirs.unwrap_or_else(|| panic!("perf counts: {text}"));
            assert!(many.abs_diff(theirs) <= 20, "ours {many}, perf's {theirs}");
        }
        _ => skipped("perf stat: it is not installed, or does not count"),
    }
}

/// The tree's counts are those of its processes, however many they are and however short, forked or executed.
#[test]
fn every_process_has_its_own_counts_and_together_they_are_the_tree() {
    for (user, children, execute) in
        [(User::Own, 2000, ""), (User::Own, 300, "execute"), (User::unprivileged(), 300, "execute")]
    {
        let place = Place::of(user);
        let Some(_) = place.cc_with("touch", TOUCH, &["-static"]) else { return };
        let command = format!("./touch 100 {children} {execute}");
        let finished = stat(&place, &format!("--per-process --json -e {FAULTS},task-clock:u"), &command);
        let object = object(&finished.with_status(0));
        if object["notes"].to_string().contains("does not tell") {
            return skipped("the kernel does not tell what each process counted");
        }
        let processes = object["processes"].as_array().expect("processes");
        assert_eq!(processes.len(), children + 1, "{user:?}: each child and the command");
        let counts: Vec<&Vec<Value>> =
            processes.iter().filter_map(|process| process["counts"].as_array()).collect();
        if counts.len() < processes.len() / 2 {
            // Linux 5.13 to 6.18 without the repair report nothing.
            return skipped("the kernel does not tell what each process counted");
        }
        assert_eq!(counts.len(), processes.len(), "{user:?}: each has its counts");
        for (index, event) in [FAULTS, "task-clock:u"].iter().enumerate() {
            let sum: u64 = counts.iter().map(|counts| counts[index].as_u64().expect("a number")).sum();
            assert_eq!(sum, count(&object, event), "{user:?}: {event}");
        }
        let mut of_children: Vec<u64> =
            counts.iter().map(|counts| counts[0].as_u64().expect("a number")).collect();
        assert!(of_children.is_sorted_by(|a, b| a >= b), "by the first event");
        of_children.sort_unstable();
        // The nth child touches n pages, beside what each has in common.
        let (least, most) = (of_children[0], of_children[children - 1]);
        assert!((most - least).abs_diff(children as u64) < 40, "{user:?}: {least} to {most}");
        assert!(processes.iter().all(|process| process["wall_time"].is_u64()), "each has ended");
    }
}

/// Each process is told by its command line.
#[test]
fn processes_have_their_command_lines() {
    let place = Place::new();
    let command = ["sh", "-c", "sleep 0.05; sleep 0.06; :"];
    let finished = stat_these(&place, &format!("-q --per-process -e {FAULTS}"), &command).with_status(0);
    for line in ["3 processes", "sleep 0.05", "sleep 0.06", "sh -c 'sleep 0.05; sleep 0.06; :'"] {
        assert!(finished.stderr.contains(line), "{line} is missing:\n{}", finished.stderr);
    }
    let limited =
        stat_these(&place, &format!("-q --per-process --threshold 100 -e {FAULTS}"), &command).with_status(0);
    assert!(limited.stderr.contains("3 processes below 100 % not shown"), "{}", limited.stderr);
}

/// What the members of a group counted was counted at the same time.
#[test]
fn a_group_is_counted_together() {
    let place = Place::new();
    let finished =
        stat(&place, "--json -e {task-clock:u,page-faults:u},minor-faults:u", "true").with_status(0);
    let object = object(&finished);
    let events = object["events"].as_array().expect("events");
    assert_eq!(events[0]["group"], events[1]["group"]);
    assert!(events[0]["group"].is_u64() && events[2].get("group").is_none(), "{object}");
    assert_eq!(events[0]["time_running"], events[1]["time_running"]);
}

/// Several runs are told as one, and none of those that failed is hidden.
#[test]
fn runs_are_repeated_and_failures_told() {
    for user in users() {
        let place = Place::of(user);
        let script = place.script("run", "echo >> runs; test $(wc -l < runs) != 2 || exit 7");
        let script = script.to_string_lossy().into_owned();
        let finished = stat(&place, &format!("-r 4 --json -e {FAULTS}"), &script).with_status(7);
        let object = object(&finished);
        assert_eq!(object["runs"], 4, "{user:?}");
        assert!(object["events"][0]["deviation"].is_number(), "{user:?}: {object}");
        assert!(object["wall_time_deviation"].is_number(), "{user:?}: {object}");
        fs::remove_file(place.path("runs")).expect("it ran");
        let finished = stat(&place, &format!("-r 4 -e {FAULTS}"), &script).with_status(7);
        let line = "oprof: 1 of 4 runs failed, the first with exit status 7";
        assert!(finished.stderr.contains(line), "{user:?}: {}", finished.stderr);
        assert!(finished.stderr.contains("4 runs of "), "{user:?}: {}", finished.stderr);
    }
}

/// Intervals come while the command runs, and together they are all of it.
#[test]
fn intervals_add_up() {
    let place = Place::new();
    let Some(_) = place.cc_with("touch", TOUCH, &["-static"]) else { return };
    let script = "./touch 3000; sleep 0.3; ./touch 5000";
    let finished =
        stat_these(&place, &format!("-I 100 --json -e {FAULTS}"), &["sh", "-c", script]).with_status(0);
    let intervals: Vec<Value> = finished
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(intervals.len() >= 3, "{}", finished.stderr);
    let times: Vec<u64> = intervals.iter().map(|one| one["time"].as_u64().expect("a time")).collect();
    assert!(times.is_sorted() && times[0] >= 100_000_000, "{times:?}");
    let lengths: u64 = intervals.iter().map(|one| one["wall_time"].as_u64().expect("a time")).sum();
    assert_eq!(Some(&lengths), times.last(), "no time is left out");
    let faults: u64 = intervals.iter().map(|one| count(one, FAULTS)).sum();
    assert!((8_000..9_500).contains(&faults), "{faults}");
}

/// A command that ends at once has one interval, its own length.
#[test]
fn a_command_shorter_than_an_interval_has_one() {
    for user in users() {
        let place = Place::of(user);
        let finished = stat(&place, &format!("-I 10000 -x ; -e {FAULTS}"), "true").with_status(0);
        let fields: Vec<&str> = finished.stderr.trim_end().split(';').collect();
        assert_eq!(fields.len(), 8, "{user:?}: {}", finished.stderr);
        let time: f64 = fields[0].parse().expect("seconds");
        assert!(time < 10.0 && fields[3] == FAULTS, "{user:?}: {}", finished.stderr);
    }
}

/// A process that runs already is counted with all its threads, and goes on.
#[test]
fn a_running_process_is_counted() {
    const BUSY: &str = r#"
        #include <pthread.h>
        static void *spin(void *unused) { for (;;) burnt++; }
        int main(void) {
            pthread_t thread;
            pthread_create(&thread, 0, spin, 0);
            FILE *file = fopen("ready.new", "w");
            fclose(file);
            rename("ready.new", "ready");
            pause();
        }"#;
    for user in users() {
        let place = Place::of(user);
        let Some(program) = place.cc("busy", BUSY) else { return };
        let mut busy = Started::new(&mut place.command(program));
        until("the process", || place.path("ready").exists().then_some(()));
        let pid = busy.id();
        let finished = stat(&place, &format!("-p {pid} --json -e task-clock:u"), "sleep 0.4").with_status(0);
        let process = object(&finished);
        let used = count(&process, "task-clock:u");
        assert!((20_000_000..3_000_000_000).contains(&used), "{user:?}: the other thread works: {process}");
        // Its first thread sleeps.
        let finished = stat(&place, &format!("-t {pid} --json -e task-clock:u"), "sleep 0.1").with_status(0);
        assert_eq!(count(&object(&finished), "task-clock:u"), 0, "{user:?}: {}", finished.stderr);
        assert!(busy.is_running(), "{user:?}: it was only counted");
        // Counting ends with what is counted.
        let mut oprof = place.oprof(["stat", "-e", "task-clock:u", "-p", &pid.to_string()]);
        let counting = Started::new(oprof.stdout(Stdio::piped()).stderr(Stdio::piped()));
        until("the counter", || {
            let fds = fs::read_dir(format!("/proc/{}/fd", counting.id())).ok()?.flatten();
            let links: Vec<_> = fds.filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
            links.iter().any(|link| link.to_string_lossy().contains("perf_event")).then_some(())
        });
        busy.signal_group(Signal::KILL);
        drop(busy);
        let finished = counting.finish().with_status(0);
        assert!(
            finished.stderr.contains(&format!("counts of process {pid}")),
            "{user:?}: {}",
            finished.stderr
        );
    }
}

/// Whole CPUs are for those who may see everything; others are told so, once.
#[test]
fn whole_cpus_are_counted_by_the_privileged() {
    for user in users() {
        let place = Place::of(user);
        for options in ["-a", "-C 0", "--scope system"] {
            let finished = stat(&place, &format!("{options} --json -e cpu-clock"), "sleep 0.2");
            if !user.is_root() && finished.code() == Some(125) {
                assert_one_line(&finished.stderr, &["scope system cannot be used", "perf_event_paranoid"]);
                continue;
            }
            let clock = count(&object(&finished.with_status(0)), "cpu-clock");
            // A clock of whole CPUs goes on while these idle.
            assert!(clock >= 150_000_000, "{user:?}, {options}: {clock}");
        }
    }
}

/// In a control group the counts are those of the command as well.
#[test]
fn a_control_group_counts_the_same() {
    let place = Place::new();
    let Some(_) = place.cc_with("touch", TOUCH, &["-static"]) else { return };
    let finished = stat(&place, "--scope cgroup --json -e page-faults", "./touch 5000 4");
    if finished.code() == Some(125) {
        assert_one_line(&finished.stderr, &["scope cgroup cannot be used"]);
        return skipped(&format!("cgroup scope: {}", finished.stderr.trim()));
    }
    let faults = count(&object(&finished.with_status(0)), "page-faults");
    assert!((5_000..6_000).contains(&faults), "{faults}");
}

/// A file of counts is the user's alone, is never reached through a link, and loses nothing to a run that is refused.
#[test]
fn the_file_is_ones_own() {
    for user in users() {
        let place = Place::of(user);
        let options = format!("-q -o counts -e {FAULTS}");
        let finished = stat(&place, &options, "true").with_status(0);
        assert_eq!(finished.stderr, "", "{user:?}: the counts are in the file");
        let metadata = place.path("counts").metadata().expect("the file");
        assert_eq!(metadata.mode() & 0o777, 0o600, "{user:?}");
        let counts = String::from_utf8(place.bytes("counts")).expect("text");
        assert!(counts.contains(FAULTS), "{user:?}: {counts}");
        stat(&place, &options, "no-such-command-anywhere").with_status(127);
        assert_eq!(String::from_utf8(place.bytes("counts")).expect("text"), counts, "{user:?}");
        let victim = place.write("victim", "precious");
        symlink(&victim, place.path("link")).expect("a link");
        fs::hard_link(&victim, place.path("other")).expect("a link");
        for (name, word) in [("link", "symbolic link"), ("other", "hard links"), (".", "directory")] {
            let refused = stat(&place, &format!("-o {name} -e {FAULTS}"), "true").with_status(125);
            // For nobody the victim is root's, whatever its names are.
            let word = if name == "other" && user == User::Nobody { "other" } else { word };
            assert_one_line(&refused.stderr, &[word]);
        }
        assert_eq!(place.bytes("victim"), b"precious", "{user:?}");
    }
}

/// Ctrl-C reaches the command as well: it ends as it does, and what was counted is told.
#[test]
fn an_interrupt_ends_the_command_and_counts_are_told() {
    for options in ["", "--per-process", "-r 5", "-I 60000"] {
        let place = Place::new();
        let script = place.script("long", "echo > started; exec sleep 30");
        let mut oprof = place.oprof(["stat", "-e", FAULTS]);
        oprof.args(options.split_whitespace()).arg("--").arg(&script);
        let started = Started::new(oprof.stdout(Stdio::piped()).stderr(Stdio::piped()));
        until("the command", || place.path("started").exists().then_some(()));
        started.signal_group(Signal::INT);
        let finished = started.finish().with_status(130);
        assert!(finished.stderr.contains(FAULTS), "{options}: {}", finished.stderr);
        assert_no_panic(&finished.stderr);
    }
}

/// Without a command it is Ctrl-C that ends the count, and that is no failure.
#[test]
fn an_interrupt_ends_a_count_without_a_command() {
    let place = Place::new();
    let mut sleep = place.command("sleep");
    let sleeping = Started::new(sleep.arg("60"));
    let pid = sleeping.id().to_string();
    let mut oprof = place.oprof(["stat", "-e", FAULTS, "-I", "50", "-p", &pid, "-o", "counts"]);
    let started = Started::new(oprof.stdout(Stdio::piped()).stderr(Stdio::piped()));
    until("an interval", || fs::read_to_string(place.path("counts")).ok()?.contains(FAULTS).then_some(()));
    started.signal(Signal::INT);
    started.finish().with_status(0);
}

/// A reader of stderr that has gone is no reason to fail, nor to kill the command.
#[test]
fn a_closed_stderr_leaves_the_status() {
    let place = Place::new();
    let mut oprof = place.oprof(["stat", "-e", FAULTS, "sh", "-c", "sleep 0.2; exit 4"]);
    let mut started = oprof.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(started.stderr.take());
    let start = std::time::Instant::now();
    assert_eq!(started.wait().expect("it ends").code(), Some(4));
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn counts_that_nobody_got_are_a_failure() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        return skipped("there is no /dev/full");
    };
    let place = Place::new();
    let mut oprof = place.oprof(["stat", "-e", FAULTS, "true"]);
    let status = oprof.stdout(Stdio::null()).stderr(full).status().expect("it starts");
    assert_eq!(status.code(), Some(125));
}

/// A full disk is one line, and the command's own failure matters more.
#[test]
fn a_full_disk_is_told() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place, "small") else { return };
    disk.fill_but(0);
    let finished = stat(&place, &format!("-q -o small/counts -e {FAULTS}"), "true").with_status(125);
    let (counts, error) = finished.stderr.trim_end().rsplit_once('\n').expect("the counts, and a line");
    assert!(counts.contains(FAULTS), "they are not lost: {counts}");
    assert_one_line(&format!("{error}\n"), &["small/counts", "cannot be written", "free some space"]);
}

/// Programs read the JSON by its description.
#[test]
fn the_json_is_described() {
    let documentation = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/stat-json.md"));
    let documentation = documentation.expect("the description");
    let place = Place::new();
    let mut texts = String::new();
    for options in ["-r 2", "--per-process", "-I 1000"] {
        let group = "{task-clock:u,page-faults:u}";
        texts.push_str(&stat(&place, &format!("--json -e {group} {options}"), "true").with_status(0).stderr);
    }
    let names: BTreeSet<&str> = texts
        .split('"')
        .zip(texts.split('"').skip(1))
        .filter_map(|(name, after)| after.starts_with(':').then_some(name))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(documentation.contains(&format!("`{name}`")), "{name} is not described");
    }
}

/// The kernel's accounting knows the time of what a command has waited for.
#[test]
fn cpu_time_stands_beside_the_counts_of_a_command() {
    let place = Place::of(User::unprivileged());
    let spin = ["sh", "-c", "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; exit 3"];
    let finished = stat_these(&place, "--json -e task-clock:u", &spin).with_status(3);
    let object = object(&finished);
    let time = |name: &str| object[name].as_u64().unwrap_or_else(|| panic!("{name} is missing: {object}"));
    let (cpu, counted) = (time("user_time") + time("system_time"), count(&object, "task-clock:u"));
    // The accounting is by ticks on some kernels, and begins with the fork.
    assert!(time("user_time") > 0 && cpu >= counted / 2, "{cpu} ns of {counted} ns");
    let running = stat(&place, "--json -e task-clock:u -a", "true");
    if running.code() == Some(0) {
        assert!(self::object(&running)["user_time"].is_u64(), "with -a the time is still the command's");
    }
}
