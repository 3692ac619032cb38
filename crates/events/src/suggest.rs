//! The names closest to one that does not exist.

/// Most names suggested.
const MOST: usize = 3;
/// Fewest characters that a name is looked for as a part of others with: fewer would be in any name.
const SHORTEST_PART: usize = 2;
/// Characters of a name that are compared; keeps the work small for absurd input.
const COMPARED: usize = 64;

/// Up to three of the candidates: first those that hold the name, then those within a few typing mistakes of it, each the
/// closest first.
pub fn closest(name: &str, candidates: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = letters(name);
    let limit = (wanted.len() / 3).max(1);
    let (mut holding, mut near) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let letters = letters(&candidate);
        // The lengths alone rule most out, which counts with a table of thousands.
        let is_near = letters.len().abs_diff(wanted.len()) <= limit;
        let distance = is_near.then(|| distance(&wanted, &letters)).filter(|distance| *distance <= limit);
        match distance {
            _ if holds(&letters, &wanted) => {
                // What ends in the word is rather meant than what goes on after it: `i386/p4` before `i386/p4-ht`.
                let goes_on = !letters.ends_with(&wanted);
                holding.push(((distance.unwrap_or(limit + 1), goes_on), candidate));
            }
            Some(distance) => near.push((distance, candidate)),
            None => {}
        }
    }
    holding.sort();
    near.sort();
    // Beside a near miss, a name much farther off is only noise.
    let best = near.first().map_or(0, |(best, _)| *best);
    let farthest = if holding.is_empty() { best + 1 } else { 1 };
    near.retain(|(distance, _)| *distance <= farthest);
    let holding = holding.into_iter().map(|(_, candidate)| candidate);
    let mut found: Vec<String> = Vec::new();
    for candidate in holding.chain(near.into_iter().map(|(_, candidate)| candidate)) {
        if found.len() < MOST && !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

/// Whether a name of some length is a part of the other.
fn holds(letters: &[char], wanted: &[char]) -> bool {
    wanted.len() >= SHORTEST_PART && letters.windows(wanted.len()).any(|part| part == wanted)
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

    #[test]
    fn names_that_hold_the_word_come_first() {
        let cpus = [
            "alderlake_gracemont",
            "alderlake_goldencove",
            "amdzen3",
            "amdzen4",
            "amdzen5",
            "zen",
            "i386/p4",
        ];
        let cpus = cpus.into_iter().chain([
            "i386/p4-ht",
            "i386/p6",
            "arm/armv7-ca9",
            "arm/armv7-ca8",
            "p5",
            "tigerlake",
        ]);
        let close = |name| closest(name, cpus.clone().map(str::to_owned));
        assert_eq!(close("zen4"), ["amdzen4", "zen"]);
        assert_eq!(close("alderlake"), ["alderlake_goldencove", "alderlake_gracemont"]);
        assert_eq!(close("P4")[..2], ["i386/p4", "i386/p4-ht"]);
        assert_eq!(close("armv7_ca9"), ["arm/armv7-ca9"]);
        assert_eq!(close("amdzen"), ["amdzen3", "amdzen4", "amdzen5"], "each once");
        let events = ["CYCLE_ACTIVITY.ANY", "bus-cycles", "cpu-cycles", "cycles"].map(str::to_owned);
        assert_eq!(closest("cycle", events)[0], "cycles", "one letter is missing");
        assert_eq!(closest("y", ["cycles".to_owned()]), [""; 0], "a letter is in any name");
    }
}
