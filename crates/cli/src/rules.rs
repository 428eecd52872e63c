//! The rules: their list, their pages, and finding one by a name that is nearly right.

use clap::CommandFactory;
use serde::Serialize;
use wardroom_model::Rule;

use crate::args::{Args, Color, RulesArgs, RulesFormat};
use crate::failure::{CLEAN, usage};
use crate::output::Console;

wardroom_model::rule! {
    /// An ignore, in a comment or in the ignore file, that covers no finding: what it was written for
    /// is gone, or its rule, line or file is not right.
    ///
    /// ## Why it is bad
    ///
    /// It will silently cover the next weakness that comes up in its place, with a reason that was
    /// never meant for it.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// User.where(name: params[:name]) # wardroom:ignore sql-injection -- checked by hand
    /// ```
    ///
    /// ## Use instead
    ///
    /// Remove the ignore. Where the finding is still there under another rule's name, write that name.
    ///
    /// ## References
    ///
    /// - CWE-710: Improper Adherence to Coding Standards
    unused_ignore: "unused-ignore", "An ignore that ignores nothing", Configuration, 710, Low
}

wardroom_model::rule! {
    /// An entry of the ignore file whose date has passed. It covers nothing any more, and what it
    /// covered is shown again.
    ///
    /// ## Why it is bad
    ///
    /// Somebody accepted a risk until that day. The day has come, and the weakness may still be there.
    ///
    /// ## Example
    ///
    /// ```toml
    /// [[ignore]]
    /// rule = "open-redirect"
    /// file = "app/controllers/sessions_controller.rb"
    /// reason = "replaced with the new sign-in"
    /// expires = "2024-06-30"
    /// ```
    ///
    /// ## Use instead
    ///
    /// Mend the weakness and remove the entry, or decide anew and write a new date.
    ///
    /// ## References
    ///
    /// - CWE-710: Improper Adherence to Coding Standards
    expired_ignore: "expired-ignore", "An ignore whose time is over", Configuration, 710, Low
}

/// Every rule there is, by id.
pub fn all() -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = wardroom_sast::registry().iter().map(|c| (c.rule)()).collect();
    rules.extend(wardroom_deps::matching::rules());
    rules.extend(wardroom_deps::supply::rules());
    rules.extend(wardroom_deps::support::rules());
    rules.extend([unused_ignore(), expired_ignore()]);
    rules.extend(wardroom_secrets::rules());
    rules.sort_by_key(|r| r.id);
    rules
}

/// The rule of that id, or an error that names the nearest one.
pub fn find(id: &str) -> anyhow::Result<&'static Rule> {
    let rules = all();
    if let Some(rule) = rules.iter().find(|r| r.id == id) {
        return Ok(rule);
    }
    Err(usage(format!("there is no rule `{id}`{} (`wardroom rules` lists them all)", nearest(id, &rules))))
}

/// `; did you mean `x`?` where some rule's id is close.
pub fn nearest(id: &str, rules: &[&'static Rule]) -> String {
    let wanted = id.to_ascii_lowercase().replace('_', "-");
    let scored = rules.iter().map(|r| {
        let part = r.id.split('-').any(|word| word == wanted) || r.id.contains(&wanted) && wanted.len() > 2;
        (r.id, if part { 0.95 } else { strsim::jaro_winkler(&wanted, r.id) })
    });
    match scored.max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((near, score)) if score > 0.75 => format!("; did you mean `{near}`?"),
        _ => String::new(),
    }
}

/// `wardroom explain RULE`
pub fn explain(id: &str, color: Color) -> anyhow::Result<u8> {
    let rule = find(id)?;
    let style = Console::style(color, false, false);
    Console::stdout(|out| Ok(wardroom_report::explain(rule, &style, out)?))?;
    Ok(CLEAN)
}

#[derive(Serialize)]
struct Described {
    id: &'static str,
    title: &'static str,
    category: wardroom_model::Category,
    cwe: wardroom_model::Cwe,
    severity: wardroom_model::Severity,
    cvss: Option<&'static str>,
    summary: String,
    doc: &'static str,
}

/// `wardroom rules`
pub fn list(options: &RulesArgs) -> anyhow::Result<u8> {
    let mut rules = all();
    Console::stdout(|out| {
        match options.format {
            RulesFormat::Json => {
                let described: Vec<Described> = rules
                    .iter()
                    .map(|r| Described {
                        id: r.id,
                        title: r.title,
                        category: r.category,
                        cwe: r.cwe,
                        severity: r.severity,
                        cvss: r.cvss,
                        summary: r.summary(),
                        doc: r.doc,
                    })
                    .collect();
                serde_json::to_writer_pretty(&mut *out, &described)?;
                writeln!(out)?;
            }
            RulesFormat::Markdown => {
                rules.sort_by_key(|r| (r.category.title(), r.id));
                let mut family = "";
                for rule in &rules {
                    if rule.category.title() != family {
                        let gap = if family.is_empty() { "" } else { "\n" };
                        family = rule.category.title();
                        writeln!(
                            out,
                            "{gap}## {family}\n\n| Rule | What it finds | Severity | CWE |\n| --- | --- | --- | --- |"
                        )?;
                    }
                    let title = rule.title.replace('|', "\\|");
                    writeln!(
                        out,
                        "| [`{0}`](rules/{0}.md) | {title} | {1} | {2} |",
                        rule.id, rule.severity, rule.cwe
                    )?;
                }
            }
            RulesFormat::Text => {
                rules.sort_by_key(|r| (r.category.title(), r.id));
                let width = rules.iter().map(|r| r.id.len()).max().unwrap_or(0);
                let mut family = "";
                for rule in &rules {
                    if rule.category.title() != family {
                        let gap = if family.is_empty() { "" } else { "\n" };
                        family = rule.category.title();
                        writeln!(out, "{gap}{family}")?;
                    }
                    writeln!(
                        out,
                        "  {:<width$}  {:<8}  {:<8}  {}",
                        rule.id,
                        rule.severity,
                        rule.cwe.to_string(),
                        rule.title
                    )?;
                }
            }
        }
        Ok(())
    })?;
    Ok(CLEAN)
}

/// `wardroom completions SHELL`
pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "wardroom", &mut script);
    Console::stdout(|out| Ok(out.write_all(&script)?))?;
    Ok(CLEAN)
}
