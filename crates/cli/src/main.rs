//! oprof: samples a command's hardware or software events and says which code they fell in.
#![forbid(unsafe_code)]

mod annotate;
mod archive;
mod arguments;
mod cache;
mod config;
mod control;
mod daemon;
mod debuginfod;
mod default_event;
mod diff;
mod distribution;
mod doctor;
mod duration;
mod event_tables;
mod function_finder;
mod import;
mod jit_names;
mod list;
mod machine;
mod merge;
mod names;
mod new_file;
mod ocount;
mod opannotate;
mod oparchive;
mod opcontrol;
mod opgprof;
mod ophelp;
mod opimport;
mod opreport;
mod oprofile_tool;
mod own_file;
mod packages;
mod pager;
mod paragraph;
mod parallel;
mod record;
mod report;
mod sampled_profile;
mod session;
mod session_directory;
mod size;
mod speak;
mod stat;
mod status;
mod target;
mod terminal;
mod trouble;
mod usage_error;
mod user_directory;

use std::process::ExitCode;

use arguments::Subcommand;

fn main() -> ExitCode {
    match arguments::called_as().as_deref() {
        Some("ocount") => return ocount::main(),
        Some("ophelp") => return ophelp::main(),
        Some("opreport") => return opreport::main(),
        Some("opannotate") => return opannotate::main(),
        Some("oparchive") => return oparchive::main(),
        Some("opgprof") => return opgprof::main(),
        Some("opimport") => return opimport::main(),
        Some("opcontrol") => return opcontrol::main(),
        _ => {}
    }
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let (done, failed) = match &arguments.subcommand {
        Subcommand::Record(options) => (record::record(options), status::RECORDER_FAILED),
        Subcommand::Stat(options) => (stat::stat(options), status::RECORDER_FAILED),
        Subcommand::Report(options) => (report::report(options), status::FAILED),
        Subcommand::Diff(options) => (diff::diff(options), status::FAILED),
        Subcommand::Merge(options) => (merge::merge(options), status::FAILED),
        Subcommand::Import(options) => (import::import(options), status::FAILED),
        Subcommand::Archive(options) => (archive::archive(options), status::FAILED),
        Subcommand::Annotate(options) => (annotate::annotate(options), status::FAILED),
        Subcommand::List(options) => (list::list(options), status::FAILED),
        Subcommand::Cache(options) => (cache::cache(options), status::FAILED),
        Subcommand::Daemon(options) => (daemon::daemon(options), status::FAILED),
        Subcommand::Doctor => (doctor::doctor(), status::FAILED),
    };
    done.unwrap_or_else(|error| status::of_error(&error, failed))
}
