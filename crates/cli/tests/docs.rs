//! The pages under `docs/` that the program says itself: compared, or written where
//! `WARDROOM_WRITE_DOCS` is set (`cargo xtask docs`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn said(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_wardroom")).args(arguments).output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn page(rule: &Value) -> String {
    let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
    let category = text("category").replace('-', " ");
    let mut out = format!("# {}\n\n{}\n\n", text("id"), text("title"));
    out.push_str("| | |\n| --- | --- |\n");
    out.push_str(&format!("| Family | {category} |\n| Severity | {} |\n", text("severity")));
    out.push_str(&format!(
        "| Weakness class | [CWE-{0}](https://cwe.mitre.org/data/definitions/{0}.html) |\n",
        rule["cwe"]
    ));
    if let Some(vector) = rule["cvss"].as_str() {
        out.push_str(&format!("| CVSS | `{vector}` |\n"));
    }
    out.push_str(&format!("\n{}\n", text("doc").trim()));
    out
}

/// Every page, by its path under `docs/`.
fn pages() -> BTreeMap<String, String> {
    let rules: Vec<Value> = serde_json::from_str(&said(&["rules", "--format", "json"])).expect("JSON");
    let mut pages: BTreeMap<String, String> =
        rules.iter().map(|r| (format!("rules/{}.md", r["id"].as_str().expect("an id")), page(r))).collect();
    let table = said(&["rules", "--format", "markdown"]);
    let intro = "This page is made from the rules by `cargo xtask docs`. A rule's page says why the pattern is bad and what to\nwrite instead; so does `wardroom explain RULE`.";
    pages.insert("rules.md".to_owned(), format!("# Rules\n\n{intro}\n\n{table}"));
    pages.insert("cli.md".to_owned(), said(&["manual"]));
    pages
}

#[test]
fn pages_say_what_the_program_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let pages = pages();
    let folder = docs.join("rules");
    let write = std::env::var_os("WARDROOM_WRITE_DOCS").is_some();
    if write {
        fs::create_dir_all(&folder).expect("a folder");
    }
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let name = format!("rules/{}", path.file_name().expect("a name").to_string_lossy());
        if !pages.contains_key(&name) {
            if write {
                fs::remove_file(&path).expect("a page that goes");
            } else {
                wrong.push(format!("docs/{name} belongs to no rule"));
            }
        }
    }
    for (name, text) in &pages {
        let path = docs.join(name);
        if write {
            fs::write(&path, text).expect("a page");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            wrong.push(format!("docs/{name} is not what the program says"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\nrun `cargo xtask docs`\n", wrong.join("\n"));
}
