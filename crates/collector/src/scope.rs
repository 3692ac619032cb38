//! How the command is followed.

use oprof_profile::Scope;

/// How the command is to be followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeChoice {
    /// The best that is permitted: a control group, else the whole system, else inherited events.
    #[default]
    Auto,
    /// This one or none.
    Only(Scope),
}

impl ScopeChoice {
    /// The scopes to try, best first.
    pub(crate) fn candidates(self) -> Vec<Scope> {
        match self {
            ScopeChoice::Auto => vec![Scope::Cgroup, Scope::System, Scope::Inherit],
            ScopeChoice::Only(scope) => vec![scope],
        }
    }
}
