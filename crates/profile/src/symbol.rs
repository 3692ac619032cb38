//! Names of code, as they were resolved when the recording ended.

use crate::{ImageAddress, ImageOffset, NameSource, SourceFileId, SourceLine, SourcePlace};

/// A function (or other named code) of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The name, demangled.
    pub name: String,
    /// The name as it stands in the symbol table, where demangling changed it.
    pub mangled: Option<String>,
    /// Where it starts, as the symbol table states it.
    pub address: ImageAddress,
    /// Its length in bytes.
    pub size: u64,
    /// What told the name.
    pub source: NameSource,
    /// The source line of its first byte.
    pub line: Option<SourceLine>,
}

/// Why an offset has no symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unresolved {
    /// The image has no symbol table.
    NoSymbols,
    /// The image has symbols, but none of them holds this offset.
    NoSymbolAtOffset,
    /// The file was gone before it could be opened.
    Deleted,
    /// The file was gone when the recording ended, and had not been opened before: the limit of open files was reached.
    TooManyOpenFiles,
    /// The file found under the name is not the one that was mapped.
    BuildIdMismatch,
    /// The file could not be read as an ELF image, or is damaged.
    Unreadable,
    /// The kernel hides its symbols from this user (kernel.kptr_restrict).
    KernelRestricted,
    /// No mapping is known for the address.
    NoMapping,
    /// Executable memory without a file.
    Anonymous,
    /// The recording does not hold the answer: it was cut off before names were resolved, or is damaged.
    NamesMissing,
}

impl Unresolved {
    /// The reason in a few words, for a report: `no symbols`, `deleted`.
    pub fn reason(self) -> &'static str {
        match self {
            Unresolved::NoSymbols => "no symbols",
            Unresolved::NoSymbolAtOffset => "no symbol at this offset",
            Unresolved::Deleted => "deleted before it could be read",
            Unresolved::TooManyOpenFiles => "not held open",
            Unresolved::BuildIdMismatch => "build id mismatch",
            Unresolved::Unreadable => "not a readable ELF image",
            Unresolved::KernelRestricted => "kernel symbols are hidden",
            Unresolved::NoMapping => "no mapping known",
            Unresolved::Anonymous => "memory without a file",
            Unresolved::NamesMissing => "names missing in the recording",
        }
    }
}

/// Index of a symbol in its image's [`ImageNames::symbols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId(pub u32);

/// What the sampled offsets of one image resolved to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageNames {
    /// The symbols that hold at least one of the offsets.
    pub symbols: Vec<Symbol>,
    /// The offsets, ascending and distinct, each with its symbol or the reason why it has none.
    pub offsets: Vec<(ImageOffset, Result<SymbolId, Unresolved>)>,
    /// The source files that lines are in, with their folders as the compiler recorded them.
    pub files: Vec<String>,
    /// For each of the offsets, what the source says of it; empty where the image has no lines at all.
    pub places: Vec<SourcePlace>,
    /// The parts of the image that are loaded, which tell the address of an offset; empty where that is not known.
    pub segments: Vec<Segment>,
}

/// A part of an image that is loaded into memory (PT_LOAD, elf(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Its first byte.
    pub offset: ImageOffset,
    /// How many bytes of it are in the image.
    pub size: u64,
    /// The address of its first byte, as the image's own tables state it.
    pub address: ImageAddress,
}

impl ImageNames {
    /// Where in the file the byte at an address is; `None` outside of what is loaded.
    pub fn offset(&self, address: ImageAddress) -> Option<ImageOffset> {
        self.segments.iter().find_map(|segment| {
            let within = address.0.checked_sub(segment.address.0).filter(|within| *within < segment.size)?;
            Some(ImageOffset(segment.offset.0.wrapping_add(within)))
        })
    }

    /// The symbol that holds `offset`; [`Unresolved::NamesMissing`] where that is not known.
    pub fn lookup(&self, offset: ImageOffset) -> Result<SymbolId, Unresolved> {
        match self.offsets.binary_search_by_key(&offset, |entry| entry.0) {
            Ok(index) => self.offsets[index].1,
            Err(_) => Err(Unresolved::NamesMissing),
        }
    }

    /// The address of an offset, as the image's own tables state it: that of a file outside of every segment, and of what
    /// is no file, is the offset itself.
    pub fn address(&self, offset: ImageOffset) -> ImageAddress {
        let holder = self.segments.iter().find_map(|segment| {
            let distance =
                offset.0.checked_sub(segment.offset.0).filter(|distance| *distance < segment.size)?;
            Some(ImageAddress(segment.address.0.wrapping_add(distance)))
        });
        holder.unwrap_or(ImageAddress(offset.0))
    }

    /// What the source says of `offset`, if anything.
    pub fn place(&self, offset: ImageOffset) -> Option<&SourcePlace> {
        let index = self.offsets.binary_search_by_key(&offset, |entry| entry.0).ok()?;
        self.places.get(index)
    }

    /// The path of a source file.
    pub fn file(&self, id: SourceFileId) -> Option<&str> {
        self.files.get(id.0 as usize).map(String::as_str)
    }

    /// The symbol of this index.
    pub fn symbol(&self, id: SymbolId) -> Option<&Symbol> {
        self.symbols.get(id.0 as usize)
    }

    /// The same answer, `reason`, for every one of `offsets` (which are sorted and made distinct).
    pub fn unresolved(offsets: impl IntoIterator<Item = ImageOffset>, reason: Unresolved) -> ImageNames {
        let mut offsets: Vec<_> = offsets.into_iter().map(|offset| (offset, Err(reason))).collect();
        offsets.sort_unstable_by_key(|entry| entry.0);
        offsets.dedup_by_key(|entry| entry.0);
        ImageNames { offsets, ..ImageNames::default() }
    }
}
