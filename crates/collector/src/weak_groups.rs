//! Groups that may be broken up (`W`): where the kernel cannot count all of their events at once, it does so in turns.

use oprof_events::EventConfig;

use crate::Error;

/// Breaks up the group whose event the kernel refused within it, where it may be; gives the sentence that says so, and
/// `None` where it is another error or a group that stays whole.
pub(crate) fn break_up<'a>(
    events: impl IntoIterator<Item = &'a mut EventConfig>,
    error: &Error,
) -> Option<String> {
    let Error::Group { event: refused } = error else { return None };
    let events: Vec<&mut EventConfig> = events.into_iter().collect();
    let group = events.iter().find(|event| event.spec == *refused)?.group.filter(|group| group.weak)?;
    Some(oprof_events::break_up(events, group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_events::System;

    #[test]
    fn only_the_weak_group_of_the_refused_event_is_broken_up() {
        let specs = ["{cpu-clock,page-faults}", "{cs,migrations}:W", "{faults,task-clock}:W"];
        let mut events = System::here().resolve_all(&specs).expect("they are everywhere");
        let refused = |event: &str| Error::Group { event: event.to_owned() };
        assert_eq!(break_up(&mut events, &refused("page-faults")), None, "it is not weak");
        let other = Error::LeadsNoTasks { event: "cs".to_owned() };
        assert_eq!(break_up(&mut events, &other), None);
        let note = break_up(&mut events, &refused("migrations")).expect("it is weak");
        assert!(note.contains("{cs,migrations}"), "{note}");
        let groups: Vec<_> = events.iter().map(|event| event.group.map(|group| group.number)).collect();
        assert_eq!(groups, [Some(0), Some(0), None, None, Some(2), Some(2)]);
        assert_eq!(break_up(&mut events, &refused("migrations")), None, "once is enough");
    }
}
