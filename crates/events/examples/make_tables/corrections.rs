//! What is known to be wrong in a source.

use std::error::Error;
use std::path::Path;

use crate::facts;

/// All corrections, and which were of use.
#[derive(Debug)]
pub(crate) struct Corrections {
    rows: Vec<(Vec<String>, bool)>,
}

impl Corrections {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(Self { rows: facts::rows(path)?.into_iter().map(|row| (row, false)).collect() })
    }

    /// The right value of a field; the given one where nothing is known against it. `None` drops the event.
    ///
    /// # Errors
    /// When the source no longer says what was wrong: then the correction has to be looked at again.
    pub(crate) fn value(
        &mut self,
        cpu: &str,
        event: &str,
        field: &str,
        value: &str,
    ) -> Result<String, Box<dyn Error>> {
        for (row, used) in &mut self.rows {
            let [for_cpu, for_event, for_field, was, is, reason] = row.as_slice() else {
                return Err(format!("corrections: six columns are needed, not {row:?}").into());
            };
            if for_cpu == cpu && for_event == event && for_field == field {
                if was != value {
                    return Err(format!(
                        "corrections: {cpu} {event} {field} is {value:?}, not {was:?} ({reason})"
                    )
                    .into());
                }
                *used = true;
                return Ok(is.clone());
            }
        }
        Ok(value.to_owned())
    }

    /// Whether the event is to be left out.
    pub(crate) fn drops(&mut self, cpu: &str, event: &str) -> bool {
        let found = self
            .rows
            .iter_mut()
            .find(|(row, _)| row.len() == 6 && row[0] == cpu && row[1] == event && row[2] == "drop");
        found.is_some_and(|(_, used)| {
            *used = true;
            true
        })
    }

    /// Every correction was of use.
    pub(crate) fn all_used(&self) -> Result<(), Box<dyn Error>> {
        match self.rows.iter().find(|(_, used)| !used) {
            Some((row, _)) => Err(format!("corrections: nothing to correct for {row:?}").into()),
            None => Ok(()),
        }
    }
}
