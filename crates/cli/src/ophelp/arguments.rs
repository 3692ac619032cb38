//! The command line of `ophelp`.

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  ophelp                                    the events of this processor
  ophelp -c i386/p4-ht                      of another
  ophelp -e BRANCH_RETIRED:6000:0xc -c i386/p4
                                            is this valid, and on which counter?
  ophelp -X > events.xml";

/// Lists the events that OProfile has for a processor, and checks events.
#[derive(Debug, Default, Parser)]
#[command(name = "ophelp", version, after_help = EXAMPLES, disable_version_flag = true, max_term_width = 100)]
pub(crate) struct OphelpOptions {
    /// The CPU type; this machine's by default
    #[arg(short, long, value_name = "TYPE")]
    pub(crate) cpu_type: Option<String>,
    /// Check the events and print the counters that they get
    #[arg(short = 'e', long)]
    pub(crate) check_events: bool,
    /// Do not look at counts
    #[arg(short, long)]
    pub(crate) ignore_count: bool,
    /// Print the event's default unit mask
    #[arg(short, long)]
    pub(crate) unit_mask: bool,
    /// Print what the event's unit mask adds to its number
    #[arg(short = 'E', long)]
    pub(crate) extra_mask: bool,
    /// Print the name of the CPU type
    #[arg(short = 'r', long)]
    pub(crate) get_cpu_type: bool,
    /// Print the default event
    #[arg(short = 'd', long)]
    pub(crate) get_default_event: bool,
    /// Check counts for call graphs, which want fifteen times the minimum
    #[arg(long, value_name = "DEPTH", default_value_t = 0)]
    pub(crate) callgraph: u32,
    /// List as XML
    #[arg(short = 'X', long)]
    pub(crate) xml: bool,
    /// Print the version
    #[arg(short = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Events as NAME:COUNT:UNITMASK:KERNEL:USER, or a single name
    #[arg(value_name = "EVENT")]
    pub(crate) events: Vec<String>,
}
