//! A program's arguments, as they stand on its stack when it begins.
//!
//! The layout is that of the System V ABI ("Initial Process Stack"): the number of arguments, a pointer to each, a
//! null pointer, pointers to the environment, further tables, and then the strings themselves, arguments first.

/// Arguments that were too long for what was copied of the stack end in this.
pub(crate) const CUT: &str = "...";
/// The most arguments that are taken in.
const MOST: u64 = 4096;

/// The arguments on a stack whose lowest bytes are `stack` and whose pointer is `sp`; `None` where this cannot be the
/// stack of a program that begins. `pointer` is the size of a pointer, 4 or 8.
pub(crate) fn arguments(stack: &[u8], sp: u64, pointer: usize) -> Option<Vec<String>> {
    let word = |index: usize| -> Option<u64> {
        let bytes = stack.get(index * pointer..)?.get(..pointer)?;
        Some(match pointer {
            4 => u32::from_ne_bytes(bytes.try_into().ok()?).into(),
            _ => u64::from_ne_bytes(bytes.try_into().ok()?),
        })
    };
    let count = word(0).filter(|count| (1..=MOST).contains(count))? as usize;
    let mut arguments = Vec::new();
    for index in 1..=count {
        let string = word(index).and_then(|address| string(stack, address.checked_sub(sp)?));
        match string {
            Some(string) => arguments.push(string),
            // Strings stand one behind the other: what follows lies outside as well.
            None => {
                arguments.push(CUT.to_owned());
                break;
            }
        }
    }
    (arguments[0] != CUT).then_some(arguments)
}

/// The string at this distance from the stack pointer, if all of it was copied.
fn string(stack: &[u8], distance: u64) -> Option<String> {
    let bytes = stack.get(usize::try_from(distance).ok()?..)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SP: u64 = 0x7ffc_0000_1000;

    /// A stack with these arguments, one environment string, and an empty auxiliary vector.
    fn stack(arguments: &[&str], pointer: usize) -> Vec<u8> {
        let words = 1 + arguments.len() + 1 + 1 + 1 + 2;
        let mut strings = Vec::new();
        let mut pointers = Vec::new();
        for string in arguments.iter().chain(&["PATH=/bin"]) {
            pointers.push(SP + (words * pointer + strings.len()) as u64);
            strings.extend_from_slice(string.as_bytes());
            strings.push(0);
        }
        let environment = pointers.pop().expect("the environment");
        let mut numbers = vec![arguments.len() as u64];
        numbers.extend(pointers);
        numbers.extend([0, environment, 0, 0, 0]);
        let mut stack: Vec<u8> =
            numbers.iter().flat_map(|number| number.to_ne_bytes()[..pointer].to_vec()).collect();
        stack.extend(strings);
        stack
    }

    #[test]
    fn arguments_stand_behind_their_pointers() {
        let stack = stack(&["cc", "", "-o", "a b"], 8);
        assert_eq!(arguments(&stack, SP, 8).expect("a stack"), ["cc", "", "-o", "a b"]);
    }

    #[test]
    fn a_copy_cut_short_ends_in_dots() {
        let whole = stack(&["program", "one", "two"], 8);
        let one = whole.windows(3).position(|bytes| bytes == b"one").expect("it is there");
        assert_eq!(arguments(&whole[..one + 2], SP, 8).expect("a stack"), ["program", CUT]);
        for length in 0..one - 8 {
            assert_eq!(arguments(&whole[..length], SP, 8), None, "{length} bytes");
        }
    }

    #[test]
    fn programs_of_32_bits_have_short_pointers() {
        let sp = 0xffff_0000_u64;
        let mut stack = Vec::new();
        for word in [1_u32, sp as u32 + 16, 0, 0] {
            stack.extend(word.to_ne_bytes());
        }
        stack.extend(b"init\0");
        assert_eq!(arguments(&stack, sp, 4).expect("a stack"), ["init"]);
    }

    #[test]
    fn nonsense_is_not_a_stack() {
        assert_eq!(arguments(&[], SP, 8), None);
        assert_eq!(arguments(&[0xff; 4096], SP, 8), None);
        assert_eq!(arguments(&[0; 4096], SP, 8), None);
        // An argument count that is believable, pointers that lead nowhere.
        let wild: Vec<u8> = [2_u64, 1, u64::MAX].iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(arguments(&wild, SP, 8), None);
    }
}
