//! Debug files from servers, where the user asks for them, and no network otherwise.

mod harness;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use harness::{Place, Started, assert_one_line, finish, skipped, symbols_of, until};
use rustix::process::Signal;

/// A server that has one debug file, or answers nothing at all. It lives as long as the test's process.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `file` is the build id and the debug file; without one, connections are left open and nothing is said.
    fn new(file: Option<(String, Vec<u8>)>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&asked);
        thread::spawn(move || {
            let mut open: Vec<TcpStream> = Vec::new();
            for stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                all.lock().expect("no panic").push(path.clone());
                let Some((id, bytes)) = &file else {
                    open.push(stream);
                    continue;
                };
                let (status, body) = match path == format!("/buildid/{id}/debuginfo") {
                    true => ("200 OK", bytes.as_slice()),
                    false => ("404 Not Found", &b""[..]),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                let _ = (&stream).write_all(&[head.as_bytes(), body].concat());
            }
        });
        Server { address, asked }
    }

    fn was_asked(&self) -> bool {
        !self.asked.lock().expect("no panic").is_empty()
    }
}

/// A stripped program that burns its time in `hot_function`, and its build id and debug file.
fn stripped(place: &Place) -> Option<(String, Vec<u8>)> {
    let source = "BURNER(hot_function) int main(void) { hot_function(0.1); return 0; }";
    let program = place.cc_with("program", source, &["-g", "-Wl,--build-id=0x0123456789abcdef"])?;
    let debug = place.path("program.debug");
    let steps: [&[&Path]; 2] =
        [&[Path::new("--only-keep-debug"), &program, &debug], &[Path::new("--strip-all"), &program]];
    if steps
        .iter()
        .any(|step| !Command::new("objcopy").args(*step).status().is_ok_and(|status| status.success()))
    {
        skipped("no objcopy");
        return None;
    }
    Some(("0123456789abcdef".to_owned(), fs::read(debug).expect("the debug file")))
}

fn is_named(place: &Place) -> bool {
    symbols_of(place, "oprof.data").iter().any(|row| row.image == "program" && row.name == "hot_function")
}

#[test]
fn a_stripped_program_is_named_by_what_a_server_has() {
    let place = Place::new();
    let Some((id, debug)) = stripped(&place) else { return };
    let server = Server::new(Some((id.clone(), debug)));
    let record = |options: &[&str]| {
        let mut oprof = place.oprof(["record"]);
        finish(oprof.args(options).arg("./program").env("DEBUGINFOD_URLS", &server.address)).with_status(0)
    };
    record(&["-q"]);
    assert!(!is_named(&place) && !server.was_asked(), "not without being asked");

    let said = record(&["--debuginfod"]).stderr;
    assert!(is_named(&place), "{said}");
    assert!(said.contains("oprof: debuginfod: 1 debug file fetched ("), "{said}");
    assert!(!said.contains('\r'), "progress is for terminals: {said:?}");
    assert!(place.path(format!(".cache/debuginfod_client/{id}/debuginfo")).exists());

    // The configuration asks as well as the option, and finds what is there.
    fs::create_dir_all(place.path(".config/oprof")).expect("a folder");
    place.write(".config/oprof/config.toml", "debuginfod = true\n");
    let before = server.asked.lock().expect("no panic").len();
    assert_eq!(record(&["-q"]).stderr, "");
    assert!(is_named(&place));
    assert_eq!(server.asked.lock().expect("no panic").len(), before, "all of it is known");
    // Without servers the configuration asks for nothing.
    place.record("-q", "./program").with_status(0);
    assert!(!is_named(&place));
}

#[test]
fn an_interrupt_ends_fetching_and_the_recording_is_written() {
    let place = Place::new();
    let Some(_) = stripped(&place) else { return };
    let server = Server::new(None);
    let mut oprof = place.oprof(["record", "--debuginfod", "./program"]);
    oprof.env("DEBUGINFOD_URLS", &server.address).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Started::new(&mut oprof);
    until("a question", || server.was_asked().then_some(()));
    started.signal_group(Signal::INT);
    let said = started.finish().with_status(0).stderr;
    assert!(said.contains("debuginfod: interrupted") && said.contains(" samples in oprof.data"), "{said}");
    assert!(symbols_of(&place, "oprof.data").iter().any(|row| row.image == "program"));
}

#[test]
fn mistakes_are_told_before_the_command_runs() {
    let place = Place::new();
    for urls in ["", "elfutils.org"] {
        let mut oprof = place.oprof(["record", "--debuginfod", "touch", "ran"]);
        let said = finish(oprof.env("DEBUGINFOD_URLS", urls)).with_status(125).stderr;
        assert_one_line(&said, &["--debuginfod", "DEBUGINFOD_URLS", "export"]);
    }
    fs::create_dir_all(place.path(".config/oprof")).expect("a folder");
    place.write(".config/oprof/config.toml", "# mine\ndebuginfo = true\n");
    let said = place.record("-q", "touch ran").with_status(125).stderr;
    assert_one_line(&said, &["config.toml:2:", "debuginfo", "debuginfod = true"]);
    assert!(!place.path("ran").exists());
}

#[test]
fn without_being_asked_there_is_no_network() {
    let place = Place::new();
    let Some(_) = stripped(&place) else { return };
    let trace = |options: &[&str]| {
        let mut strace = place.command("strace");
        strace.args(["-f", "-qq", "-e", "trace=socket,connect", "-o", "trace"]);
        strace.args(place.oprof(["record", "-q"]).get_program().to_owned().to_str());
        strace.args(["record", "-q"]).args(options).arg("./program");
        strace.env("DEBUGINFOD_URLS", "http://127.0.0.1:1");
        let succeeded = strace.status().is_ok_and(|status| status.success());
        succeeded.then(|| String::from_utf8_lossy(&place.bytes("trace")).into_owned())
    };
    let Some(asked) = trace(&["--debuginfod"]) else { return skipped("strace does not work here") };
    assert!(asked.contains("socket(AF_INET"), "{asked}");
    let trace = trace(&[]).expect("it worked before");
    assert!(!trace.contains("socket(") && !trace.contains("connect("), "{trace}");
}
