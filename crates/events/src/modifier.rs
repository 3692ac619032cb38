//! The letters after an event's name that say where it counts and how precisely.

use crate::Error;

/// Where an event counts and how precisely; each flag means "counts there".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modifiers {
    /// User space.
    pub(crate) user: bool,
    /// The kernel.
    pub(crate) kernel: bool,
    /// A hypervisor.
    pub(crate) hypervisor: bool,
    /// The host.
    pub(crate) host: bool,
    /// Guests.
    pub(crate) guest: bool,
    /// Level of `precise_ip`, 0 to 3.
    pub(crate) precise: u8,
}

impl Default for Modifiers {
    /// All of the host. Guests are left out: their addresses mean nothing to the host's symbols.
    fn default() -> Self {
        Self { user: true, kernel: true, hypervisor: true, host: true, guest: false, precise: 0 }
    }
}

impl Modifiers {
    /// Reads a group of letters such as `ukpp`.
    ///
    /// The first of `u`, `k` and `h` turns the others off, and so do `G` and `H`, as in the manual page perf-list(1).
    ///
    /// # Errors
    /// [`Error::Malformed`] for an unknown letter, an empty group or more than three `p`.
    pub(crate) fn parse(event: &str, letters: &str) -> Result<Self, Error> {
        if letters.is_empty() {
            return Err(Error::malformed(event, ":", "modifiers or a count are missing after the colon"));
        }
        let mut modifiers = Self::default();
        let has = |wanted: char| letters.contains(wanted);
        if has('u') || has('k') || has('h') {
            (modifiers.user, modifiers.kernel, modifiers.hypervisor) = (has('u'), has('k'), has('h'));
        }
        if has('G') || has('H') {
            (modifiers.guest, modifiers.host) = (has('G'), has('H'));
        }
        for letter in letters.chars() {
            match letter {
                'u' | 'k' | 'h' | 'G' | 'H' => {}
                'p' if modifiers.precise < 3 => modifiers.precise += 1,
                'p' => return Err(Error::malformed(event, letters, "at most three p (ppp)")),
                _ => {
                    return Err(Error::malformed(
                        event,
                        letters,
                        "the modifiers are u, k, h, G, H, p, pp and ppp, and numbers come as COUNT:UNITMASK:KERNEL:USER",
                    ));
                }
            }
        }
        Ok(modifiers)
    }

    /// The same with the letters of the group that the event is in, as perf joins them: where both name a space, the
    /// event counts in either. `names_host` says that `H` was among the event's own letters; unlike those of the
    /// others, it leaves no trace.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub(crate) fn with_group(self, event: &str, letters: &str, names_host: bool) -> Result<Self, Error> {
        let group = Self::parse(event, letters)?;
        let mut joined = self;
        if letters.contains(['u', 'k', 'h']) {
            let named = !(self.user && self.kernel && self.hypervisor);
            joined.user = group.user || named && self.user;
            joined.kernel = group.kernel || named && self.kernel;
            joined.hypervisor = group.hypervisor || named && self.hypervisor;
        }
        if letters.contains(['G', 'H']) {
            joined.guest = group.guest || self.guest;
            joined.host = group.host || names_host;
        }
        joined.precise = self.precise.max(group.precise);
        Ok(joined)
    }

    /// OProfile's two flags; the hypervisor goes with the kernel.
    ///
    /// # Errors
    /// [`Error::Malformed`] when neither is counted.
    pub(crate) fn spaces(event: &str, kernel: bool, user: bool) -> Result<Self, Error> {
        if !kernel && !user {
            return Err(Error::malformed(event, "0:0", "neither kernel nor user space would be counted"));
        }
        Ok(Self { user, kernel, hypervisor: kernel, ..Self::default() })
    }
}

/// Whether a text could be a group of modifiers.
pub(crate) fn looks_like_modifiers(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b"ukhGHp".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(letters: &str) -> Modifiers {
        Modifiers::parse("e", letters).unwrap()
    }

    #[test]
    fn a_space_letter_turns_the_others_off() {
        let all = Modifiers::default();
        assert_eq!(parse("u"), Modifiers { kernel: false, hypervisor: false, ..all });
        assert_eq!(parse("k"), Modifiers { user: false, hypervisor: false, ..all });
        assert_eq!(parse("ku"), Modifiers { hypervisor: false, ..all });
        assert_eq!(parse("ukh"), all);
        assert_eq!(parse("G"), Modifiers { guest: true, host: false, ..all });
        assert_eq!(parse("GH"), Modifiers { guest: true, ..all });
    }

    #[test]
    fn precise_counts_its_letters() {
        assert_eq!([parse("p"), parse("pp"), parse("pup")].map(|m| m.precise), [1, 2, 2]);
        assert_eq!(parse("ppp").precise, 3);
        assert!(Modifiers::parse("e", "pppp").is_err());
    }

    /// What `perf stat -vv -e {cpu-clock:..,task-clock}:..` says.
    #[test]
    fn a_groups_letters_are_joined_with_the_events_own() {
        for (own, group, both) in [
            ("u", "k", "uk"),
            ("k", "u", "uk"),
            ("h", "u", "uh"),
            ("G", "k", "Gk"),
            ("uH", "kG", "ukGH"),
            ("up", "pp", "upp"),
        ] {
            let joined = parse(own).with_group("e", group, own.contains('H')).unwrap();
            assert_eq!(joined, parse(both), "{own} in a group with {group}");
        }
        let all = Modifiers::default();
        assert_eq!(all.with_group("e", "k", false), Ok(parse("k")));
        assert_eq!(all.with_group("e", "G", false), Ok(parse("G")));
        assert_eq!(parse("ppu").with_group("e", "p", false), Ok(parse("ppu")));
        assert!(all.with_group("e", "z", false).is_err());
    }

    #[test]
    fn unknown_letters_are_errors() {
        for bad in ["", "x", "U", "uX", "u u", "é"] {
            assert!(Modifiers::parse("e", bad).is_err(), "{bad:?}");
            assert!(!looks_like_modifiers(bad), "{bad:?}");
        }
    }

    #[test]
    fn oprofile_flags() {
        let user_only = Modifiers::spaces("e", false, true).unwrap();
        assert_eq!(user_only, parse("u"));
        assert!(Modifiers::spaces("e", false, false).is_err());
    }
}
