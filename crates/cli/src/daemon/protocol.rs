//! How the daemon is told what to do: a line to its socket, answered by lines of which the first is `ok` or `error: ...`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::session_directory::SessionDirectory;

/// The socket's name in the session directory.
const NAME: &str = "control";
/// Requests and answers are not longer, in bytes.
const LONGEST: u64 = 16 << 10;
/// Whoever connects has so long for each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// What was asked for may take so long: names of everything that was sampled, above all.
const LONG: Duration = Duration::from_secs(120);

/// What the daemon can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Take samples.
    Start,
    /// Take none, and write what there is.
    Stop,
    /// Write what there is.
    Dump,
    /// Forget the samples of the current session.
    Reset,
    /// Give the current session a name, and begin another.
    Save(String),
    /// Tell how things stand.
    Status,
    /// End.
    Shutdown,
}

impl Request {
    fn line(&self) -> String {
        match self {
            Request::Start => "start".to_owned(),
            Request::Stop => "stop".to_owned(),
            Request::Dump => "dump".to_owned(),
            Request::Reset => "reset".to_owned(),
            Request::Save(name) => format!("save {name}"),
            Request::Status => "status".to_owned(),
            Request::Shutdown => "shutdown".to_owned(),
        }
    }

    fn parse(line: &str) -> Option<Request> {
        Some(match line.split_once(' ').unwrap_or((line, "")) {
            ("start", "") => Request::Start,
            ("stop", "") => Request::Stop,
            ("dump", "") => Request::Dump,
            ("reset", "") => Request::Reset,
            ("save", name) if !name.is_empty() => Request::Save(name.to_owned()),
            ("status", "") => Request::Status,
            ("shutdown", "") => Request::Shutdown,
            _ => return None,
        })
    }
}

/// The socket by a path that is short however long that of the directory is: an address holds 107 bytes (unix(7)).
fn address(session: &SessionDirectory) -> io::Result<(File, PathBuf)> {
    let directory = File::open(session.path())?;
    let address = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(NAME);
    Ok((directory, address))
}

/// Listens in a session directory of which this process is the daemon: a socket that is there is left over.
pub(crate) fn listen(session: &SessionDirectory) -> Result<UnixListener> {
    let made = || -> io::Result<UnixListener> {
        let (_directory, address) = address(session)?;
        match std::fs::remove_file(&address) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&address)?;
        std::fs::set_permissions(&address, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    made().map_err(|error| anyhow!("{}: cannot listen on a socket there: {error}", session.path().display()))
}

/// Removes the socket, when nobody listens any more.
pub(crate) fn leave(session: &SessionDirectory) {
    // What is left over the next daemon removes.
    let _ = address(session).and_then(|(_directory, address)| std::fs::remove_file(address));
}

/// The session has a daemon.
pub(crate) fn check_running(session: &SessionDirectory) -> Result<()> {
    session.check()?;
    if session.daemon().is_none() {
        bail!("{}: no daemon is running; `opcontrol --start-daemon` starts one", session.path().display());
    }
    Ok(())
}

/// Asks the daemon of a session; gives the lines of its answer behind the first.
pub(crate) fn ask(session: &SessionDirectory, request: &Request) -> Result<Vec<String>> {
    check_running(session)?;
    let answer = || -> io::Result<String> {
        let (_directory, address) = address(session)?;
        let mut stream = UnixStream::connect(address)?;
        stream.set_read_timeout(Some(LONG))?;
        writeln!(stream, "{}", request.line())?;
        let mut answer = String::new();
        stream.take(LONGEST).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = answer()
        .map_err(|error| anyhow!("{}: the daemon does not answer: {error}", session.path().display()))?;
    let mut lines = answer.lines().map(str::to_owned);
    match lines.next() {
        Some(first) if first == "ok" => Ok(lines.collect()),
        Some(first) => bail!("{}", first.strip_prefix("error: ").unwrap_or(&first)),
        None => bail!("{}: the daemon ended before it answered", session.path().display()),
    }
}

/// Reads the request of whoever has connected, if it is one whom the daemon obeys: its own user, or root.
pub(crate) fn read(stream: &UnixStream) -> Result<Request> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let peer = rustix::net::sockopt::socket_peercred(stream)
        .map_err(|error| anyhow!("nobody can be told who asks: {error}"))?;
    if !peer.uid.is_root() && peer.uid != rustix::process::geteuid() {
        bail!("user {} may not ask this daemon for anything", peer.uid.as_raw());
    }
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST))
        .read_line(&mut line)
        .map_err(|error| anyhow!("no request came: {error}"))?;
    let line = line.trim_end();
    Request::parse(line).ok_or_else(|| anyhow!("no such request: '{}'", oprof_report::printable(line)))
}

/// Answers.
pub(crate) fn answer(mut stream: &UnixStream, answer: &Result<Vec<String>>) {
    let text = match answer {
        Ok(lines) => {
            ["ok"].into_iter().chain(lines.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("error: {}", format!("{error:#}").replace('\n', " ")),
    };
    // Whoever has gone meanwhile is told nothing.
    let _ = writeln!(stream, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_were_sent() {
        for request in [Request::Start, Request::Save("a".to_owned()), Request::Status, Request::Shutdown] {
            assert_eq!(Request::parse(&request.line()), Some(request));
        }
        for wrong in ["", "save", "save ", "start now", "STOP", "\0"] {
            assert_eq!(Request::parse(wrong), None, "{wrong:?}");
        }
    }
}
