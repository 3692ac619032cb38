//! What the kernel permits this user.

use rustix::io::Errno;

use crate::doctor::capabilities::Capability;
use crate::doctor::check::Check;
use crate::doctor::facts::Facts;

/// For containers: a capability, and a seccomp profile that lets the call through.
const CONTAINER: &str = "start the container with: --cap-add=PERFMON --security-opt seccomp=unconfined";

/// Each capability that helps, and what lacks without it.
const HELPFUL: [(Capability, &str); 4] = [
    (Capability::Perfmon, "all scopes, kernel code"),
    (Capability::Syslog, "kernel names"),
    (Capability::CheckpointRestore, "files deleted before they were seen"),
    (Capability::IpcLock, "large buffers"),
];

/// Whether there are perf events at all.
pub(crate) fn perf_event_open(facts: &Facts) -> Check {
    const WHAT: &str = "perf_event_open";
    let level = facts.settings.paranoid.unwrap_or(2);
    match facts.least_event {
        Ok(()) => Check::ok(WHAT, "events can be opened"),
        Err(Errno::NOSYS) if facts.seccomp => {
            Check::missing(WHAT, "a seccomp filter hides it, as those of containers do").cured_by(CONTAINER)
        }
        Err(Errno::NOSYS) => {
            Check::missing(WHAT, "this kernel is built without perf events (CONFIG_PERF_EVENTS)")
        }
        Err(Errno::ACCESS | Errno::PERM) if level > 2 && !facts.is_privileged() => {
            Check::missing(WHAT, "not permitted to this user at the present paranoid level")
                .cured_by(lower(1))
        }
        Err(Errno::ACCESS | Errno::PERM) if facts.seccomp => {
            Check::missing(WHAT, "a seccomp filter forbids it, as those of containers do").cured_by(CONTAINER)
        }
        Err(Errno::ACCESS | Errno::PERM) => {
            Check::missing(WHAT, "forbidden by a security module such as SELinux, or by kernel lockdown")
        }
        Err(other) => Check::missing(WHAT, format!("the kernel refuses the simplest event: {other}")),
    }
}

/// The setting that binds users without privilege.
pub(crate) fn paranoid(facts: &Facts) -> Check {
    const WHAT: &str = "paranoid level";
    let Some(level) = facts.settings.paranoid else {
        return Check::limited(WHAT, "kernel.perf_event_paranoid cannot be read");
    };
    if facts.is_privileged() {
        let by =
            [Capability::Perfmon, Capability::SysAdmin].into_iter().find(|&by| facts.capabilities.has(by));
        let by = by.map_or("", Capability::name);
        return Check::ok(WHAT, format!("{level}, which does not bind this user, who has {by}"));
    }
    match level {
        ..=-1 => Check::ok(WHAT, format!("{level}: every user may open every event")),
        0 => Check::ok(WHAT, "0: every user may sample all processes, kernel code too"),
        1 => Check::limited(WHAT, "1: own processes, kernel code too; not whole CPUs").cured_by(lower(0)),
        2 => Check::limited(WHAT, "2: own processes, user code only").cured_by(lower(1)),
        _ if facts.least_event.is_ok() => Check::limited(
            WHAT,
            format!("{level}, which this kernel takes as 2: own processes, user code only"),
        )
        .cured_by(lower(1)),
        _ => Check::missing(WHAT, format!("{level}: nothing for users without privilege")).cured_by(lower(1)),
    }
}

fn lower(level: i64) -> String {
    format!("as root: sysctl kernel.perf_event_paranoid={level}")
}

/// The privileges that lift the limits.
pub(crate) fn capabilities(facts: &Facts) -> Check {
    const WHAT: &str = "capabilities";
    let held: Vec<_> = HELPFUL
        .iter()
        .filter(|(each, _)| facts.capabilities.grants(*each))
        .map(|(each, _)| each.name())
        .collect();
    let lacking: Vec<_> = HELPFUL.iter().filter(|(each, _)| !facts.capabilities.grants(*each)).collect();
    if !facts.initial_user_namespace && !held.is_empty() {
        return Check::limited(
            WHAT,
            "only those of a user namespace, which the kernel does not honour for perf events",
        )
        .cured_by(grant(facts));
    }
    if lacking.is_empty() {
        return Check::ok(WHAT, held.join(", "));
    }
    let lacking: Vec<_> = lacking.iter().map(|(each, gives)| format!("{} ({gives})", each.name())).collect();
    let has = if held.is_empty() { String::new() } else { format!("{}; ", held.join(", ")) };
    Check::limited(WHAT, format!("{has}not {}", lacking.join(", "))).cured_by(grant(facts))
}

/// What gives this program all that helps, and other programs nothing.
pub(crate) fn grant(facts: &Facts) -> String {
    if !facts.initial_user_namespace {
        return "run oprof outside of the container, as root".to_owned();
    }
    // Kernels that do not know the narrow ones have them in the broad one.
    let perfmon = if facts.since(5, 9) { "cap_perfmon,cap_checkpoint_restore" } else { "cap_sys_admin" };
    format!("as root: setcap {perfmon},cap_syslog,cap_ipc_lock+ep {}", quoted(&facts.program))
}

/// As a shell takes it for one word.
fn quoted(path: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+".contains(character);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(super::quoted("/usr/bin/oprof"), "/usr/bin/oprof");
        assert_eq!(super::quoted("/my tools/o'prof"), r"'/my tools/o'\''prof'");
    }
}
