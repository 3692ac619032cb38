//! Breakpoints: accesses to an address, which the processor's debug registers see.

use crate::config::{EventConfig, EventKind, TYPE_BREAKPOINT};
use crate::{Error, modifier};

/// `HW_BREAKPOINT_R`, `_W` and `_X` of the kernel's `include/uapi/linux/hw_breakpoint.h`.
const READ: u32 = 1;
const WRITE: u32 = 2;
const EXECUTE: u32 = 4;
/// Bytes that are watched when no length is given.
const DEFAULT_LENGTH: u64 = 4;
/// The length that the kernel wants with executions: the size of a `long`.
const EXECUTE_LENGTH: u64 = size_of::<usize>() as u64;

/// Encodes `mem:ADDRESS[/LENGTH][:ACCESS]`; the rest of the suffix is returned.
///
/// # Errors
/// [`Error::Malformed`] for a length or an access that no processor can watch.
pub(crate) fn encode<'s, 'a>(
    event: &str,
    address: u64,
    length: Option<u64>,
    suffix: &'s [&'a str],
) -> Result<(EventConfig, &'s [&'a str]), Error> {
    let (access, rest) = match suffix {
        [first, rest @ ..] if is_access(first) => (*first, rest),
        _ => ("rw", suffix),
    };
    let mut bp_type = 0;
    for letter in access.chars() {
        let flag = match letter {
            'r' => READ,
            'w' => WRITE,
            _ => EXECUTE,
        };
        if bp_type & flag != 0 {
            return Err(Error::malformed(event, access, "r, w and x once each"));
        }
        bp_type |= flag;
    }
    if bp_type & EXECUTE != 0 && bp_type != EXECUTE {
        return Err(Error::malformed(
            event,
            access,
            "x stands alone: code is not watched together with data",
        ));
    }
    let length = match (bp_type, length) {
        (EXECUTE, None) => EXECUTE_LENGTH,
        (EXECUTE, Some(other)) if other != EXECUTE_LENGTH => {
            return Err(Error::malformed(
                event,
                &other.to_string(),
                "an execution has no length; leave it out",
            ));
        }
        (_, None) => DEFAULT_LENGTH,
        (_, Some(length @ 1..=8)) => length,
        (_, Some(other)) => {
            return Err(Error::malformed(event, &other.to_string(), "1 to 8 bytes can be watched"));
        }
    };
    let config = EventConfig {
        bp_type,
        config1: address,
        config2: length,
        default_count: 1,
        min_count: 1,
        description: format!("accesses ({access}) to {length} bytes at {address:#x}"),
        ..EventConfig::new(
            &format!("mem:{address:#x}/{length}:{access}"),
            EventKind::Breakpoint,
            TYPE_BREAKPOINT,
            0,
        )
    };
    Ok((config, rest))
}

/// Letters of an access and no others; `h`, `k`, `u` and `p` are modifiers.
fn is_access(text: &str) -> bool {
    !text.is_empty() && !modifier::looks_like_modifiers(text) && text.bytes().all(|b| b"rwx".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(length: Option<u64>, suffix: &[&str]) -> Option<(u32, u64, usize)> {
        let (config, rest) = encode("e", 0x1000, length, suffix).ok()?;
        assert_eq!((config.pmu_type, config.config, config.config1), (5, 0, 0x1000));
        Some((config.bp_type, config.config2, rest.len()))
    }

    #[test]
    fn accesses_and_lengths() {
        assert_eq!(encoded(None, &[]), Some((3, 4, 0)));
        assert_eq!(encoded(Some(8), &["w", "u"]), Some((2, 8, 1)));
        assert_eq!(encoded(None, &["x"]), Some((4, 8, 0)));
        assert_eq!(encoded(None, &["u"]), Some((3, 4, 1)));
        for (length, suffix) in [(Some(0), "r"), (Some(9), "r"), (None, "rr"), (None, "rx"), (Some(4), "x")] {
            assert_eq!(encoded(length, &[suffix]), None, "{suffix}");
        }
    }
}
