//! Trees that no person made.

use std::fs;

use crate::support::{Project, TODAY, UNSAFE, USERS};

const ONLY: [&str; 2] = ["--only", "sql-injection"];
const FOUND: &str = "app/controllers/users_controller.rb:3 sql-injection";

/// The problems told of a file.
fn problems(project: &Project, file: &str) -> Vec<String> {
    let report = project.json(&[]);
    let all = report["problems"].as_array().expect("problems").iter();
    all.filter(|p| p["file"] == file).map(|p| p["message"].as_str().expect("a message").to_owned()).collect()
}

#[test]
fn an_empty_folder() {
    let run = Project::empty().run(&["scan"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("holds neither Ruby nor a lockfile"), "{}", run.err);
    assert!(run.out.contains("No findings"), "{}", run.out);
}

#[test]
fn no_ruby_at_all() {
    let project = Project::empty();
    project.write("main.py", "print(1)\n");
    let run = project.run(&["scan"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("holds neither Ruby nor a lockfile"), "{}", run.err);
}

#[test]
fn ruby_without_rails() {
    let project = Project::empty();
    project.write("lib/tool.rb", "class Tool\n  def run\n    1\n  end\nend\n");
    let run = project.run(&["scan"]);
    assert_eq!(run.code, 0);
    assert!(
        run.err.contains("no Rails application in .") && run.err.contains("scanned all the same"),
        "{}",
        run.err
    );
    assert!(run.out.contains("1 Ruby file,"), "{}", run.out);
}

#[test]
fn bytes_that_are_no_text() {
    let project = Project::rails();
    project.write(
        "app/models/latin.rb",
        b"# encoding: iso-8859-1\nclass Latin\n  X = \"caf\xe9 #{1}\"\nend\n".as_slice(),
    );
    project.write("app/views/users/show.html.erb", b"<p>caf\xe9 <%= 1 %></p>\n".as_slice());
    project.write("app/models/binary.rb", b"\x7fELF\0\0\0\x01".as_slice());
    assert_eq!(project.found(&ONLY), [FOUND]);
    let told = problems(&project, "app/models/binary.rb");
    assert!(told.len() == 1 && told[0].contains("binary"), "{told:?}");
    let run = project.run(&["scan"]);
    assert!(run.out.contains("app/models/binary.rb") && run.out.contains("not read"), "{}", run.out);
}

#[test]
fn a_syntax_error_costs_one_file_at_most() {
    let project = Project::rails();
    project.write("app/models/broken.rb", "class Broken\n  def x(\n");
    assert_eq!(project.found(&ONLY), [FOUND]);
    assert_eq!(problems(&project, "app/models/broken.rb").len(), 1);
}

#[cfg(unix)]
#[test]
fn links_do_not_trap_it() {
    let project = Project::rails();
    std::os::unix::fs::symlink(project.root(), project.root().join("app/again")).expect("a link");
    std::os::unix::fs::symlink("nowhere", project.root().join("app/models/gone.rb")).expect("a link");
    std::os::unix::fs::symlink("loop.rb", project.root().join("app/models/loop.rb")).expect("a link");
    assert_eq!(project.found(&ONLY), [FOUND]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::rails();
    project.write("app/models/secret.rb", "class Secret\nend\n");
    let path = project.root().join("app/models/secret.rb");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("permissions");
    // Whoever may read everything reads this too.
    let may = fs::read(&path).is_ok();
    let told = problems(&project, "app/models/secret.rb");
    assert_eq!(told.is_empty(), may, "{told:?}");
    assert_eq!(project.found(&ONLY), [FOUND]);
}

#[test]
fn a_file_too_large_to_have_been_written() {
    let project = Project::rails();
    let mut big = String::from("class Big\n");
    while big.len() < 50 << 20 {
        big.push_str("  X = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]\n");
    }
    project.write("app/models/big.rb", &big);
    let told = problems(&project, "app/models/big.rb");
    assert!(told.len() == 1 && told[0].contains("50 MiB"), "{told:?}");
    assert_eq!(project.found(&ONLY), [FOUND]);
}

#[test]
fn deep_nesting() {
    let project = Project::rails();
    let depth = 20_000;
    project.write("app/models/deep.rb", format!("X = {}1{}\n", "[".repeat(depth), "]".repeat(depth)));
    project.write(
        "app/views/users/deep.html.erb",
        format!("{}<%= 1 %>{}\n", "<% if a %>".repeat(3000), "<% end %>".repeat(3000)),
    );
    let run = project.run(&["scan", "--only", "sql-injection"]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(!problems(&project, "app/models/deep.rb").is_empty());
}

#[test]
fn what_leads_back_to_itself() {
    let project = Project::rails();
    project.write("app/models/concerns/one.rb", "module One\n  include Two\n  def a = b\nend\n");
    project
        .write("app/models/concerns/two.rb", "module Two\n  include One\n  extend Two\n  def b = a\nend\n");
    project.write("app/models/own.rb", "class Own < Own\n  include One\n  include Own\nend\n");
    project.write("app/models/left.rb", "class Left < Right\n  delegate :x, to: :x\nend\n");
    project.write("app/models/right.rb", "class Right < Left\n  alias_method :y, :z\n  alias z y\nend\n");
    project.write(
        "app/controllers/loops_controller.rb",
        "class LoopsController < ApplicationController\n  before_action :show\n  def show\n    @x = other(params[:x])\n    render \"loops/show\"\n  end\n  def other(x) = third([x])\n  def third(x) = other({ a: x })\nend\n",
    );
    project.write("app/views/loops/show.html.erb", "<%= render \"loops/part\", x: @x %>\n");
    project.write(
        "app/views/loops/_part.html.erb",
        "<%= render \"loops/part\", x: [x] %><%= render template: \"loops/show\" %>\n",
    );
    project.write(
        "config/routes.rb",
        "Rails.application.routes.draw do\n  concern(:a) { concerns :b }\n  concern(:b) { concerns :a }\n  resources :loops, concerns: :a\n  draw(:again)\nend\n",
    );
    project.write("config/routes/again.rb", "draw(:again)\nresources :users\n");
    project.write("config/initializers/constants.rb", "A = B\nB = A\nC = \"#{C}\"\n");
    let start = std::time::Instant::now();
    let run = project.run(&["scan", "--no-cache", "--only", "sql-injection"]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(project.found(&ONLY), [FOUND]);
}

#[test]
fn text_of_another_encoding_is_told() {
    let project = Project::rails();
    let wide: Vec<u8> = "class Wide\nend\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    project.write("app/models/wide.rb", [b"\xff\xfe".as_slice(), &wide].concat());
    // A mark of UTF-8 says nothing, and must not shift what follows.
    project.write(
        "app/controllers/marked_controller.rb",
        format!("\u{feff}{}", UNSAFE.replace("UsersController", "MarkedController")),
    );
    let told = problems(&project, "app/models/wide.rb");
    assert!(told.len() == 1 && told[0].contains("binary"), "{told:?}");
    assert_eq!(project.found(&ONLY), ["app/controllers/marked_controller.rb:3 sql-injection", FOUND]);
}

#[test]
fn a_file_of_nothing_but_findings_takes_bounded_time() {
    let project = Project::rails();
    project.write(
        "app/views/users/many.html.erb",
        "<%= raw params[:x] %><%= render \"a/b\", x: x %>\n".repeat(4_000),
    );
    let start = std::time::Instant::now();
    let run = project.run(&["scan", "--no-cache", "--short"]);
    assert!(run.out.contains("many.html.erb:4000"), "{}", run.out.len());
    assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn one_long_line_takes_bounded_time() {
    let project = Project::rails();
    project.write("app/models/long.rb", format!("X = [{}]\n", "foo(a, \"b\"), ".repeat(60_000)));
    project.write("app/views/users/long.html.erb", "<p><%= a %></p>".repeat(60_000));
    project.write("app/views/users/long.html.haml", format!("%p= [{}]\n", "a, ".repeat(200_000)));
    project.write("app/views/users/long.html.slim", format!("p = [{}]\n", "a, ".repeat(200_000)));
    let start = std::time::Instant::now();
    assert_eq!(project.found(&ONLY), [FOUND]);
    // A build without optimisation on a busy machine is slow: this only catches what grows with the square.
    assert!(start.elapsed() < std::time::Duration::from_secs(120), "{:?}", start.elapsed());
}

#[test]
fn hostile_names_and_words_do_not_reach_the_terminal() {
    let project = Project::rails();
    project
        .write("app/controllers/\u{1b}[31mred_controller.rb", UNSAFE.replace(":name", ":\"na\u{1b}[2Jme\""));
    for format in ["text", "csv", "markdown", "github"] {
        let run = project.run(&["scan", "--format", format]);
        assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{format}");
    }
}

#[test]
fn a_folder_that_is_a_file_and_the_like() {
    let project = Project::rails();
    fs::create_dir_all(project.root().join("app/models/folder.rb")).expect("a folder");
    project.write("program/scans/notes.txt", "no knowledge");
    project.write("config/routes/deep/er.rb", "resources :x\n");
    assert_eq!(project.found(&ONLY), [FOUND]);
    assert!(project.read(USERS).contains("params") && !TODAY.is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_half_written() {
    use std::process::Command;
    let project = Project::rails();
    for n in 0..300 {
        project.write(
            &format!("app/models/m{n}.rb"),
            "class M < ApplicationRecord\n  def x(a) = where(a)\nend\n".repeat(20),
        );
    }
    let report = project.beside("out/report.json");
    fs::create_dir(project.beside("out")).expect("a folder");
    for wait in [0, 5, 20, 60] {
        fs::write(&report, "old").expect("a file");
        let output = report.to_str().expect("a name");
        let mut child = project
            .command(&["scan", "--no-cache", "--format", "json", "-o", output])
            .spawn()
            .expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        child.wait().expect("it ends");
        let text = fs::read_to_string(&report).expect("a report");
        assert!(text == "old" || serde_json::from_str::<serde_json::Value>(&text).is_ok(), "after {wait} ms");
        // At worst a temporary file stays, hidden and by its name ours.
        let others = crate::support::names(&project.beside("out"));
        assert!(others.iter().all(|n| n == "report.json" || n.starts_with(".wardroom-")), "{others:?}");
    }
}
