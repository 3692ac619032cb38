//! The command line of `oprof stat`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::arguments::{ScopeName, percent, positive};
use crate::target::{self, TargetOptions};

const EXAMPLES: &str = "\
Examples:
  oprof stat make -j2                what it took, of the usual events
  oprof stat -r 10 -e '{cycles,instructions},branch-misses:u' ./program
  oprof stat --per-process --threshold 1 -e page-faults make test-all
  oprof stat -I 1000 -a              the whole system each second, until Ctrl-C
  oprof stat -p 1234 sleep 5         a running process for five seconds

stdout is the command's, the counts go to stderr. The exit status is the command's (of several runs the first that is \
not 0); 125 to 127 as of oprof record.";

/// Counts need no samples: they are exact where the event has a counter all the time.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatOptions {
    /// Count this event (see `oprof list`), `{A,B}` only together; may be repeated
    #[arg(short, long = "event", value_name = "EVENT")]
    pub(crate) events: Vec<String>,
    /// Take names of events from this table first
    #[arg(long, value_name = "[PMU=]FILE")]
    pub(crate) event_table: Vec<String>,
    #[command(flatten)]
    pub(crate) whose: TargetOptions,
    /// How to follow the command: inherit (auto), cgroup; system is -a
    #[arg(long, value_name = "SCOPE", default_value = "auto", value_enum, hide_default_value = true,
        hide_possible_values = true, conflicts_with_all = ["pids", "threads", "all", "cpus", "cgroup"],
        help_heading = target::HEADING)]
    pub(crate) scope: ScopeName,
    /// Print what came in each interval of so many milliseconds
    #[arg(short = 'I', long, value_name = "MS", value_parser = milliseconds, conflicts_with = "repeat",
        allow_negative_numbers = true)]
    pub(crate) interval: Option<u64>,
    /// Run the command so often; print mean and standard deviation
    #[arg(short, long, value_name = "N", value_parser = repeats, allow_negative_numbers = true)]
    pub(crate) repeat: Option<u64>,
    /// List each process of the command with its own counts, by the first event
    #[arg(long, conflicts_with_all = ["interval", "repeat", "pids", "threads", "all", "cpus", "cgroup"])]
    pub(crate) per_process: bool,
    /// Leave out processes below this share of the first event
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent, requires = "per_process",
        hide_default_value = true, allow_negative_numbers = true)]
    pub(crate) threshold: f64,
    /// Print fields with this between them, in perf stat's order
    #[arg(short = 'x', long, value_name = "SEP", value_parser = separator, conflicts_with = "json")]
    pub(crate) field_separator: Option<String>,
    /// Print JSON, an object on a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the counts to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Say nothing but counts and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// The command and its arguments
    #[arg(required_unless_present_any = ["pids", "threads", "all", "cpus", "cgroup"], trailing_var_arg = true,
        value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

fn milliseconds(text: &str) -> Result<u64, String> {
    positive(text, 24 * 60 * 60 * 1_000)
}

fn repeats(text: &str) -> Result<u64, String> {
    positive(text, 1_000_000)
}

/// What stands between two fields; `\t` is a tab.
fn separator(text: &str) -> Result<String, String> {
    match text {
        r"\t" => Ok("\t".to_owned()),
        "" => Err("empty: nothing would tell fields apart".to_owned()),
        _ if text.contains(|c: char| c == '"' || (c != '\t' && c.is_control())) => {
            Err("a quote or a control character would not tell fields apart".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_tells_fields_apart() {
        assert_eq!(separator(r"\t").as_deref(), Ok("\t"));
        assert_eq!(separator(";").as_deref(), Ok(";"));
        for wrong in ["", "\"", "\n"] {
            assert!(separator(wrong).is_err(), "{wrong:?}");
        }
    }
}
