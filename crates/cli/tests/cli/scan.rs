//! Options, formats, exit codes, cache.

use std::fs;
use std::process::Stdio;

use crate::support::{Project, Run, UNSAFE, USERS, active, names, suppressed};

const FOUND: &str = "app/controllers/users_controller.rb:3 sql-injection";
/// The rules that this file's tests are about; others may come and find more in the same code.
const ONLY: [&str; 2] = ["--only", "sql-injection"];

#[test]
fn a_sure_finding_is_exit_code_1() {
    let project = Project::rails();
    let run = project.run(&["scan", "--only", "sql-injection"]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains("app/controllers/users_controller.rb:3"), "{}", run.out);
    assert!(run.out.contains("GET /users"), "{}", run.out);
    assert_eq!(run.err, "");
}

#[test]
fn fail_on_moves_the_line() {
    let project = Project::rails();
    let code = |arguments: &[&str]| project.run(&[&["scan"], &ONLY[..], arguments].concat()).code;
    assert_eq!(code(&["--fail-on", "never"]), 0);
    assert_eq!(code(&["--fail-on", "critical"]), 0);
    assert_eq!(code(&["--fail-on", "high"]), 1);
    assert_eq!(code(&["--fail-on", "low:high"]), 1);
    assert_eq!(code(&["--severity", "critical"]), 0, "what is not shown does not count");
    // A parameter of a method that nobody calls: worth a look, no more.
    project.write(USERS, "class UsersController < ApplicationController\nend\n");
    project.write(
        "app/models/user.rb",
        "class User < ApplicationRecord\n  def self.by(name)\n    where(\"name = '#{name}'\")\n  end\nend\n",
    );
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "medium:medium"]), 1);
    assert_eq!(code(&["--fail-on", "medium"]), 1);
    assert_eq!(code(&["--fail-on", "medium", "--min-confidence", "high"]), 0);
}

#[test]
fn rules_are_chosen() {
    let project = Project::rails();
    assert_eq!(project.found(&ONLY), [FOUND]);
    assert!(!project.found(&["--skip", "sql-injection"]).contains(&FOUND.to_owned()));
    assert_eq!(
        project.found(&["--only", "unused-ignore,sql-injection", "--only", "expired-ignore"]),
        [FOUND]
    );
    assert_eq!(project.found(&["--only", "sql-injection", "--skip", "sql-injection"]), [""; 0]);
    let run = project.run(&["scan", "--only", "sql-injektion"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("did you mean `sql-injection`?"), "{}", run.err);
}

#[test]
fn wrong_use_is_exit_code_2() {
    let project = Project::rails();
    for arguments in [
        &["scan", "--format", "pdf"][..],
        &["scan", "--nonsense"],
        &["scan", "--severity", "huge"],
        &["scan", "--fail-on", "huge"],
        &["scan", "--threads", "0"],
        &["scan", "--baseline", "missing.json"],
        &["scan", "--baseline", "Gemfile.lock"],
        &["scan", "--knowledge", "missing.toml"],
        &["scan", "--explain", "nothing"],
        &["scan", "--import-ignores", "missing"],
        &["scan", "--changed-since", "main"],
        &["explain", "nothing"],
        &["surface", "--verb", "gets"],
        &[],
    ] {
        let run = project.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.err);
        assert!(!run.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_cannot_run_is_exit_code_3() {
    let project = Project::rails();
    let run = project.run(&["scan", "nowhere"]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("nowhere cannot be scanned: No such file"), "{}", run.err);
    let run = project.run(&["scan", "--output", "missing/report.txt"]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("the folder missing cannot be used"), "{}", run.err);
    let run = project.run(&["scan", "--output", "app"]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("is a folder"), "{}", run.err);
}

#[test]
fn every_format_is_written_whole() {
    let project = Project::rails();
    for (format, sign) in [
        ("text", "sql-injection"),
        ("json", "\"schema\""),
        ("sarif", "\"$schema\""),
        ("gitlab-sast", "\"vulnerabilities\""),
        ("html", "<!doctype html>"),
        ("csv", "sql-injection"),
        ("markdown", "sql-injection"),
        ("github", "::"),
    ] {
        let file = project.beside(format);
        let run = project.run(&["scan", "--format", format, "--output", file.to_str().expect("a name")]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{format}: {}", run.err);
        let written = fs::read_to_string(&file).expect("the report");
        assert!(written.to_lowercase().contains(&sign.to_lowercase()), "{format}: {written}");
        let shown = project.run(&["scan", "--format", format]).out;
        if format != "text" {
            // All but the times of the phases.
            assert_eq!(shown.lines().count(), written.lines().count(), "{format}");
        }
    }
    assert!(names(&project.beside(".")).iter().all(|n| !n.ends_with(".tmp")), "nothing is left over");
}

#[cfg(unix)]
#[test]
fn an_output_that_fails_leaves_the_old_file() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::rails();
    let file = project.beside("report.json");
    fs::write(&file, "old").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("permissions");
    let run = project.run(&[
        "scan",
        "--format",
        "json",
        "--knowledge",
        "missing",
        "-o",
        file.to_str().expect("a name"),
    ]);
    assert_eq!(run.code, 2);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "old");
    project.run(&["scan", "--format", "json", "-o", file.to_str().expect("a name")]);
    assert!(fs::read_to_string(&file).expect("a file").starts_with('{'));
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_device_is_written_to() {
    let run = Project::rails().run(&["scan", "--format", "csv", "--output", "/dev/stdout", "--quiet"]);
    assert!(run.out.contains("sql-injection"), "{}{}", run.out, run.err);
}

#[test]
fn quiet_says_nothing() {
    let run = Project::rails().run(&["scan", "--quiet"]);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (1, "", ""));
    let run = Project::empty().run(&["scan", "--quiet"]);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "", ""));
}

#[test]
fn colour_is_for_terminals() {
    let project = Project::rails();
    let coloured = |arguments: &[&str]| project.run(&[&["scan"], arguments].concat()).out.contains('\u{1b}');
    assert!(!coloured(&[]));
    assert!(coloured(&["--color", "always"]));
    assert!(!coloured(&["--color", "never"]));
    let mut command = project.command(&["scan"]);
    let forced = Run::of(command.env("CLICOLOR_FORCE", "1").output().expect("it runs"));
    assert!(forced.out.contains('\u{1b}'));
    let none = Run::of(command.env("NO_COLOR", "1").output().expect("it runs"));
    assert!(!none.out.contains('\u{1b}'));
}

#[test]
fn short_is_a_line_a_finding() {
    let run = Project::rails().run(&["scan", "--short", "--only", "sql-injection"]);
    assert_eq!(run.out.lines().filter(|l| l.contains("users_controller.rb:3")).count(), 1, "{}", run.out);
    assert!(!run.out.contains("Use instead"));
}

#[test]
fn statistics_go_to_standard_error() {
    let project = Project::rails();
    let run = project.run(&["scan", "--stats", "--format", "json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&run.out).is_ok());
    assert!(run.err.contains("follow data") && run.err.contains("sql-injection"), "{}", run.err);
    assert!(project.run(&["scan", "--stats"]).err.contains("earlier run"));
}

#[test]
fn a_rule_is_explained() {
    let project = Project::rails();
    for arguments in [&["scan", "--explain", "sql-injection"][..], &["explain", "sql-injection"]] {
        let run = project.run(arguments);
        assert_eq!(run.code, 0);
        assert!(run.out.contains("CWE-89") && run.out.contains("Use instead"), "{}", run.out);
    }
}

#[test]
fn rules_are_listed() {
    let project = Project::empty();
    let rules: Vec<serde_json::Value> =
        serde_json::from_str(&project.run(&["rules", "--format", "json"]).out).expect("JSON");
    assert!(rules.iter().any(|r| r["id"] == "sql-injection" && r["cwe"] == 89));
    let text = project.run(&["rules"]).out;
    let markdown = project.run(&["rules", "--format", "markdown"]).out;
    for rule in &rules {
        let id = rule["id"].as_str().expect("an id");
        assert!(text.contains(id) && markdown.contains(&format!("(rules/{id}.md)")), "{id}");
        assert_eq!(project.run(&["explain", id]).code, 0);
    }
}

#[test]
fn help_version_and_completions() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = project.run(&["completions", shell]);
        assert!(run.code == 0 && run.out.contains("wardroom"), "{shell}");
    }
    assert_eq!(project.run(&["--version"]).out, format!("wardroom {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["scan", "surface", "rules", "explain", "completions"] {
        let run = project.run(&[command, "--help"]);
        assert!(run.code == 0 && run.out.contains("Usage:"), "{command}");
        assert!(project.run(&["manual"]).out.contains(&format!("## `wardroom {command}`")));
    }
    assert!(project.run(&["scan", "--help"]).out.contains("Exit codes: 0 nothing"));
}

#[test]
fn a_baseline_takes_out_what_was_known() {
    let project = Project::rails();
    let known = project.beside("known.json");
    let known = known.to_str().expect("a name");
    project.run(&["scan", "--format", "json", "--output", known, "--min-confidence", "low"]);
    let run = project.run(&["scan", "--baseline", known]);
    assert_eq!(run.code, 0, "{}", run.out);
    // Lines move; one more comes.
    project.write(
        USERS,
        format!(
            "# moved\n\n{}",
            UNSAFE.replace(
                "@safe = User.where(name: params[:name])",
                "@more = User.where(\"id = #{params[:id]}\")"
            )
        ),
    );
    let report = project.json(&["--baseline", known, "--only", "sql-injection"]);
    assert_eq!(active(&report), ["app/controllers/users_controller.rb:6 sql-injection"]);
    assert_eq!(suppressed(&report), ["baseline in the baseline"]);
}

#[test]
fn an_unchanged_scan_comes_from_the_cache() {
    let project = Project::rails();
    let cache = project.beside(".cache/wardroom");
    let first = project.json(&[]);
    assert_eq!(names(&cache).len(), 1);
    let second = project.json(&[]);
    for part in ["findings", "endpoints", "rules", "problems", "summary"] {
        assert_eq!(first[part], second[part], "{part}");
    }
    assert_eq!(names(&cache).len(), 1);
    // Options that only choose do not make another.
    assert_eq!(project.found(&ONLY), [FOUND]);
    assert_eq!(names(&cache).len(), 1);
    // A damaged entry is as good as none.
    let entry = cache.join(&names(&cache)[0]);
    let mut bytes = fs::read(&entry).expect("an entry");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&entry, &bytes).expect("an entry");
    assert_eq!(project.json(&[])["findings"], first["findings"]);
    fs::write(&entry, b"").expect("an entry");
    assert_eq!(project.json(&[])["findings"], first["findings"]);
    // Another byte is another scan.
    project.write(USERS, UNSAFE.replace("'#{params[:name]}'", "?"));
    assert_eq!(project.found(&ONLY), [""; 0]);
    project.write(USERS, UNSAFE);
    assert_eq!(project.found(&["--no-cache", "--only", "sql-injection"]), [FOUND]);
    for n in 0..45 {
        project.write("app/models/user.rb", format!("class User < ApplicationRecord\n  N = {n}\nend\n"));
        project.run(&["scan", "--quiet"]);
    }
    assert_eq!(names(&cache).len(), 40, "the cache does not grow for ever");
}

#[test]
fn the_cache_is_private_and_optional() {
    let project = Project::rails();
    project.run(&["scan", "--no-cache"]);
    assert!(!project.beside(".cache").exists());
    let elsewhere = project.beside("elsewhere");
    Run::of(project.command(&["scan"]).env("XDG_CACHE_HOME", &elsewhere).output().expect("it runs"));
    assert_eq!(names(&elsewhere.join("wardroom")).len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(elsewhere.join("wardroom")).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o77, 0);
    }
    // A file where the folder should be: the scan does without.
    fs::write(project.beside("file"), "").expect("a file");
    let run = Run::of(
        project
            .command(&["scan", "--only", "sql-injection"])
            .env("XDG_CACHE_HOME", project.beside("file"))
            .output()
            .expect("it runs"),
    );
    assert_eq!((run.code, run.err.as_str()), (1, ""));
}

#[test]
fn users_add_knowledge() {
    let project = Project::rails();
    project.write(USERS, "class UsersController < ApplicationController\n  def index\n    Legacy.fetch_rows(params[:q])\n  end\nend\n");
    assert_eq!(project.found(&ONLY), [""; 0]);
    let sink = "[[sink]]\nkind = \"sql\"\non = [\"Legacy\"]\nmethods = [\"fetch_rows\"]\n";
    fs::write(project.beside("more.toml"), sink).expect("a file");
    assert_eq!(project.found(&["--only", "sql-injection", "--knowledge", "../more.toml"]), [FOUND]);
    project.write("program/scans/legacy.toml", sink);
    assert_eq!(project.found(&ONLY), [FOUND]);
    project.write("program/scans/legacy.toml", "[[sink]]\nkind = \"sqll\"\n");
    let run = project.run(&["scan"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("program/scans/legacy.toml") && run.err.contains("line 2"), "{}", run.err);
}

#[test]
fn a_single_file_of_an_application() {
    let project = Project::rails();
    assert_eq!(project.found(&["--only", "sql-injection", USERS]), [FOUND]);
    assert_eq!(project.found(&["app/models/user.rb"]), [""; 0]);
    // Beside no application.
    fs::write(project.beside("script.rb"), "puts 1\n").expect("a file");
    let run = project.run(&["scan", "../script.rb"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("1 Ruby file"), "{}", run.out);
    fs::write(project.beside("notes.txt"), "hello\n").expect("a file");
    let run = project.run(&["scan", "../notes.txt"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("neither Ruby nor"), "{}", run.err);
}

#[test]
fn threads_do_not_change_the_result() {
    let project = Project::rails();
    let one = project.json(&["--threads", "1", "--no-cache"]);
    let four = project.json(&["--threads", "4", "--no-cache"]);
    assert_eq!(one["findings"], four["findings"]);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let project = Project::rails();
    for arguments in [
        &["scan", "--only", "sql-injection", "--format", "json"][..],
        &["surface", "--format", "json"],
        &["rules", "--format", "json"],
        &["manual"],
    ] {
        let mut child = project
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert!(output.status.code().is_some_and(|c| c < 2), "{arguments:?}: {:?}", output.status);
    }
}
