//! Recording, from the first sample to the end.

use std::io;
use std::time::{Duration, Instant};

use oprof_profile::{CommandEnd, Record, Target, Timestamp};

use super::fork_storm;
use super::task_record::take_task_record;
use super::{Collected, FirstSample, Progress, Reason, Recorder, go_first};
use crate::cgroup::ExistingCgroup;
use crate::clock::now;
use crate::command::{Running, Waiting};
use crate::control::Order;
use crate::counting::counters::Counters;
use crate::parse::Parsed;
use crate::running_processes::RunningProcesses;
use crate::signals::Wish;
use crate::waiter::Waiter;
use crate::{Error, proc_info, time_order};

/// How often what was folded is handed to the recording file.
const FLUSH: Duration = Duration::from_millis(900);
/// How long the recorder sleeps at most; a buffer wakes it when it is a quarter full.
const ROUND: Duration = Duration::from_millis(450);
/// The same where it has to look by itself whether what it records still runs.
const ROUND_WITH_LOOK: Duration = Duration::from_millis(200);
/// Rounds are at least this far apart, since a storm of short processes would else wake the recorder for each record.
const GAP: Duration = Duration::from_millis(1);
/// The same while programs are being executed. It is how late the recorder may come to one that has just begun: the
/// shorter, the more arguments of processes that last less than a millisecond are still there to be read.
const GAP_AMONG_PROGRAMS: Duration = Duration::from_micros(250);
/// For how long after one program others are to be expected.
const AMONG_PROGRAMS: Duration = Duration::from_millis(100);

/// How often to look whether the processes still run that were named.
const LOOK: Duration = Duration::from_millis(20);
/// While what runs already is read the buffers are emptied each time that so many records have come of it.
const DRAINED_AMONG: usize = 1_000;

impl Recorder {
    /// Takes in what runs already, starts to count and lets the command run; returns once it was executed.
    ///
    /// # Errors
    /// Where the command cannot be executed.
    pub fn start(&mut self) -> Result<(), Error> {
        if self.target != Target::Command {
            self.rings.enable_task_records()?;
            self.take_in_running_processes();
        }
        self.started = now();
        match self.first_sample {
            FirstSample::Now => {
                self.rings.enable()?;
                self.totals.iter().try_for_each(Counters::enable)?;
                self.sampled_time.switch(true);
            }
            FirstSample::After(_) | FirstSample::WhenTold => self.rings.enable_task_records()?,
        }
        self.running = self.waiting.take().map(Waiting::go).transpose()?;
        Ok(())
    }

    fn take_in_running_processes(&mut self) {
        let by_build_id = self.rings.tells_build_ids();
        let with_threads = self.profile.threads_are_separate();
        let mut running = RunningProcesses::new(self.build_id_of, by_build_id, with_threads);
        let mut since_drained = 0;
        let target = self.target.clone();
        let group = self.group.take();
        let list = || match &target {
            Target::Command => Vec::new(),
            Target::Cpus(_) => proc_info::processes(),
            Target::Processes(pids) => proc_info::tree(pids),
            Target::Threads(tids) => tids.iter().filter_map(|tid| proc_info::process_of(*tid)).collect(),
            Target::Cgroup(_) => group.as_ref().map(ExistingCgroup::processes).unwrap_or_default(),
        };
        running.read(target.is_of_cpus(), list, |records| {
            since_drained += records.len();
            let Recorder { order, images, descriptions, jit_files, .. } = self;
            for record in records {
                take_task_record(record, order, images, descriptions, jit_files);
            }
            if since_drained >= DRAINED_AMONG {
                since_drained = 0;
                self.drain();
            }
        });
    }

    /// Records until the command has ended, or until a second signal; without a command until the first one, or until the
    /// controller says so. `flush` gets what was folded about once a second, and says what could not be written of it.
    ///
    /// # Errors
    /// Where waiting for records fails.
    pub fn record(
        mut self,
        mut flush: impl FnMut(Progress<'_>) -> Result<(), String>,
    ) -> Result<Collected, Error> {
        let failed = Error::system("wait for records");
        let waiter = self.waiter().map_err(&failed)?;
        go_first();
        let mut since = self.started;
        // To watch a buffer takes the notice of what is in it already.
        self.round();
        self.last_flush = Instant::now();
        let began = Instant::now();
        let (mut is_over, mut last_look) = (false, began);
        let end = loop {
            let round = Instant::now();
            let storm = self.storm.is_on().then_some(fork_storm::WINDOW);
            let longest = match (self.descriptions.is_waiting(), &self.named) {
                (true, _) => GAP_AMONG_PROGRAMS,
                (false, Some(_)) => ROUND_WITH_LOOK,
                (false, None) => ROUND,
            };
            let longest =
                storm.unwrap_or(longest).min(longest).min(FLUSH.saturating_sub(self.last_flush.elapsed()));
            let left = self.longest.filter(|_| !is_over).map(|whole| whole.saturating_sub(began.elapsed()));
            let until_first = self.until_first_sample(began);
            let longest = [left, until_first].into_iter().flatten().fold(longest, Duration::min);
            waiter.wait(longest).map_err(&failed)?;
            if self.until_first_sample(began) == Some(Duration::ZERO) {
                self.first_sample = FirstSample::Now;
                self.switch(true)?;
            }
            let time_is_up = left.is_some() && self.longest.is_some_and(|whole| began.elapsed() >= whole);
            is_over |= time_is_up;
            match self.signals.take() {
                Wish::None if !time_is_up => {}
                _ if self.running.is_none() => break CommandEnd::NoCommand,
                Wish::LetCommandEnd => {}
                Wish::None | Wish::EndCommand => self.running.iter().for_each(Running::terminate),
                Wish::Stop => break CommandEnd::StillRunning,
            }
            if let Some(end) = self.obey(&mut since, &mut flush)? {
                break end;
            }
            if let Some(end) = self.running.as_mut().and_then(Running::end) {
                break end;
            }
            if self.running.is_none() && last_look.elapsed() >= LOOK {
                last_look = Instant::now();
                if self.named.as_ref().is_some_and(|named| !named.is_running()) {
                    break CommandEnd::NoCommand;
                }
            }
            self.round();
            if self.last_flush.elapsed() >= FLUSH {
                self.catch_up();
                // Whoever writes it says what fails.
                let _ = self.show(Reason::Routine, &mut since, &mut flush);
            }
            std::thread::sleep(self.gap().saturating_sub(round.elapsed()));
        };
        let mut collected = self.finish(end);
        let Collected { profile, images, jit_files, .. } = &mut collected;
        let _ = flush(Progress { profile, images, jit_files, since, now: now(), reason: Reason::Last });
        Ok(collected)
    }

    /// How long it is until the first sample, of a recording that began then; `None` where that is no question of time.
    fn until_first_sample(&self, began: Instant) -> Option<Duration> {
        match self.first_sample {
            FirstSample::After(delay) => Some(delay.saturating_sub(began.elapsed())),
            FirstSample::Now | FirstSample::WhenTold => None,
        }
    }

    /// Takes samples from now on, or none.
    fn switch(&mut self, on: bool) -> Result<(), Error> {
        self.rings.switch_samples(on)?;
        match (&self.totals, on) {
            (Some(totals), true) => totals.enable()?,
            (Some(totals), false) => totals.disable(),
            (None, _) => {}
        }
        self.sampled_time.switch(on);
        Ok(())
    }

    /// Hands out what was folded.
    fn show(
        &mut self,
        reason: Reason,
        since: &mut Timestamp,
        flush: &mut impl FnMut(Progress<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let now = now();
        let (profile, images, jit_files) = (&mut self.profile, &self.images, &mut self.jit_files);
        let written = flush(Progress { profile, images, jit_files, since: *since, now, reason });
        *since = now;
        self.last_flush = Instant::now();
        written
    }

    /// Carries out the orders since the last time; gives an end where one of them is to end.
    fn obey(
        &mut self,
        since: &mut Timestamp,
        flush: &mut impl FnMut(Progress<'_>) -> Result<(), String>,
    ) -> Result<Option<CommandEnd>, Error> {
        for (order, done) in self.orders.take() {
            let mut became = Ok(());
            match order {
                Order::Enable => self.switch(true)?,
                Order::Disable => self.switch(false)?,
                Order::Dump => {
                    self.round();
                    std::thread::sleep(time_order::SLACK);
                    self.catch_up();
                    became = self.show(Reason::Dump, since, flush);
                }
                Order::Stop => {
                    let _ = done.send(became);
                    return Ok(Some(match self.running {
                        Some(_) => CommandEnd::StillRunning,
                        None => CommandEnd::NoCommand,
                    }));
                }
            }
            // Who does not wait for it need not be told.
            let _ = done.send(became);
        }
        Ok(None)
    }

    /// How far apart rounds have to be for now.
    fn gap(&self) -> Duration {
        match self.last_mapping {
            Some(seen) if seen.elapsed() < AMONG_PROGRAMS => GAP_AMONG_PROGRAMS,
            _ if self.storm.is_on() => fork_storm::WINDOW,
            _ => GAP,
        }
    }

    /// Takes in what the last round held back, but for what came in the last milliseconds: what is held back is complete
    /// only when another round has begun after it.
    fn catch_up(&mut self) {
        self.round();
        self.round();
    }

    /// One look at all buffers.
    pub(super) fn round(&mut self) {
        let began = now();
        self.drain();
        let batch = self.order.end_round(began);
        self.profile.apply(batch);
    }

    fn drain(&mut self) {
        let Recorder { rings, order, images, descriptions, jit_files, .. } = self;
        let (mut mapped, mut forks) = (false, 0_u32);
        rings.drain(|parsed| match parsed {
            Parsed::Sample(sample) => order.push_sample(sample),
            Parsed::Task(record) => {
                forks += u32::from(matches!(record.record, Record::Forked { .. }));
                mapped |= take_task_record(record, order, images, descriptions, jit_files)
            }
            // The rings have taken those apart.
            Parsed::GroupSample(..) | Parsed::Nothing => {}
        });
        if let Some(is_on) = self.storm.round(Instant::now(), forks, mapped) {
            self.rings.wake_by_mappings(!is_on);
        }
        if mapped {
            self.last_mapping = Some(Instant::now());
        }
        self.descriptions.read(|record| self.order.push_record(record));
    }

    /// Everything to wait for: records, the end of the command, signals.
    fn waiter(&self) -> io::Result<Waiter> {
        let waiter = Waiter::new()?;
        self.rings.fds().try_for_each(|fd| waiter.add_records(fd))?;
        self.signals.fds().iter().try_for_each(|fd| waiter.add(fd))?;
        self.running.iter().try_for_each(|running| waiter.add(running.pidfd()))?;
        waiter.add(self.orders.fd())?;
        Ok(waiter)
    }
}
