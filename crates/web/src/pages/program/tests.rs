use axum::extract::{Path, State};
use wardroom_program::{File, built_in, load};

use super::*;
use crate::pages::fixture::{app, frame, show};

fn kind_page(program: &Program, name: &str) -> String {
    let kind = program.kind(name).unwrap();
    KindPage::new(frame(&kind.plural, &format!("/program/kinds/{name}")), program, kind).render().unwrap()
}

#[test]
fn every_kind_of_the_built_in_program_is_shown() {
    let program = Program::built_in();
    for (name, kind) in &program.kinds {
        let html = kind_page(&program, name);
        show(&format!("kind-{name}"), &html);
        for transition in &kind.transitions {
            // In the drawing and in the table.
            assert!(html.contains(&format!("href=\"#t-{}\"", transition.name)), "{name}: {}", transition.name);
            assert!(html.contains(&format!("<tr id=\"t-{}\">", transition.name)), "{name}: {}", transition.name);
        }
        assert!(!html.contains("NaN") && !html.contains("style="), "{name}");
    }
    let html = build(frame("Program", "/program"), &program, Vec::new()).render().unwrap();
    assert!(html.contains("href=\"/program/kinds/finding\""), "{html}");
    show("program", &html);
}

#[test]
fn the_drawing_has_a_lane_for_each_state_and_stays_within_its_box() {
    let program = Program::built_in();
    for kind in program.kinds.values() {
        let drawn = diagram::Diagram::of(kind);
        assert_eq!(drawn.lanes.len(), kind.states.len());
        assert_eq!(drawn.ways.len(), kind.transitions.len());
        for way in &drawn.ways {
            assert!(way.x.0 > 168.0 && way.x.0 < drawn.end.0 && drawn.end.0 <= drawn.width.0, "{way:?}");
            assert!(way.dots.iter().all(|y| y.0 < drawn.height.0), "{way:?}");
            assert!(!way.arms.is_empty(), "{way:?}");
        }
    }
    let finding = diagram::Diagram::of(&program.kinds["finding"]);
    let titles: Vec<&str> = finding.lanes.iter().map(|l| l.title.as_str()).collect();
    assert_eq!(titles[..2], ["Proposed", "New"]);
    assert!(finding.ways.iter().any(|w| w.engine) && finding.ways.iter().any(|w| !w.engine));
}

#[test]
fn files_are_shown_with_their_lines_and_lead_to_what_they_declare() {
    let program = Program::built_in();
    let text = &program.files["kinds/finding.yaml"];
    let html = file_page(frame("f", "/program/files/kinds/finding.yaml"), &program, "kinds/finding.yaml", text)
        .render()
        .unwrap();
    assert!(html.contains("href=\"/program/kinds/finding\"") && html.contains("data-line=\"1\""), "{html}");
    assert_eq!(html.matches("aria-current=\"page\"").count(), 2, "the file in the tree and in the way to it");
    assert_eq!(kind_in(&program, "policies/roles.yaml"), None);
    let names: Vec<String> = folders(&program, "").into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["", "kinds", "policies"]);
    show("program-file", &html);
}

#[test]
fn a_hostile_program_is_text() {
    let evil = "<script>alert(1)</script>";
    let files: Vec<File> = built_in()
        .iter()
        .map(|f| File {
            path: f.path.clone(),
            text: f
                .text
                .replace("title: Finding\n", &format!("title: \"{evil}\"\n"))
                .replace("title: Start work", &format!("title: \"{evil}\"")),
        })
        .collect();
    let program = load(&files).program.expect("titles may be any text");
    let html = kind_page(&program, "finding");
    assert!(!html.contains(evil) && html.contains("alert(1)"), "{html}");
    let text = format!("{evil}\n\u{1b}[31m");
    let html = file_page(frame("f", "/"), &program, evil, &text).render().unwrap();
    assert!(!html.contains(evil), "{html}");
}

#[tokio::test]
async fn only_what_the_program_is_made_of_can_be_asked_for() {
    let (app, _, viewer, _folder) = app().await;
    let paths = [
        "../Cargo.toml", "/etc/passwd", "kinds/../kinds/finding.yaml", "kinds", "kinds/", "kinds/finding.yaml/", "",
        "kinds/finding.yaml\0", "KINDS/FINDING.YAML", "..\\wardroom.toml", "<script>",
    ];
    for path in paths {
        assert!(file(State(app.clone()), Path(path.to_owned()), viewer.clone()).await.is_err(), "{path:?}");
    }
    assert!(file(State(app.clone()), Path("wardroom.toml".to_owned()), viewer.clone()).await.is_ok());
    for kind in ["", "nothing", "Finding", "../finding", "<script>"] {
        assert!(one_kind(State(app.clone()), Path(kind.to_owned()), viewer.clone()).await.is_err(), "{kind:?}");
    }
    assert!(one_kind(State(app.clone()), Path("finding".to_owned()), viewer.clone()).await.is_ok());
    assert!(overview(State(app), viewer).await.is_ok());
}
