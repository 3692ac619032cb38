//! The map in crates/README.md is true: which crate may use which, and that what it names exists.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crates in the order of a sample's path, each with those of ours that it may use.
const MAY_USE: [(&str, &[&str]); 6] = [
    ("oprof-events", &[]),
    ("oprof-collector", &["oprof-events", "oprof-profile"]),
    ("oprof-profile", &[]),
    ("oprof-symbolizer", &["oprof-profile"]),
    ("oprof-report", &["oprof-profile"]),
    ("oprof-cli", &["oprof-collector", "oprof-events", "oprof-profile", "oprof-report", "oprof-symbolizer"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .expect("crates/cli is two levels down")
}

#[test]
fn a_crate_uses_only_what_the_map_allows() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata");
    let ours: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in MAY_USE {
        let package = metadata.packages.iter().find(|package| package.name == name).expect(name);
        let used: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.as_str())
            .filter(|dependency| ours.contains(dependency))
            .collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(used.is_subset(&allowed), "{name} uses {used:?}, allowed are {allowed:?}");
    }
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let unknown: Vec<_> =
        members.iter().filter(|name| !ours.contains(*name) && **name != "oprof-benches").collect();
    assert!(unknown.is_empty(), "not on the map: {unknown:?}");
}

#[test]
fn every_path_of_the_map_exists() {
    let map = std::fs::read_to_string(root().join("crates/README.md")).expect("the map");
    let mut paths = 0;
    for name in map.split('`').skip(1).step_by(2).filter(|name| name.contains('/') && !name.contains(' ')) {
        let exists = [root().join("crates").join(name), root().join(name)].iter().any(|path| path.exists());
        assert!(exists, "crates/README.md names {name}, which is not there");
        paths += 1;
    }
    assert!(paths > 15, "only {paths} paths were found");
}

/// The crates that need unsafe code, and the files that it stands in.
const UNSAFE: [(&str, &[&str]); 2] = [
    ("oprof-collector", &["counter.rs", "ring_buffer.rs", "command.rs", "bpf/call.rs"]),
    ("oprof-events", &["libpfm/library.rs", "libpfm/abi.rs"]),
];

#[test]
fn unsafe_code_stands_in_few_named_files() {
    for (name, _) in MAY_USE {
        let sources = root().join("crates").join(name.trim_start_matches("oprof-")).join("src");
        let entry = ["lib.rs", "main.rs"].map(|file| sources.join(file));
        let text =
            entry.iter().find_map(|file| std::fs::read_to_string(file).ok()).expect("a crate has a root");
        let named = UNSAFE.iter().find(|(known, _)| *known == name).map(|(_, files)| *files);
        let forbids = text.contains("#![forbid(unsafe_code)]");
        assert_eq!(forbids, named.is_none(), "{name}: a crate forbids unsafe code or names its files here");
        for (file, text) in files(&sources) {
            let has_unsafe = text
                .lines()
                .any(|line| line.trim_start().starts_with("unsafe ") || line.contains(" unsafe {"));
            let expected = named.is_some_and(|named| named.contains(&file.as_str()));
            assert!(!has_unsafe || expected, "{name}: unsafe code in {file}, outside of {named:?}");
        }
    }
}

/// The sources below a folder, by their path in it.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(&directory).expect("sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned();
                found.push((name, text));
            }
        }
    }
    found
}
