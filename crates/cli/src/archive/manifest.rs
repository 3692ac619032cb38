//! What an archive says of its members: which image each of them is.

use std::io::Read;

use anyhow::{Result, anyhow};
use oprof_profile::{Image, ImageIdentity};
use serde::{Deserialize, Serialize};

/// The largest that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// The manifest: JSON, so that others can read it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Of the archive's form: 1.
    pub(super) format: u32,
    /// The version of oprof that made it.
    pub(super) version: String,
    /// The images and debug files in it.
    pub(super) members: Vec<Described>,
    /// What was sampled and is not in it.
    pub(super) left_out: Vec<LeftOut>,
}

/// What a member is. Several images can be one member: copies of one file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Described {
    /// Its path in the archive.
    pub(super) member: String,
    /// Where it was.
    pub(super) path: String,
    /// What told it from others of that path: `build-id:abcdef`, `inode:7`, `modified:1700000000`; empty for a debug file.
    #[serde(default)]
    pub(super) identity: String,
}

/// An image that is not in the archive.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LeftOut {
    /// Where it was.
    pub(super) path: String,
    /// Why it is not there.
    pub(super) why: String,
}

impl Manifest {
    /// Of this version, without members.
    pub(super) fn new() -> Manifest {
        Manifest { format: 1, version: env!("CARGO_PKG_VERSION").to_owned(), ..Manifest::default() }
    }

    /// Reads one from an archive that nobody vouches for.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn read(input: &mut dyn Read) -> Result<Manifest> {
        let none = |error: &dyn std::fmt::Display| anyhow!("its manifest cannot be read: {error}");
        let mut bytes = Vec::new();
        input.take(LARGEST).read_to_end(&mut bytes).map_err(|error| none(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| none(&error))
    }
}

/// What tells an image from others of its name, in a word.
pub(super) fn identity(image: &Image) -> String {
    match image.identity {
        ImageIdentity::None | ImageIdentity::Region(_) => String::new(),
        ImageIdentity::BuildId(id) => format!("build-id:{id}"),
        ImageIdentity::Inode(inode) => format!("inode:{}", inode.number),
        ImageIdentity::Modified(time) => format!("modified:{time}"),
    }
}
