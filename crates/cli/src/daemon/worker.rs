//! The thread that records for the daemon.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Parser;
use oprof_collector::{Controller, NotDone, Order};

use super::settings::Settings;
use crate::arguments::{Arguments, RecordOptions, Subcommand};
use crate::record::{self, Session};
use crate::session_directory::SessionDirectory;

/// Of more processes than this, those that have ended are folded by what they ran, but for the busiest half.
const MOST_PROCESSES: usize = 10_000;
/// How often names are written, so that a killed daemon leaves few samples without.
const NAMES_AFTER: Duration = Duration::from_secs(10 * 60);

/// The thread that records.
#[derive(Debug)]
pub(super) struct Worker {
    controller: Controller,
    thread: JoinHandle<Result<()>>,
    settings: Settings,
    is_sampling: bool,
}

impl Worker {
    /// Starts to record what is set up, into the next recording of the session.
    ///
    /// # Errors
    /// Where that cannot be recorded here.
    pub(super) fn start(session: &SessionDirectory, settings: Settings) -> Result<Worker> {
        let options = options(&settings, session.next_recording()?)?;
        let (tell, started) = mpsc::channel::<Result<Controller>>();
        // All of it in one thread: what is mapped stays with the one that reads it.
        let thread = thread::Builder::new().name("record".to_owned()).spawn(move || {
            let begun = || -> Result<_> {
                let (mut plan, notes) = record::plan(&options)?;
                plan.switches = true;
                let mut session = Session::prepare(&options, plan, notes)?;
                session.start()?;
                Ok(session)
            };
            match begun() {
                Ok(session) => {
                    let _ = tell.send(Ok(session.controller()));
                    session.record(MOST_PROCESSES, Some(NAMES_AFTER))?.finish(&options).map(|_| ())
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                    Ok(())
                }
            }
        })?;
        let controller = started.recv().map_err(|_| anyhow!("recording ended before it began"))??;
        Ok(Worker { controller, thread, settings, is_sampling: true })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn is_sampling(&self) -> bool {
        self.is_sampling
    }

    /// Recording has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Takes samples, or none.
    pub(super) fn switch(&mut self, on: bool) -> Result<()> {
        self.tell(if on { Order::Enable } else { Order::Disable })?;
        self.is_sampling = on;
        Ok(())
    }

    /// Writes what there is, with names.
    ///
    /// # Errors
    /// Where that cannot be written; it stays in memory, and recording goes on.
    pub(super) fn dump(&self) -> Result<()> {
        self.tell(Order::Dump)
    }

    fn tell(&self, order: Order) -> Result<()> {
        self.controller.tell(order).map_err(|error| match error {
            NotDone::Ended => anyhow!("{error}; see daemon.log"),
            NotDone::NotWritten(_) => anyhow!(error),
        })
    }

    /// Ends the recording and waits until it is complete.
    pub(super) fn finish(self) -> Result<()> {
        // Where it has ended by itself, or by the same signal as the daemon, there is nothing to tell.
        let _ = self.controller.tell(Order::Stop);
        self.thread.join().unwrap_or_else(|_| Err(anyhow!("recording failed")))
    }
}

/// What the settings ask for can be recorded here.
pub(crate) fn check(settings: &Settings) -> Result<()> {
    let options = options(settings, PathBuf::from("oprof.data"))?;
    let (plan, _) = record::plan(&options)?;
    oprof_collector::Recorder::prepare(&plan)?;
    Ok(())
}

fn options(settings: &Settings, output: PathBuf) -> Result<RecordOptions> {
    let arguments = Arguments::try_parse_from(settings.command_line(&output));
    let arguments = arguments.map_err(|error| anyhow!("{}", crate::usage_error::mistake(&error)))?;
    match arguments.subcommand {
        Subcommand::Record(options) => Ok(options),
        _ => Err(anyhow!("these settings are of something else")),
    }
}
