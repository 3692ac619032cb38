//! The effective capabilities of this process (capabilities(7)).

/// A set of capabilities as /proc/self/status shows it: a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) u64);

/// A capability that helps to profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    /// Locks memory beyond limits: ring buffers of any size.
    IpcLock = 14,
    /// All that the narrower ones give, on kernels that do not have these yet.
    SysAdmin = 21,
    /// Sees kernel addresses.
    Syslog = 34,
    /// Opens every event for every process (Linux 5.8).
    Perfmon = 38,
    /// Opens what a process has mapped though it was deleted (Linux 5.9).
    CheckpointRestore = 40,
}

impl Capability {
    /// As capabilities(7) spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Capability::IpcLock => "CAP_IPC_LOCK",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
            Capability::Syslog => "CAP_SYSLOG",
            Capability::Perfmon => "CAP_PERFMON",
            Capability::CheckpointRestore => "CAP_CHECKPOINT_RESTORE",
        }
    }
}

impl Capabilities {
    /// The effective set in the text of /proc/self/status.
    pub(crate) fn effective(status: &str) -> Capabilities {
        let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        Capabilities(set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0))
    }

    pub(crate) fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }

    /// The capability itself, or the broad one that stands in for it.
    pub(crate) fn grants(self, capability: Capability) -> bool {
        let broad = matches!(capability, Capability::Perfmon | Capability::CheckpointRestore);
        self.has(capability) || (broad && self.has(Capability::SysAdmin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_set_is_read_from_status() {
        let set = Capabilities::effective("Name:\tx\nCapPrm:\t0\nCapEff:\t0000004000000000\n");
        assert!(set.has(Capability::Perfmon));
        assert!(!set.has(Capability::SysAdmin));
        assert_eq!(Capabilities::effective(""), Capabilities(0));
        assert_eq!(Capabilities::effective("CapEff:\tzz\n"), Capabilities(0));
    }

    #[test]
    fn the_broad_one_stands_in_for_its_parts_alone() {
        let admin = Capabilities(1 << 21);
        assert!(admin.grants(Capability::Perfmon) && admin.grants(Capability::CheckpointRestore));
        assert!(!admin.grants(Capability::Syslog) && !admin.grants(Capability::IpcLock));
    }
}
