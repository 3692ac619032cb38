//! The command line.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, ValueEnum};
use oprof_collector::{FirstSample, ScopeChoice};
use oprof_profile::{Clock, Scope};

use crate::annotate::AnnotateOptions;
use crate::archive::ArchiveOptions;
use crate::control::{self, Control};
use crate::diff::{DiffOptions, with_separators};
use crate::import::ImportOptions;
use crate::merge::MergeOptions;
use crate::report::ReportOptions;
use crate::size::{self, NoSize};
use crate::stat::StatOptions;
use crate::target::{self, TargetOptions};
use crate::{duration, speak, status, usage_error};

const EXAMPLES: &str = "\
Examples:
  oprof record make test-all         profile a command and all that it starts
  oprof report -l                    which symbols the time went to
  oprof report --by command          which of its processes cost what
  oprof stat make test-all           how often events happen in it, exactly
  oprof record -e cache-misses -c 10000 --report ./program
  oprof list                         the events of this machine
  oprof doctor                       what works here, and what would help";

/// Samples what a command does and says which code the events fell in.
#[derive(Debug, Parser)]
#[command(name = "oprof", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Run a command and record where its events fall
    Record(RecordOptions),
    /// Run a command and count its events, exactly and without samples
    Stat(StatOptions),
    /// Print a recording as tables
    Report(ReportOptions),
    /// Compare recordings: what changed, by how much, and is it real?
    Diff(DiffOptions),
    /// Put recordings together into one
    Merge(MergeOptions),
    /// Make a recording of a session of OProfile's
    Import(ImportOptions),
    /// Pack a recording with its images and debug files, for another machine
    Archive(ArchiveOptions),
    /// Print the source lines and instructions of functions with their samples
    Annotate(AnnotateOptions),
    /// List the events that can be opened on this machine, and why others cannot
    List(ListOptions),
    /// Show or empty the cache of images' symbols
    Cache(CacheOptions),
    /// Record the whole system for days, as `opcontrol` asks for it
    Daemon(DaemonOptions),
    /// Say what works on this machine, and what would cure what does not
    Doctor,
}

const HEADING_WHEN: &str = "When";
const HEADING_NAMES: &str = "Names of code";

const RECORD_EXAMPLES: &str = "\
Examples:
  oprof record make test-all
  oprof record --report -F 4000 -- ./program --its-option
  oprof record -e branch-misses:u -c 100000 -o misses.data ./program
  oprof record -p 1234 --duration 10

Scopes: cgroup and system need root; inherit misses processes shorter than a period. The exit status is the command's; 125 says that oprof failed, 126 that the command cannot be executed, 127 that there \
is no such command.";

#[derive(Debug, Args)]
#[command(after_help = RECORD_EXAMPLES)]
pub(crate) struct RecordOptions {
    /// Sample this event (see `oprof list`); may be repeated
    #[arg(short, long = "event", value_name = "EVENT")]
    pub(crate) events: Vec<String>,
    /// Take names of events from this table first (ours, Intel's or Arm's)
    #[arg(hide = true, long, value_name = "[PMU=]FILE")]
    pub(crate) event_table: Vec<String>,
    /// Take about this many samples a second and CPU
    #[arg(
        short = 'F', long, value_name = "HZ", conflicts_with = "count", value_parser = frequency,
        allow_negative_numbers = true
    )]
    pub(crate) frequency: Option<u64>,
    /// Take a sample each time the event has happened this many times
    #[arg(short, long, value_name = "COUNT", value_parser = count, allow_negative_numbers = true)]
    pub(crate) count: Option<u64>,
    /// Write to this file; the one before becomes FILE.old
    #[arg(short, long, value_name = "FILE", default_value = "oprof.data")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) whose: TargetOptions,
    /// End after this time, such as 10, 500ms, 2.5s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration::parse, allow_negative_numbers = true,
        help_heading = HEADING_WHEN)]
    pub(crate) duration: Option<Duration>,
    /// Take the first sample after this time, or when told to (`off`)
    #[arg(long, value_name = "TIME", value_parser = first_sample, allow_negative_numbers = true,
        help_heading = HEADING_WHEN)]
    pub(crate) delay: Option<FirstSample>,
    /// Read enable, disable, dump, ping and stop from a FIFO; or USR1 (on) and USR2 (off) with `signal`
    #[arg(hide = true, long, value_name = "fifo:PATH[,ACK]", value_parser = control::parse, help_heading = HEADING_WHEN)]
    pub(crate) control: Option<Control>,
    /// How to follow them: auto takes the first permitted of cgroup, system, inherit
    #[arg(long, value_name = "SCOPE", default_value = "auto", value_enum, hide_default_value = true,
        hide_possible_values = true, help_heading = target::HEADING,
        conflicts_with_all = ["threads", "all", "cpus", "cgroup"])]
    pub(crate) scope: ScopeName,
    /// Keep the samples of each thread apart, for `oprof report --by thread`
    #[arg(hide = true, long)]
    pub(crate) separate_thread: bool,
    /// The clock of all times: monotonic, monotonic_raw or boottime
    #[arg(hide = true, short = 'k', long = "clockid", value_name = "CLOCK", default_value = "monotonic",
        help_heading = HEADING_WHEN, hide_default_value = true)]
    pub(crate) clock: Clock,
    /// Print the report when the command has ended
    #[arg(long)]
    pub(crate) report: bool,
    /// Ring buffer for samples on each CPU, such as 512K or 4M
    #[arg(hide = true, short = 'm', long = "buffer", value_name = "SIZE", value_parser = size, allow_negative_numbers = true)]
    pub(crate) buffer: Option<usize>,
    /// Run the command as this user, who then owns the recording (root)
    #[arg(long, value_name = "USER", requires = "command")]
    pub(crate) user: Option<String>,
    /// Look for debug files here, too, before /usr/lib/debug
    #[arg(hide = true, long, value_name = "DIR", help_heading = HEADING_NAMES)]
    pub(crate) debug_dir: Vec<PathBuf>,
    /// Fetch missing debug files from the servers in DEBUGINFOD_URLS
    #[arg(hide = true, long, help_heading = HEADING_NAMES)]
    pub(crate) debuginfod: bool,
    /// Neither use nor fill the cache of symbols (see `oprof cache`)
    #[arg(hide = true, long, help_heading = HEADING_NAMES)]
    pub(crate) no_cache: bool,
    /// Take the kernel's source lines from this file, if it is the running kernel's
    #[arg(hide = true, long, value_name = "FILE", help_heading = HEADING_NAMES)]
    pub(crate) vmlinux: Option<PathBuf>,
    /// Make all of the kernel one image without names
    #[arg(hide = true, long, conflicts_with = "vmlinux", help_heading = HEADING_NAMES)]
    pub(crate) no_vmlinux: bool,
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: scope, buffers, what could not be resolved
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Print help with the rarer options, too
    #[arg(long, exclusive = true)]
    pub(crate) help_all: bool,
    /// The command and its arguments
    #[arg(required_unless_present_any = ["pids", "threads", "all", "cpus", "cgroup"], trailing_var_arg = true,
        value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// The scopes as they are typed. (Comments that clap would show as help for each make the whole help two screens.)
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScopeName {
    Auto,
    Cgroup,
    System,
    Inherit,
}

impl ScopeName {
    pub(crate) fn choice(self) -> ScopeChoice {
        match self {
            ScopeName::Auto => ScopeChoice::Auto,
            ScopeName::Cgroup => ScopeChoice::Only(Scope::Cgroup),
            ScopeName::System => ScopeChoice::Only(Scope::System),
            ScopeName::Inherit => ScopeChoice::Only(Scope::Inherit),
        }
    }
}

const LIST_EXAMPLES: &str = "\
Examples:
  oprof list                         what can be sampled here
  oprof list cache -v                all about events that have to do with caches
  oprof list --cpu i386/p4-ht        the events of another processor, by OProfile's name
  oprof list --cpu skylake mispred   by its vendor's
  oprof list --json | jq '.events[].name'";

#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct ListOptions {
    /// Only events whose name or description holds this word
    #[arg(value_name = "WORD")]
    pub(crate) word: Option<String>,
    /// List the events of this CPU type instead of this machine's
    #[arg(long, value_name = "TYPE")]
    pub(crate) cpu: Option<String>,
    /// List the CPU types
    #[arg(long, conflicts_with_all = ["word", "cpu", "json", "verbose"])]
    pub(crate) cpus: bool,
    /// Show unit masks, counters, counts, encoding and origin of each event
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "verbose")]
    pub(crate) json: bool,
    /// Take events from this table, too: the project's form, Intel's perfmon or Arm's JSON
    #[arg(long, value_name = "[PMU=]FILE")]
    pub(crate) event_table: Vec<String>,
}

const DAEMON_EXAMPLES: &str = "\
Examples:
  oprof daemon --start               as a service manager runs it
  opcontrol --setup --event=cpu-clock:1000000 --no-vmlinux
  opcontrol --start-daemon           the same in the background, until --shutdown

It records into DIR/samples/current; `opreport` reads that while it goes on. One daemon serves a directory.";

#[derive(Debug, Args)]
#[command(after_help = DAEMON_EXAMPLES)]
pub(crate) struct DaemonOptions {
    /// Where recordings and settings are; /var/lib/oprof for root, ~/.local/state/oprof for others
    #[arg(long, value_name = "DIR")]
    pub(crate) session_dir: Option<PathBuf>,
    /// Take samples at once
    #[arg(long)]
    pub(crate) start: bool,
    /// Leave the terminal
    #[arg(long, hide = true)]
    pub(crate) background: bool,
}

const CACHE_EXAMPLES: &str = "\
Examples:
  oprof cache                        what is kept, of which images, and what it takes
  oprof cache --clear                remove all of it
  OPROF_CACHE_SIZE=1G oprof record make
  OPROF_CACHE_SIZE=0 oprof record make

`oprof record` keeps the symbols of large images in $XDG_CACHE_HOME/oprof, else ~/.cache/oprof, so that the next \
recording need not read them again. OPROF_CACHE_SIZE says how much that may take (256M unless set; 0 turns it off); \
what was not used for longest goes first.";

#[derive(Debug, Args)]
#[command(after_help = CACHE_EXAMPLES)]
pub(crate) struct CacheOptions {
    /// Remove everything that is kept
    #[arg(long)]
    pub(crate) clear: bool,
}

/// The name by which the program was called: one of OProfile's, where it is linked under that.
pub(crate) fn called_as() -> Option<String> {
    let path = PathBuf::from(std::env::args_os().next()?);
    path.file_name()?.to_str().map(str::to_owned)
}

/// The help of a subcommand with all its options.
fn whole_help(name: &str) -> String {
    let mut whole = Arguments::command();
    whole.build();
    let subcommand = whole.find_subcommand(name).cloned().unwrap_or_default();
    let all = subcommand.mut_args(|argument| argument.hide(false));
    all.max_term_width(100).render_help().to_string()
}

/// Reads the command line; help, the version and mistakes are printed, and give the status to exit with.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    let parsed = Arguments::try_parse_from(with_separators(std::env::args_os()));
    let asked = match &parsed {
        Ok(Arguments { subcommand: Subcommand::Record(RecordOptions { help_all: true, .. }) }) => {
            Some("record")
        }
        Ok(Arguments { subcommand: Subcommand::Report(ReportOptions { help_all: true, .. }) }) => {
            Some("report")
        }
        _ => None,
    };
    if let Some(name) = asked {
        // Where nobody reads it, there is nobody to tell.
        let _ = write!(std::io::stdout(), "{}", whole_help(name));
        return Err(ExitCode::SUCCESS);
    }
    parsed.map_err(|error| {
        let shows_help =
            !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        let name = std::env::args_os().nth(1).filter(|name| {
            Arguments::command().get_subcommands().any(|subcommand| name == subcommand.get_name())
        });
        let subcommand = name.map(|name| name.to_string_lossy().into_owned());
        if shows_help {
            // Where nobody reads it, there is nobody to tell.
            let _ = error.print();
        } else {
            let program = subcommand.as_ref().map_or("oprof".to_owned(), |name| format!("oprof {name}"));
            speak::line(&usage_error::line(&error, &program));
        }
        // A command's own status must not be taken for a mistake in ours, nor ours for the command's.
        match (error.use_stderr(), subcommand.as_deref()) {
            (false, _) => ExitCode::SUCCESS,
            (true, Some("record" | "stat")) => ExitCode::from(status::RECORDER_FAILED),
            (true, _) => ExitCode::from(status::USAGE),
        }
    })
}

fn frequency(text: &str) -> Result<u64, String> {
    // More cannot be permitted: the sysctl that limits it is an int (kernel.perf_event_max_sample_rate).
    positive(text, i32::MAX as u64)
}

fn first_sample(text: &str) -> Result<FirstSample, String> {
    match text {
        // As perf has it.
        "off" | "-1" => Ok(FirstSample::WhenTold),
        _ => duration::parse(text).map(FirstSample::After),
    }
}

fn count(text: &str) -> Result<u64, String> {
    // More the kernel does not take as a period (`perf_event_open` in kernel/events/core.c).
    positive(text, i64::MAX as u64)
}

pub(crate) fn positive(text: &str, largest: u64) -> Result<u64, String> {
    match text.parse::<i128>() {
        Ok(..1) => Err("must be at least 1".to_owned()),
        Ok(number) => match u64::try_from(number) {
            Ok(number) if number <= largest => Ok(number),
            _ => Err(format!("too large: at most {largest}")),
        },
        Err(_) => Err("not a whole number".to_owned()),
    }
}

pub(crate) fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=100.0).contains(&share) => Ok(share),
        _ => Err("not a percentage from 0 to 100".to_owned()),
    }
}

/// The largest ring buffer that may be asked for, in bytes.
const LARGEST_BUFFER: usize = 1 << 30;

/// A size in bytes: `65536`, `512K`, `4M`.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let out_of_range = || "must be between 1 byte and 1G".to_owned();
    let size = size::parse(text).map_err(|wrong| match wrong {
        NoSize::Malformed => "not a size such as 65536, 512K or 4M".to_owned(),
        NoSize::TooLarge => out_of_range(),
    })?;
    let size = usize::try_from(size).ok().filter(|size| (1..=LARGEST_BUFFER).contains(size));
    size.ok_or_else(out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_buffer_has_a_size_within_reason() {
        assert_eq!((size("65536"), size("4m")), (Ok(65536), Ok(4 << 20)));
        assert!(size("4X").is_err_and(|why| why.starts_with("not a size")));
        for wrong in ["0", "2G", "100T", "99999999999999999999M", "99999999T"] {
            assert!(size(wrong).is_err_and(|why| why.contains("1G")), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_told_from_what_is_too_large_and_too_small() {
        let why = |text| count(text).expect_err("a mistake");
        assert_eq!(count("9223372036854775807"), Ok(i64::MAX as u64));
        assert!(frequency("2147483648").is_err_and(|why| why == "too large: at most 2147483647"));
        assert_eq!(why("9223372036854775808"), "too large: at most 9223372036854775807");
        assert_eq!(why("99999999999999999999"), "too large: at most 9223372036854775807");
        assert_eq!((why("0"), why("-5")), ("must be at least 1".to_owned(), "must be at least 1".to_owned()));
        assert_eq!((why("x"), why("-")), ("not a whole number".to_owned(), "not a whole number".to_owned()));
    }

    #[test]
    fn the_command_keeps_its_own_options() {
        let arguments =
            Arguments::try_parse_from(["oprof", "record", "-q", "make", "-o", "-q"]).expect("valid");
        let Subcommand::Record(options) = arguments.subcommand else { panic!("record was asked for") };
        assert_eq!(options.command, ["make", "-o", "-q"]);
        assert_eq!(options.output, PathBuf::from("oprof.data"));
    }

    /// A line ends where the next word would not fit, not where it did in the source.
    #[test]
    fn the_last_paragraph_of_the_help_fills_its_lines() {
        for width in [60, 80, 100] {
            let mut record = Arguments::command().term_width(width);
            let record = record.find_subcommand_mut("record").expect("there is one");
            let help = record.clone().term_width(width).render_long_help().to_string();
            let lines: Vec<&str> =
                help.trim_end().rsplit("\n\n").next().expect("a paragraph").lines().collect();
            for pair in lines.windows(2) {
                let next = pair[1].split(' ').next().unwrap_or_default();
                assert!(pair[0].len() + 1 + next.len() > width, "at width {width}:\n{}", lines.join("\n"));
            }
        }
    }

    #[test]
    fn what_the_help_of_record_leaves_out_is_in_the_whole_one() {
        let short = Arguments::try_parse_from(["oprof", "record", "-h"]).expect_err("help").to_string();
        let whole = whole_help("record");
        for option in ["--no-vmlinux", "--buffer", "--control", "--separate-thread"] {
            assert!(whole.contains(option) && !short.contains(option), "{option}:\n{whole}");
        }
        for option in ["--event", "--output", "--pid", "Usage: oprof record", "Examples:"] {
            assert!(whole.contains(option) && short.contains(option), "{option}:\n{whole}");
        }
    }

    #[test]
    fn help_fits_a_screen() {
        let subcommands = [
            "record", "stat", "report", "diff", "merge", "import", "archive", "list", "cache", "daemon",
            "doctor",
        ]
        .map(Some);
        for subcommand in [None].into_iter().chain(subcommands) {
            let arguments = ["oprof"].into_iter().chain(subcommand).chain(["--help"]);
            let help = Arguments::try_parse_from(arguments).expect_err("help comes as an error").to_string();
            let lines = help.lines().count();
            assert!((5..=40).contains(&lines), "{subcommand:?}: {lines} lines:\n{help}");
        }
    }
}
