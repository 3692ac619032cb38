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

/// The registers of 64-bit Arm choose bytes within eight (arch/arm64/kernel/hw_breakpoint.c), those of other processors
/// have a length (`hw_breakpoint_arch_parse` in arch/x86/kernel/hw_breakpoint.c).
const CHOOSES_BYTES: bool = cfg!(target_arch = "aarch64");
/// What the processor's registers can watch, for a message.
const WATCHABLE: &str = match CHOOSES_BYTES {
    true => "1 to 8 bytes can be watched that do not cross a multiple of 8",
    false => "the length is 1, 2, 4 or 8, and the address a multiple of it (mem:ADDRESS/1 watches any byte)",
};

/// Whether the processor can watch this much data at this place; the kernel would say `EINVAL` and no more.
fn is_watchable(address: u64, length: u64) -> bool {
    match CHOOSES_BYTES {
        true => (1..=8).contains(&length) && address % 8 + length <= 8,
        false => matches!(length, 1 | 2 | 4 | 8) && address.is_multiple_of(length),
    }
}

/// Encodes `mem:ADDRESS[/LENGTH][:ACCESS]`; the rest of the suffix is returned.
///
/// # Errors
/// [`Error::Malformed`] for a length, an address or an access that the processor cannot watch.
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
        (_, Some(length)) => length,
    };
    if bp_type != EXECUTE && !is_watchable(address, length) {
        let part = format!("{address:#x}/{length}");
        return Err(Error::malformed(event, &part, WATCHABLE));
    }
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

    #[test]
    fn only_what_the_registers_can_watch() {
        let at = |address, length| encode("mem:A/L", address, length, &[]).map_err(|error| error.to_string());
        for (address, length) in [(0x1001, 1), (0x1002, 2), (0x1004, 4), (0x1008, 8)] {
            assert!(at(address, Some(length)).is_ok(), "{address:#x}/{length}");
        }
        assert!(encode("e", 0x1001, None, &["x"]).is_ok(), "an instruction begins anywhere");
        for (address, length) in
            [(0x1000, Some(0)), (0x1000, Some(9)), (0x1000, Some(u64::MAX)), (0x1005, Some(4))]
        {
            let error = at(address, length).unwrap_err();
            assert!(error.contains(WATCHABLE) && error.contains("0x100"), "{error}");
        }
        if !CHOOSES_BYTES {
            for (address, length) in [(0x1000, Some(3)), (0x1000, Some(6)), (0x1001, Some(2)), (0x1002, None)]
            {
                assert!(at(address, length).unwrap_err().contains("1, 2, 4 or 8"), "{address:#x}");
            }
        }
    }
}
