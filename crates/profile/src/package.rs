//! Packages: what a distribution brought an image in.

/// The distribution that a recording was made on, as os-release(5) names it; empty where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// `ID`: `debian`, `fedora`, `opensuse-tumbleweed`.
    pub id: String,
    /// `ID_LIKE`: the distributions that it is made of, the closest first.
    pub like: Vec<String>,
    /// `VERSION_CODENAME`: `bookworm`.
    pub codename: String,
}

/// The package that an image was installed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name; of an architecture that is not the machine's own with that behind it: `libc6`, `libc6:i386`.
    pub name: String,
    /// Its version; empty where that is not known.
    pub version: String,
}
