//! Writes other ranges into a Gemfile and leaves every other byte as it is.

use std::sync::Arc;

use wardroom_model::Replacement;

use super::{EditError, Loosened};
use crate::lockfile::bundler::read_places;

/// The replacements that let a Gemfile ask for other ranges. What it does not ask for itself, its includes or its
/// gemspec do: that is left out, and the caller looks there.
pub fn edit_gemfile(
    file: &Arc<str>,
    text: &str,
    changes: &[Loosened],
) -> Result<Vec<Replacement>, EditError> {
    let (_, asks) = read_places(file, text.as_bytes());
    let mut edits = Vec::new();
    for change in changes {
        for ask in asks.iter().filter(|ask| ask.dependency.requirement.name == change.name) {
            let computed = || EditError::Computed(change.name.clone());
            if !ask.literal {
                return Err(computed());
            }
            let (Some(first), Some(last)) = (ask.ranges.first(), ask.ranges.last()) else {
                return Err(computed());
            };
            // Between the first and the last range stand only quotes, commas and white space.
            let between = text.get(first.1 as usize..last.1 as usize).ok_or_else(computed)?;
            if ask.ranges.len() > 1 && between.contains(['#', '[', ']', '{', '%']) {
                return Err(computed());
            }
            let written = text.get(first.0 as usize..first.1 as usize).unwrap_or_default();
            // A bare version stays a bare version.
            let bare = written.starts_with(|c: char| c.is_ascii_digit());
            let to = if bare { change.to.trim_start_matches("= ") } else { &change.to };
            edits.push(Replacement { file: file.clone(), start: first.0, end: last.1, text: to.to_owned() });
        }
    }
    edits.sort_by_key(|edit| edit.start);
    Ok(edits)
}
