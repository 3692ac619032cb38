use super::*;
use crate::profile::tests::{applied, executed, record};
use crate::{Record, TaskRecord};

fn on_cpu(cpu: u16, value: u64) -> TaskTotal {
    TaskTotal { event: EventId(0), cpu, value }
}

/// A command with two children, counted on two CPUs. For each the number of its tasks, and what each of the counters
/// told of them; the exact totals, once the counters' own are known.
fn totals_of(family: [(u32, [&[u64]; 2]); 3], counted: [u64; 2], more: Vec<TaskRecord>) -> [Option<u64>; 3] {
    let mut records = vec![executed(1, 1, "make")];
    for (pid, (tasks, told)) in (1..).zip(family) {
        if pid > 1 {
            records.push(record(2, Record::Forked { pid, parent: 1 }));
        }
        records.extend((1..tasks).map(|_| record(3, Record::ThreadStarted { pid, tid: pid + 1 })));
        for (cpu, values) in (0..).zip(told) {
            let told = |value: &u64| Record::Counted { pid, event: EventId(0), cpu, value: *value };
            records.extend(values.iter().map(|value| record(4, told(value))));
        }
        records.extend((0..tasks).map(|_| record(5, Record::ThreadExited { pid, tid: pid, cpu: 0 })));
    }
    records.extend(more);
    let mut profile = Profile::of_all_processes(1);
    profile.expect_totals(&[on_cpu(0, 0), on_cpu(1, 0)]);
    let mut profile = applied(profile, Vec::new(), records);
    profile.complete_totals(1, &[on_cpu(0, counted[0]), on_cpu(1, counted[1])]);
    [0, 1, 2].map(|index: usize| profile.processes()[index].event_totals.first().copied())
}

#[test]
fn what_no_task_told_of_belongs_to_the_commands_first_task() {
    let children = [(1, [&[20][..], &[1]]), (3, [&[10, 10, 10], &[0, 0, 2]])];
    let totals = totals_of([(1, [&[], &[]]), children[0], children[1]], [100, 7], Vec::new());
    assert_eq!(totals, [Some(54), Some(21), Some(32)]);
    let with_a_thread = totals_of([(2, [&[5], &[0]]), children[0], children[1]], [100, 7], Vec::new());
    assert_eq!(with_a_thread, [Some(54), Some(21), Some(32)]);
}

#[test]
fn where_a_report_failed_to_come_neither_its_process_nor_the_command_has_a_total() {
    let command = (1, [&[][..], &[]]);
    let family = [command, (1, [&[20], &[1]]), (3, [&[10, 10], &[0, 0, 0]])];
    assert_eq!(totals_of(family, [100, 7], Vec::new()), [None, Some(21), None]);
    let nothing_is_told = [command, (1, [&[], &[]]), (3, [&[], &[]])];
    assert_eq!(totals_of(nothing_is_told, [100, 7], Vec::new()), [None; 3]);
}

#[test]
fn a_missing_report_of_nothing_is_not_missed() {
    let family = [(1, [&[][..], &[]]), (1, [&[20], &[]]), (1, [&[30], &[]])];
    assert_eq!(totals_of(family, [100, 0], Vec::new()), [Some(50), Some(20), Some(30)]);
}

#[test]
fn totals_that_contradict_one_another_are_forgotten() {
    let told = [(1, [&[][..], &[]]), (1, [&[20], &[0]]), (1, [&[30], &[0]])];
    assert_eq!(totals_of(told, [49, 0], Vec::new()), [None; 3], "more was told than there was");
    let nobody_lacks = [(1, [&[1][..], &[0]]), told[1], told[2]];
    assert_eq!(totals_of(nobody_lacks, [100, 0], Vec::new()), [None; 3]);
    assert_eq!(totals_of(nobody_lacks, [51, 0], Vec::new()), [Some(1), Some(20), Some(30)]);
}

#[test]
fn what_is_left_is_nobodys_where_records_were_lost() {
    let family = [(1, [&[][..], &[]]), (1, [&[20], &[0]]), (1, [&[30], &[0]])];
    let lost = vec![record(9, Record::Lost { records: 1 })];
    assert_eq!(totals_of(family, [100, 0], lost), [None, Some(20), Some(30)]);
}

#[test]
fn what_a_process_out_of_scope_told_is_not_left_for_others() {
    let family = [(1, [&[][..], &[]]), (1, [&[20], &[0]]), (1, [&[30], &[0]])];
    let stranger = vec![record(9, Record::Counted { pid: 77, event: EventId(0), cpu: 0, value: 40 })];
    assert_eq!(totals_of(family, [100, 0], stranger), [Some(10), Some(20), Some(30)]);
}

#[test]
fn a_report_that_failed_to_come_is_missed_after_its_process_id_was_used_again() {
    let family = [(1, [&[][..], &[]]), (1, [&[20], &[0]]), (1, [&[], &[]])];
    let again = vec![
        record(10, Record::Forked { pid: 3, parent: 1 }),
        record(11, Record::Counted { pid: 3, event: EventId(0), cpu: 0, value: 5 }),
        record(11, Record::Counted { pid: 3, event: EventId(0), cpu: 1, value: 0 }),
        record(12, Record::ThreadExited { pid: 3, tid: 3, cpu: 0 }),
    ];
    assert_eq!(totals_of(family, [100, 0], again), [None, Some(20), None]);
}

#[test]
fn a_process_has_no_total_before_all_of_its_tasks_have_told() {
    let counted = |value| record(4, Record::Counted { pid: 2, event: EventId(0), cpu: 0, value });
    let mut records = vec![
        executed(1, 1, "make"),
        record(2, Record::Forked { pid: 2, parent: 1 }),
        record(3, Record::ThreadStarted { pid: 2, tid: 50 }),
        counted(5),
        record(5, Record::ThreadExited { pid: 2, tid: 2, cpu: 0 }),
    ];
    let profile = |records: &[TaskRecord]| {
        let mut profile = Profile::of_all_processes(1);
        profile.expect_totals(&[on_cpu(0, 0)]);
        applied(profile, Vec::new(), records.to_vec())
    };
    assert!(profile(&records).processes()[1].event_totals.is_empty());
    records.extend([record(6, Record::ThreadExited { pid: 2, tid: 2, cpu: 0 }), counted(7)]);
    assert_eq!(profile(&records).processes()[1].event_totals, [12]);
}

#[test]
fn where_nothing_is_counted_no_total_is_known() {
    let records = vec![
        executed(1, 1, "make"),
        record(2, Record::Forked { pid: 2, parent: 1 }),
        record(3, Record::ThreadExited { pid: 2, tid: 2, cpu: 0 }),
    ];
    let profile = applied(Profile::of_all_processes(1), Vec::new(), records);
    assert!(profile.processes().iter().all(|process| process.event_totals.is_empty()));
}
