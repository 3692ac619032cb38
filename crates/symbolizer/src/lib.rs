//! Turns (image, offset) into symbols.
//!
//! An image is an ELF file, the kernel (through `/proc/kallsyms`) or the vdso. Every function here takes untrusted
//! bytes: what cannot be read or does not hold the offset comes back as an [`Unresolved`](oprof_profile::Unresolved)
//! with its reason, never as a panic, and memory is bounded by what a file may claim at most.
//!
//! This crate does not look for files, does not know processes or mappings, and does not make names safe for a
//! terminal.
#![forbid(unsafe_code)]

mod alias;
mod build_id;
mod code_symbol;
mod demangle;
mod elf;
mod file_bytes;
mod kallsyms;
mod resolve;
mod symbol_table;
mod vdso;

pub use build_id::build_id;
pub use demangle::demangle;
pub use kallsyms::{KernelSymbol, KernelSymbols};
pub use resolve::{resolve_bytes, resolve_file};
pub use vdso::resolve_vdso;
