//! `oprof record --delay`, `--duration` and `--control`: samples of a part of the time.

mod harness;

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::{Place, Started, assert_one_line, finish, samples_of, until, users};
use rustix::fs::{CWD, FileType, Mode};
use rustix::process::Signal;

/// Runs in one function until it is told to run in another (SIGUSR1), and so on; says which by a line.
const PHASES: &str = r#"
#include <signal.h>
#include <unistd.h>
volatile sig_atomic_t phase;
volatile unsigned long turns;
static void next(int signal) { phase++; }
__attribute__((noinline)) void first_phase(void) { while (phase == 0) turns++; }
__attribute__((noinline)) void second_phase(void) { while (phase == 1) turns += 2; }
__attribute__((noinline)) void third_phase(void) { while (phase == 2) turns += 3; }
int main(void) {
    signal(SIGUSR1, next);
    write(1, "1", 1); first_phase();
    write(1, "2", 1); second_phase();
    write(1, "3", 1); third_phase();
}"#;

fn samples(place: &Place) -> [u64; 3] {
    samples_of(place, ["first_phase", "second_phase", "third_phase"])
}

fn fifo(place: &Place, name: &str) -> std::fs::File {
    let path = place.path(name);
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("a FIFO");
    rustix::fs::chmod(&path, Mode::from_raw_mode(0o666)).expect("it is ours");
    std::fs::OpenOptions::new().read(true).write(true).open(path).expect("both ends")
}

#[test]
fn a_fifo_switches_samples_on_and_off_around_a_region() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("phases", PHASES) else { return };
        let (mut orders, mut answers) = (fifo(&place, "orders"), fifo(&place, "answers"));
        let mut tell = |order: &str| {
            writeln!(orders, "{order}").expect("written");
            let mut answer = [0; 4];
            answers.read_exact(&mut answer).expect("an answer");
            assert_eq!(&answer, b"ack\n", "{order}");
        };
        let options = "-e cpu-clock:u --delay off --control fifo:orders,answers";
        let mut oprof = place.oprof(["record"]);
        oprof.args(options.split(' ')).arg("./phases").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut oprof = Started::new(&mut oprof);
        let mut phases = oprof.take_stdout();
        let mut phase = || {
            let mut byte = [0];
            phases.read_exact(&mut byte).expect("a phase");
        };
        phase();
        tell("ping");
        let command = until("the command runs", || {
            let children = format!("/proc/{0}/task/{0}/children", oprof.id());
            // The command is the child of another thread.
            let tasks = std::fs::read_dir(format!("/proc/{}/task", oprof.id())).ok()?.flatten();
            let of_threads = tasks.map(|task| std::fs::read_to_string(task.path().join("children")));
            let all = of_threads.flatten().collect::<String>()
                + &std::fs::read_to_string(children).unwrap_or_default();
            all.split_whitespace().next()?.parse::<i32>().ok()
        });
        let command = rustix::process::Pid::from_raw(command).expect("a process");
        let next = || rustix::process::kill_process(command, Signal::USR1).expect("it runs");
        std::thread::sleep(Duration::from_millis(150));
        next();
        phase();
        tell("enable");
        std::thread::sleep(Duration::from_millis(300));
        tell("dump");
        tell("disable");
        next();
        phase();
        std::thread::sleep(Duration::from_millis(150));
        next();
        let finished = oprof.finish().with_status(0);
        let [first, second, third] = samples(&place);
        assert!(second > 15 && first == 0 && third == 0, "{first} {second} {third}");
        assert!(finished.stderr.contains("; samples were taken in "), "{}", finished.stderr);
    }
}

#[test]
fn signals_switch_samples_too() {
    let place = Place::new();
    let Some(_) = place.cc("phases", PHASES) else { return };
    let mut oprof = place.oprof(["record", "-e", "cpu-clock:u", "--control", "signal", "./phases"]);
    let mut oprof = Started::new(oprof.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut byte = [0];
    oprof.take_stdout().read_exact(&mut byte).expect("a phase");
    std::thread::sleep(Duration::from_millis(300));
    oprof.signal(Signal::USR2);
    std::thread::sleep(Duration::from_millis(300));
    oprof.signal(Signal::TERM);
    let finished = oprof.finish();
    assert!(finished.stderr.contains("; samples were taken in "), "{}", finished.stderr);
    let [first, ..] = samples(&place);
    assert!((20..550).contains(&first), "of two thirds of the time: {first}");
}

#[test]
fn a_delay_leaves_the_beginning_out_and_a_duration_the_end() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("phases", PHASES) else { return };
        let began = Instant::now();
        let options = "-e cpu-clock:u --delay 300ms --duration 600ms";
        let finished = finish(place.oprof(["record"]).args(options.split(' ')).arg("./phases"));
        // The command was told to end, and passes on how it did.
        assert_eq!(finished.code(), Some(128 + 15), "{}", finished.stderr);
        assert!(began.elapsed() >= Duration::from_millis(600));
        assert!(finished.stderr.contains("; samples were taken in "), "{}", finished.stderr);
        let [first, ..] = samples(&place);
        assert!(first > 15, "{first}");
    }
}

#[test]
fn what_is_no_fifo_is_refused_before_the_command_runs() {
    let place = Place::new();
    place.write("file", "");
    for (control, words) in [("fifo:file", ["file", "mkfifo"]), ("fifo:none", ["none", "mkfifo"])] {
        let finished = finish(&mut place.oprof(["record", "--control", control, "touch", "ran"]));
        assert_one_line(&finished.with_status(125).stderr, &words);
        assert!(!place.path("ran").exists());
    }
    let finished = finish(&mut place.oprof(["record", "--control", "socket", "true"])).with_status(125);
    assert_one_line(&finished.stderr, &["--control", "fifo:PATH"]);
}
