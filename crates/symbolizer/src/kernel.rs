//! Turns addresses of the running kernel and its modules into names, source lines and inlined calls.
//!
//! The names are those of `/proc/kallsyms`. Lines and inlined calls come from files with debugging information where
//! such are installed: `vmlinux` and the modules'. A file is used only where its build id is the one that the kernel
//! tells of itself or of the module (under /sys), and where it is known to which addresses the code was moved.

mod module;
mod module_file;
mod section_addresses;
mod vmlinux;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use oprof_profile::{BuildId, ImageNames, ImageOffset};

use crate::build_id::build_id_in;
use crate::{KernelSymbols, Symbolizer};

pub use vmlinux::VmlinuxError;

/// The bytes of a file under /sys or /proc that are read.
const LARGEST_ATTRIBUTE: u64 = 1 << 16;

/// Where the running kernel tells about itself, and where its files are.
#[derive(Clone, Debug)]
pub struct KernelFiles {
    root: PathBuf,
    /// As uname(2) tells it: `6.1.0-47-amd64`.
    release: String,
    vmlinux: Option<PathBuf>,
}

impl KernelFiles {
    /// Those of the kernel that this machine runs.
    pub fn here() -> KernelFiles {
        KernelFiles::below(Path::new("/"))
    }

    /// The same below another directory, in which there are `proc`, `sys`, `lib` and `boot`.
    pub fn below(root: &Path) -> KernelFiles {
        let mut files = KernelFiles { root: root.to_owned(), release: String::new(), vmlinux: None };
        let release = files.attribute(Path::new("proc/sys/kernel/osrelease")).unwrap_or_default();
        let release = String::from_utf8_lossy(&release).trim().to_owned();
        // It becomes part of paths.
        files.release = if release.contains('/') { String::new() } else { release };
        files
    }

    /// Takes the kernel's lines from this file, before others that fit.
    ///
    /// # Errors
    /// Where the file does not fit the running kernel, or has no lines.
    pub fn use_vmlinux(&mut self, path: &Path) -> Result<(), VmlinuxError> {
        vmlinux::check(path, self.build_id())?;
        self.vmlinux = Some(path.to_owned());
        Ok(())
    }

    /// What a file of the kernel's (with a relative path) holds; `None` where it cannot be read.
    fn attribute(&self, path: &Path) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.root.join(path)).ok()?.take(LARGEST_ATTRIBUTE).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The build id of the running kernel.
    fn build_id(&self) -> Option<BuildId> {
        build_id_in(&self.attribute(Path::new("sys/kernel/notes"))?)
    }

    /// Where the modules of the running kernel are.
    fn modules(&self) -> PathBuf {
        self.root.join("lib/modules").join(&self.release)
    }

    /// A list in the directory of modules.
    fn module_list(&self, name: &str) -> Option<String> {
        /// A distribution's has 600 KB.
        const LARGEST_LIST: u64 = 16 << 20;
        let mut text = Vec::new();
        File::open(self.modules().join(name)).ok()?.take(LARGEST_LIST).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

impl Symbolizer {
    /// The names of `offsets`, virtual addresses of the kernel's own code.
    pub fn resolve_kernel(
        &self,
        files: &KernelFiles,
        symbols: &KernelSymbols,
        offsets: &[ImageOffset],
    ) -> ImageNames {
        let mut names = symbols.resolve(offsets);
        if !names.symbols.is_empty() {
            vmlinux::add_places(&self.directories, files, symbols, &mut names);
        }
        names
    }

    /// The names of `offsets`, virtual addresses of the code of a module, which is given with its brackets (`[ext4]`).
    pub fn resolve_module(
        &self,
        files: &KernelFiles,
        symbols: &KernelSymbols,
        module: &str,
        offsets: &[ImageOffset],
    ) -> ImageNames {
        let mut names = symbols.resolve(offsets);
        if let Some(module) = module::Module::of(files, symbols, module) {
            module.add_places(&self.directories, &mut names);
        }
        names
    }
}
