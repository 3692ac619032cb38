//! `--control`: sampling is switched off and on from outside, by a FIFO or by signals.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Result, anyhow, bail};
use oprof_collector::{Controller, NotDone, Order};
use rustix::fs::{Mode, OFlags};
use signal_hook::consts::{SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::speak;

/// Lines are not longer than this, in bytes.
const LONGEST_LINE: u64 = 4096;

/// How sampling is controlled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// By lines in a FIFO; what was done is acknowledged in another.
    Fifo(PathBuf, Option<PathBuf>),
    /// By SIGUSR1 (on) and SIGUSR2 (off).
    Signal,
}

/// Reads `signal`, `fifo:PATH` or `fifo:PATH,ACK`.
pub(crate) fn parse(text: &str) -> Result<Control, String> {
    let paths = match (text, text.strip_prefix("fifo:")) {
        ("signal", _) => return Ok(Control::Signal),
        (_, Some(paths)) => paths,
        _ => return Err("use fifo:PATH, fifo:PATH,ACK or signal".to_owned()),
    };
    let (orders, answers) = paths.split_once(',').map_or((paths, None), |(path, ack)| (path, Some(ack)));
    if orders.is_empty() || answers == Some("") {
        return Err("a path is missing: fifo:PATH or fifo:PATH,ACK".to_owned());
    }
    Ok(Control::Fifo(PathBuf::from(orders), answers.map(PathBuf::from)))
}

/// What listens, before anybody can be told.
#[derive(Debug)]
pub(crate) enum Listener {
    Fifo(File, Option<File>, PathBuf),
    Signals(Signals),
}

impl Listener {
    /// Opens the FIFO, or catches the signals.
    pub(crate) fn open(control: &Control) -> Result<Listener> {
        Ok(match control {
            Control::Fifo(orders, answers) => {
                let answers = answers.as_deref().map(open).transpose()?;
                Listener::Fifo(open(orders)?, answers, orders.clone())
            }
            Control::Signal => Listener::Signals(
                Signals::new([SIGUSR1, SIGUSR2]).map_err(|error| anyhow!("cannot catch signals: {error}"))?,
            ),
        })
    }

    /// Passes on what comes, in a thread of its own, for as long as this process lives.
    pub(crate) fn start(self, controller: Controller) {
        thread::spawn(move || match self {
            Listener::Fifo(orders, answers, path) => obey_lines(orders, answers, &path, &controller),
            Listener::Signals(mut signals) => {
                for signal in signals.forever() {
                    let order = if signal == SIGUSR1 { Order::Enable } else { Order::Disable };
                    if controller.tell(order) == Err(NotDone::Ended) {
                        break;
                    }
                }
            }
        });
    }
}

/// A FIFO, opened for both directions: it neither waits for its other end nor ends with it.
fn open(path: &Path) -> Result<File> {
    let name = path.display();
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => bail!("{name}: there is no such FIFO; make it with mkfifo"),
        Err(rustix::io::Errno::LOOP) => bail!("{name}: is a symbolic link, which is not followed"),
        Err(error) => bail!("{name}: cannot be opened: {}", std::io::Error::from(error)),
    };
    if !file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo()) {
        bail!("{name}: is not a FIFO; make one with mkfifo");
    }
    rustix::io::ioctl_fionbio(&file, false).map_err(|error| anyhow!("{name}: cannot be used: {error}"))?;
    Ok(file)
}

fn obey_lines(orders: File, mut answers: Option<File>, path: &Path, controller: &Controller) {
    let mut lines = BufReader::new(orders);
    loop {
        let mut line = Vec::new();
        if !matches!(lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line), Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let answer = match obey(text.trim_matches(['\n', '\0', ' ', '\r']), controller) {
            Ok(()) => "ack\n".to_owned(),
            Err(why) => {
                speak::line(&format!("{}: {why}", path.display()));
                format!("error: {}\n", oprof_report::printable(&why))
            }
        };
        if let Some(answers) = &mut answers {
            // Nobody need read them.
            let _ = answers.write_all(answer.as_bytes());
        }
    }
}

fn obey(line: &str, controller: &Controller) -> Result<(), String> {
    let order = match line {
        "enable" => Order::Enable,
        "disable" => Order::Disable,
        "dump" => Order::Dump,
        "stop" => Order::Stop,
        "ping" | "" => return Ok(()),
        other => return Err(format!("no such order: '{other}'; use enable, disable, dump, ping or stop")),
    };
    controller.tell(order).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_may_have_another_for_answers() {
        let fifo = |orders: &str, answers: Option<&str>| {
            Ok(Control::Fifo(PathBuf::from(orders), answers.map(PathBuf::from)))
        };
        assert_eq!(parse("fifo:/a"), fifo("/a", None));
        assert_eq!(parse("fifo:a,b"), fifo("a", Some("b")));
        assert_eq!(parse("signal"), Ok(Control::Signal));
        for wrong in ["", "fifo", "fifo:", "fifo:,a", "fifo:a,", "fd:3"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_a_fifo_is_opened() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "").expect("written");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("fifo"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .expect("a FIFO");
        std::os::unix::fs::symlink(path("fifo"), path("link")).expect("a link");
        assert!(open(&path("fifo")).is_ok());
        for (name, word) in [("file", "mkfifo"), ("link", "symbolic"), ("none", "mkfifo")] {
            let error = open(&path(name)).expect_err("refused").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
