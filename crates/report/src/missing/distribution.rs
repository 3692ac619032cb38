//! How distributions call and install what they stripped off their packages.

use oprof_profile::{Distribution, Package};

use crate::command_line::quoted;

/// Distributions that install debug packages in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Debian,
    Ubuntu,
    Fedora,
    Suse,
    Arch,
    Other,
}

impl Family {
    /// The family of a distribution; of one that is made of others that of the closest.
    pub(crate) fn of(distribution: &Distribution) -> Family {
        let names = std::iter::once(&distribution.id).chain(&distribution.like);
        let known = names.filter_map(|name| match name.as_str() {
            "debian" | "raspbian" => Some(Family::Debian),
            "ubuntu" => Some(Family::Ubuntu),
            "fedora" | "rhel" | "centos" => Some(Family::Fedora),
            "arch" => Some(Family::Arch),
            name if name.starts_with("opensuse") || matches!(name, "suse" | "sles" | "sled") => {
                Some(Family::Suse)
            }
            _ => None,
        });
        known.into_iter().next().unwrap_or(Family::Other)
    }

    /// The command that installs the names of a file of the distribution's; `None` where there is none but to fetch
    /// them. dpkg's packages are known from the recording; rpm is asked by the command itself.
    pub(crate) fn install_names(self, path: &str, package: Option<&Package>) -> Option<String> {
        let path = quoted(path);
        match (self, package) {
            (Family::Debian | Family::Ubuntu, Some(package)) => {
                Some(format!("apt install {}", debian_debug_package(package)))
            }
            (Family::Fedora, _) => Some(format!("dnf debuginfo-install $(rpm -qf {path})")),
            (Family::Suse, _) => Some(format!("zypper install $(rpm -qf --qf '%{{NAME}}' {path})-debuginfo")),
            _ => None,
        }
    }

    /// The command that installs the names of the distribution's kernel of this release and of its modules; `None` where
    /// the release does not look like one of the distribution's.
    pub(crate) fn install_kernel_names(self, release: &str) -> Option<String> {
        let ends = |endings: &[&str]| endings.iter().any(|ending| release.ends_with(ending));
        let holds = |parts: &[&str]| parts.iter().any(|part| release.contains(part));
        match self {
            Family::Debian if ends(&["-amd64", "-arm64", "-686", "-686-pae", "-armmp", "-riscv64"]) => {
                Some(format!("apt install linux-image-{release}-dbg"))
            }
            Family::Ubuntu
                if ends(&["-generic", "-lowlatency", "-aws", "-azure", "-gcp", "-oracle", "-kvm"]) =>
            {
                Some(format!("apt install linux-image-{release}-dbgsym"))
            }
            Family::Fedora if holds(&[".fc", ".el"]) => {
                Some(format!("dnf debuginfo-install kernel-{release}"))
            }
            Family::Suse if ends(&["-default"]) => Some("zypper install kernel-default-debuginfo".to_owned()),
            _ => None,
        }
    }

    /// Where the packages that end in `-dbgsym` are.
    pub(crate) fn debug_archive(distribution: &Distribution) -> String {
        let codename = Some(distribution.codename.as_str()).filter(|name| !name.is_empty());
        match distribution.id.as_str() {
            "debian" => format!(
                "packages ending in -dbgsym are in Debian's debug archive: deb http://deb.debian.org/debian-debug \
                 {}-debug main",
                codename.unwrap_or("CODENAME")
            ),
            "ubuntu" => format!(
                "packages ending in -dbgsym are in Ubuntu's debug archive: deb http://ddebs.ubuntu.com {} main \
                 restricted universe multiverse, with the key of the package ubuntu-dbgsym-keyring",
                codename.unwrap_or("CODENAME")
            ),
            _ => "packages ending in -dbgsym are in the distribution's debug archive".to_owned(),
        }
    }
}

/// The package with what was stripped off another, of the same version: files of another one do not fit. glibc keeps
/// the old naming (`libc6-dbg`), all else is in automatic packages.
fn debian_debug_package(Package { name, version }: &Package) -> String {
    let (name, architecture) = match name.split_once(':') {
        Some((name, architecture)) => (name, format!(":{architecture}")),
        None => (name.as_str(), String::new()),
    };
    let ending = if name == "libc6" { "dbg" } else { "dbgsym" };
    let version = if version.is_empty() { String::new() } else { format!("={version}") };
    quoted(&format!("{name}-{ending}{architecture}{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(id: &str, like: &[&str], codename: &str) -> Distribution {
        let like = like.iter().map(|name| (*name).to_owned()).collect();
        Distribution { id: id.to_owned(), like, codename: codename.to_owned() }
    }

    #[test]
    fn families_are_told_by_the_closest_name() {
        for (id, like, family) in [
            ("debian", &[][..], Family::Debian),
            ("ubuntu", &["debian"], Family::Ubuntu),
            ("linuxmint", &["ubuntu", "debian"], Family::Ubuntu),
            ("kali", &["debian"], Family::Debian),
            ("fedora", &[], Family::Fedora),
            ("almalinux", &["rhel", "centos", "fedora"], Family::Fedora),
            ("opensuse-tumbleweed", &["opensuse", "suse"], Family::Suse),
            ("sles", &["suse"], Family::Suse),
            ("manjaro", &["arch"], Family::Arch),
            ("alpine", &[], Family::Other),
            ("", &[], Family::Other),
        ] {
            assert_eq!(Family::of(&distribution(id, like, "")), family, "{id}");
        }
    }

    #[test]
    fn each_family_installs_names_in_its_way() {
        let package =
            |name: &str, version: &str| Some(Package { name: name.to_owned(), version: version.to_owned() });
        for (family, path, package, command) in [
            (Family::Debian, "/lib/libc.so.6", package("libc6", "2.36-9"), "apt install libc6-dbg=2.36-9"),
            (Family::Ubuntu, "/lib/libc.so.6", package("libc6:i386", ""), "apt install libc6-dbg:i386"),
            (Family::Debian, "/bin/ls", package("coreutils", "9.1-1"), "apt install coreutils-dbgsym=9.1-1"),
            (
                Family::Debian,
                "/lib/z",
                package("zlib1g:i386", "1:1.2"),
                "apt install zlib1g-dbgsym:i386=1:1.2",
            ),
            (Family::Debian, "/x", package("a; rm -r b", ""), "apt install 'a; rm -r b-dbgsym'"),
            (
                Family::Fedora,
                "/usr/lib64/libz.so.1",
                None,
                "dnf debuginfo-install $(rpm -qf /usr/lib64/libz.so.1)",
            ),
            (
                Family::Suse,
                "/usr/bin/a b",
                None,
                "zypper install $(rpm -qf --qf '%{NAME}' '/usr/bin/a b')-debuginfo",
            ),
        ] {
            assert_eq!(family.install_names(path, package.as_ref()).as_deref(), Some(command));
        }
        assert_eq!(Family::Debian.install_names("/opt/own", None), None);
        assert_eq!(Family::Arch.install_names("/usr/bin/ls", None), None);
    }

    #[test]
    fn kernels_have_debug_packages_where_they_are_the_distribution_s() {
        for (family, release, command) in [
            (Family::Debian, "6.1.0-13-amd64", Some("apt install linux-image-6.1.0-13-amd64-dbg")),
            (Family::Debian, "6.18.44-own", None),
            (Family::Ubuntu, "6.8.0-40-generic", Some("apt install linux-image-6.8.0-40-generic-dbgsym")),
            (
                Family::Fedora,
                "6.9.7-200.fc40.x86_64",
                Some("dnf debuginfo-install kernel-6.9.7-200.fc40.x86_64"),
            ),
            (Family::Suse, "6.4.0-150600.21-default", Some("zypper install kernel-default-debuginfo")),
            (Family::Arch, "6.9.7-arch1-1", None),
        ] {
            assert_eq!(family.install_kernel_names(release).as_deref(), command, "{release}");
        }
    }

    #[test]
    fn archives_are_named_with_the_codename() {
        let archive = |id, codename| Family::debug_archive(&distribution(id, &[], codename));
        assert!(archive("debian", "bookworm").ends_with("/debian-debug bookworm-debug main"));
        assert!(archive("ubuntu", "noble").contains("http://ddebs.ubuntu.com noble main"));
        assert!(archive("debian", "").contains("CODENAME-debug"));
        assert!(archive("kali", "x").ends_with("the distribution's debug archive"));
    }
}
