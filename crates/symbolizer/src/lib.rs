//! Turns (image, offset) into symbols, inlined calls and source lines.
//!
//! An image is an ELF file, the kernel (through `/proc/kallsyms`) or the vdso. Every function here takes untrusted
//! bytes: what cannot be read or does not hold the offset comes back as an [`Unresolved`](oprof_profile::Unresolved)
//! with its reason, never as a panic, and memory and time are bounded (`budget.rs`).
//!
//! This crate looks for separate debug files alone (on the network only through a [`Debuginfod`] that it was given), does not know processes or mappings, and does not make names safe
//! for a terminal.
#![forbid(unsafe_code)]

mod alias;
mod answers;
mod budget;
mod build_id;
mod cache;
mod code_symbol;
mod debug_file;
mod debuginfod;
mod demangle;
mod disassembly;
mod dwarf;
mod dynamic;
mod elf;
mod file_bytes;
#[cfg(fuzzing)]
pub mod fuzzing;
mod go_functions;
mod image_code;
mod image_data;
mod jit;
mod kallsyms;
mod kernel;
mod made_table;
mod memory_bytes;
mod mini_debug_info;
mod oprofile;
mod own_directory;
mod plt;
mod relocation;
mod resolve;
mod section;
mod sources;
mod symbol_offset;
mod symbol_rows;
mod symbol_table;
mod unwind_table;
mod vdso;

pub use build_id::build_id;
pub use cache::{Cache, CachedImage, Freed, Stored};
pub use debug_file::{DebugDirectories, FoundDebugFile, debug_files};
pub use debuginfod::{Debuginfod, DebuginfodSettings, Fetched, NoDebuginfod, Progress, Watch};
pub use demangle::demangle;
pub use disassembly::{Instruction, Machine, Syntax, disassemble};
pub use image_code::{ImageCode, image_code};
pub use jit::{JitCode, JitDump, JitFunction, JitImage, JitLine, PerfMap};
pub use kallsyms::{KernelSymbol, KernelSymbols};
pub use kernel::{KernelFiles, VmlinuxError};
pub use oprofile::{OffsetOrigin, OprofileNames, resolve_kernel_text};
pub use resolve::Symbolizer;
pub use symbol_offset::{Places, places_of};
