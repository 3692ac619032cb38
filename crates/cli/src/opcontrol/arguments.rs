//! The command line of `opcontrol`.

use std::path::PathBuf;

use clap::Parser;

use crate::oprofile_tool::SessionOptions;

const EXAMPLES: &str = "\
Examples:
  opcontrol --setup --event=CPU_CLK_UNHALTED:1000000:0:1:1
  opcontrol --start --no-vmlinux     start the daemon and take samples
  opcontrol --stop; opreport -l      what there was
  opcontrol --save=before --start    begin another session
  opcontrol --shutdown";

/// What stands above groups of options in the help.
const ACTIONS: &str = "Actions, in the order in which they are done";
const SETTINGS: &str = "Settings, kept until they are set again";

/// Controls the daemon that profiles the whole system, by OProfile's options.
#[derive(Debug, Parser)]
#[command(
    name = "opcontrol", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100, arg_required_else_help = true
)]
pub(crate) struct OpcontrolOptions {
    /// Make the session directory
    #[arg(long, help_heading = ACTIONS)]
    pub(crate) init: bool,
    /// Keep the settings that are given
    #[arg(long, help_heading = ACTIONS)]
    pub(crate) setup: bool,
    /// Start the daemon; it takes no samples yet
    #[arg(long, help_heading = ACTIONS)]
    pub(crate) start_daemon: bool,
    /// Take samples, starting the daemon where none runs
    #[arg(short, long, help_heading = ACTIONS)]
    pub(crate) start: bool,
    /// Write the samples so far, for opreport
    #[arg(short, long, help_heading = ACTIONS)]
    pub(crate) dump: bool,
    /// Take no more samples, and write what there is
    #[arg(short = 't', long, help_heading = ACTIONS)]
    pub(crate) stop: bool,
    /// Give the current session a name, and begin another
    #[arg(long, value_name = "NAME", help_heading = ACTIONS)]
    pub(crate) save: Option<String>,
    /// Forget the samples of the current session
    #[arg(long, help_heading = ACTIONS)]
    pub(crate) reset: bool,
    /// Stop, and end the daemon
    #[arg(short = 'h', long, help_heading = ACTIONS)]
    pub(crate) shutdown: bool,
    /// The same; there is no kernel module to unload
    #[arg(long, help_heading = ACTIONS)]
    pub(crate) deinit: bool,
    /// Tell what is set up and whether the daemon runs
    #[arg(long, help_heading = ACTIONS)]
    pub(crate) status: bool,
    /// List the events of this processor
    #[arg(short, long, help_heading = ACTIONS)]
    pub(crate) list_events: bool,
    /// Sample this event: NAME:COUNT:UNITMASK:KERNEL:USER, or as of `oprof list`; may be repeated; or `default`
    #[arg(short, long = "event", value_name = "EVENT", help_heading = SETTINGS)]
    pub(crate) events: Vec<String>,
    /// Name the kernel's functions, with lines from this file if it is the running kernel's
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) vmlinux: Option<PathBuf>,
    /// Make all of the kernel one image without names
    #[arg(long, conflicts_with = "vmlinux", help_heading = SETTINGS)]
    pub(crate) no_vmlinux: bool,
    /// none, lib, kernel, thread, cpu or all, as a list: threads are kept apart on wish, the rest always
    #[arg(long, value_name = "BY", value_parser = separate, help_heading = SETTINGS)]
    pub(crate) separate: Option<String>,
    /// The ring buffer of each CPU, such as 512K or 4M
    #[arg(long, value_name = "SIZE", value_parser = buffer_size, help_heading = SETTINGS)]
    pub(crate) buffer_size: Option<String>,
    /// Only 0: there are no call stacks yet
    #[arg(short, long, value_name = "DEPTH", value_parser = callgraph, help_heading = SETTINGS)]
    pub(crate) callgraph: Option<u32>,
    /// Only `all`: reports choose images
    #[arg(short, long, value_name = "IMAGE", value_parser = image, help_heading = SETTINGS)]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) common: SessionOptions,
}

impl OpcontrolOptions {
    /// Something is set.
    pub(crate) fn sets(&self) -> bool {
        !self.events.is_empty()
            || self.vmlinux.is_some()
            || self.no_vmlinux
            || self.separate.is_some()
            || self.buffer_size.is_some()
    }

    /// Something is asked for that the daemon has to do, or be there for.
    pub(crate) fn acts(&self) -> bool {
        self.init
            || self.setup
            || self.start_daemon
            || self.start
            || self.dump
            || self.stop
            || self.save.is_some()
            || self.reset
            || self.shutdown
            || self.deinit
            || self.status
    }
}

fn separate(text: &str) -> Result<String, String> {
    let known = ["none", "lib", "library", "kernel", "thread", "cpu", "all"];
    match text.split(',').find(|by| !known.contains(by)) {
        Some(_) => Err("use none, lib, kernel, thread, cpu or all".to_owned()),
        None => Ok(text.to_owned()),
    }
}

fn buffer_size(text: &str) -> Result<String, String> {
    crate::arguments::size(text).map(|_| text.to_owned())
}

fn callgraph(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) => Ok(0),
        _ => Err("call stacks cannot be recorded yet; only 0".to_owned()),
    }
}

fn image(text: &str) -> Result<String, String> {
    match text {
        "all" => Ok(text.to_owned()),
        _ => {
            Err("every image is recorded; `oprof report --by image` and `opreport` choose among them"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <OpcontrolOptions as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn what_cannot_be_had_says_what_can() {
        assert_eq!(separate("lib,kernel").as_deref(), Ok("lib,kernel"));
        assert!(separate("x").is_err() && callgraph("5").is_err());
        assert!(image("/bin/ls").is_err_and(|why| why.contains("opreport")));
    }
}
