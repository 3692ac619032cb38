//! What the daemon is to record, as it was set up.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use crate::own_file;
use crate::session_directory::SessionDirectory;

/// The file is not longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// What the daemon is to record; kept as lines `NAME=VALUE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Events as `NAME:COUNT:UNITMASK:KERNEL:USER`, or as of `oprof list`; none for the default one.
    pub(crate) events: Vec<String>,
    /// The kernel has no names.
    pub(crate) no_vmlinux: bool,
    /// Where the kernel's source lines are.
    pub(crate) vmlinux: Option<PathBuf>,
    /// By what reports are to tell samples apart: `none`, `lib`, `kernel`, `all`.
    pub(crate) separate: Option<String>,
    /// The ring buffer of each CPU.
    pub(crate) buffer: Option<String>,
}

impl Settings {
    /// Those of a session; what is not set is as by default.
    pub(crate) fn read(session: &SessionDirectory) -> Result<Settings> {
        let path = session.settings();
        let file = own_file::open_options().read(true).open(&path);
        let mut text = String::new();
        match file.and_then(|file| file.take(LONGEST).read_to_string(&mut text)) {
            Ok(_) => {
                parse(&text).map_err(|error| anyhow!("{}: cannot be understood: {error}", path.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => bail!("{}: cannot be read: {error}", path.display()),
        }
    }

    /// Keeps them for a session.
    pub(crate) fn write(&self, session: &SessionDirectory) -> Result<()> {
        let path = session.settings();
        let text = self.text()?;
        let new = path.with_extension("new");
        let written = (|| {
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = own_file::open_options().write(true).create_new(true).open(&new)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&new, &path)
        })();
        written.map_err(|error| anyhow!("{}: cannot be written: {error}", path.display()))
    }

    fn text(&self) -> Result<String> {
        let mut lines: Vec<(&str, String)> = Vec::new();
        lines.extend(self.events.iter().map(|event| ("EVENT", event.clone())));
        lines.extend(self.no_vmlinux.then(|| ("VMLINUX", "none".to_owned())));
        let vmlinux = self.vmlinux.as_deref().map(Path::to_str);
        if let Some(path) = vmlinux {
            lines.push((
                "VMLINUX",
                path.ok_or_else(|| anyhow!("--vmlinux: the path is not UTF-8"))?.to_owned(),
            ));
        }
        lines.extend(self.separate.iter().map(|by| ("SEPARATE", by.clone())));
        lines.extend(self.buffer.iter().map(|size| ("BUFFER", size.clone())));
        if let Some((name, _)) = lines.iter().find(|(_, value)| value.contains('\n')) {
            bail!("{name}: a line end cannot be kept");
        }
        Ok(lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect())
    }

    /// The command line of `oprof record` that records this, into a file.
    pub(crate) fn command_line(&self, output: &Path) -> Vec<std::ffi::OsString> {
        let mut arguments: Vec<std::ffi::OsString> = ["oprof", "record", "-q", "-a"].map(Into::into).into();
        arguments.extend(["-o".into(), output.into()]);
        for event in &self.events {
            arguments.extend(["-e".into(), event.into()]);
        }
        if self.no_vmlinux {
            arguments.push("--no-vmlinux".into());
        }
        if let Some(path) = &self.vmlinux {
            arguments.extend(["--vmlinux".into(), path.into()]);
        }
        if self.separate.as_ref().is_some_and(|by| by.split(',').any(|by| matches!(by, "thread" | "all"))) {
            arguments.push("--separate-thread".into());
        }
        if let Some(size) = &self.buffer {
            arguments.extend(["-m".into(), size.into()]);
        }
        arguments
    }
}

fn parse(text: &str) -> Result<Settings> {
    let mut settings = Settings::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some(("EVENT", event)) => settings.events.push(event.to_owned()),
            Some(("VMLINUX", "none")) => settings.no_vmlinux = true,
            Some(("VMLINUX", path)) => settings.vmlinux = Some(PathBuf::from(path)),
            Some(("SEPARATE", by)) => settings.separate = Some(by.to_owned()),
            Some(("BUFFER", size)) => settings.buffer = Some(size.to_owned()),
            _ => bail!("'{}' is no setting", oprof_report::printable(line)),
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_were_written() {
        let settings = Settings {
            events: vec!["cpu-clock:1000000:0:1:1".to_owned(), "page-faults".to_owned()],
            vmlinux: Some(PathBuf::from("/boot/vm=linux")),
            separate: Some("lib".to_owned()),
            buffer: Some("4M".to_owned()),
            ..Settings::default()
        };
        assert_eq!(parse(&settings.text().expect("text")).expect("settings"), settings);
        let none = Settings { no_vmlinux: true, ..Settings::default() };
        assert_eq!(parse(&none.text().expect("text")).expect("settings"), none);
        assert_eq!(parse("").expect("nothing is set"), Settings::default());
        assert!(parse("COLOUR=red\n").is_err() && parse("x\n").is_err());
        let two_lines = Settings { events: vec!["a\nBUFFER=1G".to_owned()], ..Settings::default() };
        assert!(two_lines.text().is_err());
    }
}
