//! ZIP files, unpacked in memory.

use std::io::{Cursor, Read as _};

/// Most members that are looked at.
const MEMBERS: usize = 500;
/// Most bytes of all members together.
const WHOLE: u64 = 256 * 1024 * 1024;

/// Names and contents.
type Members = Vec<(String, Vec<u8>)>;

/// The files of a ZIP archive with their names, and what is wrong with it, if anything is.
pub(super) fn members(bytes: &[u8]) -> Result<(Members, Option<String>), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| format!("the ZIP file cannot be read: {error}"))?;
    let mut found = Vec::new();
    let mut trouble = None;
    let mut left = WHOLE;
    for number in 0..archive.len() {
        if number >= MEMBERS || left == 0 {
            trouble = Some(format!("more than {MEMBERS} files or {WHOLE} bytes of a ZIP file are not read"));
            break;
        }
        let read = archive.by_index(number).map_err(|e| e.to_string()).and_then(|file| {
            let name = file.name().map_err(|e| e.to_string())?.into_owned();
            if file.is_dir() {
                return Ok(None);
            }
            let mut content = Vec::new();
            // What the archive says of its sizes may be a lie.
            file.take(left).read_to_end(&mut content).map_err(|e| e.to_string())?;
            Ok(Some((name, content)))
        });
        match read {
            Ok(Some(member)) => {
                left -= member.1.len() as u64;
                found.push(member);
            }
            Ok(None) => {}
            Err(error) => trouble = Some(format!("part of the ZIP file cannot be read: {error}")),
        }
    }
    Ok((found, trouble))
}
