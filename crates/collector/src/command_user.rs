//! The user as whom the command runs, where that is not the recorder's.

use std::ffi::{CString, OsString};
use std::io;
use std::path::PathBuf;

use nix::unistd::{Uid, User};
use rustix::process::{Gid as RawGid, Uid as RawUid};

use crate::Error;

/// A user as whom the command is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandUser {
    name: String,
    home: PathBuf,
    shell: PathBuf,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl CommandUser {
    /// The user of this name or number, with the groups that the user is in.
    ///
    /// # Errors
    /// Where there is none, or this process may not become anybody else.
    pub fn find(name: &str) -> Result<CommandUser, Error> {
        let unknown = || Error::NoSuchUser { name: name.to_owned() };
        let by_name = User::from_name(name).ok().flatten();
        let by_number = || User::from_uid(Uid::from_raw(name.parse().ok()?)).ok().flatten();
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
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            groups: groups.into_iter().map(|group| group.as_raw()).collect(),
        })
    }

    /// The user's number, and that of the user's first group.
    pub fn ids(&self) -> (u32, u32) {
        (self.uid, self.gid)
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
}

/// The numbers of a user, for a process that has just been forked: to become that user allocates nothing then.
#[derive(Clone, Debug)]
pub(crate) struct UserIds {
    uid: RawUid,
    gid: RawGid,
    groups: Vec<RawGid>,
}

impl From<&CommandUser> for UserIds {
    fn from(user: &CommandUser) -> UserIds {
        UserIds {
            uid: RawUid::from_raw(user.uid),
            gid: RawGid::from_raw(user.gid),
            groups: user.groups.iter().map(|group| RawGid::from_raw(*group)).collect(),
        }
    }
}

impl UserIds {
    /// Makes the calling thread, the only one of its process, run as the user, for good.
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
