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
    /// `precise` is the most that is wanted: a machine that cannot do it takes the most it can.
    pub(crate) most_precise: bool,
}

/// The highest level of `precise_ip`.
const MOST_PRECISE: u8 = 3;
const AT_MOST_THREE: &str = "at most three p (ppp)";
const EITHER_P: &str = "p to ppp ask for a level, P for the highest that there is; give one of the two";
const OF_GROUPS: &str = "S and W are modifiers of groups ({EVENT,EVENT}:S)";

impl Default for Modifiers {
    /// All of the host. Guests are left out: their addresses mean nothing to the host's symbols.
    fn default() -> Self {
        Self {
            user: true,
            kernel: true,
            hypervisor: true,
            host: true,
            guest: false,
            precise: 0,
            most_precise: false,
        }
    }
}

impl Modifiers {
    /// Reads a group of letters such as `ukpp`.
    ///
    /// The first of `u`, `k` and `h` turns the others off, and so do `G` and `H`, as in the manual page perf-list(1).
    ///
    /// # Errors
    /// [`Error::Malformed`] for an unknown letter, an empty group, more than three `p`, or both `p` and `P`.
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
                'P' if has('p') => return Err(Error::malformed(event, letters, EITHER_P)),
                'P' => (modifiers.precise, modifiers.most_precise) = (MOST_PRECISE, true),
                'p' if modifiers.precise < MOST_PRECISE => modifiers.precise += 1,
                'p' => return Err(Error::malformed(event, letters, AT_MOST_THREE)),
                'S' | 'W' => return Err(Error::malformed(event, letters, OF_GROUPS)),
                _ => {
                    return Err(Error::malformed(
                        event,
                        letters,
                        "the modifiers are u, k, h, G, H, p, pp, ppp, P, S and W, and numbers come as COUNT:UNITMASK:KERNEL:USER",
                    ));
                }
            }
        }
        Ok(modifiers)
    }

    /// The same with the letters of the group that the event is in, as perf joins them: where both name a space, the
    /// event counts in either, and the `p` of both are added. `names_host` says that `H` was among the event's own
    /// letters; unlike those of the others, it leaves no trace.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), of both groups of letters together.
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
        if self.most_precise || group.most_precise {
            (joined.precise, joined.most_precise) = (MOST_PRECISE, true);
            return Ok(joined);
        }
        joined.precise = self.precise + group.precise;
        match joined.precise {
            ..=MOST_PRECISE => Ok(joined),
            _ => Err(Error::malformed(event, letters, AT_MOST_THREE)),
        }
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

/// What the letters behind a group's brace say of the group itself; the rest of them is for each of its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GroupLetters {
    /// `S`.
    pub(crate) leader_samples: bool,
    /// `W`.
    pub(crate) weak: bool,
}

impl GroupLetters {
    /// Parts the letters of the group from those of its events, which are `None` where no others were given.
    pub(crate) fn part(letters: &str) -> (Self, Option<String>) {
        let group = Self { leader_samples: letters.contains('S'), weak: letters.contains('W') };
        let rest: String = letters.chars().filter(|letter| !matches!(letter, 'S' | 'W')).collect();
        let is_all = rest.is_empty() && !letters.is_empty();
        (group, (!is_all).then_some(rest))
    }
}

/// Whether a text could be a group of modifiers.
pub(crate) fn looks_like_modifiers(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b"ukhGHpP".contains(&b))
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
        assert_eq!(
            (parse("uP").precise, parse("uP").most_precise, parse("ppp").most_precise),
            (3, true, false)
        );
        for bad in ["pppp", "pP", "Pp", "S", "uW"] {
            assert!(Modifiers::parse("e", bad).is_err(), "{bad}");
        }
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
            ("up", "pp", "uppp"),
            ("up", "P", "uP"),
            ("P", "k", "kP"),
        ] {
            let joined = parse(own).with_group("e", group, own.contains('H')).unwrap();
            assert_eq!(joined, parse(both), "{own} in a group with {group}");
        }
        let all = Modifiers::default();
        assert_eq!(all.with_group("e", "k", false), Ok(parse("k")));
        assert_eq!(all.with_group("e", "G", false), Ok(parse("G")));
        assert_eq!(parse("ppu").with_group("e", "p", false), Ok(parse("pppu")));
        assert!(all.with_group("e", "z", false).is_err());
        assert!(parse("pp").with_group("e", "pp", false).is_err(), "at most three together");
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
