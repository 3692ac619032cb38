//! The names closest to one that does not exist.

/// Most names suggested.
const MOST: usize = 3;
/// Characters of a name that are compared; keeps the work small for absurd input.
const COMPARED: usize = 64;

/// Up to three of the candidates that are within a few typing mistakes of the name, best first.
pub fn closest(name: &str, candidates: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = letters(name);
    let limit = (wanted.len() / 3).max(1);
    let mut near: Vec<_> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters = letters(&candidate);
            // The lengths alone rule most out, which counts with a table of thousands.
            let distance =
                (letters.len().abs_diff(wanted.len()) <= limit).then(|| distance(&wanted, &letters))?;
            (distance <= limit).then_some((distance, candidate))
        })
        .collect();
    near.sort();
    near.dedup();
    // Beside a near miss, a name much farther off is only noise.
    let farthest = near.first().map_or(0, |(best, _)| best + 1);
    near.retain(|(distance, _)| *distance <= farthest);
    near.into_iter().take(MOST).map(|(_, candidate)| candidate).collect()
}

/// The part of a name that is compared: case and the kind of separator are no mistakes.
fn letters(name: &str) -> Vec<char> {
    name.chars().take(COMPARED).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Number of insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&letters(a), &letters(b))
    }

    #[test]
    fn distances() {
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("kitten", "sitting"), 3);
        assert_eq!(between("cyclse", "cycles"), 1);
        assert_eq!(between("Page_Faults", "page-faults"), 0);
    }

    #[test]
    fn best_first_and_at_most_three() {
        let names = ["abcdee", "abcdxx", "abcdef", "abcdxf", "zzzzzz"].map(str::to_owned);
        assert_eq!(closest("abcdef", names), ["abcdef", "abcdee", "abcdxf"]);
        let near_and_far = ["sched-wakeup", "sched-switch"].map(str::to_owned);
        assert_eq!(closest("sched-swicth", near_and_far), ["sched-switch"]);
        assert!(closest("q", ["cycles".to_owned()]).is_empty());
    }
}
