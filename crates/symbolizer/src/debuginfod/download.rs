//! Fetches one file: a thread of its own talks to the server, and whoever waits can give it up at any time.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;

use super::settings::DebuginfodSettings;

/// What a server must have sent within the timeout (debuginfod-client-config(7)), in bytes.
const FIRST_BYTES: u64 = 100 << 10;

/// What is read at once, in bytes, and how much of that may wait.
const PIECE: usize = 64 << 10;
const WAITING: usize = 8;

/// How often the one who waits looks up.
const TICK: Duration = Duration::from_millis(50);

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server does not have it.
    NotFound,
    /// The server cannot be reached, or the connection broke: it may go well another time.
    Connection(String),
    /// The server takes longer than the user wants to wait.
    Silent(String),
    /// The server's answer is of no use.
    Answer(String),
    /// The user does not want to wait.
    Cancelled,
}

/// What the talking thread sends.
enum Part {
    /// The file's size in bytes, if the server tells.
    Size(Option<u64>),
    Bytes(Vec<u8>),
    End,
}

/// Fetches `url` into `file` and returns its size in bytes. `progress` is told of each piece's size, and `is_cancelled`
/// asked often.
pub(super) fn fetch(
    agent: &Agent,
    url: &str,
    settings: &DebuginfodSettings,
    file: &mut impl Write,
    progress: &dyn Fn(u64),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<u64, Failure> {
    let (sender, receiver) = sync_channel(WAITING);
    let (agent, url, largest) = (agent.clone(), url.to_owned(), settings.largest);
    // It is left to itself when it is given up: it ends at the next piece, or with the process.
    let talk = move || {
        let end = talk(&agent, &url, largest, &sender);
        let _ = sender.send(end.map(|()| Part::End));
    };
    let thread = thread::Builder::new().name("debuginfod".to_owned());
    thread.spawn(talk).map_err(|error| Failure::Connection(error.to_string()))?;
    receive(&receiver, settings, file, progress, is_cancelled)
}

fn talk(
    agent: &Agent,
    url: &str,
    largest: Option<u64>,
    sender: &SyncSender<Result<Part, Failure>>,
) -> Result<(), Failure> {
    let connection = |error: ureq::Error| Failure::Connection(error.to_string());
    let mut request = agent.get(url);
    if let Some(largest) = largest {
        request = request.header("X-DEBUGINFOD-MAXSIZE", largest.to_string());
    }
    let response = request.call().map_err(connection)?;
    match response.status().as_u16() {
        200 => {}
        404 => return Err(Failure::NotFound),
        // "Not acceptable" is how elfutils' server says that the file is larger than was asked for.
        406 => return Err(Failure::Answer("the file is too large".to_owned())),
        status @ (408 | 429 | 500..) => return Err(Failure::Connection(format!("status {status}"))),
        status => return Err(Failure::Answer(format!("status {status}"))),
    }
    let size = response.headers().get("content-length");
    let size = size.and_then(|size| size.to_str().ok()?.trim().parse().ok());
    let gone = |_| Failure::Cancelled;
    sender.send(Ok(Part::Size(size))).map_err(gone)?;
    let mut reader = response.into_body().into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let length = reader.read(&mut piece).map_err(|error| Failure::Connection(error.to_string()))?;
        if length == 0 {
            return Ok(());
        }
        piece.truncate(length);
        sender.send(Ok(Part::Bytes(piece))).map_err(gone)?;
    }
}

fn receive(
    receiver: &Receiver<Result<Part, Failure>>,
    settings: &DebuginfodSettings,
    file: &mut impl Write,
    progress: &dyn Fn(u64),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<u64, Failure> {
    let too_large = || Failure::Answer("the file is too large (DEBUGINFOD_MAXSIZE)".to_owned());
    let is_too_large = |size: u64| settings.largest.is_some_and(|largest| size > largest);
    let start = Instant::now();
    let mut last = start;
    let (mut received, mut expected) = (0, None);
    loop {
        if is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let part = match receiver.recv_timeout(TICK) {
            Ok(part) => Some(part?),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Connection("the connection broke".to_owned()));
            }
        };
        match part {
            Some(Part::Size(size)) => {
                expected = size;
                if size.is_some_and(is_too_large) {
                    return Err(too_large());
                }
            }
            Some(Part::Bytes(bytes)) => {
                last = Instant::now();
                received += bytes.len() as u64;
                if is_too_large(received) {
                    return Err(too_large());
                }
                file.write_all(&bytes).map_err(|error| Failure::Answer(format!("not written: {error}")))?;
                progress(bytes.len() as u64);
            }
            Some(Part::End) if expected.is_some_and(|expected| expected != received) => {
                return Err(Failure::Connection("the connection broke".to_owned()));
            }
            Some(Part::End) => return Ok(received),
            None => {}
        }
        let is_slow =
            |timeout| (received < FIRST_BYTES && start.elapsed() > timeout) || last.elapsed() > timeout;
        if settings.timeout.is_some_and(is_slow) {
            return Err(Failure::Silent("the server is too slow (DEBUGINFOD_TIMEOUT)".to_owned()));
        }
        if settings.longest.is_some_and(|longest| start.elapsed() > longest) {
            return Err(Failure::Answer("the server is too slow (DEBUGINFOD_MAXTIME)".to_owned()));
        }
    }
}
