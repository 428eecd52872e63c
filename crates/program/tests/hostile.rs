//! Texts that nobody wrote in good faith, or that somebody is still writing: each ends soon, in words.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use wardroom_program::{File, Problem, built_in, load};

fn with(path: &str, text: &str) -> Vec<Problem> {
    let mut files = built_in().to_vec();
    files.retain(|f| f.path != path);
    files.push(File { path: path.to_owned(), text: text.to_owned() });
    load(&files).problems
}

/// The first problem of a file, which must be found within a second.
fn first(text: &str) -> String {
    let begun = Instant::now();
    let problems = with("kinds/thing.yaml", text);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let first = problems.iter().find(|p| p.file == "kinds/thing.yaml").expect("a problem");
    assert!(first.message.chars().count() < 200, "{}", first.message);
    assert!(!first.message.contains(char::is_control), "{}", first.message);
    first.to_string().replace("kinds/thing.yaml:", "")
}

fn hold(wrong: &mut Vec<String>, text: &str, expected: &str) {
    let found = first(text);
    if found != expected {
        let text: String = text.chars().take(30).collect();
        wrong.push(format!("{text:?}\n  found    {found}\n  expected {expected}"));
    }
}

#[test]
fn aliases_do_not_multiply() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for n in 1..12 {
        let each = vec![format!("*a{}", n - 1); 9].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{each}]\n"));
    }
    assert_eq!(first(&text), "1:9: anchors and aliases are not read here; write the value out");
    assert_eq!(first("a: &b {<<: *b}"), "1:7: anchors and aliases are not read here; write the value out");
}

#[test]
fn depth_ends() {
    let mut wrong = Vec::new();
    hold(&mut wrong, &"[".repeat(100_000), "1:17: this is nested too deeply");
    hold(&mut wrong, &"- ".repeat(50_000), "1:33: this is nested too deeply");
    let nested: String = (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    hold(&mut wrong, &nested, "17:17: this is nested too deeply");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let path = "wardroom.toml";
    let toml = format!("name = {}1", "[".repeat(100_000));
    assert!(with(path, &toml).iter().any(|p| p.file == path));
    let dotted = format!("{}a = 1", "a.".repeat(50_000));
    assert!(with(path, &dotted).iter().any(|p| p.file == path));
}

#[test]
fn size_ends() {
    let mut wrong = Vec::new();
    let long = " the file has 10000000 bytes; at most 262144 are read";
    hold(&mut wrong, &"a".repeat(10_000_000), long);
    hold(&mut wrong, &"- a\n".repeat(60_000), "40000:3: the file holds more than a program needs");
    hold(
        &mut wrong,
        &"a: ".repeat(80_000),
        "1:5: this is no YAML: mapping values are not allowed in this context",
    );
    hold(
        &mut wrong,
        &format!("a: {}", "\"".repeat(200_000)),
        "1:6: this is no YAML: invalid trailing content after double-quoted scalar",
    );
    hold(&mut wrong, &"? ".repeat(60_000), "1:33: this is nested too deeply");
    hold(&mut wrong, &"{a: {b: ".repeat(10_000), "1:65: this is nested too deeply");
    hold(&mut wrong, &"#\n".repeat(120_000), "60000:1: the file holds more than a program needs");
    let wide: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    hold(&mut wrong, &wide, "20000:9: the file holds more than a program needs");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn signs_that_no_person_types() {
    let mut wrong = Vec::new();
    hold(&mut wrong, "kind: thing\0", "1:12: a control character stands here");
    hold(&mut wrong, "kind: \u{1b}[31mthing", "1:7: a control character stands here");
    hold(
        &mut wrong,
        "kind: thing\n\tprefix: T",
        "1:7: this is no YAML: while scanning a plain scalar, found a tab; indent with spaces",
    );
    hold(
        &mut wrong,
        "!!python/object:os.system x",
        "1:27: this is no YAML: unsupported tag `!!python/object:os.system`",
    );
    hold(&mut wrong, "%YAML 9.9\n---\nkind: thing", "1:1: this is no YAML: unsupported YAML major version");
    hold(&mut wrong, "kind: thing\n---\nkind: thing", "2:1: a file holds one document");
    hold(&mut wrong, "? [a]\n: b", "1:3: this is no YAML: expected string scalar");
    hold(&mut wrong, "# nothing\n", " the file is empty");
    hold(
        &mut wrong,
        "kind: .nan",
        "1:7: this is no YAML: non-finite float `.nan` rejected by the configured policy",
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_yaml_allows_and_a_program_does_not() {
    for (text, expected) in [
        ("kind: \"a\\0b\"", "kinds/thing.yaml:1:7: the text holds a control character"),
        ("kind: thing\nkind: other", "kinds/thing.yaml:2:1: `kind` stands here twice"),
        ("\u{feff}kind: other", "kinds/thing.yaml:1:7: the kind and its file have different names"),
        ("1: b", "kinds/thing.yaml:1:1: `1` is unknown here"),
        ("just words", "kinds/thing.yaml:1:1: a mapping is needed, not a text"),
        ("- a", "kinds/thing.yaml:1:1: a mapping is needed, not a list"),
    ] {
        let found: Vec<String> = with("kinds/thing.yaml", text).iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|p| p.starts_with(expected)), "{text:?} {found:?}");
    }
}

#[test]
fn conditions_end() {
    let finding = &built_in().iter().find(|f| f.path == "kinds/finding.yaml").expect("the file").text;
    for condition in [
        "(".repeat(900),
        "!".repeat(900) + "open",
        "-".repeat(900) + "1 == 1",
        "[".repeat(900),
        "size(".repeat(180) + "'a'",
        "open ? ".repeat(100) + "open",
        "open && ".repeat(100) + "open",
        "(".repeat(50_000),
        "labels.map(a, labels.map(b, labels.map(c, a)))".to_owned(),
        "1 / 0 == 1".to_owned(),
        "'a'.matches('(a{1000}){1000}')".to_owned(),
    ] {
        let text = finding.replacen("severity == 'critical'", &condition, 1);
        let begun = Instant::now();
        let mut files = built_in().to_vec();
        files.retain(|f| f.path != "kinds/finding.yaml");
        files.push(File { path: "kinds/finding.yaml".to_owned(), text });
        // Some of these are right; asked, they must end as well.
        if let Some(program) = load(&files).program {
            program.test();
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{condition:.60} {:?}", begun.elapsed());
    }
}

#[test]
fn half_of_a_file_is_no_panic() {
    for file in built_in() {
        let ends: Vec<usize> = file.text.char_indices().map(|(at, _)| at).step_by(97).collect();
        for end in ends {
            with(&file.path, &file.text[..end]);
        }
    }
}

const PATHS: [&str; 5] = [
    "kinds/finding.yaml",
    "kinds/thing.yaml",
    "policies/roles.yaml",
    "policies/identity.yaml",
    "wardroom.toml",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_taken(path in 0..PATHS.len(), text in any::<String>()) {
        with(PATHS[path], &text);
    }

    #[test]
    fn any_text_of_the_signs_of_yaml_is_taken(path in 0..PATHS.len(), text in "[ \n\t:{}\\[\\]\"'a-c0-9#&*!|>%@,=?-]{0,200}") {
        with(PATHS[path], &text);
    }

    /// A good file with one piece replaced: near enough to right for every check to be reached.
    #[test]
    fn a_spoiled_file_is_taken(
        file in 0..9_usize,
        from in 0.0..1.0_f64,
        long in 0..40_usize,
        piece in "[ \n:{}\\[\\]\"'a-z0-9_=<>&|(),.-]{0,20}",
    ) {
        let file = &built_in()[file];
        let chars: Vec<char> = file.text.chars().collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let from = (from * chars.len() as f64) as usize;
        let to = (from + long).min(chars.len());
        let text: String = chars[..from].iter().copied().chain(piece.chars()).chain(chars[to..].iter().copied()).collect();
        for problem in with(&file.path, &text) {
            prop_assert!(!problem.message.contains('\n'), "{problem}");
            let lines = u32::try_from(text.lines().count()).expect("few") + 1;
            prop_assert!(problem.file != file.path || problem.line <= lines, "{problem}");
        }
    }
}
