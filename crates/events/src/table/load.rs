//! temporary
use super::*;
impl EventTable {
    /// Loads.
    ///
    /// # Errors
    /// Any.
    pub fn load(path: &std::path::Path) -> Result<Self, TableError> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        Self::parse(&path.display().to_string(), &text)
    }
}
