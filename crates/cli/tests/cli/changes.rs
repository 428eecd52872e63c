//! What a change adds, in a real repository; fixes.

use std::fs;

use crate::support::{Project, UNSAFE, USERS, active};

const ONLY: [&str; 2] = ["--only", "sql-injection"];

fn committed() -> Project {
    let project = Project::rails();
    project.git(&["init", "-q"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-qm", "first"]);
    project
}

fn added(project: &Project, since: &str) -> Vec<String> {
    project.found(&["--only", "sql-injection", "--changed-since", since])
}

#[test]
fn nothing_changed_nothing_added() {
    let project = committed();
    assert_eq!(project.found(&ONLY).len(), 1);
    assert_eq!(added(&project, "HEAD"), [""; 0]);
    assert_eq!(project.run(&["scan", "--changed-since", "HEAD"]).code, 0);
}

#[test]
fn what_is_added_is_found_wherever_it_stands() {
    let project = committed();
    // Not committed; lines of the old finding move.
    project.write(
        USERS,
        UNSAFE.replace("  def index\n", "  def index\n    @more = User.where(\"id = #{params[:id]}\")\n"),
    );
    assert_eq!(added(&project, "HEAD"), ["app/controllers/users_controller.rb:3 sql-injection"]);
    assert_eq!(project.run(&["scan", "--changed-since", "HEAD"]).code, 1);
    project.git(&["commit", "-qam", "second"]);
    assert_eq!(added(&project, "HEAD"), [""; 0]);
    assert_eq!(added(&project, "HEAD~1"), ["app/controllers/users_controller.rb:3 sql-injection"]);
    // A file that git does not know yet.
    project.write("app/controllers/new_controller.rb", UNSAFE.replace("Users", "New"));
    assert_eq!(added(&project, "HEAD"), ["app/controllers/new_controller.rb:3 sql-injection"]);
}

#[test]
fn a_change_far_from_the_line_counts() {
    let project = committed();
    project.write(
        "app/models/user.rb",
        "class User < ApplicationRecord\n  def self.by(name)\n    where(\"name = '#{name}'\")\n  end\nend\n",
    );
    project.git(&["add", "."]);
    project.git(&["commit", "-qm", "a method that nobody calls"]);
    // The dangerous line stays as it is; what now reaches it makes it sure.
    project.write(USERS, "class UsersController < ApplicationController\n  def index\n    User.by(params[:name])\n  end\nend\n");
    let report =
        project.json(&["--only", "sql-injection", "--changed-since", "HEAD", "--min-confidence", "high"]);
    assert_eq!(active(&report), ["app/models/user.rb:3 sql-injection"]);
}

#[test]
fn a_moved_file_adds_nothing() {
    let project = committed();
    project.git(&["mv", USERS, "app/controllers/people_controller.rb"]);
    assert_eq!(project.found(&ONLY), ["app/controllers/people_controller.rb:3 sql-injection"]);
    assert_eq!(added(&project, "HEAD"), [""; 0]);
}

#[test]
fn others_work_is_not_this_branchs() {
    let project = committed();
    project.git(&["checkout", "-qb", "feature"]);
    project.write("app/models/user.rb", "class User < ApplicationRecord\n  X = 1\nend\n");
    project.git(&["commit", "-qam", "work"]);
    project.git(&["checkout", "-q", "main"]);
    project.write(USERS, UNSAFE.replace("'#{params[:name]}'", "?"));
    project.git(&["commit", "-qam", "mended on main"]);
    project.git(&["checkout", "-q", "feature"]);
    assert_eq!(added(&project, "main"), [""; 0]);
}

#[test]
fn a_folder_within_the_repository() {
    let project = Project::rails();
    let app = project.root();
    let repository = project.beside("repository");
    fs::create_dir(&repository).expect("a folder");
    fs::rename(&app, repository.join("shop")).expect("a move");
    fs::rename(&repository, &app).expect("a move");
    project.git(&["init", "-q"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-qm", "first"]);
    project.write(
        &format!("shop/{USERS}"),
        UNSAFE.replace("  def index\n", "  def index\n    @more = User.where(\"id = #{params[:id]}\")\n"),
    );
    assert_eq!(
        project.found(&["--only", "sql-injection", "--changed-since", "HEAD", "shop"]),
        ["app/controllers/users_controller.rb:3 sql-injection"]
    );
}

#[test]
fn a_revision_that_is_none() {
    let project = committed();
    for reference in ["nowhere", "--output=x", "", "HEAD:Gemfile.lock"] {
        let run = project.run(&["scan", &format!("--changed-since={reference}")]);
        assert_eq!(run.code, 2, "{reference}: {}", run.err);
        assert!(run.err.contains("git knows no revision"), "{}", run.err);
    }
    assert!(!project.root().join("x").exists());
}

#[test]
fn an_ignore_taken_away_shows_the_finding() {
    let project = Project::rails();
    project.write(
        USERS,
        UNSAFE.replace("    @users", "    # wardroom:ignore sql-injection -- ours\n    @users"),
    );
    project.git(&["init", "-q"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-qm", "first"]);
    project.write(USERS, UNSAFE);
    assert_eq!(added(&project, "HEAD"), ["app/controllers/users_controller.rb:3 sql-injection"]);
}

#[test]
fn without_a_mechanical_fix_nothing_is_touched() {
    let project = Project::rails();
    // Which classes are meant, only a person knows.
    let code = "class UsersController < ApplicationController\n  def index\n    params[:type].constantize.new\n  end\nend\n";
    project.write(USERS, code);
    let run = project.run(&["scan", "--fix", "--only", "unsafe-reflection"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("0 findings can be mended mechanically; 1 need a person"), "{}", run.err);
    let run = project.run(&["scan", "--apply", "--only", "unsafe-reflection"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("0 findings changed in 0 files; nothing new came"), "{}", run.out);
    assert_eq!(project.read(USERS), code);
}

#[test]
fn fixes_are_shown_and_made() {
    let project = Project::rails();
    let model = "class User < ApplicationRecord\n  # wardroom:ignore sql-injection,open-redirect -- old\n  A = 1\n  B = 2 # wardroom:ignore open-redirect -- old\nend\n";
    let mended = "class User < ApplicationRecord\n  A = 1\n  B = 2\nend\n";
    project.write("app/models/user.rb", model);
    let only = ["--only", "unused-ignore"];
    let run = project.run(&[&["scan", "--fix"], &only[..]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    let diff = "--- a/app/models/user.rb\n+++ b/app/models/user.rb\n@@ -1,5 +1,4 @@\n class User < ApplicationRecord\n-  # wardroom:ignore sql-injection,open-redirect -- old\n   A = 1\n-  B = 2 # wardroom:ignore open-redirect -- old\n+  B = 2\n end\n";
    assert_eq!(run.out, diff);
    assert!(run.err.contains("3 findings can be mended mechanically; 0 need a person"), "{}", run.err);
    assert_eq!(project.read("app/models/user.rb"), model);
    // What is shown is what patch takes.
    fs::write(project.beside("fix.diff"), &run.out).expect("a file");
    project.git(&["init", "-q"]);
    project.git(&["apply", "--check", "../fix.diff"]);

    let run = project.run(&[&["scan", "--apply"], &only[..]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.out.matches("gone: app/models/user.rb").count(), 3, "{}", run.out);
    assert!(run.out.ends_with("3 findings changed in 1 file; nothing new came\n"), "{}", run.out);
    assert_eq!(project.read("app/models/user.rb"), mended);
    assert_eq!(project.found(&only), [""; 0]);
}
