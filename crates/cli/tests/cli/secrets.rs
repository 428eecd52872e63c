//! Secrets: in a tree, in what is staged, in a range, in the whole history, and at a provider.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use crate::support::{Project, Run};

/// Looks made up, and is: the last six are its checksum.
fn github_token() -> String {
    ["ghp_", "Zr8Kq2Lw7", "Nx4Vb9Tm1Yc6", "Hd3Js5Pf0"].concat() + &checksum("Zr8Kq2Lw7Nx4Vb9Tm1Yc6Hd3Js5Pf0")
}

fn checksum(text: &str) -> String {
    let mut crc = !0u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut number = !crc;
    let digits: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let mut out = Vec::new();
    for _ in 0..6 {
        out.push(digits[(number % 62) as usize]);
        number /= 62;
    }
    out.into_iter().rev().collect()
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {}{}", run.out, run.err))
}

fn places(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let place = |f: &serde_json::Value| {
        format!(
            "{}:{} {}",
            f["location"]["file"].as_str().unwrap_or(""),
            f["location"]["start"]["line"],
            f["rule"].as_str().unwrap_or("")
        )
    };
    findings.iter().filter(|f| f["suppression"].is_null()).map(place).collect()
}

#[test]
fn a_tree_and_nothing_of_the_secret_in_any_format() {
    let project = Project::empty();
    let token = github_token();
    let password = "tr0ub4dor&3x";
    project
        .write("config/a.yml", format!("host: db.acme.net\nuser: x\npassword: {password} # also {token}\n"));
    project.write("lib/b.rb", format!("B = '{token}'\n"));
    for format in ["text", "json", "sarif", "gitlab-sast", "html", "csv", "markdown", "github"] {
        let run = project.run(&["secrets", "--format", format]);
        assert_eq!(run.code, 1, "{format}: {}", run.err);
        for secret in [token.as_str(), &token[4..], password] {
            assert!(!run.out.contains(secret) && !run.err.contains(secret), "{format}: {}", run.out);
        }
    }
    let report = json(&project.run(&["secrets", "--format", "json"]));
    assert_eq!(places(&report), ["config/a.yml:3 secret-github", "config/a.yml:3 secret-password"]);
    // Two places, one finding.
    assert_eq!(report["findings"][0]["places"][0]["file"], "lib/b.rb");
    let name = |run: &Run| json(run)["findings"][0]["fingerprint"].as_str().expect("a name").to_owned();
    let plain = name(&project.run(&["secrets", "--format", "json"]));
    project.write("program/scans/secrets.salt", "a salt of ours");
    assert_ne!(plain, name(&project.run(&["secrets", "--format", "json"])));
}

#[test]
fn what_is_allowed_is_quiet() {
    let project = Project::empty();
    let token = github_token();
    project.write("a.rb", format!("A = '{token}' # gitleaks:allow\n"));
    assert_eq!(project.run(&["secrets"]).code, 0);
    project.write("a.rb", format!("# wardroom:ignore secret-github -- revoked\nA = '{token}'\n"));
    let run = project.run(&["secrets", "--format", "json"]);
    assert_eq!(run.code, 0);
    assert_eq!(json(&run)["findings"][0]["suppression"]["reason"], "revoked");
    project.write("a.rb", format!("A = '{token}'\n"));
    assert_eq!(project.run(&["secrets"]).code, 1);
    project.write(".gitleaks.toml", "[allowlist]\npaths = ['''^a\\.rb$''']\n");
    assert_eq!(project.run(&["secrets"]).code, 0);
    project.write(".gitleaks.toml", "[allowlist]\npaths = ['''(''']\n");
    let run = project.run(&["secrets"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains(".gitleaks.toml") && run.err.contains("`(`"), "{}", run.err);
    project.write(".gitleaks.toml", "");
    project.write(".gitleaksignore", "a.rb:github-pat:1\n");
    assert_eq!(project.run(&["secrets"]).code, 0);
}

#[test]
fn standard_input() {
    let project = Project::empty();
    let mut child = project
        .command(&["secrets", "--stdin", "--stdin-name", "x.conf", "--short"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(format!("t={}\n", github_token()).as_bytes())
        .expect("it reads");
    let run = Run::of(child.wait_with_output().expect("it ends"));
    assert_eq!(run.code, 1);
    assert!(run.out.contains("x.conf:1"), "{}", run.out);
}

#[test]
fn history_range_and_staged() {
    let project = Project::empty();
    let token = github_token();
    project.git(&["init"]);
    let padding: String = (0..200).map(|n| format!("line {n} of a file that has many\n")).collect();
    project.write("a.rb", &padding);
    project.git(&["add", "."]);
    project.git(&["commit", "-m", "one"]);
    project.write("a.rb", format!("{padding}T = '{token}'\n"));
    project.git(&["commit", "-am", "two"]);
    project.write("a.rb", format!("first\n{padding}T = '{token}'\n"));
    project.git(&["commit", "-am", "three"]);
    project.write("a.rb", format!("first\n{padding}T = ENV['T']\n"));
    project.git(&["commit", "-am", "four"]);
    assert_eq!(project.run(&["secrets"]).code, 0);
    for packed in [false, true] {
        if packed {
            project.git(&["gc", "-q"]);
        }
        let report = json(&project.run(&["secrets", "--history", "--format", "json"]));
        assert_eq!(report["findings"].as_array().map(Vec::len), Some(1), "{report}");
        let finding = &report["findings"][0];
        assert_eq!(finding["location"]["file"], "a.rb");
        let reason = finding["reason"].as_str().expect("a reason");
        assert!(reason.contains("gone from HEAD") && reason.contains("a <a@example.org>"), "{reason}");
        // It came with the second commit and went with the fourth.
        let id = |name: &str| {
            let out = std::process::Command::new("git")
                .args(["rev-parse", name])
                .current_dir(project.root())
                .output()
                .expect("git");
            String::from_utf8_lossy(&out.stdout)[..10].to_owned()
        };
        assert!(reason.contains(&format!("first in {}", id("HEAD~2"))), "{reason}");
        assert!(reason.contains(&format!("last in {}", id("HEAD~1"))), "{reason}");
        // The line moved with the third commit and is no news there.
        for (range, code) in
            [("HEAD~3..HEAD~2", 1), ("HEAD~2..HEAD~1", 0), ("HEAD~1..", 0), ("HEAD~3..HEAD", 1)]
        {
            assert_eq!(project.run(&["secrets", "--range", range]).code, code, "{range}");
        }
    }
    assert_eq!(project.run(&["secrets", "--range", "nothing..HEAD"]).code, 2);

    project.write("lib/deep/b.rb", format!("x\nT = '{token}'\n"));
    assert_eq!(project.run(&["secrets", "--staged"]).code, 0, "it is not staged yet");
    project.git(&["add", "."]);
    project.write("lib/deep/b.rb", "x\n");
    let report = json(&project.run(&["secrets", "--staged", "--format", "json"]));
    assert_eq!(places(&report), ["lib/deep/b.rb:2 secret-github"]);
    project.git(&["commit", "-m", "five"]);
    assert_eq!(project.run(&["secrets", "--staged"]).code, 0, "HEAD has it already");
}

#[test]
fn hooks_stop_a_commit_and_a_push() {
    let project = Project::empty();
    project.git(&["init"]);
    project.write(".git/hooks/pre-commit", "#!/bin/sh\necho earlier >> ran\n");
    let run = project.run(&["hook", "install"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.run(&["hook", "install"]).code, 0, "a second time changes nothing");
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments)
            .current_dir(project.root());
        Run::of(command.output().expect("git runs"))
    };
    project.write("a.rb", "A = 1\n");
    project.git(&["add", "."]);
    assert_eq!(git(&["commit", "-m", "clean"]).code, 0);
    project.write("a.rb", format!("A = '{}'\n", github_token()));
    project.git(&["add", "."]);
    let refused = git(&["commit", "-m", "secret"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("a.rb:1") && !refused.err.contains(&github_token()), "{}", refused.err);
    assert!(git(&["status", "--porcelain"]).out.starts_with("M  a.rb"));

    let server = project.beside("server.git");
    let server = server.to_str().expect("a name");
    project.git(&["init", "--bare", server]);
    assert_eq!(project.run(&["hook", "install", server, "--kind", "pre-receive"]).code, 0);
    project.git(&["commit", "--no-verify", "-m", "secret"]);
    let push = git(&["push", server, "HEAD:refs/heads/main"]);
    assert_ne!(push.code, 0, "{}", push.err);
    assert!(push.err.contains("a.rb:1"), "{}", push.err);
    let push = git(&["push", server, "HEAD~1:refs/heads/main"]);
    assert_eq!(push.code, 0, "{}", push.err);
}

#[test]
fn a_provider_is_asked_only_on_request() {
    let project = Project::empty();
    project.write("a.rb", format!("A = '{}'\n", github_token()));
    for (status, severity, said) in [
        ("200 OK", "critical", "alive"),
        ("401 Unauthorized", "info", "dead"),
        ("500 Oh", "critical", "did not say"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a question");
            let mut request = [0u8; 4096];
            let read = stream.read(&mut request).expect("bytes");
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
                .expect("an answer");
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let run = project.run(&["secrets", "--format", "json", "--verify", "--verify-base", &base]);
        let request = server.join().expect("the server ends");
        assert!(request.starts_with("GET /user HTTP/1.1\r\n"), "{request}");
        assert!(
            request
                .to_ascii_lowercase()
                .contains(&format!("authorization: bearer {}", github_token()).to_ascii_lowercase())
        );
        let finding = &json(&run)["findings"][0];
        assert_eq!(finding["severity"], severity, "{status}");
        assert!(finding["reason"].as_str().expect("a reason").contains(said), "{finding}");
    }
    // Nobody listens any more, and nobody is asked.
    let run = project.run(&["secrets", "--format", "json"]);
    assert!(!json(&run)["findings"][0]["reason"].as_str().expect("a reason").contains("provider"));
}

#[test]
fn bad_input_ends_in_words() {
    let project = Project::empty();
    assert_eq!(project.run(&["secrets", "nowhere"]).code, 2);
    assert_eq!(project.run(&["secrets", "--history"]).code, 2, "no repository");
    project.write("broken.zip", b"PK\x03\x04 and then nothing of a zip");
    project.write("zeros.bin", [0u8; 4096]);
    project.write(
        "noise.txt",
        (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect::<Vec<u8>>(),
    );
    let run = project.run(&["secrets"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("broken.zip"), "{}", run.out);
    assert!(run.err.contains("1 binary files left out"), "{}", run.err);
}
