//! Gives names to what was sampled, when the recording ends.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use oprof_profile::{
    Image, ImageId, ImageIdentity, ImageKind, ImageNames, ImageOffset, Profile, Unresolved, VirtualAddress,
};
use oprof_symbolizer::{DebugDirectories, JitImage, KernelFiles, KernelSymbols, Symbolizer};
use rayon::prelude::*;

use crate::arguments::RecordOptions;
use crate::{cache, debuginfod};

/// The image of a kernel that was asked to go without names.
const NO_VMLINUX: &str = "no-vmlinux";

/// What names the code that is sampled.
pub(crate) struct Resolver {
    pub(crate) symbolizer: Symbolizer,
    /// Fetches debug files that are missing, where that was asked for.
    debuginfod: Option<debuginfod::Client>,
    kernel_files: KernelFiles,
}

impl Resolver {
    /// As the options ask for it; `notes` gets what they ask for in vain.
    ///
    /// # Errors
    /// Where the cache or debuginfod is asked for what cannot be.
    pub(crate) fn new(options: &RecordOptions, notes: &mut Vec<String>) -> anyhow::Result<Resolver> {
        let mut kernel_files = KernelFiles::here();
        if let Some(path) = &options.vmlinux
            && let Err(error) = kernel_files.use_vmlinux(path)
        {
            notes.push(format!("{} is not used for the kernel's source lines: {error}", path.display()));
        }
        let no_directories = options.debug_dir.iter().filter(|directory| !directory.is_dir());
        notes.extend(
            no_directories.map(|path| format!("--debug-dir {}: there is no such directory", path.display())),
        );
        let debuginfod = debuginfod::client(options)?;
        let directories = DebugDirectories::with(options.debug_dir.iter().cloned());
        let directories = match &debuginfod {
            Some(client) => directories.and_fetched(&client.debuginfod),
            None => directories,
        };
        let symbolizer = Symbolizer::new(directories);
        let symbolizer =
            if options.no_cache { symbolizer } else { cache::give(symbolizer, options.verbose)? };
        Ok(Resolver { symbolizer, debuginfod, kernel_files })
    }
}

/// What one image's sampled offsets are to be looked up in.
struct Question {
    image: Image,
    /// The file of an image that is one; else of no account.
    file: Result<File, Unresolved>,
    offsets: Vec<ImageOffset>,
}

/// The names of everything sampled, each image's at its index; `open` opens the file of one. Moves samples of kernel modules to images of their own.
pub(crate) fn resolve(
    profile: &mut Profile,
    mut open: impl FnMut(&Image) -> Result<File, Unresolved>,
    jit: &JitImage,
    resolver: &Resolver,
) -> Vec<ImageNames> {
    let kernel = kernel_symbols(profile);
    if let Some(kernel) = &kernel {
        split_modules(profile, kernel);
    }
    let mut questions: HashMap<ImageId, Question> = HashMap::new();
    for (id, offsets) in profile.sampled_offsets() {
        let image = profile.images()[id.0 as usize].clone();
        let file = match image.kind {
            ImageKind::File => open(&image),
            _ => Err(Unresolved::NoSymbols),
        };
        questions.insert(id, Question { image, file, offsets });
    }
    if let Some(debuginfod) = &resolver.debuginfod {
        let files = questions
            .values()
            .filter_map(|question| Some((Path::new(&question.image.name), question.file.as_ref().ok()?)));
        debuginfod.fetch(&files.collect::<Vec<_>>(), &resolver.symbolizer);
    }
    let mut names = vec![ImageNames::default(); profile.images().len()];
    let answers: Vec<_> = questions
        .into_par_iter()
        .map(|(id, question)| (id, answer(question, resolver, kernel.as_ref(), jit)))
        .collect();
    for (id, mut answer) in answers {
        if profile.images()[id.0 as usize].kind == ImageKind::KernelModule {
            profile.name_ksymbols(&mut answer);
        }
        names[id.0 as usize] = answer;
    }
    names
}

/// The kernel's symbols, if they are needed and can be read.
fn kernel_symbols(profile: &Profile) -> Option<KernelSymbols> {
    let kernel = profile.kernel_image();
    let sampled = !profile.kernel_is_hidden() && profile.counts().iter().any(|(key, _)| key.image == kernel);
    let mut symbols = sampled.then(|| KernelSymbols::read().ok()).flatten()?;
    // A sample that is not among those of a BPF program was taken when another one was there, or none.
    symbols.forget(|start| profile.had_ksymbol(start));
    Some(symbols)
}

/// Gives each module's code an image of its own.
fn split_modules(profile: &mut Profile, kernel: &KernelSymbols) {
    profile.split_image(profile.kernel_image(), |offset| {
        let symbol = kernel.lookup(VirtualAddress(offset.0)).ok()?;
        let module = symbol.module?;
        Some(Image { name: module.to_owned(), kind: ImageKind::KernelModule, identity: ImageIdentity::None })
    });
}

fn answer(
    question: Question,
    resolver: &Resolver,
    kernel: Option<&KernelSymbols>,
    jit: &JitImage,
) -> ImageNames {
    let Resolver { symbolizer, kernel_files, .. } = resolver;
    let Question { image, file, offsets } = question;
    let unresolved = |reason| ImageNames::unresolved(offsets.iter().copied(), reason);
    match image.kind {
        ImageKind::File => match file {
            // What holds code that nobody told the names of, and no program.
            Ok(file) if image.may_hold_jit_code() && !is_elf(&file) => unresolved(Unresolved::Anonymous),
            Ok(file) => {
                symbolizer.resolve_file(Some(Path::new(&image.name)), &file, &image.identity, &offsets)
            }
            Err(reason) => unresolved(reason),
        },
        ImageKind::Kernel | ImageKind::KernelModule => match kernel {
            Some(kernel) if image.kind == ImageKind::KernelModule => {
                symbolizer.resolve_module(kernel_files, kernel, &image.name, &offsets)
            }
            Some(kernel) => symbolizer.resolve_kernel(kernel_files, kernel, &offsets),
            None if image.name == NO_VMLINUX => unresolved(Unresolved::NoSymbols),
            None => unresolved(Unresolved::KernelRestricted),
        },
        ImageKind::Vdso => symbolizer.resolve_vdso(&offsets),
        ImageKind::Anonymous => unresolved(Unresolved::Anonymous),
        ImageKind::Jit => jit.names(&offsets),
        ImageKind::Unknown => unresolved(Unresolved::NoMapping),
        ImageKind::Guest => unresolved(Unresolved::NoSymbols),
    }
}

fn is_elf(file: &File) -> bool {
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0).is_ok_and(|()| magic == *b"\x7fELF")
}
