//! The command line of `opreport`.

use std::path::PathBuf;

use clap::Parser;
use oprof_profile::NameStyle;
use oprof_report::SortKey;

use crate::arguments::percent;
use crate::oprofile_tool::{Merge, ReadingOptions, name_style};

const EXAMPLES: &str = "\
Which samples:
  session:NAME,..                    sessions by name, or by a path that starts with . or /
  image:GLOB,..  lib-image:GLOB,..   of apps, in images, by the whole path; not: image-exclude: lib-image-exclude:
  event:NAME,..  count:N,..  unit-mask:N,..  cpu:N,..  tgid:N,..  tid:N,..
  archive:DIR  PATH                  of an archive; of the app or image of this path; of this recording

Examples:
  opreport                           by app and image, of the current session
  opreport -l image:'*/hot' | head   the hottest symbols of an app
  opreport -l oprof.data             of a recording
  opreport -l { session:a } { session:b }   what changed from one to the other";

/// Prints the samples of a session, by OProfile's options and in its layouts; see also `oprof report`.
#[derive(Debug, Parser)]
#[command(
    name = "opreport", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100, args_override_self = true
)]
pub(crate) struct OpreportOptions {
    /// Show who called each symbol, and whom it called
    #[arg(short, long)]
    pub(crate) callgraph: bool,
    /// Show the samples of each symbol by address; implies -l
    #[arg(short, long)]
    pub(crate) details: bool,
    /// List symbols
    #[arg(short = 'l', long)]
    pub(crate) symbols: bool,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Sort rows by sample, image, app-name, symbol, debug or vma; the first counts most
    #[arg(short, long, value_name = "KEY,..", value_parser = sort_key, value_delimiter = ',')]
    pub(crate) sort: Vec<SortKey>,
    /// Turn the order round
    #[arg(short, long)]
    pub(crate) reverse_sort: bool,
    /// What not to tell apart: cpu, tid, tgid, unitmask, lib (images are apps of their own), all
    #[arg(short, long, value_name = "WHAT,..", value_parser = Merge::parse, value_delimiter = ',')]
    pub(crate) merge: Vec<Merge>,
    /// Leave out samples of an app outside its own image: libraries, the kernel
    #[arg(short = 'x', long)]
    pub(crate) exclude_dependent: bool,
    /// Leave out these symbols: names or globs, demangled or mangled
    #[arg(short, long, value_name = "SYMBOL,..")]
    pub(crate) exclude_symbols: Vec<String>,
    /// Show these symbols only
    #[arg(short, long, value_name = "SYMBOL,..")]
    pub(crate) include_symbols: Vec<String>,
    /// Leave out rows below this share; of two profiles, below this change
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, hide_default_value = true)]
    pub(crate) threshold: f64,
    /// Demangle names: none, normal or smart
    #[arg(short = 'D', long, value_name = "STYLE", default_value = "normal", value_parser = name_style, hide_default_value = true)]
    pub(crate) demangle: NameStyle,
    /// Show where symbols are in the source
    #[arg(short = 'g', long)]
    pub(crate) debug_info: bool,
    /// Leave out the header
    #[arg(short, long)]
    pub(crate) no_header: bool,
    /// Show the address of each symbol
    #[arg(short = 'w', long)]
    pub(crate) show_address: bool,
    /// Show whole paths
    #[arg(short = 'f', long)]
    pub(crate) long_filenames: bool,
    /// Show sums from the first row on, too
    #[arg(short, long)]
    pub(crate) accumulated: bool,
    /// Shares are of all samples, not of the app's or the symbol's
    #[arg(short = '%', long)]
    pub(crate) global_percent: bool,
    /// Write XML
    #[arg(short = 'X', long)]
    pub(crate) xml: bool,
    /// What stands for code in an image without symbols: text, `(no symbols)`, or path, the image's path, as in
    /// OProfile 1.x, to which exported functions are no symbols and compressed debugging information tells no lines
    #[arg(long, value_name = "HOW", default_value = "text", value_parser = ["text", "path"], hide_default_value = true, hide_possible_values = true)]
    pub(crate) symbolless: String,
    /// Leave samples outside of every symbol out of rows and shares, as OProfile does
    #[arg(long)]
    pub(crate) exclude_unresolved: bool,
    /// Order column groups as OProfile does: by unit mask before the event's name, counts as text
    #[arg(long)]
    pub(crate) oprofile_order: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Which samples: see below
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

fn sort_key(text: &str) -> Result<SortKey, String> {
    SortKey::parse(text).ok_or_else(|| "use sample, image, app-name, symbol, debug or vma".to_owned())
}

impl OpreportOptions {
    /// Rows are of symbols.
    pub(crate) fn of_symbols(&self) -> bool {
        self.symbols || self.details || self.callgraph
    }

    /// What is not to be told apart.
    pub(crate) fn merges(&self, what: Merge) -> bool {
        self.merge.iter().any(|merge| {
            *merge == what || *merge == Merge::All || (*merge == Merge::Tgid && what == Merge::Tid)
        })
    }

    /// What two options, or an option and what it needs, say against each other; `compares` where two profiles are given.
    pub(crate) fn conflict(&self, compares: bool) -> Option<&'static str> {
        let without_symbols = !self.of_symbols();
        let filters = !self.exclude_symbols.is_empty() || !self.include_symbols.is_empty();
        let conflicts = [
            (self.callgraph && self.details, "-c and -d are two reports; use one of them"),
            (compares && self.callgraph, "-c shows one profile; leave out the braces"),
            (compares && self.details, "-d shows one profile; leave out the braces"),
            (compares && self.xml, "-X shows one profile; leave out the braces"),
            (compares && !self.symbols, "two profiles are compared by symbols; add -l"),
            (self.xml && self.accumulated, "-X has no accumulated columns; leave out -a"),
            (self.xml && self.global_percent, "-X has no percentages; leave out -%"),
            (without_symbols && self.show_address, "-w shows addresses of symbols; add -l"),
            (without_symbols && self.debug_info, "-g shows lines of symbols; add -l"),
            (without_symbols && self.accumulated, "-a sums up rows of symbols; add -l"),
            (without_symbols && filters, "-i and -e choose symbols; add -l"),
            (without_symbols && self.sort.contains(&SortKey::Vma), "-s vma sorts symbols; add -l"),
            (
                self.symbols && self.global_percent && !self.details && !self.callgraph,
                "with -l shares are of all samples in any case; leave out -%, or use -d or -c",
            ),
            (
                self.exclude_dependent && self.merge.contains(&Merge::Lib),
                "-x leaves out what --merge lib would show; use one of them",
            ),
        ];
        conflicts.into_iter().find(|(conflict, _)| *conflict).map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> OpreportOptions {
        let words = ["opreport"].into_iter().chain(arguments.split_whitespace());
        OpreportOptions::try_parse_from(words).expect("valid")
    }

    #[test]
    fn the_command_line_is_consistent() {
        <OpreportOptions as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_are_given_as_popt_takes_them() {
        let options = read("-lwgaf -t5 --sort=image,symbol -s vma -m cpu,tgid x --merge lib -n -n");
        assert!(options.symbols && options.show_address && options.debug_info && options.accumulated);
        assert!(options.long_filenames && options.no_header);
        assert_eq!(options.sort, [SortKey::Image, SortKey::Symbol, SortKey::Vma]);
        assert_eq!(options.merge, [Merge::Cpu, Merge::Tgid, Merge::Lib]);
        assert_eq!((options.threshold, options.profiles.as_slice()), (5.0, ["x".to_owned()].as_slice()));
        assert!(options.merges(Merge::Tid) && !options.merges(Merge::UnitMask));
        let options = read("-d -% --threshold .1 -V all,debug { a } {}");
        assert!(options.details && options.global_percent && options.profiles == ["{", "a", "}", "{}"]);
    }

    #[test]
    fn what_options_say_against_each_other_has_a_sentence() {
        for (arguments, compares) in [
            ("-c -d", false),
            ("-l -c", true),
            ("-d", true),
            ("-X -l", true),
            ("", true),
            ("-X -a -l", false),
            ("-X -%", false),
            ("-w", false),
            ("-g", false),
            ("-a", false),
            ("-i x", false),
            ("-e x", false),
            ("-s vma", false),
            ("-l -%", false),
            ("-x -m lib", false),
        ] {
            assert!(read(arguments).conflict(compares).is_some(), "{arguments}");
        }
        for (arguments, compares) in [
            ("", false),
            ("-l", true),
            ("-l -w -g -a -f -x", true),
            ("-c -w -g -a -%", false),
            ("-d -l -%", false),
            ("-X -d -g", false),
            ("-%", false),
            ("-x -m all", false),
            ("-s sample,image", false),
        ] {
            assert_eq!(read(arguments).conflict(compares), None, "{arguments}");
        }
    }
}
