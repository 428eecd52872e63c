//! Endpoints, and the tree of a file.

use crate::support::Project;

#[test]
fn a_table() {
    let project = Project::rails();
    let run = project.run(&["surface"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let line = |words: &[&str]| run.out.lines().any(|l| words.iter().all(|w| l.contains(w)));
    assert!(line(&["GET", "/users", "users#index", "name"]), "{}", run.out);
    assert!(line(&["GET", "/users/:id", "users#show"]), "{}", run.out);
    assert!(line(&["GET", "/admin", "admin#index", "authenticate_user!"]), "{}", run.out);
    assert!(run.out.contains("4 endpoints, 3 without an authentication filter"), "{}", run.out);
}

#[test]
fn filters() {
    let project = Project::rails();
    let handlers = |arguments: &[&str]| -> Vec<String> {
        let run = project.run(&[&["surface", "--format", "json"], arguments].concat());
        let all: Vec<serde_json::Value> = serde_json::from_str(&run.out).expect("JSON");
        all.iter()
            .map(|e| {
                format!(
                    "{} {}",
                    e["method"].as_str().expect("a method"),
                    e["handler"].as_str().expect("a handler")
                )
            })
            .collect()
    };
    assert_eq!(handlers(&[]), ["GET admin#index", "GET users#index", "POST users#create", "GET users#show"]);
    assert_eq!(handlers(&["--unauthenticated"]), ["GET users#index", "POST users#create", "GET users#show"]);
    assert_eq!(handlers(&["--controller", "AdminController"]), ["GET admin#index"]);
    assert_eq!(handlers(&["--verb", "post,delete"]), ["POST users#create"]);
    // The same from the cache of a scan.
    project.run(&["scan"]);
    assert_eq!(handlers(&["--verb", "post"]), ["POST users#create"]);
}

#[test]
fn a_spreadsheet() {
    let run = Project::rails().run(&["surface", "--format", "csv"]);
    let lines: Vec<&str> = run.out.split("\r\n").collect();
    assert_eq!(lines.len(), 6, "{}", run.out);
    assert_eq!(lines[1], "GET,/admin,admin#index,true,authenticate_user!,,,,config/routes.rb:3");
}

#[test]
fn no_application() {
    let run = Project::empty().run(&["surface"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("no Rails application"), "{}", run.err);
    assert_eq!(Project::empty().run(&["surface", "nowhere"]).code, 3);
}

#[test]
fn the_tree_of_a_file() {
    let project = Project::rails();
    let run = project.run(&["ir", "app/models/user.rb"]);
    let tree: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert!(tree["body"].is_object() && run.out.contains("ApplicationRecord"));
    assert_eq!(project.run(&["ir", "missing.rb"]).code, 3);
}
