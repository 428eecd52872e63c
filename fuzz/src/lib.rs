//! What the fuzz targets share: a stack like the scanner's, and what must hold of every tree.

use std::sync::Once;

use wardroom_rails::App;
use wardroom_ruby::ir::Node;
use wardroom_ruby::template::{Engine, Options, compile};
use wardroom_ruby::{Parsed, parse, parse_template, walk};
use wardroom_source::Source;

/// Deeper than lowering lets any tree become, with room for what one construct unfolds into.
const MAX_DEPTH: u32 = 2_000;

/// Runs `work` on a thread with the stack that the scanner gives its own.
pub fn on_scanner_stack(work: impl FnOnce() + Send) {
    static POOL: Once = Once::new();
    POOL.call_once(|| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .stack_size(64 << 20)
            .build_global()
            .expect("the first pool");
    });
    rayon::scope(|scope| scope.spawn(|_| work()));
}

/// Every node lies inside the file, and no branch is deeper than an analysis may recurse.
pub fn check_tree(parsed: &Parsed, length: usize) {
    fn inside(node: &Node, end: u32, depth: u32) {
        assert!(node.span.start <= node.span.end, "a span runs backwards: {:?}", node.span);
        assert!(node.span.end <= end, "a span ends outside the file: {:?} of {end}", node.span);
        assert!(depth < MAX_DEPTH, "deeper than any analysis may recurse");
        walk::children(node, &mut |child| inside(child, end, depth + 1));
    }
    inside(&parsed.body, length as u32, 0);
}

/// Parses Ruby and checks the tree.
pub fn ruby(source: &[u8]) -> Parsed {
    let parsed = parse(source);
    check_tree(&parsed, source.len());
    parsed
}

/// Compiles a template, parses what comes out and checks both. The first byte of `data` says how the
/// application around the template is set up.
pub fn template(engine: Engine, data: &[u8]) {
    let Some((setup, source)) = data.split_first() else { return };
    let source = String::from_utf8_lossy(source);
    let options = Options {
        html: setup & 1 == 0,
        escape: setup & 2 == 0,
        haml_major: if setup & 4 == 0 { 6 } else { 5 },
    };
    let compiled = compile(engine, &source, &options);
    assert!(compiled.ruby.len() <= 20 * source.len() + 1_000, "the code grows out of proportion");
    let mut end = 0;
    for copied in &compiled.map {
        assert!(copied.ruby >= end, "stretches of the map overlap");
        end = copied.ruby + copied.len;
        assert!((copied.template + copied.len) as usize <= source.len(), "a stretch of nothing");
    }
    assert!(end as usize <= compiled.ruby.len(), "a stretch outside the code");
    check_tree(&parse_template(&compiled), source.len());
}

/// The files of an application written as one text: a line `=== PATH` opens each.
pub fn files(data: &[u8]) -> Vec<Source> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in data.split_inclusive(|b| *b == b'\n') {
        if let Some(path) = line.strip_prefix(b"=== ") {
            let path = String::from_utf8_lossy(path).trim().to_owned();
            // A walk brings every path once, and only those that are wanted.
            if wardroom_rails::wanted(&path) == wardroom_source::Wanted::Yes
                && files.iter().all(|(known, _)| *known != path)
                && files.len() < 20
            {
                files.push((path, Vec::new()));
                continue;
            }
        }
        if let Some((_, text)) = files.last_mut() {
            text.extend_from_slice(line);
        }
    }
    files.sort();
    files.into_iter().map(|(path, text)| Source { path: path.into(), text: text.into() }).collect()
}

/// Scans an application: model, flows, every check. A check that panics is a fault, though a scan
/// would go on without it.
pub fn scan(sources: Vec<Source>) {
    let loaded = wardroom_rails::load(sources);
    let app = App::build(&loaded.files);
    let flows = wardroom_flow::analyse(&app, knowledge());
    let outcome = wardroom_sast::run(&app, &flows, &|_| true);
    assert!(outcome.failures.is_empty(), "checks failed: {:?}", outcome.failures);
    for finding in &outcome.findings {
        let at = &finding.location;
        assert!(at.start <= at.end, "{}: a place runs backwards: {at:?}", finding.rule);
        assert!(app.files.iter().any(|f| f.path == at.file), "{}: a file that is none", finding.rule);
    }
}

fn knowledge() -> &'static wardroom_flow::Knowledge {
    static KNOWLEDGE: std::sync::OnceLock<wardroom_flow::Knowledge> = std::sync::OnceLock::new();
    KNOWLEDGE.get_or_init(|| wardroom_flow::Knowledge::built_in().expect("the knowledge reads"))
}
