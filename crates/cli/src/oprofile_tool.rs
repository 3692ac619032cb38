//! What the programs that go by OProfile's names have in common.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser};
use oprof_profile::NameStyle;

use crate::{speak, status, usage_error};

/// Reads the command line that the program was called with, by the name `program`; help, the version and mistakes are
/// printed, and give the status to exit with.
pub(crate) fn options<T: Parser>(program: &str) -> Result<T, ExitCode> {
    options_or(|error| usage_error::line(error, program))
}

/// As [`options`], where `mistake` has the line for a mistake.
pub(crate) fn options_or<T: Parser>(mistake: impl FnOnce(&clap::Error) -> String) -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            speak::line(&mistake(&error));
            return ExitCode::from(status::FAILED);
        }
        // Where nobody reads it, there is nobody to tell.
        let _ = error.print();
        ExitCode::SUCCESS
    })
}

/// The options that tools over a session share; of a command without flags of clap's own for version and help.
#[derive(Debug, Args)]
pub(crate) struct SessionOptions {
    /// Where settings and samples are; /var/lib/oprof for root
    #[arg(long, value_name = "DIR")]
    pub(crate) session_dir: Option<PathBuf>,
    /// Say more
    #[arg(short = 'V', long)]
    pub(crate) verbose: bool,
    /// Print the version
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Print help
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// The options that tools over the samples of a session share (opreport, opannotate, opgprof, oparchive); of a command
/// without flags of clap's own for version and help.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReadingOptions {
    /// Where the session is; ./oprofile_data where there is one, else where the daemon keeps it
    #[arg(long, value_name = "DIR")]
    pub(crate) session_dir: Option<PathBuf>,
    /// Look for images that are not where they were in these directories, too
    #[arg(short = 'p', long, value_name = "DIR,..", value_delimiter = ',')]
    pub(crate) image_path: Vec<PathBuf>,
    /// Look for images below this directory, in place of the live system
    #[arg(short = 'R', long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Say more, by OProfile's words: all, debug, bfd, level1, sfile, stats, xml, arcs
    #[arg(short = 'V', long, value_name = "WORD,..", value_parser = verbose_word, value_delimiter = ',')]
    pub(crate) verbose: Vec<String>,
    /// Print the version
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Print help
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// Print the options alone
    #[arg(long)]
    usage: bool,
}

impl ReadingOptions {
    /// What a verbose reader is told is to be said.
    pub(crate) fn is_verbose(&self) -> bool {
        !self.verbose.is_empty()
    }

    /// Prints the options of the tool `T` on standard output where they were asked for.
    pub(crate) fn print_usage<T: Parser>(&self) -> bool {
        if self.usage {
            // Where nobody reads it, there is nobody to tell.
            let _ = std::io::Write::write_all(&mut std::io::stdout(), usage(&T::command()).as_bytes());
        }
        self.usage
    }
}

/// All options of a command in a few lines, as popt prints them.
fn usage(command: &clap::Command) -> String {
    let options: Vec<&clap::Arg> =
        command.get_arguments().filter(|argument| !argument.is_positional()).collect();
    let flags: String = options
        .iter()
        .filter(|argument| !argument.get_action().takes_values())
        .filter_map(|argument| argument.get_short())
        .collect();
    let mut words = vec![format!("Usage: {} [-{flags}]", command.get_name())];
    for argument in options {
        let names = argument.get_short().map(|short| format!("-{short}"));
        let names = names.into_iter().chain(argument.get_long().map(|long| format!("--{long}")));
        let value = match (argument.get_action().takes_values(), argument.get_value_names()) {
            (true, Some([value, ..])) => format!("={value}"),
            _ => String::new(),
        };
        words.push(format!("[{}{value}]", names.collect::<Vec<_>>().join("|")));
    }
    let positional = command.get_positionals().map(clap::Arg::to_string);
    words.extend(positional);
    let (mut text, mut line) = (String::new(), String::new());
    for word in words {
        if !line.is_empty() && line.len() + 1 + word.len() > 79 {
            text.push_str(&line);
            text.push('\n');
            line = " ".repeat(7);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    text.push_str(&line);
    text.push('\n');
    text
}

fn verbose_word(text: &str) -> Result<String, String> {
    match text {
        "all" | "debug" | "bfd" | "level1" | "sfile" | "stats" | "xml" | "arcs" => Ok(text.to_owned()),
        _ => Err("use all, debug, bfd, level1, sfile, stats, xml or arcs".to_owned()),
    }
}

/// How names are shown, by OProfile's names.
pub(crate) fn name_style(text: &str) -> Result<NameStyle, String> {
    let style = if matches!(text, "none" | "normal" | "smart") { NameStyle::parse(text) } else { None };
    style.ok_or_else(|| "use none, normal or smart".to_owned())
}

/// What is not to be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// CPUs.
    Cpu,
    /// Threads.
    Tid,
    /// Processes, and so threads.
    Tgid,
    /// Unit masks of one event.
    UnitMask,
    /// The apps in which an image was: the image stands in the place of its apps.
    Lib,
    /// All of these.
    All,
}

impl Merge {
    /// Reads one of the words of `--merge`.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn parse(text: &str) -> Result<Merge, String> {
        Ok(match text {
            "cpu" => Merge::Cpu,
            "tid" => Merge::Tid,
            "tgid" => Merge::Tgid,
            "unitmask" => Merge::UnitMask,
            "lib" | "library" => Merge::Lib,
            "all" => Merge::All,
            _ => return Err("use cpu, lib, tid, tgid, unitmask or all".to_owned()),
        })
    }
}
