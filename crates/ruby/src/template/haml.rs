//! placeholder
use super::{Compiled, Options};
/// placeholder
pub fn compile(_source: &str, _options: &Options) -> Compiled {
    Compiled::default()
}
