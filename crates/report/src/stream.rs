//! JSON written piece by piece, so that a report of thousands of findings is never held twice.

use serde::{Serialize, Serializer};

/// A JSON array whose items are made only when they are written.
pub(crate) struct Each<F>(pub F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
