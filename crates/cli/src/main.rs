//! scratch
#![allow(clippy::print_stdout)]
use std::time::Instant;
fn main() {
    rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build_global().ok();
    let h = std::thread::Builder::new().stack_size(1 << 30).spawn(run).unwrap();
    h.join().unwrap();
}
fn run() {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let filter = std::env::args().nth(2);
    let t = Instant::now();
    let tree = wardroom_source::read_tree(root.as_ref(), &|p| wardroom_rails::wanted(p)).unwrap();
    eprintln!("read {} skipped {} {:?}", tree.files.len(), tree.skipped, t.elapsed());
    let t = Instant::now();
    let loaded = wardroom_rails::load(tree.files);
    eprintln!("load {:?} problems {}", t.elapsed(), loaded.problems.len());
    let t = Instant::now();
    let app = wardroom_rails::App::build(&loaded.files);
    eprintln!("app {:?} classes {} methods {} controllers {} models {} endpoints {}", t.elapsed(), app.index.classes.len(), app.index.methods.len(), app.controllers.len(), app.models.len(), app.endpoints.len());
    let t = Instant::now();
    let k = wardroom_flow::Knowledge::built_in().unwrap();
    let flows = wardroom_flow::analyse(&app, &k);
    eprintln!("flow {:?} flows {} unresolved {}", t.elapsed(), flows.flows.len(), flows.unresolved.len());
    for f in &flows.flows {
        if filter.as_ref().is_some_and(|x| x != f.mark.as_str()) { continue; }
        let l = app.file(f.file).location(f.span);
        println!("{} {}:{} {} <- {:?} {} u={} g={} s={} eps={} | {}", f.mark.as_str(), l.file, l.start.line, f.method, f.source, f.words, f.unknown_call, f.guarded, f.guessed, f.endpoints.len(), l.snippet.lines().next().unwrap_or("").trim());
    }
    for f in &flows.unresolved {
        if filter.as_ref().is_some_and(|x| x != f.mark.as_str()) { continue; }
        let l = app.file(f.file).location(f.span);
        println!("OPEN {} {}:{} {} <- {} calls={}/{} {:?} | {}", f.mark.as_str(), l.file, l.start.line, f.method, f.parameter, f.open_calls, f.calls, f.habitat, l.snippet.lines().next().unwrap_or("").trim());
    }
    std::mem::forget(app);
}
