//! What a record of tasks asks for at once: files to be opened while they are there.

use oprof_profile::{ImageKind, Record, TaskRecord};

use crate::descriptions::Descriptions;
use crate::held_images::HeldImages;
use crate::jit_files::JitFiles;
use crate::memory_map;
use crate::time_order::TimeOrder;

/// The smallest huge page of x86-64, and of arm64 and riscv64 with pages of 4 KB; in bytes.
const HUGE_PAGE: u64 = 2 << 20;

/// Sees to the files that a record names, and puts it in order; true for a mapping.
pub(super) fn take_task_record(
    mut record: TaskRecord,
    order: &mut TimeOrder,
    images: &mut HeldImages,
    descriptions: &mut Descriptions,
    jit_files: &mut JitFiles,
) -> bool {
    if let Some(remapped) = remapped(&record.record) {
        record.record = remapped;
    }
    match &record.record {
        Record::Mapped { pid, start, length, identity, name, .. } => {
            let open = || images.open_file(name, *identity, *pid, *start, *length);
            if !jit_files.see(name, *pid, record.time, open) {
                images.see(name, *identity, *pid, *start, *length);
            }
        }
        Record::Executed { pid, .. } => {
            jit_files.executed(*pid);
            descriptions.executed(*pid, record.time);
        }
        Record::Forked { pid, .. } | Record::Found { pid, .. } => jit_files.executed(*pid),
        _ => {}
    }
    let is_mapping = matches!(record.record, Record::Mapped { .. });
    order.push_record(record);
    is_mapping
}

/// What a mapping is that may be a program's code on huge pages, if it is that. As those are as large as they are, few
/// other mappings have to be looked at.
fn remapped(record: &Record) -> Option<Record> {
    let Record::Mapped { pid, start, length, name, .. } = record else { return None };
    let is_huge = *length > 0 && (start.0 | length) % HUGE_PAGE == 0;
    if !is_huge || ImageKind::of_mapping(name) != ImageKind::Anonymous {
        return None;
    }
    let file = memory_map::file_around(*pid, start.0, start.0.saturating_add(*length))?;
    Some(Record::Remapped { pid: *pid, start: *start, length: *length, file })
}
