//! Counters on tasks that run already.

use std::io;

use oprof_events::EventConfig;

use super::counters::Counters;
use crate::attribute::Start;
use crate::counter::Attachment;
use crate::{Error, proc_info};

/// How often to attach anew where a process starts threads meanwhile.
const TRIES: u32 = 20;

/// The tasks to which counters were attached, each with the time at which it started.
#[derive(Debug)]
pub(super) struct Attached(Vec<(u32, u64)>);

impl Attached {
    /// Attaches to all threads of these processes; what they start from now on inherits the counters.
    pub(super) fn processes(pids: &[u32], events: &[EventConfig]) -> Result<(Attached, Counters), Error> {
        let mut all = None;
        for &pid in pids {
            join(&mut all, process(pid, events)?);
        }
        Ok((Attached::new("process", pids)?, all.ok_or_else(nothing)?))
    }

    /// Attaches to these threads alone.
    pub(super) fn threads(tids: &[u32], events: &[EventConfig]) -> Result<(Attached, Counters), Error> {
        let mut all = None;
        for &tid in tids {
            if proc_info::start_time_of_living(tid).is_none() {
                return Err(Error::NoSuchTask { what: "thread", id: tid });
            }
            let opened = Counters::open(events, &[Attachment::Task(tid, None)], false, Start::Enabled);
            join(&mut all, opened.map_err(|error| refused("thread", tid, error))?);
        }
        Ok((Attached::new("thread", tids)?, all.ok_or_else(nothing)?))
    }

    fn new(what: &'static str, ids: &[u32]) -> Result<Attached, Error> {
        let started = |&id: &u32| match proc_info::start_time_of_living(id) {
            Some(time) => Ok((id, time)),
            None => Err(Error::NoSuchTask { what, id }),
        };
        Ok(Attached(ids.iter().map(started).collect::<Result<_, _>>()?))
    }

    /// At least one of them has not ended.
    pub(super) fn is_running(&self) -> bool {
        self.0.iter().any(|&(id, started)| proc_info::start_time_of_living(id) == Some(started))
    }
}

/// Attaches to all threads of a process.
///
/// A thread that is there afterwards and was not before has come from one with a counter, and has inherited it, or from
/// one that had none yet: that cannot be told, and so all is done again until nothing has changed meanwhile.
fn process(pid: u32, events: &[EventConfig]) -> Result<Counters, Error> {
    let gone = || Error::NoSuchTask { what: "process", id: pid };
    for _ in 0..TRIES {
        let threads = proc_info::threads(pid).ok_or_else(gone)?;
        // The id of another thread of a process names a directory in /proc, too, though none that is listed.
        if !threads.contains(&pid) || proc_info::start_time_of_living(pid).is_none() {
            return Err(gone());
        }
        let places: Vec<_> = threads.iter().map(|tid| Attachment::Task(*tid, None)).collect();
        let opened = Counters::open(events, &places, true, Start::Enabled);
        let is_steady = proc_info::threads(pid).is_some_and(|now| now == threads);
        match opened {
            Ok(counters) if is_steady => return Ok(counters),
            Ok(_) => {}
            // One of the threads has just ended.
            Err(Error::Open { source, .. }) if !is_steady && source.raw_os_error() == Some(libc::ESRCH) => {}
            Err(error) => return Err(refused("process", pid, error)),
        }
    }
    Err(Error::RestlessProcess { id: pid })
}

fn refused(what: &'static str, id: u32, error: Error) -> Error {
    let Error::Open { source, event } = error else { return error };
    match source.raw_os_error() {
        Some(libc::ESRCH) => Error::NoSuchTask { what, id },
        // A task of one's own may be counted in user code at least, unless the system forbids it all.
        Some(libc::EACCES | libc::EPERM) if !is_own(id) => Error::ForeignTask { what, id },
        _ => Error::Open { source, event },
    }
}

fn is_own(id: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(format!("/proc/{id}")).map(|metadata| metadata.uid());
    owner.is_ok_and(|owner| owner == rustix::process::geteuid().as_raw())
}

fn join(all: &mut Option<Counters>, counters: Counters) {
    match all {
        Some(all) => all.join(counters),
        None => *all = Some(counters),
    }
}

fn nothing() -> Error {
    Error::system("attach")(io::Error::new(io::ErrorKind::InvalidInput, "nothing was named"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<EventConfig> {
        oprof_events::System::here().resolve("task-clock:u").expect("it exists everywhere")
    }

    #[test]
    fn who_is_not_there_cannot_be_attached_to() {
        // Process ids end at 4,194,304 (PID_MAX_LIMIT of the kernel).
        let error = Attached::processes(&[4_194_305], &events()).expect_err("nobody").to_string();
        assert!(error.starts_with("process 4194305: "), "{error}");
        let error = Attached::threads(&[4_194_305], &events()).expect_err("nobody").to_string();
        assert!(error.starts_with("thread 4194305: "), "{error}");
    }

    #[test]
    fn the_threads_of_a_process_are_attached_to_and_run() {
        let own = std::process::id();
        let (attached, counters) = Attached::threads(&[own], &events()).expect("one's own thread");
        assert!(attached.is_running());
        assert_eq!(counters.read().len(), 1);
        assert!(!Attached(vec![(own, 1)]).is_running(), "another process had this number before");
    }
}
