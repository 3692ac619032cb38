//! The events of a recording, as they were asked for and as they were opened.

/// Index of an event in the recording's list of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u16);

/// When the kernel takes a sample of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// One sample each time the event has happened this many times (OProfile's "count").
    Count(u64),
    /// About this many samples per second: the kernel adapts the count.
    Frequency(u64),
    /// No samples of its own: it is read with each sample of its group's first event, and what it has counted since the
    /// sample before is that sample's.
    WithLeader,
}

/// One event of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The name, as the user gave it or as it was chosen by default: `cycles`, `cpu/event=0xc5/u`.
    pub name: String,
    /// What it counts, in a few words; empty where nobody knows.
    pub description: String,
    /// The unit mask of the encoded event; 0 where the event has none.
    pub unit_mask: u64,
    /// What the unit mask selects; empty where the event has none.
    pub unit_mask_description: String,
    /// When samples are taken.
    pub sampling: Sampling,
    /// Samples are taken in user mode.
    pub user: bool,
    /// Samples are taken in the kernel.
    pub kernel: bool,
    /// One count of the event is one nanosecond (cpu-clock, task-clock).
    pub nanoseconds: bool,
    /// The number of the group with whose events it is counted at the same time; `None` for an event on its own.
    pub group: Option<u32>,
}

impl Event {
    /// It has samples of its own: it is not read with those of another.
    pub fn is_sampled(&self) -> bool {
        self.sampling != Sampling::WithLeader
    }
}
