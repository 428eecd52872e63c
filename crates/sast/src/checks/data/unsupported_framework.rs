//! Rails and Ruby that get no more fixes.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::gems::{RailsEvidence, Version};
use wardroom_rails::{FileId, Role};
use wardroom_ruby::ir::Span;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The locked Rails, or the Ruby that the application names, gets no security fixes any more.
    ///
    /// ## Why it is bad
    ///
    /// Weaknesses that are found from now on stay open, and attackers read the fixes of the newer
    /// releases to learn of them.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// gem "rails", "~> 5.2.8"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// gem "rails", "~> 8.0"
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1104: Use of Unmaintained Third Party Components
    /// - <https://rubyonrails.org/maintenance>
    /// - <https://www.ruby-lang.org/en/downloads/branches/>
    rule: "unsupported-framework", "A framework that gets no more fixes", Versions, 1104, Medium
}

/// Series of Rails and the day from which they get no security fixes. From 4.2: endoflife.date,
/// `products/ruby-on-rails.md` (2026-08-22). The older ones ended without an announced day: theirs is
/// the day of the last release (tags v2.3.18, v3.0.20, v3.1.12, v3.2.22.5, v4.0.13, v4.1.16). Only series
/// that had ended when that data was made; the next ones are 8.0 (2026-11-07) and 8.1 (2027-10-10).
const RAILS: &[((u32, u32), &str)] = &[
    ((2, 3), "2013-03-18"),
    ((3, 0), "2013-01-28"),
    ((3, 1), "2013-03-18"),
    ((3, 2), "2016-09-14"),
    ((4, 0), "2015-01-06"),
    ((4, 1), "2016-07-12"),
    ((4, 2), "2017-04-27"),
    ((5, 0), "2018-04-09"),
    ((5, 1), "2019-08-25"),
    ((5, 2), "2022-06-01"),
    ((6, 0), "2023-06-01"),
    ((6, 1), "2024-10-01"),
    ((7, 0), "2025-04-01"),
    ((7, 1), "2025-10-01"),
    ((7, 2), "2026-08-09"),
];

/// The same of Ruby: endoflife.date, `products/ruby.md` (2026-08-22); 1.8 from
/// <https://www.ruby-lang.org/en/downloads/branches/>. The next one is 3.3 (2027-03-31).
const RUBY: &[((u32, u32), &str)] = &[
    ((1, 8), "2013-06-30"),
    ((1, 9), "2015-02-23"),
    ((2, 0), "2016-02-24"),
    ((2, 1), "2017-03-31"),
    ((2, 2), "2018-03-31"),
    ((2, 3), "2019-03-31"),
    ((2, 4), "2020-03-31"),
    ((2, 5), "2021-03-31"),
    ((2, 6), "2022-03-31"),
    ((2, 7), "2023-03-31"),
    ((3, 0), "2024-04-23"),
    ((3, 1), "2025-03-26"),
    ((3, 2), "2026-03-31"),
];

fn ended(table: &[((u32, u32), &'static str)], version: Version) -> Option<&'static str> {
    let series = (version.0, version.1);
    match table.iter().find(|row| row.0 == series) {
        Some(row) => Some(row.1),
        None => table.first().filter(|row| series < row.0).map(|row| row.1),
    }
}

/// Looks at the two versions.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    if let (Some(version), Some(evidence)) = (gems.rails_version(), gems.rails_evidence())
        && matches!(evidence, RailsEvidence::Locked | RailsEvidence::Environment)
        && let Some(since) = ended(RAILS, version)
        && let Some((file, span)) = rails_line(context)
    {
        context
            .finding(
                rule(),
                file,
                span,
                format!("Rails {}.{} gets no security fixes since {since}", version.0, version.1),
            )
            .confidence(Confidence::High)
            .severity(if version.0 < 6 { Severity::High } else { Severity::Medium })
            .remedy("Move to a supported series, one minor release at a time.")
            .report();
    }
    if let Some(version) = gems.ruby_version()
        && let Some(since) = ended(RUBY, version)
        && let Some((file, span)) = ruby_line(context)
    {
        context
            .finding(
                rule(),
                file,
                span,
                format!("Ruby {}.{} gets no security fixes since {since}", version.0, version.1),
            )
            .confidence(
                if context.file(file).path.ends_with("Gemfile")
                    && context.source(file, span).contains(['<', '>', '~'])
                {
                    Confidence::Low
                } else {
                    Confidence::High
                },
            )
            .severity(if version.0 < 3 { Severity::Medium } else { Severity::Low })
            .remedy("Move to a supported series of Ruby.")
            .report();
    }
}

/// Where the version of Rails stands: the lock file, or `RAILS_GEM_VERSION`.
fn rails_line(context: &Context<'_, '_>) -> Option<(FileId, Span)> {
    if let Some(id) = place::file(context, "Gemfile.lock").or_else(|| place::file(context, "gems.locked")) {
        for start in ["    rails (", "    railties (", "    actionpack ("] {
            if let Some(span) = line_with(&context.file(id).text, start) {
                return Some((id, span));
            }
        }
    }
    let id = place::file(context, "config/environment.rb")?;
    line_with(&context.file(id).text, "RAILS_GEM_VERSION").map(|span| (id, span))
}

fn ruby_line(context: &Context<'_, '_>) -> Option<(FileId, Span)> {
    let version = context.app.gems.ruby.as_deref()?;
    for (number, file) in context.app.files.iter().enumerate() {
        let id = FileId(number as u32);
        let root = !file.path.contains('/');
        if !root {
            continue;
        }
        let found = match file.role {
            Role::RubyVersion => line_with(&file.text, version),
            _ if file.path.as_ref() == "Gemfile" => line_with(&file.text, "ruby \"")
                .or_else(|| line_with(&file.text, "ruby '"))
                .filter(|s| context.source(id, *s).contains(version)),
            Role::Lockfile => line_with(&file.text, &format!("   ruby {version}")),
            _ => None,
        };
        if let Some(span) = found {
            return Some((id, span));
        }
    }
    None
}

/// The line that holds a text.
fn line_with(text: &[u8], wanted: &str) -> Option<Span> {
    let mut start = 0usize;
    for line in text.split(|b| *b == b'\n') {
        // What is indented is looked for at the start of the line: deeper lines are requirements.
        let fits = if wanted.starts_with(' ') {
            line.starts_with(wanted.as_bytes())
        } else {
            line.windows(wanted.len().max(1)).any(|w| w == wanted.as_bytes())
        };
        if fits {
            let indent = line.iter().take_while(|b| **b == b' ').count();
            return Some(Span { start: (start + indent) as u32, end: (start + line.len()) as u32 });
        }
        start += line.len() + 1;
    }
    None
}
