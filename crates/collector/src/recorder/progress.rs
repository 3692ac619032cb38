//! What a recording shows of itself, while it goes on and at its end.

use std::time::Duration;

use oprof_profile::{CommandEnd, Profile, Timestamp};

use crate::held_images::HeldImages;
use crate::jit_files::JitFiles;

/// What a recording shows of itself while it goes on.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Everything folded so far.
    pub profile: &'a mut Profile,
    /// The files of the images in it.
    pub images: &'a HeldImages,
    /// Where JIT compilers tell the names of their code.
    pub jit_files: &'a mut JitFiles,
    /// When it was last handed out.
    pub since: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Why a recording shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It does so about once a second.
    Routine,
    /// Somebody asked for it: [`Order::Dump`](crate::Order::Dump).
    Dump,
    /// It has ended, and nothing more is to come.
    Last,
}

/// What a recorder collected.
#[derive(Debug)]
pub struct Collected {
    /// The profile, its coverage complete.
    pub profile: Profile,
    /// The files of the images in it.
    pub images: HeldImages,
    /// Where JIT compilers told the names of their code.
    pub jit_files: JitFiles,
    /// How the command ended.
    pub end: CommandEnd,
    /// How long it recorded.
    pub duration: Duration,
}
