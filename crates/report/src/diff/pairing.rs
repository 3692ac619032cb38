//! Pairing: which rows of several recordings are one.

use oprof_profile::Count;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::identity::{Agreement, Identity, Key};
use super::run::RunRow;

/// What is one row of the comparison.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'a> {
    /// Its row in a run of each side, where it has samples there: the one that tells its name.
    pub(crate) before: Option<&'a RunRow>,
    /// As above.
    pub(crate) after: Option<&'a RunRow>,
    /// What it counted in each run, those before first.
    pub(crate) counts: Vec<Count>,
    /// Something of both sides agreed wholly.
    pub(crate) stayed: bool,
}

impl<'a> Pair<'a> {
    /// It is on both sides, and nothing there has its whole identity here.
    pub(crate) fn is_moved(&self) -> bool {
        self.before.is_some() && self.after.is_some() && !self.stayed
    }

    fn is_on_both_sides(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }

    fn identity(&self) -> Option<&'a Identity> {
        self.before.or(self.after).map(|row| row.identity.as_ref())
    }

    /// No run has both of them.
    fn is_apart_from(&self, other: &Pair<'_>) -> bool {
        self.counts.iter().zip(&other.counts).all(|(ours, theirs)| ours.samples == 0 || theirs.samples == 0)
    }
}

/// Pairs the rows of runs, of which the first `before` are of the one side; the counts are those of `event`, which each
/// run has at its own index.
///
/// Rows that agree wholly are one. Of what is left without a partner, rows that agree in less are one, where nothing else
/// agrees as well: what is only moved is not both new and gone.
pub(crate) fn pairs<'a>(runs: &[(&'a [RunRow], usize)], before: usize) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let most = runs.iter().map(|(rows, _)| rows.len()).sum();
    let mut known: FxHashMap<Key<'a>, usize> = FxHashMap::with_capacity_and_hasher(most, FxBuildHasher);
    for (index, (rows, event)) in runs.iter().enumerate() {
        for row in *rows {
            let count = row.counts.get(*event).copied().unwrap_or_default();
            if count.samples == 0 && count.weight == 0 {
                continue;
            }
            let Some(key) = row.identity.key(Agreement::Whole) else { continue };
            let pair = *known.entry(key).or_insert_with(|| {
                let counts = vec![Count::default(); runs.len()];
                pairs.push(Pair { before: None, after: None, counts, stayed: false });
                pairs.len() - 1
            });
            let pair = &mut pairs[pair];
            pair.counts[index].add(count);
            if index < before { &mut pair.before } else { &mut pair.after }.get_or_insert(row);
        }
    }
    for pair in &mut pairs {
        pair.stayed = pair.is_on_both_sides();
    }
    for agreement in Agreement::WEAKER {
        join(&mut pairs, agreement);
    }
    pairs
}

/// Joins the pairs that agree so.
fn join(pairs: &mut Vec<Pair<'_>>, agreement: Agreement) {
    let is_lone = |pair: &Pair<'_>| match agreement {
        // Each run may have its own build, in a directory of its own.
        Agreement::BuildId | Agreement::BaseNames => pair.counts.iter().any(|count| count.samples == 0),
        _ => !pair.is_on_both_sides(),
    };
    if !pairs.iter().any(|pair| !pair.is_on_both_sides()) {
        return;
    }
    let mut groups: FxHashMap<Key<'_>, Vec<usize>> =
        FxHashMap::with_capacity_and_hasher(pairs.len(), FxBuildHasher);
    for (index, pair) in pairs.iter().enumerate() {
        if !agreement.must_be_only_one() && !is_lone(pair) {
            continue;
        }
        if let Some(key) = pair.identity().and_then(|identity| identity.key(agreement)) {
            groups.entry(key).or_default().push(index);
        }
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_unstable();
    let mut joined = vec![false; pairs.len()];
    for group in groups {
        let is_whole = group.iter().all(|index| is_lone(&pairs[*index]));
        let of_one_side =
            |side: fn(&Pair<'_>) -> bool| group.iter().filter(|index| side(&pairs[**index])).count();
        let ambiguous = match agreement.must_be_only_one() {
            true => {
                group.len() != 2
                    || of_one_side(|pair| pair.before.is_some()) != 1
                    || of_one_side(|pair| pair.after.is_some()) != 1
            }
            false => group.iter().enumerate().any(|(place, index)| {
                group[..place].iter().any(|other| !pairs[*index].is_apart_from(&pairs[*other]))
            }),
        };
        if !is_whole || ambiguous {
            continue;
        }
        let [first, rest @ ..] = group.as_slice() else { continue };
        for index in rest {
            let nothing = Pair { before: None, after: None, counts: Vec::new(), stayed: false };
            let other = std::mem::replace(&mut pairs[*index], nothing);
            let pair = &mut pairs[*first];
            pair.before = pair.before.or(other.before);
            pair.after = pair.after.or(other.after);
            pair.stayed |= other.stayed;
            pair.counts.iter_mut().zip(&other.counts).for_each(|(ours, theirs)| ours.add(*theirs));
            joined[*index] = true;
        }
    }
    let mut joined = joined.into_iter();
    pairs.retain(|_| !joined.next().unwrap_or(false));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use oprof_profile::{Image, ImageIdentity, ImageKind};

    use super::super::identity::Module;
    use super::*;

    fn row(app: &str, image: &str, name: &str, samples: u64) -> RunRow {
        let module = |name: &str| {
            let image = Image { name: name.to_owned(), kind: ImageKind::File, identity: ImageIdentity::None };
            Arc::new(Module::of(&image))
        };
        let identity = Identity {
            app: Some(module(app)),
            image: Some(module(image)),
            name: name.to_owned(),
            ..Identity::default()
        };
        RunRow { identity: Arc::new(identity), shown: None, counts: vec![Count { samples, weight: samples }] }
    }

    /// Each pair as its names before and after, and whether it moved.
    fn found(before: &[Vec<RunRow>], after: &[Vec<RunRow>]) -> Vec<(String, String, bool)> {
        let runs: Vec<(&[RunRow], usize)> =
            before.iter().chain(after).map(|rows| (rows.as_slice(), 0)).collect();
        let name = |row: Option<&RunRow>| {
            row.map_or("-".to_owned(), |row| {
                let image = row.identity.image.as_ref().map_or("", |image| &image.name);
                format!("{image}:{}", row.identity.name)
            })
        };
        let mut found: Vec<_> = pairs(&runs, before.len())
            .iter()
            .map(|pair| (name(pair.before), name(pair.after), pair.is_moved()))
            .collect();
        found.sort();
        found
    }

    fn of(before: &str, after: &str, moved: bool) -> (String, String, bool) {
        (before.to_owned(), after.to_owned(), moved)
    }

    #[test]
    fn what_moved_is_not_both_new_and_gone() {
        let before = vec![
            row("/a/p", "/a/p", "main", 9),
            row("/a/p", "/a/libz.so.1.2", "crc32", 9),
            row("/a/p", "/a/p", "parse", 9),
            row("/a/p", "/a/p", "helper", 9),
            row("/a/p", "/a/p", "old", 9),
        ];
        let after = vec![
            row("/b/p", "/b/p", "main", 9),
            row("/b/p", "/b/libz.so.1.3", "crc32", 9),
            row("/b/p", "/b/p", "parse.isra.0", 9),
            row("/b/p", "/b/libhelp.so", "helper", 9),
            row("/b/p", "/b/p", "new", 9),
        ];
        let expected = [
            of("-", "/b/p:new", false),
            of("/a/libz.so.1.2:crc32", "/b/libz.so.1.3:crc32", true),
            of("/a/p:helper", "/b/libhelp.so:helper", true),
            of("/a/p:main", "/b/p:main", true),
            of("/a/p:old", "-", false),
            of("/a/p:parse", "/b/p:parse.isra.0", true),
        ];
        assert_eq!(found(&[before], &[after]), expected);
    }

    #[test]
    fn what_could_have_moved_to_two_places_has_not_moved() {
        let before = vec![row("/p", "/p", "helper", 9)];
        let after = vec![row("/p", "/liba.so", "helper", 9), row("/p", "/libb.so", "helper", 9)];
        assert!(found(&[before], &[after]).iter().all(|pair| !pair.2));
        // Nor has what is elsewhere on both sides.
        let before = vec![row("/p", "/p", "helper", 9), row("/p", "/liba.so", "helper", 9)];
        let after = vec![row("/p", "/liba.so", "helper", 9), row("/p", "/libb.so", "helper", 9)];
        assert!(found(&[before], &[after]).iter().all(|pair| !pair.2));
    }

    #[test]
    fn a_function_that_both_sides_have_has_not_moved() {
        let rows = vec![row("/p", "/p", "f", 9), row("/p", "/p", "f.cold", 9)];
        let mut after = rows.clone();
        after.push(row("/p", "/p", "f.isra.0", 9));
        let found = found(&[rows], &[after]);
        assert!(found.contains(&of("-", "/p:f.isra.0", false)), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn runs_in_directories_of_their_own_are_of_one_program() {
        let run =
            |directory: &str| vec![row(&format!("/{directory}/p"), &format!("/{directory}/p"), "main", 9)];
        let found = found(&[run("a1"), run("a2"), run("a3")], &[run("b1"), run("b2")]);
        assert_eq!(found, [of("/a1/p:main", "/b1/p:main", true)]);
    }
}
