//! Counts in the layouts of OProfile's `ocount`.

use std::io::{self, Write};

use oprof_profile::{CountedPlace, EventCount};

use crate::number::grouped;
use crate::printable::printable;

/// How far the second column is from the longest event.
const GAP: usize = 8;
/// The width of the column of CPUs or threads.
const PLACE_WIDTH: usize = 10;
/// The width of the column of counts.
const COUNT_WIDTH: usize = 25;
/// What flags for kernel and user add to the width of an event, shorter than they are.
const FLAGS_WIDTH: usize = 3;
/// An event that was counted less of its time than this was counted in turns with others.
const IN_TURNS: f64 = 0.99;

/// What places are, where each has rows of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// CPUs.
    Cpu,
    /// Threads or processes.
    Task,
}

/// Writes counts as `ocount` does: as a table, or with [`Ocount::brief`] as fields.
#[derive(Clone, Debug)]
pub struct Ocount {
    events: Vec<String>,
    /// How wide the events' column is without the gap behind it.
    width: usize,
    whose: String,
    places: Option<PlaceKind>,
    is_brief: bool,
}

impl Ocount {
    /// Of events, as they were named (`NAME[:UNITMASK[:KERNEL:USER]]`), of `whose` (`/bin/ls`, `the whole system`);
    /// `places`: each place has rows of its own.
    pub fn new(events: &[String], whose: &str, places: Option<PlaceKind>) -> Ocount {
        let width = events.iter().map(|event| width(event)).max().unwrap_or(0);
        let whose = printable(whose).into_owned();
        let events = events.iter().map(|event| printable(event).into_owned()).collect();
        Ocount { events, width, whose, places, is_brief: false }
    }

    /// With fields between commas.
    pub fn brief(self) -> Ocount {
        Ocount { is_brief: true, ..self }
    }

    /// Writes the line that stands above the counts of an interval; `time` is in tenths of seconds since the epoch.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn time(&self, time: u64, of_command: bool, out: &mut impl Write) -> io::Result<()> {
        let time = match (time / 10, time % 10) {
            (seconds, 0) => seconds.to_string(),
            (seconds, tenths) => format!("{seconds}.{tenths}"),
        };
        match (self.is_brief, of_command) {
            (false, _) => writeln!(out, "\nCurrent time (seconds since epoch): {time}"),
            (true, true) => writeln!(out, "\ntimestamp,{time}"),
            (true, false) => writeln!(out, "\nt:{time}"),
        }
    }

    /// Writes counts; `wall_time`, in nanoseconds, is said where it is given.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn counts(
        &self,
        counts: &[EventCount],
        places: &[CountedPlace],
        wall_time: Option<u64>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let of_places = places.iter().flat_map(|place| place.counts.iter().flatten());
        let is_scaled = counts.iter().chain(of_places).any(|count| count.share_counted() < IN_TURNS);
        writeln!(out)?;
        if !self.is_brief {
            self.heading(is_scaled, wall_time, out)?;
        }
        if self.places.is_none() {
            let mut events = self.events.iter().zip(counts);
            return events.try_for_each(|(event, count)| self.row(None, event, count, is_scaled, out));
        }
        for place in places {
            for (event, count) in self.events.iter().zip(&place.counts) {
                if let Some(count) = count {
                    self.row(Some(place.id), event, count, is_scaled, out)?;
                }
            }
        }
        Ok(())
    }

    fn heading(&self, is_scaled: bool, wall_time: Option<u64>, out: &mut impl Write) -> io::Result<()> {
        if let Some(time) = wall_time {
            writeln!(out, "Events were actively counted for {}", duration(time))?;
        }
        let how = if is_scaled { "scaled" } else { "actual" };
        writeln!(out, "Event counts ({how}) for {}:", self.whose)?;
        write!(out, "\t{:<1$}", "Event", self.width + GAP)?;
        match self.places {
            Some(PlaceKind::Cpu) => write!(out, "{:<PLACE_WIDTH$}", "CPU")?,
            Some(PlaceKind::Task) => write!(out, "{:<PLACE_WIDTH$}", "Task ID")?,
            None => {}
        }
        writeln!(out, "{:<COUNT_WIDTH$}% time counted", "Count")
    }

    fn row(
        &self,
        place: Option<u32>,
        event: &str,
        count: &EventCount,
        is_scaled: bool,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let (value, share) = match is_scaled {
            true => (count.scaled().unwrap_or(0), count.share_counted()),
            false => (count.value, 1.0),
        };
        let share = match count.time_enabled {
            0 => "Event not counted".to_owned(),
            _ => format!("{:.2}", share * 100.0),
        };
        if self.is_brief {
            place.map_or(Ok(()), |place| write!(out, "{place},"))?;
            return writeln!(out, "{event},{value},{share}");
        }
        write!(out, "\t{event:<0$}", self.width + GAP)?;
        place.map_or(Ok(()), |place| write!(out, "{place:<PLACE_WIDTH$}"))?;
        writeln!(out, "{:<COUNT_WIDTH$}{share}", grouped(value))
    }
}

/// The width of an event: that of its name, its unit mask and a colon, and a little for flags.
fn width(event: &str) -> usize {
    let mut parts = event.split(':').map(|part| part.chars().count());
    let name = parts.next().unwrap_or(0);
    let unit_mask = parts.next().unwrap_or(0);
    name + unit_mask + 1 + if parts.next().is_some() { FLAGS_WIDTH } else { 0 }
}

fn duration(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    match (seconds / 60, seconds) {
        (0, 0) => format!("{nanoseconds} nanoseconds."),
        (0, _) => format!("{:.1} seconds.", nanoseconds as f64 / 1e9),
        (1, _) => format!(" 1 minute and {} seconds.", seconds % 60),
        (minutes, _) => format!(" {minutes} minutes and {} seconds.", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(value: u64, running: u64) -> EventCount {
        EventCount { value, time_enabled: 100, time_running: running }
    }

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_table_is_oprofiles() {
        let events = ["CPU_CLK_UNHALTED".to_owned()];
        let ocount = Ocount::new(&events, "/path/app", None);
        let table = text(|out| ocount.counts(&[count(1_305_383_413, 100)], &[], Some(1_412_345_678), out));
        assert_eq!(
            table,
            "\nEvents were actively counted for 1.4 seconds.\nEvent counts (actual) for /path/app:\n\
             \tEvent                    Count                    % time counted\n\
             \tCPU_CLK_UNHALTED         1,305,383,413            100.00\n"
        );
    }

    #[test]
    fn each_place_has_rows_of_its_own() {
        let events = ["a:0x1:1:0".to_owned(), "b".to_owned()];
        let places = [
            CountedPlace { id: 0, counts: vec![Some(count(10, 100)), Some(count(5, 50))] },
            CountedPlace { id: 12, counts: vec![Some(EventCount::default()), None] },
        ];
        let ocount = Ocount::new(&events, "the whole system", Some(PlaceKind::Cpu));
        let table = text(|out| ocount.counts(&[], &places, None, out));
        assert_eq!(
            table,
            "\nEvent counts (scaled) for the whole system:\n\
             \tEvent           CPU       Count                    % time counted\n\
             \ta:0x1:1:0       0         10                       100.00\n\
             \tb               0         10                       50.00\n\
             \ta:0x1:1:0       12        0                        Event not counted\n"
        );
        let brief = text(|out| ocount.brief().counts(&[], &places, None, out));
        assert_eq!(brief, "\n0,a:0x1:1:0,10,100.00\n0,b,10,50.00\n12,a:0x1:1:0,0,Event not counted\n");
    }

    #[test]
    fn times_are_said_in_three_ways() {
        assert_eq!(duration(999_999_999), "999999999 nanoseconds.");
        assert_eq!(duration(59_960_000_000), "60.0 seconds.");
        assert_eq!(duration(60_000_000_000), " 1 minute and 0 seconds.");
        assert_eq!(duration(185_000_000_000), " 3 minutes and 5 seconds.");
        let ocount = Ocount::new(&[], "", None);
        assert_eq!(text(|out| ocount.time(15, true, out)), "\nCurrent time (seconds since epoch): 1.5\n");
        assert_eq!(text(|out| ocount.clone().brief().time(20, true, out)), "\ntimestamp,2\n");
        assert_eq!(text(|out| ocount.brief().time(21, false, out)), "\nt:2.1\n");
    }
}
