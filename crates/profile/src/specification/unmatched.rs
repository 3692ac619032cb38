//! Says why a specification chooses nothing.

use super::{Glob, Numbers, Sampled, Specification};

/// Of what there is, at most so many are named.
const NAMED: usize = 6;

/// A tag for numbers: its name, what it is of in the plural, what was asked for, and what samples have.
type Axis<'s> = (&'static str, &'static str, &'s Numbers, fn(&Sampled) -> Option<u64>);

impl Specification {
    /// Why nothing of `all` is chosen, and what there is to choose from: one line. Names are as they are: who prints them
    /// makes them printable.
    pub fn why_nothing(&self, all: &[Sampled]) -> String {
        if all.is_empty() {
            return "there are no samples; take some with `oprof record`, or name another session".to_owned();
        }
        self.mismatch(all).unwrap_or_else(|| {
            "no samples are of all that was asked for at once, though there are some of each; leave something out".to_owned()
        })
    }

    /// The first argument that by itself chooses nothing.
    fn mismatch(&self, all: &[Sampled]) -> Option<String> {
        let apps = || named(all.iter().map(|sampled| sampled.app.clone()));
        let images = || named(all.iter().map(|sampled| sampled.image.clone()));
        let no_glob = |globs: &[Glob], name: fn(&Sampled) -> &str| {
            let nothing = |glob: &&Glob| !all.iter().any(|sampled| glob.matches(name(sampled)));
            globs.iter().all(|glob| nothing(&glob)).then(|| globs.first()).flatten().cloned()
        };
        if let Some(glob) = no_glob(&self.images, |sampled| &sampled.app) {
            let hint = whole_path("image", &glob, all.iter().map(|sampled| sampled.app.as_str()));
            return Some(format!("image:{}: matches nothing{hint}; apps: {}", glob.pattern(), apps()));
        }
        if let Some(glob) = no_glob(&self.lib_images, |sampled| &sampled.image) {
            let hint = whole_path("lib-image", &glob, all.iter().map(|sampled| sampled.image.as_str()));
            return Some(format!(
                "lib-image:{}: matches nothing{hint}; images: {}",
                glob.pattern(),
                images()
            ));
        }
        let globs: Vec<Glob> = self.files.iter().map(|file| Glob::new(file)).collect();
        let nothing = |glob: &Glob| {
            !all.iter().any(|sampled| glob.matches(&sampled.app) || glob.matches(&sampled.image))
        };
        if let Some(glob) = globs.first().filter(|_| globs.iter().all(nothing)) {
            let tag = match glob.pattern().split_once(':') {
                Some((tag, _)) if !tag.contains('/') => format!(" (and there is no tag {tag}:)"),
                _ => String::new(),
            };
            let pattern = glob.pattern();
            return Some(format!(
                "{pattern}: no app or image with samples is called so{tag}; apps: {}",
                apps()
            ));
        }
        let event = |names: &Vec<String>| !all.iter().any(|sampled| names.contains(&sampled.event));
        if let Some(names) = self.events.as_ref().filter(|names| event(names)) {
            let events = named(all.iter().map(|sampled| sampled.event.clone()));
            return Some(format!("event:{}: no samples of this event; there are: {events}", names.join(",")));
        }
        let axes: [Axis<'_>; 5] = [
            ("count", "counts", &self.counts, |sampled| sampled.count),
            ("unit-mask", "unit masks", &self.unit_masks, |sampled| Some(sampled.unit_mask)),
            ("cpu", "CPUs", &self.cpus, |sampled| sampled.cpu),
            ("tgid", "processes", &self.tgids, |sampled| sampled.tgid),
            ("tid", "threads", &self.tids, |sampled| sampled.tid),
        ];
        axes.iter().find_map(|(tag, what, numbers, of)| {
            let asked = numbers.list()?;
            if all.iter().any(|sampled| numbers.contains(of(sampled))) {
                return None;
            }
            let asked: Vec<String> = asked.iter().map(u64::to_string).collect();
            let asked = format!("{tag}:{}", asked.join(","));
            let mut there: Vec<u64> = all.iter().filter_map(of).collect();
            there.sort_unstable();
            there.dedup();
            Some(match there.is_empty() {
                true => format!(
                    "{asked}: {what} are not told apart here; leave it out, or record with them apart"
                ),
                false => {
                    let there = named_in_order(there.iter().map(u64::to_string).collect());
                    format!("{asked}: no samples; there are {what} {there}")
                }
            })
        })
    }
}

/// The cure where only the folders of a path are missing.
fn whole_path<'a>(tag: &str, glob: &Glob, mut names: impl Iterator<Item = &'a str>) -> String {
    let longer = format!("*/{}", glob.pattern());
    let would_match = Glob::new(&longer);
    match names.any(|name| would_match.matches(name)) {
        true => format!(" (the whole path is matched: {tag}:'{longer}')"),
        false => String::new(),
    }
}

/// Names in order, each once, and how many more there are.
fn named(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    named_in_order(names)
}

fn named_in_order(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names[..names.len() - more].join(", ");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Sampled> {
        let sampled = |app: &str, image: &str, event: &str, cpu| Sampled {
            app: app.to_owned(),
            image: image.to_owned(),
            event: event.to_owned(),
            count: Some(1000),
            unit_mask: 0,
            cpu: Some(cpu),
            tgid: None,
            tid: None,
        };
        vec![sampled("/bin/hot", "/bin/hot", "A", 0), sampled("/bin/dash", "/lib/c", "B", 1)]
    }

    #[test]
    fn what_chooses_nothing_is_told_with_what_there_is() {
        for (arguments, line) in [
            (
                vec!["image:hot"],
                "image:hot: matches nothing (the whole path is matched: image:'*/hot'); apps: /bin/dash, /bin/hot",
            ),
            (vec!["image:cold"], "image:cold: matches nothing; apps: /bin/dash, /bin/hot"),
            (vec!["lib-image:/lib/x"], "lib-image:/lib/x: matches nothing; images: /bin/hot, /lib/c"),
            (
                vec!["bogus:1"],
                "bogus:1: no app or image with samples is called so (and there is no tag bogus:); apps: /bin/dash, /bin/hot",
            ),
            (vec!["/a:b"], "/a:b: no app or image with samples is called so; apps: /bin/dash, /bin/hot"),
            (vec!["event:FOO"], "event:FOO: no samples of this event; there are: A, B"),
            (vec!["cpu:7"], "cpu:7: no samples; there are CPUs 0, 1"),
            (vec!["count:5"], "count:5: no samples; there are counts 1000"),
            (
                vec!["tid:7"],
                "tid:7: threads are not told apart here; leave it out, or record with them apart",
            ),
            (
                vec!["event:A", "cpu:1"],
                "no samples are of all that was asked for at once, though there are some of each; leave something out",
            ),
        ] {
            let specification = Specification::parse(&arguments).expect("valid");
            assert!(!all().iter().any(|sampled| specification.takes(sampled)), "{arguments:?}");
            assert_eq!(specification.why_nothing(&all()), line);
        }
        let none = Specification::default().why_nothing(&[]);
        assert!(none.starts_with("there are no samples"), "{none}");
    }

    #[test]
    fn of_many_some_are_named() {
        assert_eq!(named((0..8).map(|number| number.to_string())), "0, 1, 2, 3, 4, 5, and 2 more");
    }
}
