//! Turns facts into the checklist. Nothing here asks the machine.

mod access;
mod hardware;
mod kernel;
mod limits;
mod scope;

use super::check::Check;
use super::facts::Facts;

/// The checklist, in the order in which a recording needs things.
pub(crate) fn checks(facts: &Facts) -> Vec<Check> {
    let always = [
        kernel::release(facts),
        access::perf_event_open(facts),
        access::paranoid(facts),
        access::capabilities(facts),
        hardware::counters(facts),
        hardware::default_event(facts),
        scope::control_group(facts),
        scope::scope(facts),
        kernel::symbols(facts),
        kernel::build_ids(facts),
        kernel::tracepoints(facts),
        limits::ring_buffers(facts),
        limits::sample_rate(facts),
        limits::open_files(facts),
    ];
    always.into_iter().chain(hardware::nmi_watchdog(facts)).collect()
}

/// A recording can be made at all.
pub(crate) fn can_record(facts: &Facts) -> bool {
    kernel::is_new_enough(facts) && facts.scope().is_ok()
}

/// What `record` will do here.
pub(crate) fn conclusion(facts: &Facts) -> String {
    match facts.scope() {
        Ok((scope, rehearsal)) if can_record(facts) => {
            let code = if rehearsal.kernel { "user and kernel code" } else { "user code only" };
            format!(
                "`oprof record COMMAND` works here: event {}, {code}, scope {scope}.",
                facts.default_event
            )
        }
        _ => "`oprof record` cannot work here until what is missing is cured.".to_owned(),
    }
}

#[cfg(test)]
mod tests;
