//! endoflife.date in its two forms: the front matter of its pages, and version 1 of its API.

use std::sync::Arc;

use wardroom_model::Problem;

use super::cycle::{Cycle, End, Product};
use crate::lockfile::document::{Node, Value, json, yaml};
use crate::lockfile::reading::shown;

/// Longest page that is read, in bytes, and longest answer: all products together have a tenth of it.
const LONGEST: usize = 32 << 20;

fn refuse(file: &Arc<str>, message: String) -> Problem {
    Problem { file: Arc::clone(file), line: None, message, unread: true }
}

fn text<'t>(file: &Arc<str>, bytes: &'t [u8]) -> Result<&'t str, Problem> {
    if bytes.len() > LONGEST {
        return Err(refuse(file, format!("The file has {} bytes; at most {LONGEST} are read.", bytes.len())));
    }
    std::str::from_utf8(bytes).map_err(|_| refuse(file, "The file is not UTF-8.".to_owned()))
}

/// Reads a page: the product's id, which is its address there, and the product.
///
/// # Errors
/// Where the file has no front matter, or none with an address and releases.
pub fn front_matter(file: &Arc<str>, bytes: &[u8]) -> Result<(String, Product), Problem> {
    let text = text(file, bytes)?;
    let body = text.trim_start_matches('\u{feff}').strip_prefix("---");
    let matter = body.map(|b| b.split("\n---").next().unwrap_or(b));
    let matter =
        matter.ok_or_else(|| refuse(file, "The file does not begin with front matter.".to_owned()))?;
    let (documents, broken) = yaml(matter);
    if let Some(broken) = broken {
        return Err(refuse(file, format!("The front matter is no YAML: {}.", broken.message)));
    }
    let root = documents.into_iter().next().unwrap_or_default();
    let id = root.text_of("permalink").trim_matches('/').to_owned();
    if id.is_empty() || root.items_of("releases").is_empty() {
        return Err(refuse(file, "The front matter has no `permalink` or no `releases`.".to_owned()));
    }
    let releases = root.items_of("releases").iter().map(|node| Cycle {
        name: node.text_of("releaseCycle").to_owned(),
        codename: codename(node.text_of("codename")),
        released: node.text_of("releaseDate").parse().ok(),
        ends: end(node.get("eol"), End::Open),
        extended: end(node.get("eoes"), End::Past),
    });
    let cycles = releases.filter(|c| !c.name.is_empty()).collect();
    Ok((id, Product { title: root.text_of("title").to_owned(), cycles }))
}

/// The first word of a release's other name, as images and packages write it.
fn codename(words: &str) -> String {
    words.split_whitespace().next().unwrap_or("").to_lowercase()
}

/// A day, or whether it has ended.
fn end(node: Option<&Node<'_>>, none: End) -> End {
    match node.map(|n| &n.value) {
        Some(Value::Flag(true)) => End::Past,
        Some(Value::Flag(false)) => End::Open,
        Some(Value::Text(day)) => day.parse().map_or(none, End::On),
        _ => none,
    }
}

/// Reads an answer of the API, of one product or of all: ids and products, and what could not be understood.
pub fn api(file: &Arc<str>, bytes: &[u8]) -> (Vec<(String, Product)>, Vec<Problem>) {
    let text = match text(file, bytes) {
        Ok(text) => text,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let (root, broken) = json(text);
    let mut problems: Vec<Problem> = broken
        .map(|b| refuse(file, format!("This cannot be read as JSON: {}.", b.message)))
        .into_iter()
        .collect();
    let one = std::slice::from_ref(root.get("result").unwrap_or(&root));
    let nodes = match root.get("result").map(|r| &r.value) {
        Some(Value::List(items)) => &items[..],
        _ => one,
    };
    let mut products = Vec::new();
    for node in nodes {
        let id = node.text_of("name");
        if id.is_empty() || node.get("releases").is_none() {
            if problems.len() < 50 {
                problems.push(refuse(file, format!("`{}` is no product with releases.", shown(id))));
            }
            continue;
        }
        let cycles = node.items_of("releases").iter().map(|release| Cycle {
            name: release.text_of("name").to_owned(),
            codename: codename(release.text_of("codename")),
            released: release.text_of("releaseDate").parse().ok(),
            ends: since(release, "isEol", "eolFrom", End::Open),
            extended: since(release, "isEoes", "eoesFrom", End::Past),
        });
        let cycles = cycles.filter(|c| !c.name.is_empty()).collect();
        products.push((id.to_owned(), Product { title: node.text_of("label").to_owned(), cycles }));
    }
    (products, problems)
}

fn since(node: &Node<'_>, flag: &str, day: &str, none: End) -> End {
    match (node.text_of(day).parse(), node.get(flag)) {
        (Ok(day), _) => End::On(day),
        (Err(_), Some(known)) => end(Some(known), none),
        (Err(_), None) => none,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_page() {
        let text = "---\ntitle: Shop\npermalink: /shop\nreleases:\n  - releaseCycle: \"3.10\"\n    codename: Big Fish\n    releaseDate: 2024-01-01\n    eol: 2026-01-01\n    eoes: 2028-01-01\n  - releaseCycle: 2\n    eol: true\n  - releaseCycle: \"4\"\n    eol: false\n---\n\n# Shop\n\n--- [\n";
        let (id, product) = front_matter(&"shop.md".into(), text.as_bytes()).unwrap();
        assert_eq!((id.as_str(), product.title.as_str()), ("shop", "Shop"));
        assert_eq!(product.cycles[0].name, "3.10");
        assert_eq!(product.cycles[0].codename, "big");
        assert_eq!(product.cycles[0].ends, End::On(date(2026, 1, 1)));
        assert_eq!(product.cycles[0].extended, End::On(date(2028, 1, 1)));
        assert_eq!((product.cycles[1].ends, product.cycles[2].ends), (End::Past, End::Open));
        for broken in ["", "# Shop", "---\ntitle: x\n---\n", "---\n[\n---\n", "---\na: &a [*a]\n"] {
            assert!(front_matter(&"shop.md".into(), broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_answer() {
        let text = r#"{"schema_version": "1.2.0", "result": {"name": "shop", "label": "Shop", "releases": [
            {"name": "3.4", "codename": null, "releaseDate": "2024-12-24", "isEol": false, "eolFrom": "2028-03-31"},
            {"name": "3.3", "isEol": true, "eolFrom": null, "isEoes": false, "eoesFrom": null}]}}"#;
        let (products, problems) = api(&"shop.json".into(), text.as_bytes());
        assert_eq!(problems, []);
        let cycles = &products[0].1.cycles;
        assert_eq!(cycles[0].ends, End::On(date(2028, 3, 31)));
        assert_eq!((cycles[1].ends, cycles[1].extended), (End::Past, End::Open));
        let all =
            format!("{{\"result\": [{}, {{}}]}}", &text[text.find("{\"name\"").unwrap()..text.len() - 1]);
        let (products, problems) = api(&"all.json".into(), all.as_bytes());
        assert_eq!((products.len(), problems.len()), (1, 1));
        assert_eq!(api(&"x".into(), b"junk").1.len(), 2);
        assert_eq!(api(&"x".into(), &[0xff]).1.len(), 1);
    }

    #[test]
    fn pages_of_endoflife_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/endoflife");
        let Ok(entries) = std::fs::read_dir(&folder) else { return };
        let mut read = 0;
        for entry in entries {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let (id, product) = front_matter(&path.to_string_lossy().into(), &bytes).unwrap();
            let known = super::super::Table::built_in().product(&id);
            // What is built in says the same as the pages it was taken from.
            for cycle in known.map_or(&[][..], |k| &k.cycles) {
                let same = product.cycles.iter().find(|c| c.name == cycle.name);
                assert!(
                    same.is_some_and(|s| (s.ends, s.released) == (cycle.ends, cycle.released)),
                    "{id} {cycle:?} {same:?}"
                );
            }
            read += 1;
        }
        assert!(read > 20);
    }
}
