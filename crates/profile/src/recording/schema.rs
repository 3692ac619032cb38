//! The messages of recording.proto, which explains every field. A test holds the two against each other.

use prost::Message;
use prost::bytes::Bytes;

/// Messages within others that are unpacked one after the other, where they are wanted: there are many of them, and who
/// merges recordings knows most of what they tell. In a file they are no different.
pub(super) type PackedCounts = Bytes;
/// A [`Symbol`]; see [`PackedCounts`].
pub(super) type PackedSymbol = Bytes;
/// Packed numbers, as [`columns`](super::columns) packs them. The schema says `repeated`: that is the same in a file.
pub(super) type Column = Bytes;
/// A [`SourcePlace`]; see [`PackedCounts`].
pub(super) type PackedSourcePlace = Bytes;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Header {
    #[prost(string, tag = "1")]
    pub(super) version: String,
    #[prost(string, tag = "2")]
    pub(super) host: String,
    #[prost(string, tag = "3")]
    pub(super) kernel_release: String,
    #[prost(string, tag = "4")]
    pub(super) architecture: String,
    #[prost(string, tag = "5")]
    pub(super) cpu: String,
    #[prost(double, tag = "6")]
    pub(super) cpu_mhz: f64,
    #[prost(uint32, tag = "7")]
    pub(super) cpus: u32,
    #[prost(string, repeated, tag = "8")]
    pub(super) command: Vec<String>,
    #[prost(string, tag = "9")]
    pub(super) working_directory: String,
    #[prost(uint32, tag = "10")]
    pub(super) scope: u32,
    #[prost(uint64, tag = "11")]
    pub(super) started_unix: u64,
    #[prost(string, repeated, tag = "12")]
    pub(super) notes: Vec<String>,
    #[prost(message, repeated, tag = "13")]
    pub(super) events: Vec<Event>,
    #[prost(message, optional, tag = "14")]
    pub(super) distribution: Option<Distribution>,
    #[prost(message, optional, tag = "15")]
    pub(super) target: Option<Target>,
    #[prost(uint32, tag = "16")]
    pub(super) clock: u32,
    #[prost(string, tag = "17")]
    pub(super) cpu_type: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Target {
    #[prost(uint32, tag = "1")]
    pub(super) kind: u32,
    #[prost(uint32, repeated, tag = "2")]
    pub(super) ids: Vec<u32>,
    #[prost(string, tag = "3")]
    pub(super) path: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Distribution {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(string, repeated, tag = "2")]
    pub(super) like: Vec<String>,
    #[prost(string, tag = "3")]
    pub(super) codename: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
    #[prost(uint64, tag = "3")]
    pub(super) unit_mask: u64,
    #[prost(string, tag = "4")]
    pub(super) unit_mask_description: String,
    #[prost(uint64, tag = "5")]
    pub(super) count: u64,
    #[prost(uint64, tag = "6")]
    pub(super) frequency: u64,
    #[prost(bool, tag = "7")]
    pub(super) user: bool,
    #[prost(bool, tag = "8")]
    pub(super) kernel: bool,
    #[prost(bool, tag = "9")]
    pub(super) nanoseconds: bool,
    #[prost(uint32, tag = "10")]
    pub(super) group: u32,
    #[prost(bool, tag = "11")]
    pub(super) with_leader: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Window {
    #[prost(uint64, tag = "1")]
    pub(super) start: u64,
    #[prost(uint64, tag = "2")]
    pub(super) end: u64,
    #[prost(uint32, tag = "3")]
    pub(super) first_image: u32,
    #[prost(message, repeated, tag = "4")]
    pub(super) images: Vec<Image>,
    #[prost(message, repeated, tag = "5")]
    pub(super) processes: Vec<Process>,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub(super) counts: Vec<PackedCounts>,
    #[prost(message, optional, tag = "7")]
    pub(super) coverage: Option<Coverage>,
    #[prost(message, repeated, tag = "8")]
    pub(super) calls: Vec<Calls>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Image {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(uint32, tag = "2")]
    pub(super) kind: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) build_id: Vec<u8>,
    #[prost(uint64, tag = "4")]
    pub(super) device: u64,
    #[prost(uint64, tag = "5")]
    pub(super) inode: u64,
    #[prost(uint64, tag = "6")]
    pub(super) generation: u64,
    #[prost(uint64, tag = "7")]
    pub(super) modified: u64,
    #[prost(message, optional, tag = "8")]
    pub(super) region: Option<MemoryRegion>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct MemoryRegion {
    #[prost(uint32, tag = "1")]
    pub(super) pid: u32,
    #[prost(uint64, tag = "2")]
    pub(super) start: u64,
    #[prost(uint64, tag = "3")]
    pub(super) last: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Process {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(uint32, tag = "2")]
    pub(super) pid: u32,
    #[prost(uint32, tag = "3")]
    pub(super) parent: u32,
    #[prost(uint32, tag = "4")]
    pub(super) before_exec: u32,
    #[prost(uint64, tag = "5")]
    pub(super) started: u64,
    #[prost(uint64, tag = "6")]
    pub(super) ended: u64,
    #[prost(string, tag = "7")]
    pub(super) comm: String,
    #[prost(uint32, tag = "8")]
    pub(super) app: u32,
    #[prost(string, repeated, tag = "9")]
    pub(super) arguments: Vec<String>,
    #[prost(string, tag = "10")]
    pub(super) working_directory: String,
    #[prost(uint64, repeated, tag = "11")]
    pub(super) event_totals: Vec<u64>,
    #[prost(uint64, tag = "12")]
    pub(super) folded: u64,
    #[prost(message, repeated, tag = "13")]
    pub(super) threads: Vec<Thread>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Thread {
    #[prost(uint32, tag = "1")]
    pub(super) tid: u32,
    #[prost(string, tag = "2")]
    pub(super) comm: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Counts {
    #[prost(uint32, tag = "1")]
    pub(super) process: u32,
    #[prost(uint32, tag = "2")]
    pub(super) image: u32,
    #[prost(uint32, tag = "3")]
    pub(super) event: u32,
    #[prost(uint32, tag = "4")]
    pub(super) cpu: u32,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) offsets: Column,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) samples: Column,
    #[prost(uint64, tag = "7")]
    pub(super) period: u64,
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) weights: Column,
    #[prost(uint32, tag = "9")]
    pub(super) thread: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Calls {
    #[prost(uint32, tag = "1")]
    pub(super) process: u32,
    #[prost(uint32, tag = "2")]
    pub(super) thread: u32,
    #[prost(uint32, tag = "3")]
    pub(super) event: u32,
    #[prost(uint32, tag = "4")]
    pub(super) cpu: u32,
    #[prost(uint32, tag = "5")]
    pub(super) caller_image: u32,
    #[prost(uint32, tag = "6")]
    pub(super) callee_image: u32,
    #[prost(bytes = "bytes", tag = "7")]
    pub(super) callers: Column,
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) callees: Column,
    #[prost(bytes = "bytes", tag = "9")]
    pub(super) times: Column,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Coverage {
    #[prost(message, repeated, tag = "1")]
    pub(super) events: Vec<EventCoverage>,
    #[prost(uint64, tag = "2")]
    pub(super) lost_records: u64,
    #[prost(uint64, tag = "3")]
    pub(super) lost_samples: u64,
    #[prost(uint64, tag = "4")]
    pub(super) throttled: u64,
    #[prost(uint64, tag = "5")]
    pub(super) left_running: u64,
    #[prost(uint64, tag = "6")]
    pub(super) idle_time: u64,
    #[prost(uint64, tag = "7")]
    pub(super) paused_time: u64,
    #[prost(uint64, tag = "8")]
    pub(super) files_left_out: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EventCoverage {
    #[prost(bool, tag = "1")]
    pub(super) counted_known: bool,
    #[prost(uint64, tag = "2")]
    pub(super) counted: u64,
    #[prost(uint64, tag = "3")]
    pub(super) samples: u64,
    #[prost(uint64, tag = "4")]
    pub(super) weight: u64,
    #[prost(uint64, tag = "5")]
    pub(super) outside_samples: u64,
    #[prost(uint64, tag = "6")]
    pub(super) outside_weight: u64,
    #[prost(uint64, tag = "7")]
    pub(super) time_enabled: u64,
    #[prost(uint64, tag = "8")]
    pub(super) time_running: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Names {
    #[prost(message, repeated, tag = "1")]
    pub(super) images: Vec<ImageNames>,
    #[prost(message, repeated, tag = "2")]
    pub(super) packages: Vec<Package>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Package {
    #[prost(uint32, tag = "1")]
    pub(super) image: u32,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ImageNames {
    #[prost(uint32, tag = "1")]
    pub(super) image: u32,
    #[prost(uint32, tag = "2")]
    pub(super) first_symbol: u32,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(super) symbols: Vec<PackedSymbol>,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) offsets: Column,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) answers: Column,
    #[prost(uint32, tag = "6")]
    pub(super) first_file: u32,
    #[prost(string, repeated, tag = "7")]
    pub(super) files: Vec<String>,
    #[prost(bytes = "bytes", repeated, tag = "8")]
    pub(super) places: Vec<PackedSourcePlace>,
    #[prost(message, repeated, tag = "9")]
    pub(super) segments: Vec<Segment>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Segment {
    #[prost(uint64, tag = "1")]
    pub(super) offset: u64,
    #[prost(uint64, tag = "2")]
    pub(super) size: u64,
    #[prost(uint64, tag = "3")]
    pub(super) address: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Symbol {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) mangled: String,
    #[prost(uint64, tag = "3")]
    pub(super) address: u64,
    #[prost(uint64, tag = "4")]
    pub(super) size: u64,
    #[prost(uint32, tag = "5")]
    pub(super) source: u32,
    #[prost(message, optional, tag = "6")]
    pub(super) line: Option<SourceLine>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SourcePlace {
    #[prost(message, optional, tag = "1")]
    pub(super) line: Option<SourceLine>,
    #[prost(message, repeated, tag = "2")]
    pub(super) inlined: Vec<InlinedFrame>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct InlinedFrame {
    #[prost(uint32, tag = "1")]
    pub(super) function: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) call: Option<SourceLine>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct SourceLine {
    #[prost(uint32, tag = "1")]
    pub(super) file: u32,
    #[prost(uint32, tag = "2")]
    pub(super) line: u32,
    #[prost(uint32, tag = "3")]
    pub(super) column: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct End {
    #[prost(uint64, tag = "1")]
    pub(super) duration: u64,
    #[prost(uint32, tag = "2")]
    pub(super) kind: u32,
    #[prost(uint32, tag = "3")]
    pub(super) value: u32,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// `message field type number` for every field of the published schema.
    fn published() -> BTreeSet<String> {
        let mut message = "";
        let mut fields = BTreeSet::new();
        for line in include_str!("recording.proto").lines() {
            let words: Vec<&str> = line.split("//").next().unwrap_or("").split_whitespace().collect();
            match words.as_slice() {
                ["message", name, "{"] => message = name,
                ["repeated", kind, name, "=", tag] => {
                    fields.insert(format!("{message} {name} repeated {kind} {}", tag.trim_end_matches(';')));
                }
                [kind, name, "=", tag] if *kind != "syntax" => {
                    fields.insert(format!("{message} {name} {kind} {}", tag.trim_end_matches(';')));
                }
                _ => {}
            }
        }
        fields
    }

    /// The same for the structures of this file.
    fn written() -> BTreeSet<String> {
        let mut message = String::new();
        let mut attribute = String::new();
        let mut fields = BTreeSet::new();
        for line in include_str!("schema.rs").lines().take_while(|line| !line.contains("cfg(test)")) {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("pub(super) struct ") {
                message = rest.trim_end_matches(" {").to_owned();
            } else if let Some(rest) = line.strip_prefix("#[prost(") {
                attribute = rest.trim_end_matches(")]").to_owned();
            } else if line.starts_with("pub(super) type ") {
                // Another name for bytes.
            } else if let Some(rest) = line.strip_prefix("pub(super) ") {
                let (name, kind) = rest.trim_end_matches(',').split_once(": ").expect("a field has a type");
                let tag = attribute.rsplit('"').nth(1).expect("a field has a tag");
                let is_column = kind == "Column";
                let scalar = match attribute.split([',', ' ']).next().expect("a field has a kind") {
                    _ if is_column && name == "answers" => "uint32",
                    _ if is_column => "uint64",
                    scalar => scalar,
                };
                let kind = kind.replace("Vec<u8>", "bytes");
                let inner = kind.rsplit('<').next().expect("a type").trim_end_matches('>');
                let kind_name = match inner.strip_prefix("Packed") {
                    Some(message) => message,
                    None if scalar == "message" => inner,
                    None => scalar,
                };
                let repeated = if is_column || attribute.contains("repeated") { "repeated " } else { "" };
                fields.insert(format!("{message} {name} {repeated}{kind_name} {tag}"));
            }
        }
        fields
    }

    #[test]
    fn the_published_schema_is_the_one_that_is_written() {
        assert!(published().len() > 60, "the schema was read: {} fields", published().len());
        assert_eq!(published(), written());
    }
}
