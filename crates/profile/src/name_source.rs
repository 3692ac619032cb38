//! Where a name was found.

/// What told the name of a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NameSource {
    /// Not recorded: the file was written before sources were.
    #[default]
    Unrecorded,
    /// The image's own symbol table (`.symtab`).
    SymbolTable,
    /// The symbol table of a separate debug file.
    DebugFile,
    /// The small symbol table that distributions leave in stripped images (`.gnu_debugdata`).
    MiniDebugInfo,
    /// The table for the dynamic linker (`.dynsym`): exported functions alone.
    DynamicSymbols,
    /// The procedure linkage table: the call of another image's function.
    Plt,
    /// The table of functions that Go programs keep when they are stripped (`.gopclntab`).
    GoFunctions,
    /// The bounds of functions in the table for unwinding (`.eh_frame`); the name is made of the address.
    UnwindTable,
    /// Debugging information (DWARF): a function that was inlined.
    Dwarf,
    /// `/proc/kallsyms`.
    Kallsyms,
    /// A map of names that a compiler at run time wrote (`/tmp/perf-PID.map`).
    PerfMap,
    /// Code that a compiler at run time recorded (jitdump).
    JitDump,
    /// A BPF program or trampoline, named by the kernel as it was loaded.
    Bpf,
    /// Instructions moved by a kprobe or a trampoline of ftrace, named by the kernel as it made them.
    OutOfLine,
}

impl NameSource {
    /// The source in a word or two, for reports: `symbol table`, `debug file`.
    pub fn text(self) -> &'static str {
        match self {
            NameSource::Unrecorded => "unrecorded",
            NameSource::SymbolTable => "symbol table",
            NameSource::DebugFile => "debug file",
            NameSource::MiniDebugInfo => "mini debug info",
            NameSource::DynamicSymbols => "dynamic symbols",
            NameSource::Plt => "PLT",
            NameSource::GoFunctions => "Go functions",
            NameSource::UnwindTable => "unwind table",
            NameSource::Dwarf => "DWARF",
            NameSource::Kallsyms => "kallsyms",
            NameSource::PerfMap => "perf map",
            NameSource::JitDump => "jitdump",
            NameSource::Bpf => "BPF",
            NameSource::OutOfLine => "out of line",
        }
    }
}
