//! Exact totals of processes, put together from what each task reported at its end.

use crate::{EventId, ProcessId, Profile};

/// How often an event happened on one CPU in some tasks, as a counter has it that these inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskTotal {
    /// The event.
    pub event: EventId,
    /// The CPU whose counter it is.
    pub cpu: u16,
    /// How often it happened.
    pub value: u64,
}

/// What a counter told of the tasks of one process.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    tasks: u32,
    value: u64,
}

/// How many tasks a process had, and what each counter told of them.
///
/// The process's total is known only once every counter has told of every task. A report can fail to come: the kernel
/// lets tasks that end at once on two CPUs write into the same buffer, where one can undo the other's.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Its first task was seen to be forked.
    from_fork: bool,
    tasks: u32,
    /// For each of [`Totals::counters`]; shorter where the last ones told of none.
    told: Vec<Told>,
}

impl Tally {
    /// Of a process that was seen to be forked.
    pub(super) fn from_fork() -> Tally {
        Tally { from_fork: true, tasks: 1, told: Vec::new() }
    }

    /// It starts a task.
    pub(super) fn add_task(&mut self) {
        self.tasks = self.tasks.saturating_add(1);
    }

    fn lacks(&self, counter: usize) -> bool {
        self.told.get(counter).map_or(0, |told| told.tasks) < self.tasks
    }

    fn of(&mut self, counter: usize) -> &mut Told {
        if self.told.len() <= counter {
            self.told.resize(counter + 1, Told::default());
        }
        &mut self.told[counter]
    }
}

/// One of the counters that tasks inherit.
#[derive(Debug)]
struct Counter {
    event: EventId,
    cpu: u16,
    /// What ended tasks reported of it, those of unknown processes too.
    told: u64,
    /// A process of which it has not told all is forgotten.
    lacks: bool,
}

/// What is known of exact totals while records come in.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// At most some dozens.
    counters: Vec<Counter>,
    /// Processes whose ids are in use again, and of which a counter has not told all.
    retired: Vec<(ProcessId, Tally)>,
}

impl Totals {
    /// None are kept.
    pub(super) fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }

    /// The process has ended long since: nothing more will be told of it.
    pub(super) fn retire(&mut self, process: ProcessId, tally: Tally) {
        if !self.is_complete(&tally) {
            self.retired.push((process, tally));
        }
    }

    /// The process is folded with others: what was not told of it by now nobody can tell.
    pub(super) fn fold(&mut self, tally: &Tally) {
        for (index, counter) in self.counters.iter_mut().enumerate() {
            counter.lacks |= tally.lacks(index);
        }
    }

    /// Processes have other numbers, or none of their own any more.
    pub(super) fn renumber(&mut self, number: impl Fn(ProcessId) -> Option<ProcessId>) {
        for (process, tally) in std::mem::take(&mut self.retired) {
            match number(process) {
                Some(process) => self.retired.push((process, tally)),
                None => self.fold(&tally),
            }
        }
    }

    fn is_complete(&self, tally: &Tally) -> bool {
        (0..self.counters.len()).all(|counter| !tally.lacks(counter))
    }

    fn counter(&self, total: &TaskTotal) -> Option<usize> {
        self.counters.iter().position(|counter| counter.event == total.event && counter.cpu == total.cpu)
    }
}

impl Profile {
    /// Tasks are going to report at their ends what these counters counted in them.
    pub fn expect_totals(&mut self, counters: &[TaskTotal]) {
        let counter =
            |total: &TaskTotal| Counter { event: total.event, cpu: total.cpu, told: 0, lacks: false };
        self.totals.counters = counters.iter().map(counter).collect();
    }

    /// A task of a process has ended, and this is what a counter told of it.
    pub(super) fn count(&mut self, pid: u32, total: TaskTotal) {
        let Some(counter) = self.totals.counter(&total) else { return };
        let all = &mut self.totals.counters[counter].told;
        *all = all.saturating_add(total.value);
        let Some(live) = self.live.get_mut(&pid) else { return };
        let told = live.tally.of(counter);
        told.tasks += 1;
        told.value = told.value.saturating_add(total.value);
        self.settle(pid);
    }

    /// Gives a process that has ended its total when all of it has been told. The last report can come before or
    /// after the end of the last task, as the kernel's version has it.
    pub(super) fn settle(&mut self, pid: u32) {
        // Where nothing is counted nothing is known, and not zero.
        if self.totals.is_empty() {
            return;
        }
        let Some(live) = self.live.get_mut(&pid) else { return };
        let tally = &live.tally;
        if live.threads == 0 && tally.from_fork && tally.tasks > 0 && self.totals.is_complete(tally) {
            let process = live.process;
            // Nothing is kept of it: there are many.
            let tally = std::mem::replace(&mut live.tally, Tally { from_fork: true, ..Tally::default() });
            self.set_totals(process, &tally);
        }
    }

    fn set_totals(&mut self, process: ProcessId, tally: &Tally) {
        let mut totals = vec![0_u64; self.coverage.events.len()];
        for (counter, told) in self.totals.counters.iter().zip(&tally.told) {
            if let Some(total) = totals.get_mut(usize::from(counter.event.0)) {
                *total = total.saturating_add(told.value);
            }
        }
        self.change(process).event_totals = totals;
    }

    /// Completes the exact totals of processes with what all tasks counted together, counter by counter: what no task
    /// has told of belongs to the one process that lacks a report. Where several do nobody can tell whose it is, and
    /// they get no total.
    ///
    /// One always does: the kernel reports a count for counters that were inherited, never for those they come from,
    /// which are the `command`'s first task's. And from Linux 5.13 to 6.18 no count is reported at all (repaired by
    /// the kernel's commit c418d8b4d7a4).
    pub fn complete_totals(&mut self, command: u32, counted: &[TaskTotal]) {
        if let Some(live) = self.live.get_mut(&command) {
            live.tally.from_fork = true;
            live.tally.add_task();
        }
        let mut processes = std::mem::take(&mut self.totals.retired);
        let live = self.live.values_mut();
        processes.extend(live.map(|live| (live.process, std::mem::take(&mut live.tally))));
        // What settled has its total; what began unseen may have had more tasks than were seen.
        processes.retain(|(_, tally)| tally.tasks > 0 || !tally.from_fork);
        let mut unknown = vec![false; processes.len()];
        for total in counted {
            let Some(counter) = self.totals.counter(total) else { continue };
            let lacking: Vec<usize> =
                (0..processes.len()).filter(|&index| processes[index].1.lacks(counter)).collect();
            let counter_lacks = self.totals.counters[counter].lacks;
            match (total.value.checked_sub(self.totals.counters[counter].told), lacking.as_slice()) {
                // Whoever lacks a report did nothing on this CPU.
                (Some(0), _) => {}
                // Where records were lost, one of a fork may be among them, so that there may be others.
                (Some(rest), &[only]) if self.coverage.lost_records == 0 && !counter_lacks => {
                    let told = processes[only].1.of(counter);
                    told.value = told.value.saturating_add(rest);
                }
                // More was told than there was, or what nobody can have done is missing: a report was garbled.
                (Some(_), []) if counter_lacks => {}
                (None, _) | (Some(_), []) => return self.forget_totals(),
                (Some(_), several) => several.iter().for_each(|&index| unknown[index] = true),
            }
        }
        for ((process, tally), unknown) in processes.iter().zip(unknown) {
            if tally.from_fork && !unknown {
                self.set_totals(*process, tally);
            }
        }
    }

    fn forget_totals(&mut self) {
        for index in 0..self.processes.len() {
            if !self.processes[index].event_totals.is_empty() {
                self.change(ProcessId(index as u32)).event_totals.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests;
