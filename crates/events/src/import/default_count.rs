//! How often an event comes about, where its source does not say.

/// Whether an event comes about once a cycle or so, as cycles, instructions and micro-operations do; told by its name.
pub fn is_frequent(name: &str) -> bool {
    let frequent =
        ["cyc", "inst_retired", "inst_spec", "ret_instr", "ret_ops", "inst_cmpl", "inst_disp", "uops"];
    let lower = name.to_ascii_lowercase();
    frequent.iter().any(|part| lower.contains(part))
}
