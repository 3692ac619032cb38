//! Targets: whose events are sampled or counted.

/// Whose events are sampled or counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The command's, and those of all that it starts.
    #[default]
    Command,
    /// Of these processes, with all their threads and what these start.
    Processes(Vec<u32>),
    /// Of these threads alone.
    Threads(Vec<u32>),
    /// Of whatever runs on these CPUs; on all of them for `None`: the whole system.
    Cpus(Option<Vec<u32>>),
    /// Of the processes of this control group and of those below it, by its path.
    Cgroup(String),
}

impl Target {
    /// What runs on CPUs is the target, whoever's it is.
    pub fn is_of_cpus(&self) -> bool {
        matches!(self, Target::Cpus(_))
    }
}
