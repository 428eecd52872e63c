//! `wardroom import`: other tools' reports by the real binary.

use std::path::PathBuf;

use crate::support::{Folder, wardroom};

fn data(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reports").join(name);
    root.to_string_lossy().into_owned()
}
