//! Turns the records of one run into counts per process, image and offset, and those into a file and back.
//!
//! This crate holds the words that every other crate shares. It makes no perf system calls, reads no ELF file
//! and prints no tables.
#![forbid(unsafe_code)]

mod address;
mod address_space;
mod calls;
mod clock;
mod counting;
mod counts;
mod coverage;
mod event;
mod function_clone;
mod image;
mod jit_sample;
mod name_source;
mod name_style;
mod offset_table;
mod open_files;
mod package;
mod process;
mod profile;
mod record;
pub mod recording;
mod region;
mod regular_file;
mod run;
pub mod session;
mod source_line;
pub mod specification;
mod symbol;
mod target;
mod time;

pub use address::{ImageAddress, ImageOffset, VirtualAddress};
pub use address_space::{AddressSpace, Mapping};
pub use calls::{Call, Calls};
pub use clock::{Clock, NoClock};
pub use counting::{
    CountedEvent, CountedInterval, CountedPlace, CountedProcess, CountedRun, CpuTime, EventCount,
    counted_processes,
};
pub use counts::{Count, Counts, Key};
pub use coverage::{Coverage, EventCoverage};
pub use event::{Event, EventId, Sampling};
pub use function_clone::clone_of;
pub use image::{BuildId, Image, ImageId, ImageIdentity, ImageKind, Inode};
pub use jit_sample::JitSample;
pub use name_source::NameSource;
pub use name_style::NameStyle;
pub use offset_table::OffsetTable;
pub use open_files::RAISE_OPEN_FILES;
pub use package::{Distribution, Package};
pub use process::{Process, ProcessId, Thread};
pub use profile::{Ksymbol, KsymbolType, Profile, Renumbering, TaskTotal};
pub use record::{Batch, CpuMode, Record, Sample, TaskRecord};
pub use recording::Recording;
pub use region::MemoryRegion;
pub use regular_file::open_regular;
pub use run::{CommandEnd, Run, Scope};
pub use source_line::{InlinedFrame, SourceFileId, SourceLine, SourcePlace};
pub use symbol::{ImageNames, Segment, Symbol, SymbolId, Unresolved};
pub use target::Target;
pub use time::Timestamp;
