//! Prints what the checks find in a folder, one line a finding: for the author of a check.
//!
//! `cargo run --profile quick -p wardroom-sast --example try -- PATH [RULE]`

use std::io::Write;

fn main() {
    let stack = 1 << 30;
    rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build_global().expect("the first pool");
    let run = std::thread::Builder::new().stack_size(stack).spawn(run).expect("a thread");
    run.join().expect("the run ends");
}

fn run() {
    let mut args = std::env::args().skip(1);
    let root = args.next().unwrap_or_else(|| ".".to_owned());
    let only = args.next();
    let tree = wardroom_source::read_tree(root.as_ref(), &wardroom_rails::wanted).expect("the folder reads");
    let loaded = wardroom_rails::load(tree.files);
    let app = wardroom_rails::App::build(&loaded.files);
    let knowledge = wardroom_flow::Knowledge::built_in().expect("the knowledge reads");
    let flows = wardroom_flow::analyse(&app, &knowledge);
    let outcome = wardroom_sast::run(&app, &flows, &|r| only.as_ref().is_none_or(|o| o == r.id));
    let mut out = std::io::stdout().lock();
    for f in &outcome.findings {
        let code = f.location.snippet.lines().next().unwrap_or_default().trim();
        let at = format!("{}:{}", f.location.file, f.location.start.line);
        if writeln!(
            out,
            "{} {} {at} {} [{}] e={} | {code}",
            f.rule,
            f.confidence,
            f.message,
            f.reason,
            f.endpoints.len()
        )
        .is_err()
        {
            return;
        }
        if std::env::var_os("STEPS").is_some() {
            for step in &f.path {
                let code = step.location.snippet.lines().next().unwrap_or_default().trim();
                let _ = writeln!(
                    out,
                    "      {}:{} {} | {code}",
                    step.location.file, step.location.start.line, step.note
                );
            }
        }
    }
    for (rule, message) in &outcome.failures {
        let _ = writeln!(out, "FAILED {rule}: {message}");
    }
}
