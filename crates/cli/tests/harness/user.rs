//! The users as whom oprof runs in tests.

/// `nobody`, by convention.
pub(crate) const NOBODY: u32 = 65534;

/// As whom oprof runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// As the tests do.
    Own,
    /// Without any privilege, which only root can arrange.
    Nobody,
}

impl User {
    /// It has the privileges of root.
    pub(crate) fn is_root(self) -> bool {
        self == User::Own && is_root()
    }

    /// A user without privilege: nobody for root, and oneself for everybody else.
    pub(crate) fn unprivileged() -> User {
        if is_root() { User::Nobody } else { User::Own }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// All users that the tests can be.
pub(crate) fn users() -> Vec<User> {
    if is_root() { vec![User::Own, User::Nobody] } else { vec![User::Own] }
}
