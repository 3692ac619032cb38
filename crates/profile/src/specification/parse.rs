//! The grammar of one profile's arguments.

use std::path::PathBuf;

use super::list::{Numbers, split_list};
use super::{Glob, Specification, SpecificationError};

/// The tags that there are.
const TAGS: [&str; 13] = [
    "archive",
    "session",
    "session-exclude",
    "image",
    "image-exclude",
    "lib-image",
    "lib-image-exclude",
    "event",
    "count",
    "unit-mask",
    "cpu",
    "tgid",
    "tid",
];

/// An argument's tag and value; `None` for the name of a file, which may have a colon in it.
fn tagged(argument: &str) -> Option<(&'static str, &str)> {
    let (tag, value) = argument.split_once(':')?;
    TAGS.into_iter().find(|known| *known == tag).map(|tag| (tag, value))
}

pub(super) fn parse<S: AsRef<str>>(arguments: &[S]) -> Result<Specification, SpecificationError> {
    let mut specification = Specification::default();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for argument in arguments.iter().map(AsRef::as_ref) {
        match tagged(argument) {
            Some((_, "")) => return Err(SpecificationError::Empty(argument.to_owned())),
            Some((tag, value)) if seen.contains(&(tag, value)) => {
                return Err(SpecificationError::Twice(format!("{tag}:{value}")));
            }
            Some((tag, value)) => {
                if let Some((_, before)) = seen.iter().rev().find(|(seen, _)| *seen == tag) {
                    specification.replaced.push(format!("{tag}:{before}"));
                }
                seen.push((tag, value));
                set(&mut specification, argument, tag, value)?;
            }
            None => specification.files.push(argument.to_owned()),
        }
    }
    Ok(specification)
}

fn set(
    specification: &mut Specification,
    argument: &str,
    tag: &'static str,
    value: &str,
) -> Result<(), SpecificationError> {
    let globs = || split_list(value).iter().map(|pattern| Glob::new(pattern)).collect();
    let numbers = || Numbers::parse(argument, tag, value);
    match tag {
        "archive" => match split_list(value).as_slice() {
            [directory] => specification.archive = Some(PathBuf::from(directory)),
            _ => return Err(SpecificationError::Several(argument.to_owned())),
        },
        "session" => specification.sessions = split_list(value),
        "session-exclude" => specification.sessions_excluded = split_list(value),
        "image" => specification.images = globs(),
        "image-exclude" => specification.images_excluded = globs(),
        "lib-image" => specification.lib_images = globs(),
        "lib-image-exclude" => specification.lib_images_excluded = globs(),
        "event" => {
            let names = split_list(value);
            specification.events = (!names.iter().any(|name| name == "all")).then_some(names);
        }
        "count" => specification.counts = numbers()?,
        "unit-mask" => specification.unit_masks = numbers()?,
        "cpu" => specification.cpus = numbers()?,
        "tgid" => specification.tgids = numbers()?,
        _ => specification.tids = numbers()?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_taken() {
        let arguments = [
            "archive:/a",
            "session:s1,s2",
            "session-exclude:s2",
            "image:/bin/*",
            "image-exclude:x",
            "lib-image:l",
            "lib-image-exclude:m",
            "event:A,B",
            "count:100000",
            "unit-mask:0x3",
            "cpu:0,1",
            "tgid:7",
            "tid:8",
            "/bin/true",
            "foo:bar",
        ];
        let read = parse(&arguments).expect("valid");
        assert_eq!(read.archive, Some(PathBuf::from("/a")));
        assert_eq!(read.sessions, ["s1", "s2"]);
        assert_eq!(read.sessions().expect("one"), ["s1"]);
        assert_eq!(read.images, [Glob::new("/bin/*")]);
        assert_eq!(read.images_excluded, [Glob::new("x")]);
        assert_eq!(read.lib_images, [Glob::new("l")]);
        assert_eq!(read.lib_images_excluded, [Glob::new("m")]);
        assert_eq!(read.events, Some(vec!["A".to_owned(), "B".to_owned()]));
        assert_eq!(read.counts.list(), Some([100_000].as_slice()));
        assert_eq!(read.unit_masks.list(), Some([3].as_slice()));
        assert_eq!(read.cpus.list(), Some([0, 1].as_slice()));
        assert_eq!((read.tgids.list(), read.tids.list()), (Some([7].as_slice()), Some([8].as_slice())));
        assert_eq!(read.files, ["/bin/true", "foo:bar"]);
        assert!(read.replaced.is_empty() && read.chooses());
        assert_eq!(TAGS.len() + 2, arguments.len());
    }

    #[test]
    fn a_tag_given_again_takes_the_place_of_the_one_before() {
        let read = parse(&["event:A", "event:B"]).expect("valid");
        assert_eq!((read.events, read.replaced), (Some(vec!["B".to_owned()]), vec!["event:A".to_owned()]));
        assert_eq!(parse(&["event:A,all"]).expect("valid").events, None);
        let twice = parse(&["image:a", "image:b", "image:a"]);
        assert_eq!(twice, Err(SpecificationError::Twice("image:a".to_owned())));
    }

    #[test]
    fn mistakes_name_the_argument() {
        assert_eq!(parse(&["event:"]), Err(SpecificationError::Empty("event:".to_owned())));
        let error = parse(&["count:1,abc"]).expect_err("no number").to_string();
        assert!(error.starts_with("count:1,abc: 'abc' is no number; use numbers"), "{error}");
        assert_eq!(parse(&["archive:a,b"]), Err(SpecificationError::Several("archive:a,b".to_owned())));
        let none = parse(&["session:a", "session-exclude:a"]).expect("valid");
        assert_eq!(none.sessions(), Err(SpecificationError::NoSessionLeft));
    }

    #[test]
    fn without_a_session_the_current_one_is_meant() {
        let read = parse::<&str>(&[]).expect("valid");
        assert_eq!(read.sessions().expect("one"), ["current"]);
        assert!(!read.chooses());
    }
}
