//! Follows static markup and tells in which context the next output lands.
//!
//! A scanner of HTML that never fails: it is fed the literal pieces of a template in order and keeps
//! just enough state to answer [`Tracker::context`]. Branches of a template are read one after the
//! other, as they stand.

use crate::ir::HtmlContext;

/// The state between two pieces of markup.
#[derive(Debug, Clone, Default)]
pub struct Tracker {}

impl Tracker {
    /// Reads literal markup.
    pub fn text(&mut self, _markup: &str) {}

    /// An output stood here: what follows is no longer at the start of an attribute's value.
    pub fn output(&mut self) {}

    /// Where an output would land now.
    pub fn context(&self) -> HtmlContext {
        HtmlContext::Text
    }
}

/// Where an output lands that is (`start`) or is within the value of this attribute of this tag:
/// for engines that parse attributes themselves.
pub fn attribute_context(_tag: &str, _attribute: &str, _start: bool) -> HtmlContext {
    HtmlContext::Quoted
}
