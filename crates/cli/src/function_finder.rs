//! Finds the functions that probes are asked for.

use std::path::Path;

use oprof_events::{FunctionFinder, System};
use oprof_profile::open_regular;
use oprof_report::printable;
use oprof_symbolizer::Places;

/// This machine, with what finds functions in files by their symbol tables.
pub(crate) fn here() -> System {
    System::here().with_function_finder(FunctionFinder(find))
}

/// The places that a message lists.
const MOST_LISTED: usize = 4;

/// Where in the file the function of this name begins.
fn find(path: &Path, function: &str) -> Result<u64, String> {
    let file = open_regular(path)
        .ok_or_else(|| format!("{} is no file that can be read", printable(&path.to_string_lossy())))?;
    let places = oprof_symbolizer::places_of(&file, function)
        .map_err(|_| format!("{} is no program or library", printable(&path.to_string_lossy())))?;
    let shown = printable(function);
    match places {
        Places::At(places) if places.len() == 1 => Ok(places[0].0),
        Places::At(places) => {
            let listed: Vec<String> =
                places.iter().take(MOST_LISTED).map(|place| format!("{:#x}", place.0)).collect();
            let more = if places.len() > MOST_LISTED { ", ..." } else { "" };
            Err(format!(
                "there are {} functions '{shown}'; give the offset of one instead, of {}{more}",
                places.len(),
                listed.join(", ")
            ))
        }
        Places::Unknown(names) if names.is_empty() => Err(format!(
            "the file has no names of functions, so none is '{shown}'; give an offset in the file"
        )),
        Places::Unknown(names) => {
            let close = oprof_events::closest(function, names);
            let close: Vec<String> = close.iter().map(|name| format!("'{}'", printable(name))).collect();
            Err(match close.is_empty() {
                true => {
                    format!("the file has no function '{shown}'; `nm -C` or `nm -DC` lists those that it has")
                }
                false => format!("the file has no function '{shown}'; close to it: {}", close.join(", ")),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_or_what_is_close_to_it() {
        let own = Path::new("/proc/self/exe").canonicalize().expect("it runs");
        assert!(find(&own, "main").is_ok_and(|offset| offset > 0));
        let close = find(&own, "mainn").expect_err("it is not there");
        assert!(close.contains("close to it: 'main'"), "{close}");
        let missing = find(Path::new("/no/such/file"), "main").expect_err("it is not there");
        assert!(missing.contains("/no/such/file is no file"), "{missing}");
        assert!(find(Path::new("/etc/passwd"), "main").is_err_and(|why| why.contains("no program")));
    }
}
