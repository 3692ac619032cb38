//! Turns offsets in the vdso, the code that the kernel maps into every process, into names.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use oprof_profile::{ImageIdentity, ImageNames, ImageOffset, Unresolved, VirtualAddress};

use crate::Symbolizer;

/// The largest vdso that is read, in bytes. On x86-64 it takes two pages.
const LARGEST_VDSO: u64 = 1 << 20;

/// The bytes of `/proc/self/maps` that are read.
const LARGEST_MAPS: u64 = 64 << 20;

impl Symbolizer {
    /// The names of `offsets` (in bytes from the start of the mapping) in the vdso of this very process, which is the
    /// one of every process of the same kernel and width; [`Unresolved::Unreadable`] where it has none.
    ///
    /// A 32-bit process has another vdso than a 64-bit one, which the caller has to tell apart.
    pub fn resolve_vdso(&self, offsets: &[ImageOffset]) -> ImageNames {
        match vdso() {
            Ok(image) => self.resolve_bytes(&image, &ImageIdentity::None, offsets),
            Err(_) => ImageNames::unresolved(offsets.iter().copied(), Unresolved::Unreadable),
        }
    }
}

/// The vdso as it stands in this process's memory (proc_pid_mem(5)).
fn vdso() -> io::Result<Vec<u8>> {
    let mut maps = Vec::new();
    File::open("/proc/self/maps")?.take(LARGEST_MAPS).read_to_end(&mut maps)?;
    let (start, end) = vdso_range(&maps).ok_or(io::ErrorKind::NotFound)?;
    let size = (end.0 - start.0).min(LARGEST_VDSO);
    let mut image = vec![0; size as usize];
    File::open("/proc/self/mem")?.read_exact_at(&mut image, start.0)?;
    Ok(image)
}

/// The addresses from which and to which the vdso is mapped, of the lines of proc_pid_maps(5).
fn vdso_range(maps: &[u8]) -> Option<(VirtualAddress, VirtualAddress)> {
    let line = maps.split(|&byte| byte == b'\n').find(|line| line.ends_with(b" [vdso]"))?;
    let range = str::from_utf8(line).ok()?.split(' ').next()?;
    let (start, end) = range.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16).ok()?;
    (start < end).then_some((VirtualAddress(start), VirtualAddress(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_vdso_is_found_among_the_mappings() {
        let maps = b"7ffd831ab000-7ffd831cc000 rw-p 00000000 00:00 0                          [stack]\n\
            7ffd831d0000-7ffd831d2000 r-xp 00000000 00:00 0                          [vdso]\n";
        assert_eq!(vdso_range(maps), Some((VirtualAddress(0x7ffd831d0000), VirtualAddress(0x7ffd831d2000))));
        for bad in ["", "7-3 r-xp 0 00:00 0 [vdso]", "x-y r-xp 0 00:00 0 [vdso]", "12 [vdso]"] {
            assert_eq!(vdso_range(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn every_function_of_the_vdso_is_found() {
        let Ok(image) = vdso() else {
            let _ = writeln!(std::io::stderr(), "skipped: no vdso in this process");
            return;
        };
        let offsets: Vec<ImageOffset> = (0..image.len() as u64).step_by(4).map(ImageOffset).collect();
        let names = Symbolizer::default().resolve_vdso(&offsets);
        assert!(
            names.symbols.iter().any(|symbol| symbol.name.contains("gettime")),
            "no clock function among {:?}",
            names.symbols
        );
    }
}
