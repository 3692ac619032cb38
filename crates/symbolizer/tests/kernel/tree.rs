//! What a running kernel tells of itself and its modules, made up in a directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use oprof_profile::ImageNames;
use oprof_symbolizer::{DebugDirectories, KernelFiles, KernelSymbols, Symbolizer, build_id};

/// The release of the kernel that is made up.
pub(crate) const RELEASE: &str = "6.1.0-made";

/// A directory with `proc`, `sys`, `lib` and `usr/lib/debug`, and the lines of `/proc/kallsyms`.
pub(crate) struct Tree {
    folder: tempfile::TempDir,
    kallsyms: String,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        let tree = Tree { folder: tempfile::tempdir().expect("a folder"), kallsyms: String::new() };
        tree.write("proc/sys/kernel/osrelease", format!("{RELEASE}\n"));
        tree
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// Copies a file into the tree.
    pub(crate) fn put(&self, path: impl AsRef<Path>, from: &Path) -> PathBuf {
        self.write(path, fs::read(from).expect("a file"))
    }

    pub(crate) fn remove(&self, path: impl AsRef<Path>) {
        fs::remove_file(self.path(path)).expect("removed");
    }

    /// Lets the kernel tell a symbol.
    pub(crate) fn symbol(&mut self, address: u64, kind: char, name: &str, module: Option<&str>) {
        let module = module.map_or(String::new(), |module| format!("\t[{module}]"));
        self.kallsyms.push_str(&format!("{address:016x} {kind} {name}{module}\n"));
    }

    pub(crate) fn symbols(&self) -> KernelSymbols {
        KernelSymbols::parse(self.kallsyms.as_bytes())
    }

    pub(crate) fn files(&self) -> KernelFiles {
        KernelFiles::below(self.folder.path())
    }

    pub(crate) fn symbolizer(&self) -> Symbolizer {
        Symbolizer::new(DebugDirectories::with([self.path("usr/lib/debug")]))
    }
}

/// The note of a file's build id, as the kernel shows it.
pub(crate) fn note(image: &Path) -> Vec<u8> {
    let id = build_id(&File::open(image).expect("an image")).expect("an image").expect("a build id");
    let mut note = Vec::new();
    for word in [4, id.as_bytes().len() as u32, 3] {
        note.extend(word.to_ne_bytes());
    }
    note.extend(b"GNU\0");
    note.extend(id.as_bytes());
    note
}

/// The symbols that nm(1) lists: address, type, name; `None` where there is no nm.
pub(crate) fn nm(image: &Path) -> Option<Vec<(u64, char, String)>> {
    let output = Command::new("nm").arg(image).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let symbols = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let address = u64::from_str_radix(words.next()?, 16).ok()?;
        Some((address, words.next()?.chars().next()?, words.next()?.to_owned()))
    });
    Some(symbols.collect())
}

/// A section with code: its name, its number, and its size in bytes.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) index: usize,
    pub(crate) size: u64,
}

/// What an address resolved to: file and line of each frame, the innermost first.
pub(crate) fn lines(names: &ImageNames, address: u64) -> Vec<String> {
    let Some(place) = names.place(oprof_profile::ImageOffset(address)) else { return Vec::new() };
    let lines = [place.line].into_iter().chain(place.inlined.iter().map(|frame| frame.call));
    let text = |line: oprof_profile::SourceLine| {
        format!("{}:{}", names.file(line.file).unwrap_or_default(), line.line)
    };
    lines.map(|line| line.map_or("??:0".to_owned(), text)).collect()
}

/// The same by addr2line(1), for addresses of a section, or of the whole image; `None` where there is no addr2line.
pub(crate) fn addr2line(
    tool: &str,
    image: &Path,
    section: Option<&str>,
    addresses: &[u64],
) -> Option<Vec<Vec<String>>> {
    use std::io::Write as _;
    let mut command = Command::new(tool);
    command.args(["-i", "-a", "-e"]).arg(image);
    if let Some(section) = section {
        command.args(["-j", section]);
    }
    let piped = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = piped.spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let text: String = addresses.iter().map(|address| format!("{address:#x}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let _ = writer.join();
    let mut answers: Vec<Vec<String>> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.starts_with("0x") {
            answers.push(Vec::new());
        } else if let Some(answer) = answers.last_mut() {
            let line = line.split(" (discriminator").next().unwrap_or_default();
            answer.push(line.replace(":?", ":0"));
        }
    }
    assert_eq!(answers.len(), addresses.len(), "addr2line on {}", image.display());
    Some(answers)
}
