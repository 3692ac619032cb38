//! Reads tab-separated facts.

use std::error::Error;
use std::path::Path;

/// The rows of a file, cut at their tabs, without those that begin with `#`.
pub(crate) fn rows(path: &Path) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// The column of a row, empty where it is missing.
pub(crate) fn column(row: &[String], number: usize) -> &str {
    row.get(number).map_or("", String::as_str)
}

/// The files of a folder that hold events, by name.
pub(crate) fn tables(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let name = entry?.file_name().into_string().map_err(|_| "a file name that is not text")?;
        match name.strip_suffix(".tsv") {
            Some(stem) if stem != "cpus" => names.push(stem.to_owned()),
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}
