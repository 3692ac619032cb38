//! A command that waits, where it is to be followed.

use std::ffi::OsString;

use oprof_profile::Scope;
use rustix::process::Rlimit;

use crate::Error;
use crate::cgroup::Cgroup;
use crate::command::{Forking, Preparation, Waiting};
use crate::command_user::CommandUser;
use crate::place::Place;

/// A command for which no process has been forked yet.
#[derive(Debug)]
pub(crate) struct Prelaunch {
    scope: Scope,
    forking: Forking,
    cgroup: Option<Cgroup>,
}

/// A command that waits to be executed, in the control group of its scope where that takes one.
#[derive(Debug)]
pub(crate) struct Launch {
    scope: Scope,
    pub(crate) waiting: Waiting,
    /// The number of its process.
    pids: [u32; 1],
    /// Behind the command, which has left it by the time that it is removed.
    pub(crate) cgroup: Option<Cgroup>,
}

impl Prelaunch {
    /// Prepares everything for a command up to the fork; `open_files` is the limit that it gets.
    pub(crate) fn new(
        scope: Scope,
        command: &[OsString],
        user: Option<&CommandUser>,
        open_files: Rlimit,
    ) -> Result<Prelaunch, Error> {
        let cgroup = match scope {
            Scope::Cgroup => Some(Cgroup::create()?),
            _ => None,
        };
        let join = cgroup.as_ref().map(Cgroup::joining_file).transpose()?;
        let preparation = Preparation { join, open_files: Some(open_files), user: user.cloned() };
        let forking = Forking::start(command, preparation)?;
        Ok(Prelaunch { scope, forking, cgroup })
    }

    /// The task whose counters the command's process inherits.
    pub(crate) fn task(&self) -> u32 {
        self.forking.thread()
    }

    /// Forks the process.
    pub(crate) fn fork(self) -> Result<Launch, Error> {
        let Prelaunch { scope, forking, cgroup } = self;
        let waiting = forking.fork().map_err(|error| match scope {
            // The one step that only this scope has is to join the group.
            Scope::Cgroup => Error::Scope { scope: "cgroup", why: error.to_string() },
            _ => error,
        })?;
        let pids = [waiting.pid()];
        Ok(Launch { scope, waiting, pids, cgroup })
    }
}

impl Launch {
    /// Forks a process for the command; `open_files` is the limit that it gets.
    pub(crate) fn prepare(
        scope: Scope,
        command: &[OsString],
        user: Option<&CommandUser>,
        open_files: Rlimit,
    ) -> Result<Launch, Error> {
        Prelaunch::new(scope, command, user, open_files)?.fork()
    }

    /// What counters are attached to, to follow it.
    pub(crate) fn place(&self) -> Place<'_> {
        let cgroup = self.cgroup.as_ref().map(Cgroup::directory);
        Place {
            scope: self.scope,
            cgroup,
            tasks: &self.pids,
            told: &[],
            inherits: self.scope == Scope::Inherit,
            totals_of: Some(self.waiting.pid()),
        }
    }
}
