//! The distribution that this machine runs.

use std::fs::File;
use std::io::Read;

use oprof_profile::Distribution;

/// More than this of os-release is not read, in bytes; it has a few hundred.
const LONGEST: u64 = 64 << 10;

/// The distribution of this machine, by the first of os-release's two places that there is (os-release(5)).
pub(crate) fn distribution() -> Distribution {
    let file = ["/etc/os-release", "/usr/lib/os-release"].into_iter().find_map(|path| File::open(path).ok());
    let mut text = String::new();
    match file.map(|file| file.take(LONGEST).read_to_string(&mut text)) {
        Some(Ok(_)) => parse(&text),
        _ => Distribution::default(),
    }
}

/// Reads os-release: assignments as a shell has them, a line each.
fn parse(text: &str) -> Distribution {
    let value = |name: &str| {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    };
    Distribution {
        id: value("ID"),
        like: value("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
        codename: value("VERSION_CODENAME"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_and_without_quotes() {
        let mint = parse(
            "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID='22'\nVERSION_CODENAME=wilma\n",
        );
        assert_eq!((mint.id.as_str(), mint.codename.as_str()), ("linuxmint", "wilma"));
        assert_eq!(mint.like, ["ubuntu", "debian"]);
        let suse = parse("VERSION_ID=\"15.6\"\nID=\"opensuse-leap\"\n# ID=x");
        assert_eq!((suse.id.as_str(), suse.like.len(), suse.codename.as_str()), ("opensuse-leap", 0, ""));
        assert_eq!(parse("").id, "");
    }
}
