//! `cargo xtask new-check FAMILY NAME`: a check's file and its spec, and its line in the family.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::run::say;

/// Families, and the category of their rules.
const FAMILIES: &[(&str, &str)] = &[
    ("access", "Access"),
    ("data", "DataAndCryptography"),
    ("files", "FilesAndNetwork"),
    ("injection", "Injection"),
    ("markup", "CrossSiteScripting"),
];

/// Makes them.
pub fn run(root: &Path, family: &str, name: &str) -> anyhow::Result<()> {
    let Some((_, category)) = FAMILIES.iter().find(|(f, _)| *f == family) else {
        let known: Vec<&str> = FAMILIES.iter().map(|(f, _)| *f).collect();
        bail!("there is no family `{family}`; the families are {}", known.join(", "));
    };
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !name.split('-').all(word) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        bail!("`{name}` is no rule id: it is written `like-this`, after the pattern that it flags");
    }
    let module = name.replace('-', "_");
    let sast = root.join("crates/sast");
    let list = sast.join("src/checks").join(family).join("mod.rs");
    let check = list.with_file_name(format!("{module}.rs"));
    let spec = sast.join("specs").join(format!("{name}.md"));
    for path in [&check, &spec] {
        if path.exists() {
            bail!("{} is there already", path.display());
        }
    }
    let listed =
        fs::read_to_string(&list).with_context(|| format!("{} could not be read", list.display()))?;
    let listed =
        enter(&listed, &module).with_context(|| format!("{} has no list `CHECKS`", list.display()))?;
    fs::write(&check, CHECK.replace("NAME", name).replace("CATEGORY", category))?;
    fs::write(&spec, SPEC.replace("NAME", name))?;
    fs::write(&list, listed)?;
    for path in [&check, &spec, &list] {
        say(&path.strip_prefix(root).unwrap_or(path).display().to_string());
    }
    say(&format!("Fill them in, then: SPEC={name} cargo test -p wardroom-sast, and cargo xtask docs"));
    Ok(())
}

/// Adds a module and its check to a family's list, both in order of the alphabet.
fn enter(text: &str, module: &str) -> Option<String> {
    let (before, rest) = text.split_once("&[Check] = &[")?;
    let (inside, after) = rest.split_once("];")?;
    let mut checks: Vec<String> = inside
        .split("Check {")
        .map(|c| c.trim().trim_end_matches(',').trim_end_matches('}').trim().to_owned())
        .filter(|c| !c.is_empty())
        .collect();
    checks.push(format!("rule: {module}::rule, run: {module}::run"));
    checks.sort();
    let list: String = checks.iter().map(|c| format!("    Check {{ {c} }},\n")).collect();

    let declaration = format!("mod {module};");
    let mut lines: Vec<&str> = before.lines().collect();
    let modules: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].starts_with("mod ")).collect();
    match (modules.iter().find(|i| lines[**i] > declaration.as_str()), modules.last()) {
        (Some(next), _) => lines.insert(*next, &declaration),
        (None, Some(last)) => lines.insert(last + 1, &declaration),
        (None, None) => {
            let uses = lines.iter().position(|l| l.starts_with("use "))?;
            lines.insert(uses, "");
            lines.insert(uses, &declaration);
        }
    }
    Some(format!("{}&[Check] = &[\n{list}];{after}", lines.join("\n")))
}

const CHECK: &str = r#"//! TODO: what it flags, in one line.

use crate::context::Context;

wardroom_model::rule! {
    /// What the check flags: one paragraph.
    ///
    /// ## Why it is bad
    ///
    /// What an attacker does with it.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// vulnerable(params[:x])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// safe(params[:x])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-0: its title
    rule: "NAME", "What it flags, as a title", CATEGORY, 0, Medium
}

/// Looks for it.
pub fn run(context: &Context<'_, '_>) {
    context.each_call(|file, node, call| {
        if call.name.as_str() == "vulnerable" {
            context
                .finding(rule(), file, node.span, "What is wrong here, in the code's own words")
                .remedy("How to mend it here.")
                .report();
        }
    });
}
"#;

const SPEC: &str = "# NAME

## The pattern, and its safe twin

```ruby app/controllers/things_controller.rb
class ThingsController < ApplicationController
  def index
    vulnerable(params[:x]) # ~> NAME high
    safe(params[:x])
  end
end
```
";

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str =
        "//! Family.\n\nuse crate::rule::Check;\n\n/// The checks.\npub const CHECKS: &[Check] = &[];\n";
    const ONE: &str = "//! Family.\n\nmod b_b;\n\nuse crate::rule::Check;\n\n/// The checks.\npub const CHECKS: &[Check] = &[\n    Check { rule: b_b::rule, run: b_b::run },\n];\n";

    #[test]
    fn lists_grow_in_order() {
        assert_eq!(enter(EMPTY, "b_b").as_deref(), Some(ONE));
        let one_line = ONE.replace(
            "[\n    Check { rule: b_b::rule, run: b_b::run },\n]",
            "[Check { rule: b_b::rule, run: b_b::run }]",
        );
        let two = enter(&one_line, "a").unwrap();
        assert!(two.contains("mod a;\nmod b_b;\n"), "{two}");
        assert!(two.ends_with("&[\n    Check { rule: a::rule, run: a::run },\n    Check { rule: b_b::rule, run: b_b::run },\n];\n"), "{two}");
        assert!(enter(ONE, "c").unwrap().contains("mod b_b;\nmod c;\n"));
        assert_eq!(enter("nothing", "c"), None);
    }

    #[test]
    fn files_are_made_once() {
        let root = tempfile::tempdir().unwrap();
        let family = root.path().join("crates/sast/src/checks/data");
        fs::create_dir_all(&family).unwrap();
        fs::create_dir_all(root.path().join("crates/sast/specs")).unwrap();
        fs::write(family.join("mod.rs"), EMPTY).unwrap();
        run(root.path(), "data", "weak-hash").unwrap();
        assert!(
            fs::read_to_string(family.join("weak_hash.rs")).unwrap().contains(
                "rule: \"weak-hash\", \"What it flags, as a title\", DataAndCryptography, 0, Medium"
            )
        );
        assert!(
            fs::read_to_string(root.path().join("crates/sast/specs/weak-hash.md"))
                .unwrap()
                .contains("# ~> weak-hash high")
        );
        assert!(run(root.path(), "data", "weak-hash").unwrap_err().to_string().contains("is there already"));
        assert!(run(root.path(), "datum", "weak-hash2").is_err());
        for name in ["Weak", "weak_hash", "-weak", "", "weak--hash", "9lives"] {
            assert!(run(root.path(), "data", name).is_err(), "{name}");
        }
    }
}
