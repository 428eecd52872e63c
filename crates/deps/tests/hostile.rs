//! Broken, huge and hostile files: every format answers in bounded time with a problem, never a panic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use wardroom_deps::lockfile::{Format, Inventory, LONGEST, format_of, formats};

/// One whole file of each format, with the least number of things that stand in it.
const FILES: &[(&str, usize, &str)] = &[
    (
        "package-lock.json",
        2,
        r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}}, "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "1"}}, "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "1"}}}}"#,
    ),
    (
        "npm-shrinkwrap.json",
        2,
        r#"{"dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}}}"#,
    ),
    ("package.json", 2, r#"{"dependencies": {"a": "^1", "b": "github:o/b"}, "engines": {"node": "20"}}"#),
    (
        "yarn.lock",
        2,
        "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n\nb@^1:\n  version \"1.0.0\"\n",
    ),
    (
        "sub/yarn.lock",
        1,
        "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    a: \"npm:^1\"\n",
    ),
    (
        "pnpm-lock.yaml",
        2,
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-a}\n  b@1.0.0:\n    resolution: {integrity: sha512-b}\nsnapshots:\n  a@1.0.0:\n    dependencies:\n      b: 1.0.0\n  b@1.0.0:\n    dependencies:\n      a: 1.0.0\n",
    ),
    (
        "bun.lock",
        2,
        r#"{"workspaces": {"": {"dependencies": {"a": "1"}}}, "packages": {"a": ["a@1.0.0", "", {"dependencies": {"b": "1"}}, "sha512-a"], "b": ["b@1.0.0", "", {"dependencies": {"a": "1"}}, "sha512-b"]}}"#,
    ),
    (
        "Cargo.lock",
        2,
        "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://x.test\"\ndependencies = [\"b\"]\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"git+https://x.test#abc\"\ndependencies = [\"a\"]\n",
    ),
    (
        "Gemfile",
        2,
        "source \"https://rubygems.org\"\n\ngem \"a\", \"~> 1.0\"\n\ngroup :test do\n  gem \"b\"\nend\n",
    ),
    (
        "Gemfile.lock",
        2,
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0.0)\n      b (~> 1)\n    b (1.0.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  a (~> 1.0)\n\nBUNDLED WITH\n   2.5.0\n",
    ),
    (
        "shop.gemspec",
        1,
        "Gem::Specification.new do |s|\n  s.name = \"shop\"\n  s.add_dependency \"a\", \"~> 1.0\"\nend\n",
    ),
    ("Cargo.toml", 2, "[dependencies]\na = \"1\"\nb = { git = \"https://x.test\" }\n"),
    ("go.mod", 2, "module x\n\ngo 1.22\n\nrequire (\n\ta.test/a v1.0.0\n\ta.test/b v1.0.0 // indirect\n)\n"),
    ("go.sum", 1, "a.test/a v1.0.0 h1:aa=\na.test/a v1.0.0/go.mod h1:bb=\n"),
    ("requirements.txt", 2, "a==1.0 --hash=sha256:aa\n-r more.txt\nb==2.0 ; python_version > '3'\n"),
    (
        "poetry.lock",
        2,
        "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[package.dependencies]\nb = \"*\"\n\n[[package]]\nname = \"b\"\nversion = \"1.0\"\n",
    ),
    ("Pipfile", 2, "[packages]\na = \"*\"\n\n[dev-packages]\nb = \"*\"\n"),
    (
        "Pipfile.lock",
        2,
        r#"{"default": {"a": {"version": "==1.0"}}, "develop": {"b": {"version": "==1.0"}}}"#,
    ),
    (
        "uv.lock",
        2,
        "[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\ndependencies = [{ name = \"b\" }]\n\n[[package]]\nname = \"b\"\nversion = \"1\"\nsource = { git = \"https://x.test?rev=1#abc\" }\ndependencies = [{ name = \"a\" }]\n",
    ),
    (
        "pylock.toml",
        1,
        "lock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1.0'\nwheels = [{hashes = {sha256 = 'aa'}}]\n",
    ),
    ("pyproject.toml", 2, "[project]\ndependencies = [\"a>=1\"]\n[dependency-groups]\ndev = [\"b\"]\n"),
    ("composer.json", 1, r#"{"require": {"php": ">=8", "a/b": "^1"}}"#),
    (
        "composer.lock",
        2,
        r#"{"packages": [{"name": "a/b", "version": "1.0.0"}], "packages-dev": [{"name": "c/d", "version": "v1"}]}"#,
    ),
    (
        "pom.xml",
        1,
        "<project><properties><v>1</v></properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency></dependencies></project>",
    ),
    ("gradle.lockfile", 2, "g:a:1.0=compileClasspath\ng:b:2.0=testRuntimeClasspath\nempty=\n"),
    (
        "gradle/libs.versions.toml",
        1,
        "[versions]\nv = \"1\"\n[libraries]\na = { module = \"g:a\", version.ref = \"v\" }\n",
    ),
    (
        "packages.lock.json",
        2,
        r#"{"dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1.0.0", "dependencies": {"B": "1"}}, "B": {"type": "Transitive", "resolved": "1.0.0", "dependencies": {"A": "1"}}}}}"#,
    ),
    ("packages.config", 1, "<packages><package id=\"A\" version=\"1.0\" /></packages>"),
    (
        "app.csproj",
        1,
        "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"1.0\" /></ItemGroup></Project>",
    ),
    (
        "mix.lock",
        1,
        "%{\n  \"a\": {:hex, :a, \"1.0.0\", \"aa\", [:mix], [{:b, \"~> 1.0\", [hex: :b, optional: false]}], \"hexpm\", \"bb\"},\n}\n",
    ),
    ("mix.exs", 1, "defmodule A do\n  defp deps do\n    [{:a, \"~> 1.0\", only: :test}]\n  end\nend\n"),
    ("pubspec.yaml", 1, "environment:\n  sdk: ^3.0.0\ndependencies:\n  a: ^1.0.0\n"),
    (
        "pubspec.lock",
        1,
        "packages:\n  a:\n    dependency: transitive\n    source: hosted\n    version: \"1.0.0\"\n",
    ),
    (
        "Dockerfile",
        2,
        "ARG V=3.2\nFROM ruby:${V} AS base\nRUN <<EOF\necho\nEOF\nFROM node:20\nCOPY --from=base /a /a\n",
    ),
    ("compose.yaml", 1, "services:\n  db:\n    image: postgres:15\n"),
    (".ruby-version", 1, "ruby-3.2.1\n"),
    (".tool-versions", 2, "ruby 3.2.1\nnodejs 20.0.0\n"),
    ("rust-toolchain.toml", 1, "[toolchain]\nchannel = \"1.80\"\n"),
    ("mise.toml", 1, "[tools]\nnode = \"20\"\n"),
    ("runtime.txt", 1, "python-3.11.4\n"),
    (
        ".github/workflows/ci.yml",
        2,
        "jobs:\n  test:\n    container: ruby:3.2\n    steps:\n      - uses: actions/checkout@v4\n",
    ),
    (".gitlab-ci.yml", 2, "image: ruby:3.2\ninclude:\n  - remote: https://x.test/a.yml\n"),
];

fn format(path: &str) -> &'static Format {
    format_of(path).unwrap_or_else(|| panic!("no format reads {path}"))
}

fn read(path: &str, bytes: &[u8]) -> Inventory {
    let file: Arc<str> = path.into();
    let started = Instant::now();
    let found = (format(path).read)(&file, bytes);
    // Far above what any of these takes, even unoptimised on a busy machine.
    assert!(started.elapsed() < Duration::from_secs(20), "{path} took {:?}", started.elapsed());
    for package in &found.packages {
        assert!(
            package.span.0 <= package.span.1 && package.span.1 as usize <= bytes.len(),
            "{path}: {package:?}"
        );
        assert!(!package.name.is_empty());
    }
    for ask in &found.asks {
        assert!(ask.span.0 <= ask.span.1 && ask.span.1 as usize <= bytes.len(), "{path}: {ask:?}");
    }
    let lines = bytes.iter().filter(|b| **b == b'\n').count() as u32 + 1;
    for problem in &found.problems {
        assert_eq!(&*problem.file, path);
        assert!(problem.line.is_none_or(|l| l >= 1 && l <= lines), "{problem}");
        assert!(problem.message.len() < 400 && !problem.message.contains('\n'), "{problem}");
    }
    found
}

#[test]
fn every_format_has_a_file_here() {
    for format in formats() {
        let served = FILES.iter().any(|(path, ..)| format_of(path).is_some_and(|f| f.name == format.name));
        assert!(
            served || format.name.starts_with("Gem") || format.name.contains("gemspec"),
            "{}",
            format.name
        );
    }
}

#[test]
fn whole_files_are_read_without_a_problem() {
    for (path, least, text) in FILES {
        let found = read(path, text.as_bytes());
        assert_eq!(found.problems, [], "{path}");
        assert!(found.packages.len() + found.asks.len() >= *least, "{path}: {found:?}");
    }
}

#[test]
fn files_that_end_in_the_middle() {
    for (path, _, text) in FILES {
        for part in 0..16 {
            let end = text.len() * part / 16;
            let found = read(path, &text.as_bytes()[..end]);
            // What was cut off of a bracketed text cannot go unnoticed.
            let bracketed = path.ends_with(".json") || *path == "bun.lock" || text.starts_with('<');
            if bracketed && part > 0 {
                assert!(!found.problems.is_empty(), "{path} at {part}/16");
            }
        }
    }
}

#[test]
fn wrong_utf_8() {
    for (path, _, text) in FILES {
        let mut bytes = text.as_bytes().to_vec();
        bytes.insert(text.len() / 2, 0xff);
        let found = read(path, &bytes);
        // Bundler's files are read with question marks for what is no text.
        if path.starts_with("Gemfile") || path.ends_with(".gemspec") {
            continue;
        }
        assert_eq!(found.problems.len(), 1, "{path}");
        assert!(found.problems[0].unread && found.problems[0].message.contains("UTF-8"), "{path}");
        assert!(found.is_empty());
        // A mark at the beginning is let pass.
        let marked = format!("\u{feff}{text}");
        read(path, marked.as_bytes());
    }
}

#[test]
fn deep_nesting() {
    for (path, ..) in FILES {
        for (open, close) in [
            ("[", "]"),
            ("{\"a\":", "}"),
            ("{", "}"),
            ("<a>", "</a>"),
            ("a:\n ", ""),
            ("- ", ""),
            ("[[a]]\n", ""),
            ("%{\"a\": ", "}"),
            ("a.", ""),
        ] {
            let text = format!("{}{}", open.repeat(20_000), close.repeat(20_000));
            read(path, text.as_bytes());
            read(path, format!("a = {text}").as_bytes());
        }
    }
}

#[test]
fn laughs() {
    let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let line = vec![format!("*a{}", level - 1); 9].join(", ");
        yaml.push_str(&format!("a{level}: &a{level} [{line}]\n"));
    }
    let merged = "a0: &a0 {x: 1}\n".to_owned()
        + &(1..2_000).map(|i| format!("a{i}: &a{i}\n  <<: *a{}\n  y{i}: 1\n", i - 1)).collect::<String>();
    let xml = "<!DOCTYPE a [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><project>&b;</project>";
    for (path, ..) in FILES {
        let found = read(path, yaml.as_bytes());
        if path.ends_with(".yaml") || path.ends_with(".yml") || *path == "pubspec.lock" {
            assert!(
                found.problems.iter().any(|p| p.message.contains("aliases")),
                "{path}: {:?}",
                found.problems
            );
        }
        read(path, merged.as_bytes());
        let found = read(path, xml.as_bytes());
        if path.ends_with(".xml") || path.ends_with(".config") || path.ends_with(".csproj") {
            assert!(!found.problems.is_empty(), "{path}");
        }
    }
}

#[test]
fn junk_is_refused() {
    let long = vec![b'['; 100 << 20];
    for (path, ..) in FILES {
        let started = Instant::now();
        let found = (format(path).read)(&(*path).into(), &long);
        assert!(started.elapsed() < Duration::from_secs(1), "{path}");
        assert!(found.problems[0].unread, "{path}");
        let said = &found.problems[0].message;
        assert!(said.contains(&LONGEST.to_string()) || said.contains(&(LONGEST >> 20).to_string()), "{said}");
    }
    const LETTERS: &[u8] = b" \n\t{}[]:,\"'=#<>&*-ab1.@/$";
    let letter = |i: u32| LETTERS[(i.wrapping_mul(2_654_435_761) >> 7) as usize % LETTERS.len()];
    let junk: Vec<u8> = (0..2_000_000).map(letter).collect();
    for (path, ..) in FILES {
        read(path, &junk);
        read(path, b"\0\0\0\0");
        read(path, b"\n\n\n");
        read(path, "x".repeat(1 << 20).as_bytes());
        read(path, "\"".repeat(1 << 18).as_bytes());
        read(path, "${a".repeat(1 << 17).as_bytes());
    }
}

#[test]
fn many_packages_end() {
    let mut text = "{\"packages\": {".to_owned();
    for i in 0..250_000 {
        text.push_str(&format!("\"node_modules/p{i}\": {{\"version\": \"1.0.0\"}},"));
    }
    text.push_str("\"\": {}}}");
    let found = read("package-lock.json", text.as_bytes());
    assert_eq!(found.packages.len(), 200_000);
    assert!(found.problems[0].message.contains("200000"));
}

#[test]
fn long_paths_end() {
    let path = "a/".repeat(200_000);
    let npm = format!(
        "{{\"packages\": {{\"node_modules/{path}b\": {{\"version\": \"1\", \"dependencies\": {{\"c\": \"1\"}}}}}}}}"
    );
    assert_eq!(read("package-lock.json", npm.as_bytes()).packages.len(), 1);
    let bun = format!(
        "{{\"packages\": {{\"{path}b\": [\"b@1.0.0\", \"\", {{\"dependencies\": {{\"c\": \"1\"}}}}]}}}}"
    );
    assert_eq!(read("bun.lock", bun.as_bytes()).packages.len(), 1);
}

#[test]
fn long_lists_take_time_in_proportion() {
    let many = |line: &dyn Fn(usize) -> String| (0..60_000).map(line).collect::<String>();
    let list = many(&|i| format!("\"p{i}\":\"1\","));
    let manifest = format!("{{\"dependencies\":{{{list}}},\"optionalDependencies\":{{{list}}}}}");
    read("package.json", manifest.as_bytes());
    read("Dockerfile", many(&|i| format!("FROM a:1 AS s{i}\n")).as_bytes());
    let needs = many(&|_| "\"a\",".to_owned());
    let own = "[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"x\"\n";
    read("Cargo.lock", format!("{own}dependencies = [{needs}]\n{}", own.repeat(500)).as_bytes());
    let needs = many(&|_| "{name = \"a\"},".to_owned());
    let own = "[[package]]\nname = \"a\"\nversion = \"1\"\nsource = {registry = \"x\"}\n";
    read("uv.lock", format!("{own}dependencies = [{needs}]\n{}", own.repeat(500)).as_bytes());
    let links = many(&|i| format!("    b{i}: 1.0.0\n"));
    let packages = many(&|i| format!("  b{i}@1.0.0:\n    resolution: {{integrity: x}}\n"));
    let lock = format!(
        "lockfileVersion: '6.0'\npackages:\n  a@1.0.0:\n    dependencies:\n{}{packages}",
        links.replace("    b", "      b")
    );
    let found = read("pnpm-lock.yaml", lock.as_bytes());
    assert_eq!((found.packages.len(), found.packages[0].requires.len()), (60_001, 60_000));
    let direct = format!("lockfileVersion: 5.4\nspecifiers:\n{links}dependencies:\n{links}");
    assert_eq!(read("pnpm-lock.yaml", direct.as_bytes()).asks.len(), 60_000);
    let develop = format!("{{\"default\": {{{list}}}, \"develop\": {{{list}}}}}");
    read("Pipfile.lock", develop.as_bytes());
    let patched = many(&|i| {
        format!(
            "\"p{i}@patch:p{i}@npm%3A1#x\":\n  version: 1\n  resolution: \"p{i}@patch:p{i}@npm%3A1#x\"\n  dependencies:\n    q{i}: \"npm:1\"\n"
        )
    });
    assert_eq!(
        read("yarn.lock", format!("__metadata:\n  version: 8\n{patched}").as_bytes()).packages.len(),
        60_000
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes(which in 0..FILES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let (path, _, text) = FILES[which];
        let mut bytes = text.as_bytes().to_vec();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        read(path, &bytes);
    }

    #[test]
    fn any_text(which in 0..FILES.len(), text in "\\PC{0,400}") {
        read(FILES[which].0, text.as_bytes());
    }
}
