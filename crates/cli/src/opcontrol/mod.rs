//! `opcontrol`: OProfile's way to set up, start and stop profiling of the whole system. The daemon does the work.

mod arguments;

use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::daemon::{self, Request, Settings};
use crate::session_directory::SessionDirectory;
use crate::{ophelp, oprofile_tool, own_file, status};
use arguments::OpcontrolOptions;

/// How long the daemon may take until it answers or has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of what it said no more is repeated, in bytes.
const LONGEST: u64 = 4096;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OpcontrolOptions = match oprofile_tool::options("opcontrol") {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.list_events {
        return ophelp::list_events();
    }
    match opcontrol(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => status::of_error(&error, status::FAILED),
    }
}

fn opcontrol(options: &OpcontrolOptions) -> Result<()> {
    let session = SessionDirectory::new(options.common.session_dir.as_deref())?;
    if !options.acts() && !options.sets() {
        bail!("nothing is asked for; see opcontrol --help");
    }
    if options.init || options.setup || options.sets() || options.start || options.start_daemon {
        session.create()?;
    }
    if options.sets() {
        set_up(&session, options)?;
    } else if options.setup {
        bail!(
            "--setup: nothing is set; give --event, --vmlinux or --no-vmlinux, --separate or --buffer-size"
        );
    }
    if options.start_daemon || options.start {
        start_daemon(&session)?;
    }
    if options.start {
        daemon::ask(&session, &Request::Start)?;
        say("Profiler running.")?;
    }
    if options.dump {
        signal(&session, &Request::Dump)?;
    }
    if options.stop {
        say("Stopping profiling.")?;
        daemon::ask(&session, &Request::Stop)?;
    }
    if let Some(name) = &options.save {
        match session.daemon() {
            Some(_) => signal(&session, &Request::Save(name.clone()))?,
            None => session.check().and_then(|()| session.save(name))?,
        }
    }
    if options.reset {
        match session.daemon() {
            Some(_) => signal(&session, &Request::Reset)?,
            None => session.check().and_then(|()| session.reset())?,
        }
    }
    if options.shutdown || options.deinit && session.daemon().is_some() {
        shut_down(&session)?;
    }
    if options.deinit {
        say("Nothing to unload: perf_event is a part of the kernel.")?;
    }
    if options.status {
        tell_status(&session)?;
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Has the daemon do something, in OProfile's words.
fn signal(session: &SessionDirectory, request: &Request) -> Result<()> {
    let mut stdout = io::stdout();
    write!(stdout, "Signalling daemon... ").and_then(|()| stdout.flush())?;
    match daemon::ask(session, request) {
        Ok(_) => Ok(say("done")?),
        Err(error) => {
            say("failed")?;
            Err(error)
        }
    }
}

/// Keeps the settings, if they can be recorded here.
fn set_up(session: &SessionDirectory, options: &OpcontrolOptions) -> Result<()> {
    let mut settings = Settings::read(session)?;
    if !options.events.is_empty() {
        settings.events = options.events.iter().filter(|event| *event != "default").cloned().collect();
    }
    if let Some(path) = &options.vmlinux {
        let absolute = std::path::absolute(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        if !absolute.is_file() {
            bail!("{}: there is no such file; --no-vmlinux does without", absolute.display());
        }
        (settings.vmlinux, settings.no_vmlinux) = (Some(absolute), false);
    }
    if options.no_vmlinux {
        (settings.vmlinux, settings.no_vmlinux) = (None, true);
    }
    settings.separate = options.separate.clone().or(settings.separate);
    settings.buffer = options.buffer_size.clone().or(settings.buffer);
    daemon::check(&settings)?;
    settings.write(session)
}

/// Starts the daemon, where none runs, and waits until it listens.
fn start_daemon(session: &SessionDirectory) -> Result<()> {
    if session.daemon().is_some() {
        return Ok(());
    }
    say("Using the perf_event kernel interface.")?;
    let log = session.log();
    let output = own_file::open_options()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|error| anyhow!("{}: cannot be opened: {error}", log.display()))?;
    let before = output.metadata().map_or(0, |metadata| metadata.len());
    say(&format!("Using log file {}", oprof_report::printable(&log.display().to_string())))?;
    let failed = |error: io::Error| anyhow!("the daemon cannot be started: {error}");
    let mut daemon = Command::new("/proc/self/exe")
        .args(["daemon", "--background", "--session-dir"])
        .arg(session.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(failed)?)
        .stderr(output)
        .spawn()
        .map_err(failed)?;
    let began = Instant::now();
    while daemon::ask(session, &Request::Status).is_err() {
        if let Some(status) = daemon.try_wait().map_err(failed)? {
            bail!(
                "{}",
                last_words(&log, before).unwrap_or_else(|| format!("the daemon has ended: {status}"))
            );
        }
        if began.elapsed() > PATIENCE {
            let _ = daemon.kill().and_then(|()| daemon.wait());
            bail!("the daemon does not answer; {} may tell why", log.display());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(say("Daemon started.")?)
}

/// The last line of the log behind what was there before.
fn last_words(log: &std::path::Path, before: u64) -> Option<String> {
    use std::io::{Seek, SeekFrom};
    let mut file = std::fs::File::open(log).ok()?;
    file.seek(SeekFrom::Start(before)).ok()?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    let last = text.lines().rfind(|line| !line.is_empty())?;
    Some(last.strip_prefix("oprof: ").unwrap_or(last).to_owned())
}

/// Ends the daemon, and waits until it is gone.
fn shut_down(session: &SessionDirectory) -> Result<()> {
    daemon::check_running(session)?;
    say("Stopping profiling.")?;
    say("Killing daemon.")?;
    daemon::ask(session, &Request::Shutdown)?;
    let began = Instant::now();
    while session.daemon().is_some() {
        if began.elapsed() > PATIENCE {
            bail!("the daemon does not end; {} may tell why", session.log().display());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn tell_status(session: &SessionDirectory) -> Result<()> {
    let settings = match session.check() {
        Ok(()) => Settings::read(session)?,
        Err(_) => Settings::default(),
    };
    match session.daemon() {
        Some(pid) => {
            say(&format!("Daemon running: pid {pid}"))?;
            let state = daemon::ask(session, &Request::Status)?;
            let state = if state.is_empty() { "unknown".to_owned() } else { state.join("; ") };
            say(&format!("Profiler: {state}"))?;
        }
        None => say("Daemon not running")?,
    }
    if settings.events.is_empty() {
        say("Event 0: default")?;
    }
    for (number, event) in settings.events.iter().enumerate() {
        say(&format!("Event {number}: {}", oprof_report::printable(event)))?;
    }
    say(&format!("Separate options: {}", settings.separate.as_deref().unwrap_or("none")))?;
    let vmlinux = match (&settings.vmlinux, settings.no_vmlinux) {
        (Some(path), _) => path.display().to_string(),
        (None, true) => "none".to_owned(),
        (None, false) => "/proc/kallsyms".to_owned(),
    };
    say(&format!("vmlinux file: {}", oprof_report::printable(&vmlinux)))?;
    say("Image filter: none")?;
    say("Call-graph depth: 0")?;
    say(&format!("Session directory: {}", oprof_report::printable(&session.path().display().to_string())))?;
    let recordings = session.recordings(None).unwrap_or_default();
    let bytes =
        recordings.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum::<u64>();
    let kilobytes = oprof_report::grouped(bytes.div_ceil(1024));
    Ok(say(&format!(
        "Current session: {} ({kilobytes} KB)",
        oprof_report::counted(recordings.len() as u64, "recording", "recordings")
    ))?)
}
