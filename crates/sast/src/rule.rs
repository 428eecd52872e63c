//! How a check declares itself.

use wardroom_model::Rule;

use crate::context::Context;

/// A rule and the function that looks for it.
#[derive(Clone, Copy)]
pub struct Check {
    /// What it says about itself.
    pub rule: fn() -> &'static Rule,
    /// Looks, and drafts findings through the context.
    pub run: fn(&Context<'_, '_>),
}
