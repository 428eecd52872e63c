//! Public lockfiles against ruby-advisory-db: the same set as bundler-audit gives, none missing, none extra.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use wardroom_deps::advisory::{Reading, read_file};
use wardroom_deps::index::{Builder, Index};
use wardroom_deps::lockfile::format_of;
use wardroom_deps::matching::{Matcher, findings};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

fn read_folder(folder: &Path, reading: &mut Reading) {
    for entry in std::fs::read_dir(folder).expect("the reference data is there") {
        let path = entry.expect("its folders can be listed").path();
        if path.is_dir() {
            read_folder(&path, reading);
        } else {
            let bytes = std::fs::read(&path).expect("its files can be read");
            read_file(&path.to_string_lossy().into(), &bytes, reading);
        }
    }
}

#[test]
fn the_set_is_equal() {
    let mut reading = Reading::default();
    read_folder(Path::new(&format!("{DATA}/ruby-advisory-db")), &mut reading);
    assert_eq!(reading.problems, []);
    let mut builder = Builder::default();
    builder.feed("ruby-advisory-db", &reading.newest, "", reading.advisories);
    let index = Index::open(builder.build()).unwrap();
    let matcher = Matcher::new(&index);

    let text = std::fs::read_to_string(format!("{DATA}/lockfiles/expected.tsv")).unwrap();
    let expected: BTreeSet<String> = text.lines().skip(1).map(str::to_owned).collect();
    assert!(expected.len() > 8000);

    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(format!("{DATA}/lockfiles")).unwrap() {
        let folder = entry.unwrap().path();
        let path = folder.join("Gemfile.lock");
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let name = folder.file_name().unwrap().to_str().unwrap();
        let file: Arc<str> = "Gemfile.lock".into();
        let inventory = (format_of(&file).unwrap().read)(&file, &bytes);
        for finding in findings(&file, &bytes, &inventory, &matcher).unwrap() {
            let (package, advisory) = (finding.package.unwrap(), finding.advisory.unwrap());
            let line = format!("{name}\t{}\t{}\t{}", package.name, package.version, advisory.id);
            assert!(found.insert(line.clone()), "{line} is found twice");
        }
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    let extra: Vec<_> = found.difference(&expected).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{} missing, {} extra\n{:#?}\n{:#?}",
        missing.len(),
        extra.len(),
        &missing[..missing.len().min(20)],
        &extra[..extra.len().min(20)]
    );
}
