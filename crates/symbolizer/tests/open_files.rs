//! Images that have no path any more, or never had one.

mod built;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use built::{build, has, sources};
use oprof_profile::{ImageIdentity, ImageOffset};
use rustix::fs::{MemfdFlags, memfd_create};

use oprof_symbolizer::{DebugDirectories, Symbolizer, build_id};

fn finds_twice(path: Option<&Path>, file: &File) -> bool {
    let length = file.metadata().unwrap().len();
    let offsets: Vec<ImageOffset> = (0..length).step_by(2).map(ImageOffset).collect();
    let identity = build_id(file).unwrap().map_or(ImageIdentity::None, ImageIdentity::BuildId);
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    has(&symbolizer.resolve_file(path, file, &identity, &offsets), "twice")
}

#[test]
fn a_deleted_program_that_is_held_open_is_resolved() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &["-O1"]) else { return };
    let file = File::open(&image).unwrap();
    std::fs::remove_file(&image).unwrap();
    // As the kernel names it in the mapping.
    let path = format!("{} (deleted)", image.display());
    assert!(finds_twice(Some(Path::new(&path)), &file));
    // Another file in its place is not mixed up with it.
    std::fs::write(&image, "another").unwrap();
    assert!(finds_twice(Some(&image), &file));
}

#[test]
fn a_program_in_memory_is_resolved() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &["-O1"]) else { return };
    let Ok(memory) = memfd_create("program", MemfdFlags::CLOEXEC) else {
        return built::skipped("no memfd_create");
    };
    let mut file = File::from(memory);
    file.write_all(&std::fs::read(&image).unwrap()).unwrap();
    assert!(finds_twice(Some(Path::new("/memfd:program (deleted)")), &file));
}

#[test]
fn a_program_without_section_headers_is_still_no_error() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &["-O1"]) else { return };
    let mut bytes = std::fs::read(&image).unwrap();
    // As sstrip(1) leaves it: no e_shoff, no e_shnum, no e_shstrndx (elf(5)).
    if bytes[4] != 2 {
        return built::skipped("not a 64-bit program");
    }
    bytes[40..48].fill(0);
    bytes[60..64].fill(0);
    std::fs::write(&image, &bytes).unwrap();
    let file = File::open(&image).unwrap();
    assert!(build_id(&file).unwrap().is_some(), "of the segment of notes");
    assert!(!finds_twice(Some(&image), &file));
}
