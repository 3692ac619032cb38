//! `opcontrol`, the daemon and `opreport`: OProfile's way to profile the whole system.

mod harness;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use harness::{
    Finished, Place, SmallDisk, User, assert_no_panic, assert_one_line, finish, skipped, until, users,
};
use rustix::process::{Pid, Signal};

/// A place for root with a session directory, whose daemon ends with it.
struct Session {
    place: Place,
    /// Where the session is, of one on a disk of its own: it goes after the daemon.
    disk: Option<SmallDisk>,
}

impl Session {
    fn new() -> Option<Session> {
        let Some(root) = users().into_iter().find(|user| user.is_root()) else {
            skipped("only root may profile the whole system");
            return None;
        };
        Some(Session { place: Place::of(root), disk: None })
    }

    /// One whose disk can be filled.
    fn on_small_disk() -> Option<Session> {
        let mut session = Session::new()?;
        session.disk = Some(SmallDisk::mount(&session.place, "session")?);
        Some(session)
    }

    fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("it has one")
    }

    fn run(&self, tool: &str, arguments: &str) -> Finished {
        let mut command = self.place.oprof_as(tool);
        command.args(["--session-dir", "session"]).args(arguments.split_whitespace());
        let finished = finish(&mut command);
        assert_no_panic(&finished.stderr);
        finished
    }

    /// Runs `opcontrol`, which must succeed; gives what it printed.
    #[track_caller]
    fn opcontrol(&self, arguments: &str) -> String {
        self.run("opcontrol", arguments).with_status(0).text().to_owned()
    }

    #[track_caller]
    fn refused(&self, arguments: &str, words: &[&str]) {
        let finished = self.run("opcontrol", arguments).with_status(1);
        assert_one_line(&finished.stderr, words);
    }

    #[track_caller]
    fn opreport(&self, arguments: &str) -> String {
        self.run("opreport", arguments).with_status(0).text().to_owned()
    }

    /// The process id of the daemon, if one runs.
    fn daemon(&self) -> Option<Pid> {
        let status = self.run("opcontrol", "--status");
        let line = status.text().lines().next()?.strip_prefix("Daemon running: pid ")?.to_owned();
        Pid::from_raw(line.parse().ok()?)
    }

    fn recordings(&self, session: &str) -> Vec<String> {
        let entries =
            fs::read_dir(self.place.path(format!("session/samples/{session}"))).into_iter().flatten();
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(pid) = self.daemon() {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

/// Keeps a CPU busy.
fn spin(place: &Place, turns: u32) {
    let script = format!("i=0; while [ $i -lt {turns} ]; do i=$((i+1)); done");
    finish(place.command("sh").args(["-c", &script])).with_status(0);
}

/// The samples of the first column of a table.
fn samples(report: &str) -> u64 {
    report.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// The demo project, where nobody else builds it.
fn demo(place: &Place) -> std::path::PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/demo");
    let to = place.path("demo");
    let copied = Command::new("cp").arg("-r").arg(from).arg(&to).status();
    assert!(copied.is_ok_and(|status| status.success()));
    let _ = fs::remove_dir_all(to.join("build"));
    to
}

/// The scene from which all of this comes.
#[test]
fn make_test_all_is_profiled_as_with_oprofile() {
    let Some(session) = Session::new() else { return };
    let has_make = finish(session.place.command("sh").args(["-c", "command -v make && command -v g++"]));
    if !has_make.status.success() {
        return skipped("make or g++ is missing");
    }
    let demo = demo(&session.place);
    assert_eq!(session.opcontrol("--init"), "");
    // The event of the scene where there is hardware for it, else a clock.
    let pentium = session.run("opcontrol", "--setup --event=GLOBAL_POWER_EVENTS:100000:0x1:1:1");
    if pentium.code() != Some(0) {
        session.opcontrol("--setup --event=cpu-clock:1000000:0:1:1");
    }
    let started = session.opcontrol("--start-daemon");
    assert!(started.starts_with("Using the perf_event kernel interface.\n"), "{started}");
    assert!(started.ends_with("Daemon started.\n"), "{started}");
    assert_eq!(session.opcontrol("--start --no-vmlinux"), "Profiler running.\n");
    assert_eq!(session.opcontrol("--reset"), "Signalling daemon... done\n");
    finish(session.place.command("make").arg("-C").arg(demo).arg("test-all")).with_status(0);
    assert_eq!(session.opcontrol("--stop"), "Stopping profiling.\n");
    let report = session.opreport("-l");
    let top: Vec<&str> = report.lines().take(10).collect();
    assert!(top[0].starts_with("CPU: ") && top[1].starts_with("Counted "), "{report}");
    assert!(top[2].starts_with("samples  %        image name               app name"), "{report}");
    // Whatever else the machine does: of the demo's own program it is the first.
    let collector = report.lines().find(|row| row.split_whitespace().any(|word| word == "collector"));
    assert!(collector.is_some_and(|row| row.ends_with(" gc_mark")), "{report}");
    let kernel: Vec<&str> = report.lines().filter(|line| line.contains("no-vmlinux")).collect();
    assert!(!kernel.is_empty() && kernel.iter().all(|row| row.ends_with("(no symbols)")), "{kernel:?}");
    assert!(!report.contains("[kernel]") && !report.contains("entry_SYSCALL"), "{report}");
    assert_eq!(session.opcontrol("--shutdown"), "Stopping profiling.\nKilling daemon.\n");
    assert_eq!(session.opreport("-l").lines().count(), report.lines().count(), "nothing is lost by the end");
}

#[test]
fn a_session_goes_on_after_its_daemon_was_killed() {
    let Some(session) = Session::new() else { return };
    session.opcontrol("--start --event=cpu-clock:1000000");
    spin(&session.place, 600_000);
    session.opcontrol("--dump");
    let before = samples(&session.opreport("-l -n"));
    assert!(before > 20, "{before}");
    let pid = session.daemon().expect("it runs");
    rustix::process::kill_process(pid, Signal::KILL).expect("it runs");
    until("it is gone", || session.daemon().is_none().then_some(()));
    assert_eq!(samples(&session.opreport("-l -n")), before, "what was dumped is there");
    session.refused("--dump", &["no daemon is running", "--start-daemon"]);
    session.opcontrol("--start");
    spin(&session.place, 600_000);
    session.opcontrol("--stop");
    assert_eq!(session.recordings("current"), ["0001.data", "0002.data"]);
    let both = session.opreport("-l -n");
    assert!(samples(&both) > before + 20, "{both}");
    assert!(!both.contains("names missing"), "{both}");
    assert_eq!(session.opcontrol("--save=both --start"), "Profiler running.\nSignalling daemon... done\n");
    assert_eq!(session.recordings("both"), ["0001.data", "0002.data"]);
    assert!(samples(&session.opreport("-l -n session:both")) >= samples(&both));
    let status = session.opcontrol("--status");
    assert!(status.contains("Profiler: sampling\nEvent 0: cpu-clock:1000000\n"), "{status}");
    assert_eq!(session.opcontrol("--deinit").lines().count(), 3);
    assert!(session.daemon().is_none() && !session.place.path("session/control").exists());
}

#[test]
fn samples_can_be_read_while_they_are_taken_and_forgotten() {
    let Some(session) = Session::new() else { return };
    session.opcontrol("--start --event=cpu-clock:1000000");
    spin(&session.place, 300_000);
    session.opcontrol("--dump");
    let first = samples(&session.opreport("-l -n"));
    spin(&session.place, 300_000);
    session.opcontrol("--dump");
    let second = samples(&session.opreport("-l -n"));
    assert!(first > 20 && second > first + 20, "{first} {second}");
    session.opcontrol("--stop");
    let stopped = samples(&session.opreport("-l -n"));
    spin(&session.place, 200_000);
    session.opcontrol("--dump");
    assert_eq!(samples(&session.opreport("-l -n")), stopped, "none are taken");
    session.opcontrol("--reset");
    assert_eq!(session.recordings("current"), [""; 0]);
    let nothing = session.run("opreport", "-l").with_status(1);
    assert_one_line(&nothing.stderr, &["no samples", "opcontrol --start"]);
    session.opcontrol("--start");
    // What is set up meanwhile begins with the next start.
    session.opcontrol("--setup --event=page-faults:1000");
    let status = session.opcontrol("--status");
    assert!(
        status.contains("Profiler: sampling; what was set up since takes effect with the next --start\n")
    );
    session.opcontrol("--setup --event=cpu-clock:1000000");
    assert!(session.opcontrol("--status").contains("Profiler: sampling\n"));
    assert_eq!(session.opcontrol("--start --no-vmlinux"), "Profiler running.\n");
    assert_eq!(session.recordings("current").len(), 2);
}

/// On a full disk nothing is done by halves, and samples stay in memory until there is space.
#[test]
fn a_full_disk_keeps_samples_in_memory() {
    let Some(session) = Session::on_small_disk() else { return };
    session.opcontrol("--start --event=cpu-clock:1000000");
    let pid = session.daemon().expect("it runs");
    spin(&session.place, 300_000);
    session.disk().fill_but(0);
    spin(&session.place, 300_000);
    let words = ["No space left", "free some space", "goes on in memory"];
    for order in ["--dump", "--save=a", "--shutdown"] {
        let finished = session.run("opcontrol", order).with_status(1);
        assert_one_line(&finished.stderr, &words);
        assert_eq!(finished.stderr.matches("No space left").count(), 1, "{}", finished.stderr);
        assert_eq!((session.recordings("current").len(), session.recordings("a").len()), (1, 0));
        assert_eq!(session.daemon(), Some(pid));
    }
    assert!(session.opcontrol("--status").contains("Profiler: sampling\n"));
    session.disk().empty();
    session.opcontrol("--save=a");
    let saved = samples(&session.opreport("-l -n session:a"));
    assert!(saved > 200, "from before, and from while it was full: {saved}");
    spin(&session.place, 100_000);
    session.opcontrol("--dump");
    assert!(samples(&session.opreport("-l -n")) > 10, "it has gone on");
}

#[test]
fn what_is_done_out_of_order_is_told() {
    let Some(session) = Session::new() else { return };
    session.refused("--dump", &["no session", "--init"]);
    session.opcontrol("--init");
    session.refused("--stop", &["no daemon", "--start-daemon"]);
    session.refused("--shutdown", &["no daemon", "--start-daemon"]);
    session.refused("--save=x", &["nothing to save"]);
    session.refused("--setup", &["nothing is set"]);
    session.refused("--setup --event=no-such-event", &["no-such-event", "oprof list"]);
    session.refused("--setup --vmlinux=/no/such/vmlinux", &["no such file", "--no-vmlinux"]);
    session.refused("--setup --separate=x", &["--separate", "thread, cpu or all"]);
    session.refused("--callgraph=5", &["--callgraph", "call stacks"]);
    session.refused("--setup --buffer-size=x", &["--buffer-size", "not a size"]);
    session.opcontrol("--start-daemon --event=cpu-clock:1000000");
    let second = finish(&mut session.place.oprof(["daemon", "--session-dir", "session"])).with_status(1);
    assert_one_line(&second.stderr, &["a daemon is running already", "pid"]);
    assert_eq!(session.opcontrol("--start-daemon"), "", "one is enough");
    session.opcontrol("--start");
    for wrong in ["../x", ".x", "a/b"] {
        let finished = session.run("opcontrol", &format!("--save={wrong}")).with_status(1);
        assert_one_line(&finished.stderr, &["no name for a session"]);
    }
    for option in ["-w", "-g", "-a"] {
        let finished = session.run("opreport", option).with_status(1);
        assert_one_line(&finished.stderr, &[option, "add -l"]);
    }
    let finished = session.run("opreport", "session:none").with_status(1);
    assert_one_line(&finished.stderr, &["no session 'none'", "current"]);
}

#[test]
fn nobody_else_can_talk_to_the_daemon_or_make_it_fall() {
    let Some(session) = Session::new() else { return };
    session.opcontrol("--start --event=cpu-clock:1000000");
    let directory = session.place.path("session");
    let socket = directory.join("control");
    assert_eq!(directory.metadata().expect("there").mode() & 0o777, 0o700);
    assert_eq!(socket.metadata().expect("there").mode() & 0o777, 0o600);
    let ask = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert_eq!(ask(b"status\n"), "ok\nsampling\n");
    for hostile in
        [&b""[..], b"\n", b"\0\0\0\n", b"save ../../x\n", b"save \n", b"\xff\xfe\n", b"shutdown now\n"]
    {
        assert!(ask(hostile).starts_with("error: "), "{hostile:?}");
    }
    let endless = vec![b'x'; 1 << 20];
    ask(&endless);
    // Whoever connects and says nothing is not waited for.
    drop(UnixStream::connect(&socket));
    assert_eq!(ask(b"status\n"), "ok\nsampling\n");
    // Even where the way to the socket is open, the daemon looks at who it is.
    for (path, mode) in
        [(session.place.path("."), 0o755), (directory.clone(), 0o755), (socket.clone(), 0o666)]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }
    let other = Place::of(User::Nobody);
    let script = format!(
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({:?})\ns.sendall(b'shutdown\\n')\nprint(s.recv(999).decode())",
        socket.display().to_string()
    );
    let told = finish(other.command("python3").args(["-c", &script]));
    match told.code() {
        Some(0) => assert!(told.text().starts_with("error: user 65534 may not"), "{}", told.text()),
        _ => skipped("python3 is missing, or cannot reach the socket"),
    }
    assert!(session.daemon().is_some());
}
