//! Doors for the fuzz targets to decoders that are otherwise reached through a whole image. Built by cargo-fuzz only.

use object::Endianness;
use oprof_profile::{ImageAddress, ImageIdentity, ImageOffset};

use crate::debug_file::DebugLink;
use crate::go_functions::FunctionTable;
use crate::{DebugDirectories, Symbolizer, mini_debug_info};

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
