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

#[test]
fn unsafe_code_stands_in_few_named_files() {
    const NAMED: [&str; 3] = ["counter.rs", "ring_buffer.rs", "command.rs"];
    for (name, _) in MAY_USE {
        let crate_root = root().join("crates").join(name.trim_start_matches("oprof-")).join("src");
        let entry = ["lib.rs", "main.rs"].map(|file| crate_root.join(file));
        let text =
            entry.iter().find_map(|file| std::fs::read_to_string(file).ok()).expect("a crate has a root");
        if text.contains("#![forbid(unsafe_code)]") {
            continue;
        }
        assert_eq!(name, "oprof-collector", "{name} could forbid unsafe code");
        for file in std::fs::read_dir(&crate_root).expect("sources").flatten() {
            let Ok(text) = std::fs::read_to_string(file.path()) else { continue };
            let has_unsafe = text
                .lines()
                .any(|line| line.trim_start().starts_with("unsafe ") || line.contains(" unsafe {"));
            let file_name = file.file_name();
            let expected = NAMED.iter().any(|named| *named == file_name);
            assert!(!has_unsafe || expected, "{}: unsafe code outside of {NAMED:?}", file.path().display());
        }
    }
}
