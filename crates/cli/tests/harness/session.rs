//! Sessions as OProfile leaves them, made sample by sample.

use std::fs;
use std::path::{Path, PathBuf};

/// The nodes of a small sample file, of which the first is not used.
const NODES: usize = 128;

/// Writes a sample file of a session (INVENTORY of OProfile, "odb"): `path` is that below the session's `samples`, which says
/// what the samples are of; `samples` are places and how often they were sampled.
pub(crate) fn sample_file(session: &Path, path: &str, samples: &[(u64, u32)]) -> PathBuf {
    let path = session.join("samples").join(path);
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    let mut bytes = Vec::new();
    bytes.extend(b"DAE\n");
    // Version, CPU type (AMD64 generic), event, unit mask, count, kernel, and padding.
    for word in [0x13_u32, 82, 0x76, 0, 100_000, 0, 0] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(2000.0_f64.to_ne_bytes());
    bytes.resize(72, 0);
    bytes.extend((NODES as u32).to_ne_bytes());
    bytes.extend((samples.len() as u32 + 1).to_ne_bytes());
    bytes.resize(104 + 16, 0);
    for (place, times) in samples {
        bytes.extend(place.to_ne_bytes());
        bytes.extend(times.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
    }
    bytes.resize(104 + NODES * 20, 0);
    fs::write(&path, bytes).expect("the file can be written");
    path
}
