//! The packages of images whose code lacks names, by dpkg's own lists: no program is run for it.
//!
//! rpm and pacman keep databases that are not for others to read; for these a report asks the tool itself.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use oprof_collector::is_mapped_file;
use oprof_profile::{Image, ImageId, ImageKind, ImageNames, NameSource, Package, Unresolved, open_regular};

/// Where dpkg keeps what is installed (dpkg(1)).
const DPKG: &str = "/var/lib/dpkg";

/// How long the lists may be looked through. They are a few MB, read within some 20 ms unless the disk is slow.
const TIME: Duration = Duration::from_secs(2);

/// The longest file of dpkg's that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// The packages of those of `images` whose code lacks names, where dpkg installed them.
pub(crate) fn packages(
    images: &[Image],
    names: &[ImageNames],
    architecture: &str,
) -> BTreeMap<ImageId, Package> {
    let nameless =
        images.iter().zip(names).zip(0..).filter(|((image, names), _)| {
            image.kind == ImageKind::File && lacks_names(names) && is_here(image)
        });
    let paths: Vec<(ImageId, &str)> =
        nameless.map(|((image, _), index)| (ImageId(index), image.name.as_str())).collect();
    if paths.is_empty() {
        return BTreeMap::new();
    }
    let wanted: Vec<&str> = paths.iter().map(|(_, path)| *path).collect();
    let owners = owners(Path::new(DPKG), &wanted, dpkg_architecture(architecture), Instant::now() + TIME);
    let status = read(&Path::new(DPKG).join("status")).filter(|_| !owners.is_empty()).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let versions = versions(&status);
    let package = |path: &str| {
        let name: &String = owners.get(path)?;
        let version = versions.get(name.as_str()).or_else(|| versions.get(name.split(':').next()?));
        Some(Package {
            name: name.clone(),
            version: version.map(|version| (*version).to_owned()).unwrap_or_default(),
        })
    };
    paths.iter().filter_map(|(id, path)| Some((*id, package(path)?))).collect()
}

/// A debug package can have names that this image has not.
fn lacks_names(names: &ImageNames) -> bool {
    let missing = |reason| matches!(reason, Err(Unresolved::NoSymbols | Unresolved::NoSymbolAtOffset));
    names.offsets.iter().any(|(_, found)| missing(*found))
        || names.symbols.iter().any(|symbol| symbol.source == NameSource::UnwindTable)
}

/// The file of this name is the image: not one of the same name in a container, nor a later one.
fn is_here(image: &Image) -> bool {
    let build_id_of = |file: &File| oprof_symbolizer::build_id(file).ok().flatten();
    open_regular(Path::new(&image.name))
        .is_some_and(|file| is_mapped_file(&file, image.identity, build_id_of))
}

/// What dpkg calls an architecture of uname(2).
fn dpkg_architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i586" | "i686" => "i386",
        "armv7l" => "armhf",
        "ppc64le" => "ppc64el",
        other => other,
    }
}

/// The packages that installed the files `paths`, each by its path. A package of another architecture than `own` has
/// that behind its name.
fn owners(dpkg: &Path, paths: &[&str], own: &str, deadline: Instant) -> HashMap<String, String> {
    // Since /lib and /bin lead into /usr a package may list a file by either path.
    let short = |path: &&'_ str| path.strip_prefix("/usr").map(str::to_owned);
    let mut wanted: HashMap<Vec<u8>, String> = HashMap::new();
    for path in paths {
        wanted.insert(path.as_bytes().to_vec(), (*path).to_owned());
        if let Some(short) = short(path) {
            wanted.insert(short.into_bytes(), (*path).to_owned());
        }
    }
    // Most lines are told apart by their length alone.
    let longest = wanted.keys().map(Vec::len).max().unwrap_or(0);
    let mut lengths = vec![false; longest + 1];
    wanted.keys().for_each(|path| lengths[path.len()] = true);
    let distinct = wanted.values().collect::<HashSet<_>>().len();
    let mut owners = HashMap::new();
    for entry in fs::read_dir(dpkg.join("info")).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(package) = name.to_str().and_then(|name| name.strip_suffix(".list")) else { continue };
        if owners.len() == distinct || Instant::now() > deadline {
            break;
        }
        let list = read(&entry.path()).unwrap_or_default();
        for line in list.split(|byte| *byte == b'\n') {
            if lengths.get(line.len()) == Some(&true)
                && let Some(path) = wanted.get(line)
            {
                let package = match package.split_once(':') {
                    Some((package, architecture)) if architecture == own => package,
                    _ => package,
                };
                owners.entry(path.clone()).or_insert_with(|| package.to_owned());
            }
        }
    }
    owners
}

/// The version of each package that dpkg's status file names: by its name, and by that with its architecture behind.
fn versions(status: &str) -> HashMap<String, &str> {
    let mut versions = HashMap::new();
    for paragraph in status.split("\n\n") {
        let field = |title: &str| {
            paragraph.lines().find_map(|line| line.strip_prefix(title)?.strip_prefix(':')).map(str::trim)
        };
        if let (Some(package), Some(version)) = (field("Package"), field("Version")) {
            let architecture = field("Architecture").unwrap_or_default();
            versions.insert(format!("{package}:{architecture}"), version);
            versions.entry(package.to_owned()).or_insert(version);
        }
    }
    versions
}

/// The first [`LONGEST`] bytes of a file.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_file_is_found_by_either_of_its_paths() {
        let dpkg = tempfile::tempdir().expect("a directory");
        let info = dpkg.path().join("info");
        fs::create_dir(&info).expect("a directory");
        for (name, list) in [
            ("zlib1g:amd64.list", "/.\n/lib\n/lib/x86_64-linux-gnu/libz.so.1.2.13\n"),
            ("zlib1g:i386.list", "/lib/i386-linux-gnu/libz.so.1.2.13\n"),
            ("tool.list", "/usr/bin/tool\n"),
            ("other.list", "/usr/bin/tool-2\n/opt/usr/bin/tool\n"),
            ("tool.md5sums", "/usr/bin/unlisted\n"),
        ] {
            fs::write(info.join(name), list).expect("written");
        }
        let paths = [
            "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
            "/usr/lib/i386-linux-gnu/libz.so.1.2.13",
            "/usr/bin/tool",
            "/usr/bin/unlisted",
            "/bin/tool",
        ];
        let owners = owners(dpkg.path(), &paths, "amd64", far());
        let found: Vec<Option<&str>> =
            paths.iter().map(|path| owners.get(*path).map(String::as_str)).collect();
        assert_eq!(found, [Some("zlib1g"), Some("zlib1g:i386"), Some("tool"), None, None]);
        let late = super::owners(dpkg.path(), &paths, "amd64", Instant::now() - Duration::from_secs(1));
        assert!(late.is_empty(), "the time is kept: {late:?}");
        assert!(super::owners(Path::new("/nonexistent"), &paths, "amd64", far()).is_empty());
    }

    #[test]
    fn versions_are_those_of_the_architecture() {
        let status = "Package: zlib1g\nArchitecture: amd64\nDescription: a\n .\n b\nVersion: 1:1.2\n\n\
                      Package: zlib1g\nArchitecture: i386\nVersion: 1:1.3\n\nPackage: half\nStatus: x\n";
        let versions = versions(status);
        let of = |name| versions.get(name).copied();
        assert_eq!((of("zlib1g"), of("zlib1g:i386"), of("half")), (Some("1:1.2"), Some("1:1.3"), None));
    }

    /// On a machine with dpkg its lists name dpkg itself.
    #[test]
    fn this_machine_s_lists_are_read() {
        let Ok(list) = fs::read_to_string("/var/lib/dpkg/info/dpkg.list") else {
            eprintln!("skipped: no dpkg");
            return;
        };
        let tool = list.lines().find(|line| line.ends_with("/bin/dpkg")).expect("dpkg lists itself");
        let owners = owners(Path::new(DPKG), &[tool], "", far());
        assert_eq!(owners.get(tool).map(String::as_str), Some("dpkg"));
        let status = read(&Path::new(DPKG).join("status")).expect("there is one");
        let status = String::from_utf8_lossy(&status);
        let version = versions(&status).get("dpkg").copied().unwrap_or_default().to_owned();
        assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
    }
}
