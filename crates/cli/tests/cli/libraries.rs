//! Libraries by the real binary: advisories, how near, plans, bills of materials, feeds from a local server.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::Project;

const LOCK: &str = "GEM
  remote: https://rubygems.org/
  specs:
    guard (1.0.0)
    loud (1.4.0)
      quiet (~> 2.0)
    quiet (2.0.1)
    rails (7.1.3)

PLATFORMS
  ruby

DEPENDENCIES
  guard
  loud
  rails

BUNDLED WITH
   2.5.6
";

const GEMFILE: &str = "source 'https://rubygems.org'\ngem 'rails'\ngem 'loud', '~> 1.4'\ngroup :development do\n  gem 'guard'\nend\n";

/// An application with a library whose weak function an action calls, one that is only loaded, and one that
/// is not.
fn project() -> Project {
    let project = Project::rails();
    project.write("Gemfile", GEMFILE);
    project.write("Gemfile.lock", LOCK);
    project.write(
        "app/controllers/users_controller.rb",
        "class UsersController < ApplicationController\n  def index\n    render plain: Quiet::Text.shout(params[:q])\n  end\nend\n",
    );
    let advisory = |gem: &str, cve: &str, text: &str, patched: &str| {
        let folder = project.beside(&format!("db/gems/{gem}"));
        fs::create_dir_all(&folder).expect("a folder");
        let text = format!(
            "---\ngem: {gem}\ncve: {cve}\ntitle: {gem} is weak\ndate: 2026-11-20\nurl: https://example.org/{cve}\ncvss_v3: 8.1\ndescription: |\n  {text}\npatched_versions:\n  - \"{patched}\"\n"
        );
        fs::write(folder.join(format!("CVE-{cve}.yml")), text).expect("a file");
    };
    advisory("quiet", "2026-1111", "A call of `Quiet::Text.shout` runs what it is given.", ">= 2.0.2");
    advisory("loud", "2026-2222", "Names no function.", ">= 1.5.0");
    advisory("guard", "2026-3333", "Only for developers.", ">= 1.1.0");
    let info = project.beside("lists/info");
    fs::create_dir_all(&info).expect("a folder");
    for (gem, lines) in [
        ("quiet", "---\n2.0.1 |checksum:aa\n2.0.2 |checksum:bb\n3.0.0 |checksum:cc\n"),
        ("loud", "---\n1.4.0 quiet:~> 2.0|checksum:dd\n1.5.0 quiet:~> 2.0|checksum:ee\n"),
        ("guard", "---\n1.0.0 |checksum:ff\n1.1.0 |checksum:ab\n"),
        ("rails", "---\n7.1.3 |checksum:ac\n"),
    ] {
        fs::write(info.join(gem), lines).expect("a file");
    }
    project
}

/// The weaknesses of libraries in a report, by package.
fn weak(report: &Value) -> Vec<&Value> {
    let all = report["findings"].as_array().expect("findings").iter();
    let mut weak: Vec<&Value> = all.filter(|f| f["rule"] == "vulnerable-library").collect();
    weak.sort_by_key(|f| f["package"]["name"].to_string());
    weak
}

#[test]
fn a_weakness_says_what_it_is_and_how_near() {
    let project = project();
    let report = project.json(&["--advisories", "../db"]);
    let weak = weak(&report);
    let told: Vec<String> = weak
        .iter()
        .map(|f| format!("{} {} {}", f["package"]["purl"], f["advisory"]["id"], f["reach"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "pkg:gem/guard@1.0.0 CVE-2026-3333 not-loaded",
            "pkg:gem/loud@1.4.0 CVE-2026-2222 loaded",
            "pkg:gem/quiet@2.0.1 CVE-2026-1111 reached",
        ]
    );
    assert_eq!(weak[2]["path"][0]["location"]["file"], "app/controllers/users_controller.rb");
    assert_eq!(weak[2]["endpoints"][0]["handler"], "users#index");
    assert!(weak[2]["reason"].as_str().expect("a text").contains("it comes through `loud`"));
    assert_eq!(report["feeds"][0]["name"], "db");
    assert_eq!(report["feeds"][0]["age"], 3);
    // Without advisories nothing is said of weaknesses, and that is told.
    let run = project.run(&["scan"]);
    assert!(run.err.contains("no advisories are at hand"), "{}", run.err);
}

#[test]
fn a_change_adds_only_what_it_adds() {
    let project = project();
    project.write("Gemfile.lock", LOCK.replace("quiet (2.0.1)", "quiet (2.0.2)"));
    project.git(&["init", "--quiet"]);
    project.git(&["add", "."]);
    project.git(&["commit", "--quiet", "--message", "a"]);
    project.write("Gemfile.lock", LOCK);
    let report = project.json(&["--advisories", "../db", "--changed-since", "HEAD"]);
    let added: Vec<&Value> = weak(&report).iter().map(|f| &f["package"]["name"]).collect();
    assert_eq!(added, ["quiet"]);
}

#[test]
fn a_plan_is_made_and_leaves_nothing_weak() {
    let project = project();
    let asked = ["--advisories", "../db", "--registry", "../lists"];
    let run = project.run(&[&["upgrade"][..], &asked].concat());
    assert_eq!(run.code, 1, "{}", run.err);
    for line in ["quiet 2.0.1 → 2.0.2 (CVE-2026-1111)", "loud 1.4.0 → 1.5.0", "guard 1.0.0 → 1.1.0"] {
        assert!(run.out.contains(line), "{line}: {}", run.out);
    }
    project.run(&[&["scan", "--only", "vulnerable-library", "--apply"][..], &asked].concat());
    let lock = project.read("Gemfile.lock");
    assert_eq!(
        lock,
        LOCK.replace("quiet (2.0.1)", "quiet (2.0.2)")
            .replace("loud (1.4.0)", "loud (1.5.0)")
            .replace("guard (1.0.0)", "guard (1.1.0)")
    );
    let run = project.run(&[&["upgrade"][..], &asked].concat());
    assert_eq!((run.code, run.out.contains("nothing to change")), (0, true), "{}", run.out);
    let run = project.run(&["upgrade", "--advisories", "../db", "--registry", "../db"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("there is none of the folders"), "{}", run.err);
}

#[test]
fn bills_of_materials_are_the_same_twice_and_read_back() {
    let project = project();
    let run = project.run(&["sbom"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.out, project.run(&["sbom"]).out);
    let bill: Value = serde_json::from_str(&run.out).expect("JSON");
    let purls: Vec<&str> = bill["components"]
        .as_array()
        .expect("components")
        .iter()
        .filter_map(|c| c["purl"].as_str())
        .collect();
    assert!(purls.contains(&"pkg:gem/quiet@2.0.1"), "{purls:?}");
    assert!(project.run(&["sbom", "--format", "spdx"]).out.contains("SPDXRef-DOCUMENT"));
    let other = Project::empty();
    other.write("bom.json", &run.out);
    let db = project.beside("db");
    let report = other.json(&["--advisories", db.to_str().expect("a path")]);
    assert_eq!(weak(&report).len(), 3);
    assert_eq!(Project::empty().run(&["sbom"]).code, 2);
}

#[test]
fn broken_input_is_told_and_ends_nothing() {
    let project = project();
    project.write("package-lock.json", "{\"packages\": {\"node_modules/a\": {\"version\": ");
    project.write("yarn.lock", [0xff, 0xfe, 0x00]);
    project.write("Cargo.lock", "[[package]]\nname = 3\n");
    let report = project.json(&["--advisories", "../db"]);
    assert_eq!(weak(&report).len(), 3);
    let problems = report["problems"].as_array().expect("problems");
    assert!(problems.iter().any(|p| p["file"] == "package-lock.json"), "{problems:?}");
    for (path, said) in [("../nothing", "No such file"), ("Gemfile", "no advisory is in it")] {
        let run = project.run(&["scan", "--advisories", path]);
        assert_eq!(run.code, 2);
        assert!(run.err.contains(said), "{}", run.err);
    }
    fs::write(project.beside("bad.index"), "WRDINDEX and nothing more, which is no index").expect("a file");
    let run = project.run(&["scan", "--advisories", "../bad.index"]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("bad.index"), "{}", run.err);
}

/// Files by path.
type Files = Vec<(String, Vec<u8>)>;

/// A server with OSV's layout: files by path, and what was asked.
struct Mirror {
    address: String,
    files: Arc<Mutex<Files>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    fn start() -> Mirror {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mirror = Mirror {
            address: format!("http://{}", listener.local_addr().expect("an address")),
            files: Arc::default(),
            asked: Arc::default(),
        };
        let (files, asked) = (Arc::clone(&mirror.files), Arc::clone(&mirror.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
                let Some(Ok(first)) = lines.next() else { continue };
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut range = 0;
                for line in lines.by_ref().map_while(Result::ok).take_while(|l| !l.is_empty()) {
                    if let Some(from) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                        range = from.trim_end_matches('-').parse().unwrap_or(0);
                    }
                }
                asked.lock().expect("asked").push(format!("{path} {range}"));
                let found =
                    files.lock().expect("files").iter().find(|(p, _)| *p == path).map(|(_, b)| b.clone());
                let Some(body) = found else {
                    let _ = stream.write_all(
                        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    );
                    continue;
                };
                let status = if range > 0 { "206 Partial Content" } else { "200 OK" };
                let head = format!(
                    "HTTP/1.1 {status}\r\nETag: \"{}\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len(),
                    body.len() - range
                );
                let _ = stream.write_all(head.as_bytes());
                // A file that is called so breaks off in the middle, the first time.
                let whole = range > 0 || !path.ends_with(".gz");
                let end = if whole { body.len() } else { body.len() / 2 };
                let _ = stream.write_all(&body[range..end]);
            }
        });
        mirror
    }

    fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        let mut files = self.files.lock().expect("files");
        files.retain(|(p, _)| p != path);
        files.push((path.to_owned(), body.into()));
    }
}

#[test]
fn feeds_are_fetched_where_they_changed_and_on_from_where_they_broke_off() {
    let (project, mirror) = (project(), Mirror::start());
    let epss = format!(
        "#model_version:v1,score_date:2026-11-21\ncve,epss,percentile\n{}",
        "CVE-2026-1111,0.91,0.99\n".repeat(3_000)
    );
    mirror.put("/epss.gz", epss);
    mirror.put("/osv/RubyGems/modified_id.csv", "2026-11-20T00:00:00Z,GHSA-1\n");
    let advisory = |fixed: &str| {
        format!(
            "{{\"id\":\"GHSA-1\",\"modified\":\"2026-11-20T00:00:00Z\",\"aliases\":[\"CVE-2026-1111\"],\"affected\":[{{\"package\":{{\"ecosystem\":\"RubyGems\",\"name\":\"quiet\"}},\"ranges\":[{{\"type\":\"ECOSYSTEM\",\"events\":[{{\"introduced\":\"0\"}},{{\"fixed\":\"{fixed}\"}}]}}]}}]}}"
        )
    };
    mirror.put("/osv/RubyGems/all.zip", stored_zip("GHSA-1.json", advisory("2.0.2").as_bytes()));
    let osv = format!("{}/osv", mirror.address);
    let epss = format!("{}/epss.gz", mirror.address);
    let sync = ["feeds", "sync", "--osv", &osv, "--ecosystem", "RubyGems", "--kev", "none", "--epss", &epss];
    let sync = [&sync[..], &["--endoflife", "none"]].concat();
    let run = project.run(&sync);
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("broke off") && run.err.contains("osv:RubyGems: 1 advisories"), "{}", run.err);
    let run = project.run(&sync);
    assert_eq!(run.code, 0, "{}", run.err);
    let asked = mirror.asked.lock().expect("asked").clone();
    assert!(asked.iter().any(|a| a.starts_with("/epss.gz ") && !a.ends_with(" 0")), "{asked:?}");
    // Nothing has changed in OSV since: only the list of changes was asked for again.
    assert_eq!(asked.iter().filter(|a| a.contains("all.zip")).count(), 1, "{asked:?}");
    assert!(project.run(&["feeds", "list"]).out.contains("osv:RubyGems"));
    let report = project.json(&[]);
    let found = weak(&report);
    assert_eq!((found.len(), found[0]["advisory"]["id"].as_str()), (1, Some("CVE-2026-1111")));
    assert!(found[0]["reason"].as_str().expect("a text").contains("EPSS gives it 91 %"));
    // One advisory changes, and only it is fetched.
    mirror.put("/osv/RubyGems/modified_id.csv", "2026-11-22T00:00:00Z,GHSA-1\n");
    mirror.put("/osv/RubyGems/GHSA-1.json", advisory("2.0.1"));
    assert_eq!(project.run(&sync).code, 3);
    assert_eq!(project.run(&sync).code, 0);
    assert!(weak(&project.json(&[])).is_empty());
    // It goes to a machine without a network, and a damaged copy does not.
    assert_eq!(project.run(&["feeds", "export", "../copy.index"]).code, 0);
    let copy = fs::read(project.beside("copy.index")).expect("a file");
    fs::write(project.beside("half.index"), &copy[..copy.len() / 2]).expect("a file");
    assert_eq!(project.run(&["feeds", "import", "../half.index"]).code, 3);
    assert_eq!(project.run(&["feeds", "import", "../copy.index"]).code, 0);
    let run = project.run(&["feeds", "sync", "--osv", "http://mirror.example"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("without TLS"), "{}", run.err);
}

/// A zip of one file that is not packed.
#[test]
fn what_endoflife_date_says_comes_before_what_is_built_in() {
    let project = project();
    project.write(".ruby-version", "3.4.1\n");
    let told = || {
        let report = project.json(&["--only", "out-of-support"]);
        let findings = report["findings"].as_array().expect("findings").clone();
        let of_ruby = |f: &Value| f["location"]["file"] == ".ruby-version";
        (findings.iter().filter(|f| of_ruby(f)).map(|f| f["message"].to_string()).collect::<Vec<_>>(), report)
    };
    assert_eq!(told().0, [] as [&str; 0]);
    let folder = project.beside("cycles");
    fs::create_dir_all(&folder).expect("a folder");
    let sync = ["feeds", "sync", "--osv", "none", "--kev", "none", "--epss", "none", "--endoflife"];
    // Nothing that tells of a product is no reason to forget what was known.
    let run = project.run(&[&sync[..], &["../cycles"]].concat());
    assert_eq!(run.code, 3);
    assert!(run.err.contains("endoflife.date: ../cycles tells of no product"), "{}", run.err);
    let page = "---\ntitle: Ruby\npermalink: /ruby\nreleases:\n  - releaseCycle: \"3.4\"\n    releaseDate: 2024-12-25\n    eol: 2026-01-31\n---\nWords.\n";
    fs::write(folder.join("ruby.md"), page).expect("a page");
    fs::write(folder.join("broken.md"), "no front matter").expect("a page");
    let run = project.run(&[&sync[..], &["../cycles"]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("broken.md") && run.err.contains("1 products"), "{}", run.err);
    assert!(project.run(&["feeds", "list"]).out.contains("release cycles (endoflife.date): of 20"));
    let (messages, report) = told();
    assert_eq!(messages, ["\"Ruby 3.4 gets no fixes since 2026-01-31\""]);
    assert_eq!(report["feeds"][0]["name"], "endoflife.date");
    // The API's answer, as a file.
    let answer = r#"{"result": [{"name": "ruby", "label": "Ruby", "releases": [{"name": "3.4", "releaseDate": "2024-12-25", "isEol": false, "eolFrom": "2099-01-31"}]}]}"#;
    fs::write(project.beside("answer.json"), answer).expect("a file");
    assert_eq!(project.run(&[&sync[..], &["../answer.json"]].concat()).code, 0);
    assert_eq!(told().0, [] as [&str; 0]);
}

#[test]
fn a_policy_denies_licences_and_binds_names() {
    let project = project();
    let composer = r#"{"packages": [{"name": "a/b", "version": "1.0.0", "license": ["AGPL-3.0-only"]}]}"#;
    project.write("composer.lock", composer);
    let rules = ["--only", "licence-denied,dependency-confusion"];
    let count = |rule: &str| {
        let report = project.json(&rules);
        report["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] == rule).count()
    };
    assert_eq!((count("licence-denied"), count("dependency-confusion")), (0, 0));
    let place = "program/scans/libraries.toml";
    let own = "[[internal]]\nnames = ['quiet']\nregistry = 'https://gems.shop.example'\n";
    project.write(place, format!("[licences]\ndenied = ['AGPL-3.0-only']\n{own}"));
    assert_eq!((count("licence-denied"), count("dependency-confusion")), (1, 1));
    project.write(place, "[licences]\ndenid = []\n");
    let run = project.run(&["scan"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("libraries.toml:2: `denid` is not known"), "{}", run.err);
    assert!(run.err.contains("did you mean `denied`?"), "{}", run.err);
}

fn stored_zip(name: &str, body: &[u8]) -> Vec<u8> {
    let mut sum = !0_u32;
    for byte in body {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    let (sum, length, named) =
        ((!sum).to_le_bytes(), (body.len() as u32).to_le_bytes(), (name.len() as u16).to_le_bytes());
    let front = |out: &mut Vec<u8>| {
        out.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend(sum);
        out.extend(length);
        out.extend(length);
        out.extend(named);
    };
    let mut zip = b"PK\x03\x04".to_vec();
    front(&mut zip);
    zip.extend([0, 0]);
    zip.extend(name.as_bytes());
    zip.extend(body);
    let list = zip.len() as u32;
    zip.extend(b"PK\x01\x02\x14\x00");
    front(&mut zip);
    zip.extend([0; 12]);
    zip.extend([0; 4]);
    zip.extend(name.as_bytes());
    let size = zip.len() as u32 - list;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(list.to_le_bytes());
    zip.extend([0, 0]);
    zip
}
