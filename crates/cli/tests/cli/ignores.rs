//! Findings set aside, and ignores that are out of date.

use crate::support::{Project, UNSAFE, USERS, active, suppressed};

const ALL: [&str; 2] = ["--only", "sql-injection,unused-ignore,expired-ignore"];

fn with(ignore: &str) -> Project {
    let project = Project::rails();
    project.write(".wardroom-ignore.toml", ignore);
    project
}

#[test]
fn in_a_comment() {
    for (code, reason) in [
        (UNSAFE.replace("]}'\")", "]}'\") # wardroom:ignore sql-injection -- ours"), "ours"),
        (
            UNSAFE.replace(
                "    @users",
                "    # wardroom:ignore xss,sql-injection -- ours -- really\n    @users",
            ),
            "ours -- really",
        ),
        (
            UNSAFE.replace("    @users", "    # wardroom:ignore all -- ours\n\n    # more words\n    @users"),
            "ours",
        ),
    ] {
        let project = Project::rails();
        project.write(USERS, &code);
        let report = project.json(&["--only", "sql-injection"]);
        assert_eq!(active(&report), [""; 0], "{code}");
        assert_eq!(suppressed(&report), [format!("inline {reason}")]);
        assert_eq!(project.run(&["scan", "--only", "sql-injection"]).code, 0);
        // The second time from the cache.
        assert_eq!(suppressed(&project.json(&["--only", "sql-injection"])), [format!("inline {reason}")]);
    }
}

#[test]
fn a_comment_covers_its_own_rule_and_place_only() {
    for code in [
        UNSAFE.replace("    @users", "    # wardroom:ignore open-redirect -- no\n    @users"),
        UNSAFE.replace("    @users", "    # wardroom:ignore sql-injection -- no\n    x = 1\n    @users"),
        UNSAFE
            .replace("    @users", "    @x = \"# wardroom:ignore sql-injection -- in a string\"\n    @users"),
        UNSAFE.replace("  def", "  # wardroom:ignore\n  def"),
    ] {
        let project = Project::rails();
        project.write(USERS, &code);
        let report = project.json(&["--only", "sql-injection"]);
        assert_eq!(active(&report).len(), 1, "{code}");
    }
}

#[test]
fn without_a_reason_it_counts_and_is_told() {
    let project = Project::rails();
    project.write(USERS, UNSAFE.replace("    @users", "    # wardroom:ignore sql-injection\n    @users"));
    let report = project.json(&["--only", "sql-injection"]);
    assert_eq!(active(&report), [""; 0]);
    let problem = &report["problems"][0];
    assert_eq!((problem["file"].as_str(), problem["line"].as_u64()), (Some(USERS), Some(3)));
    assert!(problem["message"].as_str().is_some_and(|m| m.contains("gives no reason")), "{problem}");
}

#[test]
fn an_unused_comment_is_reported() {
    let project = Project::rails();
    project.write(
        "app/models/user.rb",
        "class User < ApplicationRecord\n  # wardroom:ignore sql-injektion -- typo\n  X = 1\nend\n",
    );
    let report = project.json(&["--only", "unused-ignore"]);
    assert_eq!(active(&report), ["app/models/user.rb:2 unused-ignore"]);
    let finding = &report["findings"][0];
    assert!(
        finding["message"].as_str().is_some_and(|m| m.contains("did you mean `sql-injection`?")),
        "{finding}"
    );
    assert_eq!((finding["severity"].as_str(), finding["cwe"].as_u64()), (Some("low"), Some(710)));
    assert_eq!(project.run(&["scan", "--only", "unused-ignore"]).code, 0);
    assert_eq!(project.run(&["scan", "--only", "unused-ignore", "--fail-on", "low"]).code, 1);
}

#[test]
fn in_templates() {
    for (path, text) in [
        ("app/views/users/index.html.erb", "<%# wardroom:ignore unused-ignore -- x %>\n<p><%= 1 %></p>\n"),
        ("app/views/users/index.html.haml", "-# wardroom:ignore unused-ignore -- x\n%p= 1\n"),
        ("app/views/users/index.html.slim", "/ wardroom:ignore unused-ignore -- x\np = 1\n"),
    ] {
        let project = Project::rails();
        project.write(path, text);
        // Nothing is there to be covered, so that it is read shows in its being reported.
        assert_eq!(project.found(&["--only", "unused-ignore"]), [format!("{path}:1 unused-ignore")]);
    }
}

#[test]
fn by_fingerprint_it_follows_the_finding() {
    let project = Project::rails();
    let print = project.json(&["--only", "sql-injection"])["findings"][0]["fingerprint"]
        .as_str()
        .expect("a fingerprint")
        .to_owned();
    project.write(
        ".wardroom-ignore.toml",
        format!("[[ignore]]\nfingerprint = \"{print}\"\nreason = \"checked\"\n"),
    );
    project.write(USERS, format!("# moved\n\n\n{UNSAFE}"));
    let report = project.json(&ALL);
    assert_eq!((active(&report), suppressed(&report)), (vec![], vec!["file checked".to_owned()]));
}

#[test]
fn by_rule_and_place() {
    for (entry, covers) in [
        ("rule = 'sql-injection'\nfile = 'app/controllers/users_controller.rb'", true),
        ("rule = 'sql-injection'\nfile = 'app/controllers/users_controller.rb'\nline = 3", true),
        ("rule = 'all'\nfile = 'app/controllers/users_controller.rb'", true),
        ("rule = 'sql-injection'\nfile = 'app/controllers/users_controller.rb'\nline = 4", false),
        ("rule = 'sql-injection'\nfile = 'users_controller.rb'", false),
        ("rule = 'open-redirect'\nfile = 'app/controllers/users_controller.rb'", false),
    ] {
        let project = with(&format!("[[ignore]]\n{entry}\nreason = 'r'\n"));
        let report = project.json(&ALL);
        let expected: &[&str] = if covers {
            &[]
        } else {
            &["app/controllers/users_controller.rb:3 sql-injection", ".wardroom-ignore.toml:1 unused-ignore"]
        };
        assert_eq!(active(&report), expected, "{entry}");
    }
}

#[test]
fn in_the_programme_too() {
    let project = Project::rails();
    let entry =
        "[[ignore]]\nrule = 'sql-injection'\nfile = 'app/controllers/users_controller.rb'\nreason = 'r'\n";
    project.write("program/scans/ignores.toml", entry);
    assert_eq!(suppressed(&project.json(&ALL)), ["file r"]);
}

#[test]
fn an_ignore_expires() {
    let entry = |day: &str| {
        format!(
            "[[ignore]]\nrule = 'sql-injection'\nfile = 'app/controllers/users_controller.rb'\nreason = 'r'\nexpires = {day}\n"
        )
    };
    // Today is 2026-11-23.
    for day in ["'2026-11-23'", "'2027-01-31'", "2026-11-23"] {
        let report = with(&entry(day)).json(&ALL);
        assert_eq!((active(&report), suppressed(&report).len()), (vec![], 1), "{day}");
    }
    for day in ["'2026-11-22'", "'2020-02-29'", "2026-11-22"] {
        let report = with(&entry(day)).json(&ALL);
        let expected =
            ["app/controllers/users_controller.rb:3 sql-injection", ".wardroom-ignore.toml:1 expired-ignore"];
        assert_eq!(active(&report), expected, "{day}");
    }
}

#[test]
fn a_broken_ignore_file_is_wrong_use() {
    for (text, said) in [
        ("[[ignore]]\nrule = 'x'\n", ".wardroom-ignore.toml:1"),
        ("[[ignore]]\nfingerprint = 'x'\nexpires = '2027-02-30'\n", "no date"),
        ("[[ignored]]\n", "unknown field"),
        ("]", "line 1"),
    ] {
        let run = with(text).run(&["scan"]);
        assert_eq!(run.code, 2);
        assert!(run.err.contains(said), "{}", run.err);
    }
}

#[test]
fn another_tools_file_is_carried_over() {
    let project = Project::rails();
    let warning = |kind: &str, file: &str, line: u32, note: &str| serde_json::json!({ "warning_type": kind, "fingerprint": "0123456789abcdef", "file": file, "line": line, "note": note });
    let file = serde_json::json!({ "ignored_warnings": [
        warning("SQL Injection", USERS, 17, "the \"name\" is checked"),
        warning("SQL Injection", USERS, 3, ""),
        warning("Command Injection", "lib/tool.rb", 3, ""),
        warning("SQL Injection", "(engine:other) app/models/x.rb", 3, ""),
        warning("Weather", USERS, 3, ""),
        warning("SQL Injection", USERS, 103, ""),
    ]});
    project.write("config/brakeman.ignore", file.to_string());
    let run = project.run(&["scan", "--import-ignores", "config/brakeman.ignore"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("1 of 6 ignored warnings carried over"), "{}", run.out);
    assert!(run.out.contains("1 more are covered"), "{}", run.out);
    for said in [
        "lib/tool.rb:3  Command Injection (0123456789ab): nothing of this class",
        "outside this tree",
        "no rule here looks for this class",
    ] {
        assert!(run.out.contains(said), "{said}: {}", run.out);
    }
    let report = project.json(&ALL);
    assert_eq!(
        (active(&report), suppressed(&report)),
        (vec![], vec!["file the \"name\" is checked".to_owned()])
    );
    // Again: nothing is written twice.
    let before = project.read(".wardroom-ignore.toml");
    assert!(project.run(&["scan", "--import-ignores", "config/brakeman.ignore"]).out.contains("0 of 6"));
    assert_eq!(project.read(".wardroom-ignore.toml"), before);
    project.write("config/brakeman.ignore", "{}");
    assert_eq!(project.run(&["scan", "--import-ignores", "config/brakeman.ignore"]).code, 2);
}
