//! Takes source lines of a kernel module from its file.

use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;
use oprof_profile::{BuildId, ImageAddress, ImageNames};

use super::KernelFiles;
use super::module_file::{ModuleFile, plain_path};
use super::section_addresses::section_addresses;
use crate::KernelSymbols;
use crate::budget::Budget;
use crate::build_id::build_id_in;
use crate::debug_file::DebugDirectories;
use crate::dwarf::Debugging;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::image_data::ImageData;
use crate::memory_bytes::MemoryBytes;

/// A module that is loaded.
pub(super) struct Module<'a> {
    pub(super) files: &'a KernelFiles,
    pub(super) symbols: &'a KernelSymbols,
    /// Its name with brackets.
    pub(super) bracketed: &'a str,
    /// Its name.
    pub(super) name: &'a str,
    id: BuildId,
}

impl<'a> Module<'a> {
    /// The module of this name, with brackets; `None` where it is none (`[bpf]`), or the kernel does not tell its build
    /// id.
    pub(super) fn of(
        files: &'a KernelFiles,
        symbols: &'a KernelSymbols,
        bracketed: &'a str,
    ) -> Option<Module<'a>> {
        let name = bracketed.strip_prefix('[')?.strip_suffix(']')?;
        // It becomes part of paths.
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return None;
        }
        let notes = Path::new("sys/module").join(name).join("notes/.note.gnu.build-id");
        let id = build_id_in(&files.attribute(&notes)?)?;
        Some(Module { files, symbols, bracketed, name, id })
    }

    /// Adds source lines and inlined calls, as far as they are known.
    pub(super) fn add_places(&self, directories: &DebugDirectories, names: &mut ImageNames) {
        if let Some(found) = directories.by_build_id(&self.id)
            && self.add_places_of(directories, &ModuleFile::Plain(found.file), &found.path, names).is_some()
        {
            return;
        }
        for path in self.paths(directories) {
            let Some(file) = ModuleFile::open(&path) else { continue };
            if self.add_places_of(directories, &file, &path, names).is_some() {
                return;
            }
        }
    }

    /// Where its file with debugging information can be: in the debug directories, where distributions put them under
    /// the path that the module has (Debian, Arch: `ext4.ko`; Fedora, openSUSE: `ext4.ko.debug`), else it is the module.
    fn paths(&self, directories: &DebugDirectories) -> Vec<PathBuf> {
        // The first is written by depmod(8), the other comes with the kernel.
        let lists = ["modules.dep", "modules.order"].into_iter();
        let mut listed = lists.filter_map(|list| in_list(&self.files.module_list(list)?, self.name));
        let Some(path) = listed.next() else { return Vec::new() };
        let mut paths = Vec::new();
        let plain = plain_path(&path);
        for directory in directories.paths() {
            let path = directory.join("lib/modules").join(&self.files.release).join(&plain);
            let mut debug = path.clone().into_os_string();
            debug.push(".debug");
            paths.extend([PathBuf::from(debug), path]);
        }
        paths.push(self.files.modules().join(path));
        paths
    }

    /// `None` where the file is not that of the module, or has no debugging information.
    fn add_places_of(
        &self,
        directories: &DebugDirectories,
        file: &ModuleFile,
        path: &Path,
        names: &mut ImageNames,
    ) -> Option<()> {
        match file {
            ModuleFile::Plain(file) => {
                self.add_places_in(directories, &FileBytes::new(file, &Budget::new()), path, names)
            }
            ModuleFile::Unpacked(bytes) => {
                self.add_places_in(directories, &MemoryBytes::new(bytes, &Budget::new()), path, names)
            }
        }
    }

    fn add_places_in<'data, R: ImageData<'data>>(
        &self,
        directories: &DebugDirectories,
        data: R,
        path: &Path,
        names: &mut ImageNames,
    ) -> Option<()> {
        match FileKind::parse(data).ok()? {
            FileKind::Elf32 => {
                self.add_places_of_class::<FileHeader32<Endianness>, R>(directories, data, path, names)
            }
            FileKind::Elf64 => {
                self.add_places_of_class::<FileHeader64<Endianness>, R>(directories, data, path, names)
            }
            _ => None,
        }
    }

    fn add_places_of_class<'data, H: Class, R: ImageData<'data>>(
        &self,
        directories: &DebugDirectories,
        data: R,
        path: &Path,
        names: &mut ImageNames,
    ) -> Option<()> {
        let mut elf = Elf::<H, R>::parse(data).ok()?;
        if !elf.is_object || elf.build_id() != Some(self.id) || !elf.has_debugging() {
            return None;
        }
        // With its sections where they were loaded, its debugging information speaks of virtual addresses.
        let (addresses, code_start) = section_addresses(&elf, self)?;
        elf.section_addresses = addresses;
        let debugging =
            Debugging { directories, image: Some(path), path: Some(path), code_start, distance: 0 };
        debugging.add_places(&elf, names, |offset| Some(ImageAddress(offset.0)));
        Some(())
    }
}

/// The path that a list of modules has for one: `kernel/fs/ext4/ext4.ko.xz`. Each line begins with a path, which a colon
/// may end (modules.dep(5)). In a module's name, other than in that of its file, there is `_` for every `-`.
fn in_list(list: &str, module: &str) -> Option<PathBuf> {
    let paths = list.lines().map(|line| line.split(':').next().unwrap_or_default().trim());
    let mut found = paths.filter(|path| {
        let file = path.rsplit('/').next().unwrap_or_default();
        let stem = file.split_once(".ko").map_or("", |(stem, _)| stem);
        stem.len() == module.len() && stem.bytes().map(underscored).eq(module.bytes().map(underscored))
    });
    // Paths are relative to the directory of the list, or absolute on old systems.
    let path = found.next()?;
    let path = path.strip_prefix('/').map_or(path, |path| {
        path.split_once("/kernel/").map_or(path, |(directory, _)| &path[directory.len() + 1..])
    });
    let path = PathBuf::from(path);
    path.components().all(|part| matches!(part, std::path::Component::Normal(_))).then_some(path)
}

fn underscored(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_lists_by_name() {
        let list = "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\nkernel/fs/jbd2/jbd2.ko.xz:\n\
            kernel/net/snd-hda-intel.ko\nextra/odd.ko.gz:\n/lib/modules/6.1/kernel/old/first.ko:\n../../up.ko:\n\
            /lib/modules/6.1/misc/no.ko:\n";
        let found = |module| in_list(list, module).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(found("ext4").as_deref(), Some("kernel/fs/ext4/ext4.ko.xz"));
        assert_eq!(found("jbd2").as_deref(), Some("kernel/fs/jbd2/jbd2.ko.xz"));
        assert_eq!(found("snd_hda_intel").as_deref(), Some("kernel/net/snd-hda-intel.ko"));
        assert_eq!(found("odd").as_deref(), Some("extra/odd.ko.gz"));
        assert_eq!(found("first").as_deref(), Some("kernel/old/first.ko"));
        assert_eq!(found("up"), None, "it leads elsewhere");
        assert_eq!((found("ext"), found("")), (None, None));
    }
}
