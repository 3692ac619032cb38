//! The command line of `ocount`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use crate::arguments::positive;
use crate::target::{Cpus, cpus, id};

const EXAMPLES: &str = "\
Examples:
  ocount make                               of the default event
  ocount -e CPU_CLK_UNHALTED,BRANCH_RETIRED:0xc ./program
  ocount -s -c -i 1000:10                   each CPU, each second, ten times
  ocount -p 1234 -e page-faults             until Ctrl-C

The status is 1 where counting fails, else 0, whatever the command's is.";

/// Counts events, by OProfile's options and in its layouts; see also `oprof stat`.
#[derive(Debug, Parser)]
#[command(name = "ocount", version, after_help = EXAMPLES, disable_version_flag = true, max_term_width = 100)]
pub(crate) struct OcountOptions {
    /// Count whatever runs, on all CPUs
    #[arg(short, long, conflicts_with_all = ["process_list", "thread_list", "cpu_list", "command"])]
    pub(crate) system_wide: bool,
    /// Count these processes and what they start
    #[arg(short, long, value_name = "PID,..", value_delimiter = ',', value_parser = id,
        conflicts_with_all = ["thread_list", "cpu_list", "command"], allow_negative_numbers = true)]
    pub(crate) process_list: Vec<u32>,
    /// Count these threads
    #[arg(short = 'r', long, value_name = "TID,..", value_delimiter = ',', value_parser = id,
        conflicts_with_all = ["cpu_list", "command"], allow_negative_numbers = true)]
    pub(crate) thread_list: Vec<u32>,
    /// Count whatever runs on these CPUs
    #[arg(short = 'C', long, value_name = "LIST", value_parser = cpus, conflicts_with = "command")]
    pub(crate) cpu_list: Option<Cpus>,
    /// The events, as NAME, NAME:UNITMASK or NAME:UNITMASK:KERNEL:USER, or as of `oprof list`
    #[arg(short, long, value_name = "EVENT,..")]
    pub(crate) events: Vec<String>,
    /// Tell the counts of each thread apart (with -p and -r)
    #[arg(short = 't', long, conflicts_with_all = ["system_wide", "cpu_list", "command"])]
    pub(crate) separate_thread: bool,
    /// Tell the counts of each CPU apart (with -s and -C)
    #[arg(short = 'c', long, conflicts_with_all = ["process_list", "thread_list", "command"])]
    pub(crate) separate_cpu: bool,
    /// Print the counts of each interval of so many milliseconds (of whole tenths of a second), N times at most
    #[arg(short = 'i', long, value_name = "MS[:N]", value_parser = interval, allow_negative_numbers = true)]
    pub(crate) time_interval: Option<Interval>,
    /// Print fields with commas between them
    #[arg(short, long)]
    pub(crate) brief_format: bool,
    /// Write the counts to this file, not to standard output
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Say more
    #[arg(short = 'V', long)]
    pub(crate) verbose: bool,
    /// Print the version
    #[arg(short = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// The command and its arguments
    #[arg(required_unless_present_any = ["system_wide", "process_list", "thread_list", "cpu_list"],
        trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// How long an interval is, and how many there are at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) milliseconds: u64,
    pub(crate) most: Option<u64>,
}

/// The grain of intervals, in milliseconds.
const GRAIN: u64 = 100;

/// Reads `MS` or `MS:N`; the length is rounded to the nearest tenth of a second, and is one at least.
fn interval(text: &str) -> Result<Interval, String> {
    let (length, most) = text.split_once(':').map_or((text, None), |(length, most)| (length, Some(most)));
    let length = positive(length, 24 * 60 * 60 * 1_000)?;
    let most = most.map(|most| positive(most, u32::MAX.into())).transpose()?;
    Ok(Interval { milliseconds: ((length + GRAIN / 2) / GRAIN).max(1) * GRAIN, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_whole_tenths_of_seconds() {
        let length = |text| interval(text).map(|interval| interval.milliseconds);
        assert_eq!(length("1"), Ok(100));
        assert_eq!((length("149"), length("150"), length("2000")), (Ok(100), Ok(200), Ok(2000)));
        assert_eq!(interval("500:3"), Ok(Interval { milliseconds: 500, most: Some(3) }));
        for wrong in ["", "0", "x", "5:", "5:0", "5:3:1", ":3", "-5"] {
            assert!(interval(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        <OcountOptions as clap::CommandFactory>::command().debug_assert();
    }
}
