//! Doors for the fuzz targets, some of them to decoders that are otherwise reached through a whole image. Built by
//! cargo-fuzz only.

use object::Endianness;
use oprof_profile::{ImageAddress, ImageIdentity, ImageOffset, Timestamp, VirtualAddress};

use crate::debug_file::DebugLink;
use crate::go_functions::FunctionTable;
use crate::{DebugDirectories, JitCode, JitDump, JitImage, PerfMap, Symbolizer, cache, mini_debug_info};

/// Resolves every `step`th byte of an image.
pub fn image(image: &[u8], step: usize) {
    let offsets: Vec<ImageOffset> =
        (0..image.len() as u64).step_by(step).chain([u64::MAX]).map(ImageOffset).collect();
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    let names = symbolizer.resolve_bytes(image, &ImageIdentity::None, &offsets);
    assert_eq!(names.offsets.len(), offsets.len());
    for (_, id) in &names.offsets {
        assert!(id.is_err() || names.symbol(id.unwrap()).is_some());
    }
}

/// Resolves an image that stands in a file, with its lines and inlined calls. The first four bytes of `input` are the
/// size of the image; what is behind it is every other file that the image can name: of split debugging information, a
/// package of it, and the one that several debug files share.
pub fn debugging(input: &[u8]) {
    let Some((size, files)) = input.split_first_chunk::<4>() else { return };
    let (image, other) = files.split_at(files.len().min(u32::from_le_bytes(*size) as usize));
    let folder = std::env::temp_dir().join(format!("oprof-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("image");
    std::fs::write(&path, image).unwrap();
    for name in ["other.dwo", "image.dwp", "other.debug"] {
        std::fs::write(folder.join(name), other).unwrap();
    }
    let offsets: Vec<ImageOffset> = (0..image.len() as u64).step_by(13).map(ImageOffset).collect();
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    let file = std::fs::File::open(&path).unwrap();
    let names = symbolizer.resolve_file(Some(&path), &file, &ImageIdentity::None, &offsets);
    assert_eq!(names.offsets.len(), offsets.len());
    assert!(names.places.is_empty() || names.places.len() == offsets.len());
    for place in &names.places {
        assert!(place.inlined.iter().all(|inlined| names.symbol(inlined.function).is_some()));
    }
}

/// Reads the section `.gnu_debuglink`; a name that leads out of its folder would be a find.
pub fn debug_link(section: &[u8]) {
    for endian in [Endianness::Little, Endianness::Big] {
        if let Some(link) = DebugLink::parse(section, endian) {
            let name = std::path::Path::new(&link.name);
            assert!(name.components().count() == 1 && name.file_name().is_some(), "{link:?}");
        }
    }
}

/// Reads Go's table of functions and asks it for some addresses.
pub fn go_functions(table: &[u8]) {
    for endian in [Endianness::Little, Endianness::Big] {
        FunctionTable::find(table, endian);
        let Some(table) = FunctionTable::parse(table, endian, || Some(ImageAddress(0x1000))) else {
            continue;
        };
        for address in [0, 1, 0x1000, 0x1010, 0x1020, 0x1100, 0x117f, 1 << 31, u64::MAX].map(ImageAddress) {
            if let Some(function) = table.function(address) {
                assert!(function.start <= address && address.0 - function.start.0 < function.size);
            }
        }
    }
}

/// Decompresses the section `.gnu_debugdata` and resolves what is in it.
pub fn mini_debug_info(section: &[u8]) {
    if let Some(unpacked) = mini_debug_info::unpack(section, 1 << 20) {
        image(&unpacked, 997);
    }
}

/// Asks what is at the addresses that inputs are likely to use.
fn jit_answers(mut lookup: impl FnMut(VirtualAddress) -> Option<JitCode>) -> Vec<Option<JitCode>> {
    let addresses = (0..0x100).chain([0x1000, 0x1010, 0x7f00_0000_0000, u64::MAX]).map(VirtualAddress);
    let answers: Vec<_> = addresses.map(&mut lookup).collect();
    let mut image = JitImage::default();
    for code in answers.iter().flatten() {
        assert!(code.offset < code.function.size.max(1));
        let offset = image.place(code);
        image.names(&[offset]);
    }
    answers
}

/// Reads a map of names, whole and in pieces: the answers are the same.
pub fn perf_map(map: &[u8], piece: usize) {
    let (mut whole, mut pieces) = (PerfMap::default(), PerfMap::default());
    whole.feed(map);
    map.chunks(piece).for_each(|bytes| pieces.feed(bytes));
    assert_eq!(jit_answers(|at| whole.lookup(at)), jit_answers(|at| pieces.lookup(at)));
}

/// Reads a dump, whole and in pieces: the answers are the same.
pub fn jit_dump(dump: &[u8], piece: usize) {
    let (mut whole, mut pieces) = (JitDump::default(), JitDump::default());
    whole.feed(dump);
    dump.chunks(piece).for_each(|bytes| pieces.feed(bytes));
    assert_eq!(whole.until(), pieces.until());
    for time in [0, 20, 60, u64::MAX].map(Timestamp) {
        let answers = jit_answers(|at| whole.lookup(at, time));
        assert_eq!(answers, jit_answers(|at| pieces.lookup(at, time)));
    }
    jit_answers(|at| whole.lookup_only(at));
}

/// Reads an index of the cache whose checksums hold, whatever is in it, and asks it for some addresses.
pub fn index(index: &[u8]) {
    let mut index = index.to_vec();
    cache::seal(&mut index);
    let addresses: Vec<ImageAddress> =
        (0..64).map(|bit| ImageAddress(1 << bit)).chain([ImageAddress(u64::MAX)]).collect();
    if let Some(answers) = cache::ask_bytes(&index, &addresses) {
        assert_eq!(answers.places.len(), addresses.len());
        assert!(answers.places.iter().flatten().all(|place| *place < answers.functions.len()));
    }
}
