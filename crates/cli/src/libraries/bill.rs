//! `wardroom sbom`: the bill of materials of a folder.

use std::fs;

use anyhow::Context;
use wardroom_deps::sbom::{self, Bill, Head};

use crate::args_libraries::SbomArgs;
use crate::clock;
use crate::failure::{CLEAN, RUN, usage};
use crate::output::{self, Console};

/// Writes it; the exit code.
pub fn run(options: &SbomArgs) -> anyhow::Result<u8> {
    if let Some(path) = &options.output {
        output::check_writable(path)?;
    }
    let tree = super::read(&options.path, None)?;
    let libraries = super::inventories(tree);
    if libraries.files.is_empty() {
        return Err(usage(format!("{} holds no lockfile and no manifest", options.path.display())));
    }
    let name = options.name.clone().or_else(|| {
        let full = fs::canonicalize(&options.path).ok()?;
        Some(full.file_name()?.to_string_lossy().into_owned())
    });
    let bill = Bill::new(libraries.files.iter().map(|(file, inventory)| (&*file.path, inventory)));
    let created = clock::now();
    let head = Head {
        name: name.unwrap_or_else(|| "project".to_owned()),
        version: options.project_version.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created,
        serial: serial(&bill, created),
    };
    let text = sbom::write(options.format, &head, &bill);
    match &options.output {
        Some(path) => output::write_whole(path, text.as_bytes())?,
        None => Console::stdout(|out| out.write_all(text.as_bytes()).context("standard output"))?,
    }
    for problem in &libraries.problems {
        Console::stderr(&format!("wardroom: {problem}"));
    }
    Ok(if libraries.problems.iter().any(|p| p.unread) { RUN } else { CLEAN })
}

/// A UUID over what the document is made of and when: another time or other contents, another number.
fn serial(bill: &Bill, created: i64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&created.to_le_bytes());
    for component in &bill.components {
        hasher.update(format!("{component:?}").as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    // Version 8 is for numbers made like this one; the variant is the usual.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
