//! The product's own scan does not read the templates of these pages: this does, for the same faults.

use std::path::Path;

use crate::probes::tags;

fn texts(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn under(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found
}

#[test]
fn no_template_lets_anything_out() {
    let found = under("templates");
    assert!(found.len() > 30);
    for (path, text) in found {
        for filter in
            ["|safe", "| safe", "|escape(", "| escape(", "{% autoescape", "javascript:", "escape=\"none\""]
        {
            assert!(!text.contains(filter), "{path}: {filter}");
        }
        for (tag, attributes) in tags(&text) {
            for (name, value) in &attributes {
                assert!(
                    !name.starts_with("on") && name != "style" && name != "srcdoc",
                    "{path}: <{tag} {name}>"
                );
                assert!(!(name == "target" && value == "_blank"), "{path}: <{tag} target=_blank>");
            }
            let has = |name: &str| attributes.iter().any(|(n, _)| n == name);
            assert!(tag != "script" || has("src"), "{path}: a script of its own");
            assert!(!["iframe", "object", "embed", "base"].contains(&tag.as_str()), "{path}: <{tag}>");
        }
        // A value outside quotes could bring an attribute of its own.
        for (at, _) in text.match_indices("={{") {
            let tag = &text[text[..at].rfind('<').unwrap()..at];
            assert!(tag.matches('"').count() % 2 == 1, "{path}: {tag}={{{{");
        }
        for form in text.split("<form").skip(1) {
            let (head, body) = form.split_once('>').unwrap();
            let body = body.split("</form>").next().unwrap();
            let posts = head.contains("method=\"post\"");
            // Those that stand before any session are kept by the guard.
            let gate = ["sign_in.html", "sign_in_code.html", "setup.html", "join.html"]
                .iter()
                .any(|g| path.ends_with(g));
            assert!(!posts || gate || body.contains("name=\"csrf\""), "{path}: {head}");
            assert!(!body.contains("name=\"csrf\"") || posts, "{path}: a token in an address");
        }
    }
}

#[test]
fn only_the_one_kind_of_markup_is_put_out_as_it_is() {
    for (path, text) in under("src") {
        let here = path.replace('\\', "/");
        assert!(
            !text.contains("HtmlSafe") || here.ends_with("src/markdown.rs") || here.contains("/src/chart/"),
            "{path}"
        );
        assert!(!text.contains("Html(format!"), "{path}");
    }
    for (path, text) in under("static") {
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setTimeout(\"",
        ] {
            assert!(!path.ends_with(".js") || !text.contains(way), "{path}: {way}");
        }
        assert!(!path.ends_with(".svg") || !text.contains("<script"), "{path}");
        assert!(!path.ends_with(".css") || !text.contains("http"), "{path}");
    }
}
