//! Tasks that run already, to which counters are to be attached.

use std::io;

use crate::{Error, proc_info};

/// How often to attach anew where tasks start or end meanwhile.
const TRIES: u32 = 20;

/// Processes or threads that were named as a target, each with the time at which it started.
#[derive(Debug)]
pub(crate) struct Named(Vec<(u32, u64)>);

impl Named {
    /// Those of these numbers; `what` they are to be, a process or a thread, is for messages.
    ///
    /// # Errors
    /// Where there is none of a number, or none any more.
    pub(crate) fn find(what: &'static str, ids: &[u32]) -> Result<Named, Error> {
        let started = |&id: &u32| {
            // The number of another thread of a process names a directory in /proc, too, though none that is listed.
            match (proc_info::start_time_of_living(id), proc_info::process_of(id)) {
                (Some(_), Some(process)) if what == "process" && process != id => {
                    Err(Error::IsThread { id, process })
                }
                (Some(time), Some(_)) => Ok((id, time)),
                (None, Some(_)) => Err(Error::HasEnded { what, id }),
                _ => Err(Error::NoSuchTask { what, id }),
            }
        };
        Ok(Named(ids.iter().map(started).collect::<Result<_, _>>()?))
    }

    /// At least one of them has not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.0.iter().any(|&(id, started)| proc_info::start_time_of_living(id) == Some(started))
    }
}

/// Attaches to all threads of these processes and of those that descend from them; `open` gets the threads.
///
/// A thread that is there afterwards and was not before has come from one with a counter, and has inherited it, or from
/// one that had none yet: that cannot be told, and so all is done again until nothing has changed meanwhile.
///
/// # Errors
/// Those of `open`, and where a process is not there or never stays as it is.
pub(crate) fn attach<T>(pids: &[u32], open: impl FnMut(&[u32]) -> Result<T, Error>) -> Result<T, Error> {
    attach_to(pids, || threads_of_tree(pids), open)
}

/// As [`attach`], to all threads of the processes to which these threads belong.
pub(crate) fn attach_beside<T>(
    tids: &[u32],
    open: impl FnMut(&[u32]) -> Result<T, Error>,
) -> Result<T, Error> {
    attach_to(tids, || threads_beside(tids), open)
}

fn attach_to<T>(
    ids: &[u32],
    list: impl Fn() -> Vec<u32>,
    mut open: impl FnMut(&[u32]) -> Result<T, Error>,
) -> Result<T, Error> {
    for _ in 0..TRIES {
        let threads = list();
        if threads.is_empty() {
            break;
        }
        let opened = open(&threads);
        let now = list();
        let is_steady = now == threads;
        match opened {
            // Where all of them have ended since, what they did until then is known.
            Ok(opened) if is_steady || now.is_empty() => return Ok(opened),
            Ok(_) => {}
            // One of the threads has just ended.
            Err(Error::Open { source, .. }) if !is_steady && source.raw_os_error() == Some(libc::ESRCH) => {}
            Err(error) => return Err(error),
        }
    }
    let id = ids.first().copied().unwrap_or(0);
    match proc_info::start_time_of_living(id) {
        Some(_) => Err(Error::RestlessProcess { id }),
        None => Err(Error::NoSuchTask { what: "process", id }),
    }
}

fn threads_of_tree(pids: &[u32]) -> Vec<u32> {
    let mut threads: Vec<u32> =
        proc_info::tree(pids).iter().flat_map(|pid| proc_info::threads(*pid).unwrap_or_default()).collect();
    threads.sort_unstable();
    threads
}

fn threads_beside(tids: &[u32]) -> Vec<u32> {
    let mut pids: Vec<u32> = tids.iter().filter_map(|tid| proc_info::process_of(*tid)).collect();
    pids.sort_unstable();
    pids.dedup();
    pids.iter().flat_map(|pid| proc_info::threads(*pid).unwrap_or_default()).collect()
}

/// What an error says of the first of these tasks that explains it.
pub(crate) fn refused(what: &'static str, ids: &[u32], error: Error) -> Error {
    let Error::Open { source, event } = error else { return error };
    let foreign = ids.iter().find(|id| !is_own(**id));
    match (source.raw_os_error(), foreign, ids) {
        (Some(libc::ESRCH), _, [id, ..]) => {
            let gone = ids.iter().find(|id| proc_info::start_time_of_living(**id).is_none());
            Error::NoSuchTask { what, id: *gone.unwrap_or(id) }
        }
        // A task of one's own may be counted in user code at least, unless the system forbids it all.
        (Some(libc::EACCES | libc::EPERM), Some(id), _) => Error::ForeignTask { what, id: *id },
        _ => Error::Open { source, event },
    }
}

fn is_own(id: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(format!("/proc/{id}")).map(|metadata| metadata.uid());
    owner.is_ok_and(|owner| owner == rustix::process::geteuid().as_raw())
}

/// There is nothing to attach to.
pub(crate) fn nothing() -> Error {
    Error::system("attach")(io::Error::new(io::ErrorKind::InvalidInput, "nothing was named"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_there_is_not_found() {
        // Process ids end at 4,194,304 (PID_MAX_LIMIT of the kernel).
        for what in ["process", "thread"] {
            let error = Named::find(what, &[4_194_305]).expect_err("nobody").to_string();
            assert!(error.starts_with(&format!("{what} 4194305: ")), "{error}");
        }
        assert!(!Named(vec![(std::process::id(), 1)]).is_running(), "another process had this number before");
        assert!(Named::find("process", &[std::process::id()]).expect("it runs").is_running());
    }

    #[test]
    fn it_is_done_again_until_nothing_changes() {
        let own = [std::process::id()];
        let mut child = None;
        let mut tries = 0;
        let threads = attach(&own, |threads| {
            tries += 1;
            if tries == 1 {
                child = std::process::Command::new("sleep").arg("60").spawn().ok();
            }
            Ok(threads.to_vec())
        });
        let mut child = child.expect("a child");
        child.kill().expect("it can be killed");
        child.wait().expect("it was ours");
        // Other tests of this process start and end threads and processes, too.
        assert!(tries >= 2);
        assert!(threads.is_err() || threads.is_ok_and(|threads| threads.contains(&child.id())));
    }
}
