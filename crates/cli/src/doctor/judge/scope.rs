//! How `record` will follow a command.

use oprof_profile::Scope;

use super::access;
use crate::doctor::check::Check;
use crate::doctor::facts::Facts;

/// Whether the command can have a control group of its own.
pub(crate) fn control_group(facts: &Facts) -> Check {
    const WHAT: &str = "control group";
    let hierarchy = match &facts.hierarchy {
        Ok(hierarchy) => hierarchy,
        Err(why) => {
            return match why.split_once("; as root: ") {
                Some((why, cure)) => Check::limited(WHAT, why).cured_by(format!("as root: {cure}")),
                None => Check::limited(WHAT, why),
            };
        }
    };
    let version = if hierarchy.is_v2 { "v2" } else { "v1" };
    let place = format!("{version} at {}", hierarchy.own_group.components().as_path().display());
    let tried = facts.scopes.iter().find(|(scope, _)| *scope == Scope::Cgroup).map(|(_, prepared)| prepared);
    match tried {
        Some(Ok(_)) => Check::ok(WHAT, format!("{place}: a group for the command can be made")),
        Some(Err(refusal)) if refusal.why.contains("ermission denied") => {
            Check::limited(WHAT, format!("{place}: this user may not make a group there"))
                .cured_by("run oprof as root")
        }
        Some(Err(refusal)) if refusal.at_event && facts.least_event.is_err() => {
            Check::limited(WHAT, format!("{place}: a group can be made, and no event can be opened for it"))
        }
        Some(Err(refusal)) if refusal.at_event && refusal.is_permission => {
            Check::limited(WHAT, format!("{place}: a group can be made; events for it take a privilege"))
                .cured_by(access::grant(facts))
        }
        Some(Err(refusal)) => Check::limited(WHAT, format!("{place}: {}", refusal.why)),
        None => Check::limited(WHAT, place),
    }
}

/// The scope that `record` takes by itself, and what it misses.
pub(crate) fn scope(facts: &Facts) -> Check {
    const WHAT: &str = "scope";
    match facts.scope() {
        Ok((Scope::Cgroup, _)) => Check::ok(WHAT, "cgroup: all processes of the command are sampled, however short"),
        Ok((Scope::System, _)) => {
            Check::ok(WHAT, "system: all CPUs are sampled, and what descends from the command is kept")
        }
        Ok((Scope::Inherit, _)) => Check::limited(
            WHAT,
            "inherit: processes shorter than the time between two samples get hardly any; their exact totals are kept",
        )
        .cured_by(access::grant(facts)),
        Err(_) if facts.least_event.is_err() => Check::missing(WHAT, "none, as long as no event can be opened"),
        Err(why) => Check::missing(WHAT, format!("none can be had: {why}")),
    }
}
