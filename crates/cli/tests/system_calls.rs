//! `oprof record` with one system call failing at a time: a line or success, never a panic or a hang, nothing left behind,
//! and no command that runs unprofiled without a word.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::{Place, finish, skipped, users};

/// What the kernel never refuses, whatever happens, and what has no meaning to refuse: the exit, the way back from a signal.
const NEVER_REFUSED: [&str; 19] = [
    "arch_prctl",
    "brk",
    "clock_nanosleep",
    "close",
    "execve",
    "exit",
    "exit_group",
    "futex",
    "geteuid",
    "munmap",
    "prlimit64",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "set_robust_list",
    "set_tid_address",
    "uname",
];

/// A refusal that comes in real life; for others `EPERM`, as the filters of containers have it.
const REFUSALS: [(&str, &str); 27] = [
    ("clone", "EAGAIN"),
    ("clone3", "EAGAIN"),
    ("epoll_create1", "EMFILE"),
    ("epoll_ctl", "ENOMEM"),
    ("epoll_pwait", "EINTR"),
    ("epoll_wait", "EINTR"),
    ("eventfd2", "EMFILE"),
    ("fcntl", "EMFILE"),
    ("fdatasync", "EIO"),
    ("flock", "EINTR"),
    ("fstat", "EIO"),
    ("getrandom", "EINTR"),
    ("ioctl", "EINVAL"),
    ("mkdir", "EACCES"),
    ("mmap", "ENOMEM"),
    ("mprotect", "ENOMEM"),
    ("newfstatat", "EACCES"),
    ("openat", "EMFILE"),
    ("pipe2", "EMFILE"),
    ("poll", "EINTR"),
    ("pread64", "EIO"),
    ("read", "EIO"),
    ("rename", "EACCES"),
    ("socketpair", "EMFILE"),
    ("statx", "EACCES"),
    ("unlink", "EACCES"),
    ("write", "ENOSPC"),
];

/// Whoever takes longer hangs.
const LIMIT: Duration = Duration::from_secs(40);

/// How often the recorder's main thread makes each call: until the program's own first step, and all in all.
fn calls(place: &Place, options: &[&str]) -> BTreeMap<String, (usize, usize)> {
    let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    finish(&mut strace(place, &["-o", "trace"], options));
    let trace = fs::read_to_string(place.path("trace")).expect("a trace");
    // The runtime's last step before it: it asks for the stack of signals, and then sets it.
    let mut until_main = 2;
    for line in trace.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let count = calls.entry(name.to_owned()).or_default();
        count.1 += 1;
        if until_main > 0 {
            count.0 = count.1;
            until_main -= usize::from(name == "sigaltstack");
        }
    }
    calls.retain(|name, (before, all)| all > before && !NEVER_REFUSED.contains(&name.as_str()));
    calls
}

fn strace(place: &Place, trace: &[&str], options: &[&str]) -> Command {
    let mut strace = place.command("strace");
    strace.args(trace).arg(env!("CARGO_BIN_EXE_oprof")).args(["record", "-q", "-o", "recorded.data"]);
    strace.args(options).args(["sh", "-c", "echo ran >ran"]);
    strace
}

/// What is wrong with how the recorder took the failure of the `at`th call of this name; nothing where all is well.
fn wrong(name: &str, at: usize, options: &[&str]) -> Option<String> {
    let place = Place::new();
    let refusal = REFUSALS.iter().find(|(call, _)| *call == name).map_or("EPERM", |(_, error)| error);
    let inject = format!("inject={name}:error={refusal}:when={at}");
    let began = Instant::now();
    let finished = finish(&mut strace(&place, &["-o", "/dev/null", "-e", &inject], options));
    let exists = |name: &str| place.path(name).exists();
    let left = place.names_ending(".tmp");
    let stderr = finished.stderr.trim();
    let complaint = match finished.code() {
        _ if began.elapsed() > LIMIT => "it hangs",
        _ if stderr.contains("panicked") => "it panics",
        None => "a signal ends it",
        Some(1..) if stderr.is_empty() => "it fails without a word",
        _ if stderr.lines().any(|line| !line.starts_with("oprof: ")) => "it says more than its own lines",
        _ if exists("ran") && !exists("recorded.data") && stderr.is_empty() => "the command ran unprofiled",
        Some(0) if !exists("ran") => "it says that all is well, and the command did not run",
        _ if !left.is_empty() => "it leaves files behind",
        _ => return None,
    };
    Some(format!("{name} {at} {refusal} {options:?}: {complaint}: {:?} {left:?} {stderr}", finished.code()))
}

#[test]
fn every_system_call_may_fail() {
    let can_trace = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !can_trace.is_ok_and(|status| status.success()) {
        return skipped("strace is not installed, or may not trace here");
    }
    let scopes: &[&[&str]] = match users().iter().any(|user| user.is_root()) {
        true => &[&["--scope", "cgroup"], &["--scope", "inherit"], &["--scope", "system"]],
        false => &[&["--scope", "inherit"]],
    };
    let mut cases = Vec::new();
    for options in scopes {
        for (name, (before, all)) in calls(&Place::new(), options) {
            let mut times = vec![before + 1, before + (all - before).div_ceil(2), all];
            times.dedup();
            cases.extend(times.into_iter().map(|at| (name.clone(), at, *options)));
        }
    }
    assert!(cases.len() > 40, "{cases:?}");
    let next = AtomicUsize::new(0);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut wrongs = Vec::new();
            while let Some((name, at, options)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                wrongs.extend(wrong(name, *at, options));
            }
            wrongs
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert!(wrong.is_empty(), "{} of {} runs:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
