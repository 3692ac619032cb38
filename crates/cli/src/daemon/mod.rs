//! `oprof daemon`: records the whole system for days, and does what `opcontrol` asks for meanwhile.

mod protocol;
mod settings;
mod worker;

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

pub(crate) use protocol::{Request, ask, check_running};
pub(crate) use settings::Settings;
use worker::Worker;
pub(crate) use worker::check;

use crate::arguments::DaemonOptions;
use crate::session_directory::SessionDirectory;
use crate::speak;

/// The daemon of one session directory.
struct Daemon {
    session: SessionDirectory,
    worker: Option<Worker>,
}

/// Runs until it is told to end.
pub(crate) fn daemon(options: &DaemonOptions) -> Result<ExitCode> {
    if options.background {
        // Of the shell that has started it nothing is left: neither its terminal nor its group.
        let _ = rustix::process::setsid();
    }
    let session = SessionDirectory::new(options.session_dir.as_deref())?;
    session.create()?;
    let _lock = session.lock()?;
    let (mut ended, end) = UnixStream::pair()?;
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        pipe::register(signal, end.try_clone()?).map_err(|error| anyhow!("cannot catch signals: {error}"))?;
    }
    let mut daemon = Daemon { session, worker: None };
    match options.start {
        true => daemon.start()?,
        false => check(&Settings::read(&daemon.session)?)?,
    }
    let listener = protocol::listen(&daemon.session)?;
    let served = daemon.serve(&listener, &mut ended);
    protocol::leave(&daemon.session);
    served?;
    daemon.worker.map_or(Ok(()), Worker::finish)?;
    Ok(ExitCode::SUCCESS)
}

impl Daemon {
    /// Does what it is asked for until that is to end, or a signal comes.
    fn serve(&mut self, listener: &UnixListener, ended: &mut UnixStream) -> Result<()> {
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(ended.as_fd(), PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    return Err(anyhow!("cannot wait for requests: {}", std::io::Error::from(error)));
                }
            }
            if !fds[1].revents().is_empty() {
                let _ = ended.read(&mut [0; 16]);
                return Ok(());
            }
            let Ok((stream, _)) = listener.accept() else { continue };
            let request = protocol::read(&stream);
            let is_shutdown = matches!(request, Ok(Request::Shutdown));
            let answer = request.and_then(|request| self.obey(request));
            if let Err(error) = &answer {
                speak::line(&format!("{error:#}"));
            }
            protocol::answer(&stream, &answer);
            if is_shutdown && answer.is_ok() {
                return Ok(());
            }
        }
    }

    fn obey(&mut self, request: Request) -> Result<Vec<String>> {
        // What it said is in the log.
        self.worker = self.worker.take().filter(|worker| !worker.has_ended());
        match request {
            Request::Start => self.start()?,
            Request::Stop => {
                if let Some(worker) = &mut self.worker {
                    worker.switch(false)?;
                    worker.dump()?;
                }
            }
            Request::Dump => self.worker.iter().try_for_each(Worker::dump)?,
            Request::Reset => self.anew(SessionDirectory::reset)?,
            Request::Save(name) => {
                // Before anything ends: what cannot be saved leaves all as it is.
                self.worker.iter().try_for_each(Worker::dump)?;
                self.session.check_saving(&name)?;
                self.anew(|session| session.save(&name))?;
            }
            Request::Status => {
                let is_sampling = self.worker.as_ref().is_some_and(Worker::is_sampling);
                let state = if is_sampling { "sampling" } else { "not sampling" };
                let settings = Settings::read(&self.session)?;
                let others = self.worker.as_ref().is_some_and(|worker| *worker.settings() != settings);
                let news = others.then_some("what was set up since takes effect with the next --start");
                return Ok([Some(state), news].into_iter().flatten().map(str::to_owned).collect());
            }
            Request::Shutdown => {
                self.worker.iter().try_for_each(Worker::dump).map_err(|error| {
                    let pid = std::process::id();
                    anyhow!("{error:#}; the daemon goes on (kill {pid} ends it without these samples)")
                })?;
                self.worker.take().map_or(Ok(()), Worker::finish)?;
            }
        }
        Ok(Vec::new())
    }

    fn start(&mut self) -> Result<()> {
        let settings = Settings::read(&self.session)?;
        match &mut self.worker {
            Some(worker) if *worker.settings() == settings => worker.switch(true),
            Some(_) => {
                // What has been recorded stays; what was set up since goes into a recording of its own.
                self.worker.iter().try_for_each(Worker::dump)?;
                self.worker.take().map_or(Ok(()), Worker::finish)?;
                self.start()
            }
            None => {
                self.worker = Some(Worker::start(&self.session, settings)?);
                Ok(())
            }
        }
    }

    /// Changes the recordings of the session, between the end of one and the beginning of the next.
    fn anew(&mut self, change: impl FnOnce(&SessionDirectory) -> Result<()>) -> Result<()> {
        let Some(worker) = self.worker.take() else { return change(&self.session) };
        let is_sampling = worker.is_sampling();
        worker.finish()?;
        let changed = change(&self.session);
        if is_sampling {
            self.start()?;
        }
        changed
    }
}
