//! Counters on tasks that run already.

use oprof_events::EventConfig;

use super::counters::Counters;
use crate::Error;
use crate::attribute::Start;
use crate::counter::Attachment;
use crate::running_tasks::{Named, attach, nothing, refused};

/// Attaches to all threads of these processes and of their children; what they start from now on inherits the counters.
pub(crate) fn processes(pids: &[u32], events: &[EventConfig]) -> Result<(Named, Counters), Error> {
    let named = Named::find("process", pids)?;
    let open = |threads: &[u32]| {
        let places: Vec<_> = threads.iter().map(|tid| Attachment::Task(*tid, None)).collect();
        Counters::open(events, &places, true, Start::Enabled)
    };
    let counters = attach(pids, open).map_err(|error| refused("process", pids, error))?;
    Ok((named, counters))
}

/// Attaches to these threads alone.
pub(crate) fn threads(tids: &[u32], events: &[EventConfig]) -> Result<(Named, Counters), Error> {
    let named = Named::find("thread", tids)?;
    if tids.is_empty() {
        return Err(nothing());
    }
    let places: Vec<_> = tids.iter().map(|tid| Attachment::Task(*tid, None)).collect();
    let opened = Counters::open(events, &places, false, Start::Enabled);
    Ok((named, opened.map_err(|error| refused("thread", tids, error))?))
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
        let error = processes(&[4_194_305], &events()).expect_err("nobody").to_string();
        assert!(error.starts_with("process 4194305: "), "{error}");
        let error = threads(&[4_194_305], &events()).expect_err("nobody").to_string();
        assert!(error.starts_with("thread 4194305: "), "{error}");
    }

    #[test]
    fn the_threads_of_a_process_are_attached_to_and_run() {
        let own = std::process::id();
        let (named, counters) = threads(&[own], &events()).expect("one's own thread");
        assert!(named.is_running());
        assert_eq!(counters.read().len(), 1);
    }
}
