//! Identities: what makes rows of two recordings the same thing.

use std::borrow::Cow;
use std::sync::Arc;

use oprof_profile::{BuildId, Image, ImageIdentity, ImageKind, clone_of};

/// A program or library as it can be told again elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Module {
    /// The path of a file; for the rest a name in brackets.
    pub name: String,
    /// Its last part.
    pub short_name: String,
    /// The last part without what differs from version to version.
    base: String,
    /// The build id, where it has one.
    build_id: Option<BuildId>,
}

impl Module {
    pub(crate) fn of(image: &Image) -> Module {
        let short_name = image.short_name().to_owned();
        let build_id = match image.identity {
            ImageIdentity::BuildId(id) if image.kind == ImageKind::File => Some(id),
            _ => None,
        };
        let base = base_name(&short_name).into_owned();
        Module { name: image.name.clone(), short_name, base, build_id }
    }

    /// What goes by a name alone.
    pub(crate) fn named(name: String) -> Module {
        Module { short_name: name.clone(), base: name.clone(), name, build_id: None }
    }

    /// It is the same program or library, in whatever directory and version.
    pub(crate) fn is_likely(&self, other: &Module) -> bool {
        self.base == other.base || self.build_id.is_some() && self.build_id == other.build_id
    }
}

/// The name of a file without its version: `libz.so.1.2.13` and `libz-1.3.so` are `libz.so`, and
/// `program-0123456789abcdef`, as cargo names tests, is `program`.
fn base_name(name: &str) -> Cow<'_, str> {
    let is_version =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if let Some((stem, version)) = name.rsplit_once(".so").filter(|(stem, _)| !stem.is_empty())
        && (version.is_empty() || version.strip_prefix('.').is_some_and(is_version))
    {
        let stem =
            stem.rsplit_once('-').filter(|(_, version)| is_version(version)).map_or(stem, |(stem, _)| stem);
        return Cow::Owned(format!("{stem}.so"));
    }
    match name.rsplit_once('-') {
        Some((stem, hash))
            if hash.len() == 16 && !stem.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            Cow::Borrowed(stem)
        }
        _ => Cow::Borrowed(name),
    }
}

/// What a row is of, as it is told apart from others of its recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The app, where rows are of one.
    pub app: Option<Arc<Module>>,
    /// The image, where rows are of one.
    pub image: Option<Arc<Module>>,
    /// A symbol's name, demangled in full; a command line; nothing else.
    pub name: String,
    /// The path of the source file, where it is known.
    pub file: Option<String>,
    /// The line in it, where rows are of lines.
    pub line: Option<u32>,
}

/// How much of two identities has to agree for them to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// All.
    Whole,
    /// The image has the same build id, wherever it is.
    BuildId,
    /// App and image have the same names, in whatever directory and version, and so has the source file.
    BaseNames,
    /// As above; the function is in another source file, or another clone of it is meant.
    Function,
    /// It is in another image of the app.
    OtherImage,
    /// It is in another app, too.
    OtherApp,
}

impl Agreement {
    /// From the one that says most to that which says least.
    pub(crate) const WEAKER: [Agreement; 5] = [
        Agreement::BuildId,
        Agreement::BaseNames,
        Agreement::Function,
        Agreement::OtherImage,
        Agreement::OtherApp,
    ];

    /// Rows that are there on both sides by a stronger agreement make this one ambiguous, too.
    pub(crate) fn must_be_only_one(self) -> bool {
        matches!(self, Agreement::OtherImage | Agreement::OtherApp)
    }
}

impl Identity {
    /// What a row is called that has no name of its own: by its line, its image, or its app.
    pub fn title(&self) -> &str {
        let module = self.image.as_ref().or(self.app.as_ref()).map_or("", |module| &module.short_name);
        match (&self.file, self.name.as_str()) {
            (Some(file), "") => file,
            (None, "") => module,
            (_, name) => name,
        }
    }

    /// What has to be equal; `None` where this identity has nothing by which it could agree so.
    pub(crate) fn key(&self, agreement: Agreement) -> Option<Key<'_>> {
        fn base(module: &Option<Arc<Module>>) -> Option<&str> {
            module.as_ref().map(|module| module.base.as_str())
        }
        fn path(module: &Option<Arc<Module>>) -> Option<&str> {
            module.as_ref().map(|module| module.name.as_str())
        }
        let file = self.file.as_deref().map(|file| file.rsplit('/').next().unwrap_or(file));
        let is_function = self.image.is_some() && !self.name.is_empty() && !self.name.starts_with('(');
        let whole = Key {
            app: path(&self.app),
            image: path(&self.image),
            build_id: None,
            name: &self.name,
            file: self.file.as_deref(),
            line: self.line,
        };
        let bases = Key { app: base(&self.app), image: base(&self.image), file, ..whole };
        let function = Key { name: clone_of(&self.name), file: None, ..bases };
        match agreement {
            Agreement::Whole => Some(whole),
            Agreement::BuildId => {
                let module = self.image.as_ref().or(self.app.as_ref())?;
                let app = bases.app.filter(|_| self.image.is_some());
                Some(Key { app, image: None, build_id: Some(module.build_id?), ..bases })
            }
            Agreement::BaseNames => Some(bases),
            // Lines are too many to be told by less.
            _ if !is_function || self.line.is_some() => None,
            Agreement::Function => Some(function),
            Agreement::OtherImage => Some(Key { image: None, ..function }),
            Agreement::OtherApp => Some(Key { app: None, image: None, ..function }),
        }
    }
}

/// What has to be equal for an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    app: Option<&'a str>,
    image: Option<&'a str>,
    build_id: Option<BuildId>,
    name: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_left_out_of_names() {
        for (name, base) in [
            ("libz.so.1.2.13", "libz.so"),
            ("libc-2.31.so", "libc.so"),
            ("libc.so.6", "libc.so"),
            ("parse-0123456789abcdef", "parse"),
            ("parse-0123456789abcdeg", "parse-0123456789abcdeg"),
            ("program", "program"),
            ("python3.11", "python3.11"),
            (".so", ".so"),
            ("-0123456789abcdef", "-0123456789abcdef"),
            ("a.sober", "a.sober"),
            ("", ""),
        ] {
            assert_eq!(base_name(name), base, "{name}");
        }
    }

    #[test]
    fn code_without_a_symbol_moves_with_its_image_only() {
        let of = |image: &str, name: &str| Identity {
            app: Some(Arc::new(Module::named("app".to_owned()))),
            image: Some(Arc::new(Module::named(image.to_owned()))),
            name: name.to_owned(),
            ..Identity::default()
        };
        assert!(of("a", "(no symbols)").key(Agreement::OtherImage).is_none());
        assert!(of("a", "(no symbols)").key(Agreement::BaseNames).is_some());
        let (part, whole) = (of("a", "f.part.0"), of("b", "f"));
        assert_eq!(part.key(Agreement::OtherImage), whole.key(Agreement::OtherImage));
        assert_ne!(part.key(Agreement::Function), whole.key(Agreement::Function));
    }
}
