//! What a text in front of the data says about what the data can still do.

use crate::knowledge::{Mark, Marks};

/// For which sinks a known text in front of the data makes it harmless.
pub fn cleared_by_prefix(prefix: &str) -> Marks {
    let mut marks = Marks::of(Mark::Open) | Marks::of(Mark::Method) | Marks::of(Mark::Variable);
    let trimmed = prefix.trim_start();
    let script = trimmed.to_ascii_lowercase();
    if !script.starts_with("javascript:") && !script.starts_with("data:") {
        marks |= Marks::of(Mark::Url);
    }
    if !trimmed.starts_with('-') || trimmed.contains('=') {
        marks |= Marks::of(Mark::Argument);
    }
    let after_scheme = trimmed.find("://").map(|i| &trimmed[i + 3..]);
    let host_fixed = match after_scheme {
        Some(rest) => rest.contains(['/', '?', '#']) && !rest.starts_with('/'),
        None => {
            let mut chars = trimmed.chars();
            match (chars.next(), chars.next()) {
                (Some('/'), Some(second)) => second != '/' && second != '\\',
                (Some('?' | '#' | '.'), _) => true,
                // `teams/42`: behind what the client was made for.
                (Some(first), _) if first.is_ascii_alphanumeric() => {
                    trimmed.find('/').is_some_and(|slash| !trimmed[..slash].contains(':'))
                }
                _ => false,
            }
        }
    };
    if host_fixed {
        marks |= Marks::of(Mark::Redirect) | Marks::of(Mark::Request);
    }
    marks
}
