//! Writes sample files of any layout, by a writer of its own: what the crate writes is of one layout alone.

use oprof_profile::session::{Abi, Header};

/// The abi file that tells of a layout.
pub(crate) fn abi_file(abi: &Abi) -> String {
    let mut text = String::new();
    for (name, number) in [
        ("sizeof_odb_key_t", abi.key_size),
        ("sizeof_odb_value_t", abi.value_size),
        ("sizeof_odb_node_nr_t", abi.node_number_size),
        ("sizeof_odb_index_t", abi.index_size),
        ("sizeof_odb_descr_t", abi.description_size),
        ("sizeof_odb_node_t", abi.node_size),
        ("sizeof_struct_opd_header", abi.header_size),
        ("offsetof_node_key", abi.node_key),
        ("offsetof_node_value", abi.node_value),
        ("offsetof_node_next", abi.node_next),
        ("offsetof_descr_size", abi.description_nodes),
        ("offsetof_descr_current_size", abi.description_used),
        ("offsetof_header_magic", abi.magic),
        ("offsetof_header_version", abi.version),
        ("offsetof_header_cpu_type", abi.cpu_type),
        ("offsetof_header_ctr_event", abi.event),
        ("offsetof_header_ctr_um", abi.unit_mask),
        ("offsetof_header_ctr_count", abi.count),
        ("offsetof_header_is_kernel", abi.is_kernel),
        ("offsetof_header_cpu_speed", abi.cpu_speed),
        ("offsetof_header_mtime", abi.mtime),
        ("offsetof_header_cg_to_is_kernel", abi.callee_is_kernel),
        ("offsetof_header_anon_start", abi.memory_start),
        ("offsetof_header_cg_to_anon_start", abi.callee_memory_start),
        ("little_endian", usize::from(abi.little_endian)),
    ] {
        text.push_str(&format!("{name} {number}\n"));
    }
    text
}

/// The bytes of a sample file with these nodes.
pub(crate) fn sample_file(abi: &Abi, header: &Header, nodes: &[(u64, u64)]) -> Vec<u8> {
    let room = (nodes.len() + 1).next_power_of_two().max(128);
    let first = abi.header_size + abi.description_size;
    let mut bytes = vec![0; first + room * (abi.node_size + abi.index_size)];
    let mut put = |at: usize, size: usize, number: u64| {
        let big = number.to_be_bytes();
        let mut number = big[8 - size..].to_vec();
        if abi.little_endian {
            number.reverse();
        }
        bytes[at..at + size].copy_from_slice(&number);
    };
    let magic = u32::from_be_bytes(*b"DAE\n");
    put(abi.magic, 4, if abi.little_endian { magic.swap_bytes() } else { magic }.into());
    put(abi.version, 4, 0x13);
    put(abi.cpu_type, 4, header.cpu_type.into());
    put(abi.event, 4, header.event.into());
    put(abi.unit_mask, 4, header.unit_mask.into());
    put(abi.count, 4, header.count.into());
    put(abi.is_kernel, 4, header.is_kernel.into());
    put(abi.cpu_speed, 8, header.cpu_speed.to_bits());
    put(abi.mtime, 8, header.mtime);
    put(abi.callee_is_kernel, 4, header.callee_is_kernel.into());
    put(abi.memory_start, 8, header.memory_start);
    put(abi.callee_memory_start, 8, header.callee_memory_start);
    put(abi.header_size + abi.description_nodes, abi.node_number_size, room as u64);
    put(abi.header_size + abi.description_used, abi.node_number_size, nodes.len() as u64 + 1);
    for (index, (key, value)) in nodes.iter().enumerate() {
        let node = first + (index + 1) * abi.node_size;
        put(node + abi.node_key, abi.key_size, *key);
        put(node + abi.node_value, abi.value_size, *value);
    }
    bytes
}
