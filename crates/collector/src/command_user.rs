//! The user as whom the command runs, where that is not the recorder's.

use std::ffi::{CString, OsString};
use std::io;
use std::path::PathBuf;

use nix::unistd::User;
use rustix::process::{Gid, Uid};

use crate::Error;

/// A user as whom the command is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandUser {
    name: String,
    home: PathBuf,
    shell: PathBuf,
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl CommandUser {
    /// The user of this name or number, with the groups that the user is in.
    ///
    /// # Errors
    /// Where there is none, or this process may not become anybody else.
    pub fn find(name: &str) -> Result<CommandUser, Error> {
        let unknown = || Error::NoSuchUser { name: name.to_owned() };
        let by_name = User::from_name(name).ok().flatten();
        let by_number = || User::from_uid(name.parse::<u32>().ok()?.into()).ok().flatten();
        let user = by_name.or_else(by_number).ok_or_else(unknown)?;
        let own = rustix::process::geteuid();
        if !own.is_root() && own.as_raw() != user.uid.as_raw() {
            return Err(Error::NotAnother { name: user.name });
        }
        let c_name = CString::new(user.name.as_str()).map_err(|_| unknown())?;
        let groups = nix::unistd::getgrouplist(&c_name, user.gid)
            .map_err(|error| Error::system("list the groups of the user")(error.into()))?;
        Ok(CommandUser {
            name: user.name,
            home: user.dir,
            shell: user.shell,
            uid: Uid::from_raw(user.uid.as_raw()),
            gid: Gid::from_raw(user.gid.as_raw()),
            groups: groups.into_iter().map(|group| Gid::from_raw(group.as_raw())).collect(),
        })
    }

    /// The user's number, and that of the user's first group.
    pub fn ids(&self) -> (u32, u32) {
        (self.uid.as_raw(), self.gid.as_raw())
    }

    /// What a program finds in its environment of the user who runs it, as sudo(8) sets it.
    pub(crate) fn environment(&self) -> [(&'static str, OsString); 4] {
        [
            ("HOME", self.home.clone().into()),
            ("SHELL", self.shell.clone().into()),
            ("USER", self.name.clone().into()),
            ("LOGNAME", self.name.clone().into()),
        ]
    }

    /// Makes the calling thread, the only one of a process that was just forked, run as the user, for good. It allocates
    /// nothing.
    pub(crate) fn become_user(&self) -> io::Result<()> {
        if rustix::process::geteuid() == self.uid {
            return Ok(());
        }
        rustix::thread::set_thread_groups(&self.groups)?;
        rustix::thread::set_thread_res_gid(self.gid, self.gid, self.gid)?;
        rustix::thread::set_thread_res_uid(self.uid, self.uid, self.uid)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let own = rustix::process::geteuid();
        let Ok(by_number) = CommandUser::find(&own.as_raw().to_string()) else { return };
        assert_eq!(by_number.ids().0, own.as_raw());
        let by_name = CommandUser::find(&by_number.name).expect("found");
        assert_eq!(by_name, by_number);
        assert!(by_number.groups.contains(&by_number.gid));
    }

    #[test]
    fn who_is_not_there_is_nobody() {
        for name in ["no such user", "", "4294967294", "-1"] {
            assert!(matches!(CommandUser::find(name), Err(Error::NoSuchUser { .. })), "{name}");
        }
    }
}
