//! What is promised of every answer; a part of several targets.

use oprof_events::{EventTable, System, TableError};

/// Resolves an event; messages and names are fit for a terminal.
pub fn resolve(system: &System, spec: &str) {
    match system.resolve_all(&[spec]) {
        Ok(configs) => {
            for config in configs {
                assert!(!config.name.contains(char::is_control), "{:?}", config.name);
                assert!(config.precise <= 3 && config.min_count > 0 && config.count != Some(0));
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control), "{message:?}");
        }
    }
}

/// Reads a table, lists its events and resolves the first of them.
#[allow(dead_code, reason = "a part of the targets that read tables")]
pub fn table(read: Result<Vec<EventTable>, TableError>) {
    let tables = match read {
        Ok(tables) => tables,
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control) && message.len() < 5000, "{message:?}");
            return;
        }
    };
    assert!(!tables.is_empty());
    for table in tables {
        let mut specs = Vec::new();
        for event in &table.events {
            let texts = [&event.name, &event.terms, &event.description, &table.cpu, &table.source];
            assert!(!texts.iter().any(|text| text.contains(char::is_control)), "{event:?}");
            assert!(event.min_count > 0 && event.min_count <= event.default_count, "{event:?}");
            if specs.len() < 8 {
                let mask = event.unit_masks.as_ref().and_then(|set| set.masks.last());
                specs.push(event.name.clone());
                specs.extend(mask.map(|mask| format!("{}:9999999:{:#x}", event.name, mask.value)));
                specs.extend(mask.map(|mask| format!("{}:9999999:{}:0:1", event.name, mask.name)));
            }
        }
        let system = System::foreign(table);
        system.catalogue();
        specs.iter().for_each(|spec| resolve(&system, spec));
    }
}
