//! Secrets in text: keys, tokens and passwords that stand where anybody can read them.
//!
//! Pure: bytes go in, findings come out that never hold the secret itself. It never opens a file, a
//! repository or a connection.
//!
//! [`Scanner::scan`] looks at one file: all words of all formats are found in one pass, then patterns
//! and readers look at what stands around them. [`findings`] makes findings of what was hit. The
//! formats are data, in `rules/*.toml`.

mod allow;
mod archive;
mod assignment;
mod checks;
mod decode;
#[cfg(test)]
mod examples;
mod finding;
mod hit;
mod keywords;
mod place;
mod rules;
mod scanner;
mod structure;
mod token;
mod value;

pub use allow::{Allow, AllowError};
pub use finding::{findings, fingerprint};
pub use hit::{Hit, Secret};
pub use place::Place;
pub use rules::{Book, Check, Live, RuleError, Token, book, rules};
pub use scanner::{Scanned, Scanner};
