//! Archives, one level down: what is in a zip, a tar, a gzip. Archives in archives stay closed.

use std::io::{Cursor, Read};

use wardroom_model::Problem;

/// Largest member that is read, in bytes.
const MEMBER: u64 = 8 << 20;
/// Most bytes that are read from one archive.
const WHOLE: u64 = 128 << 20;
/// Most members.
const MEMBERS: usize = 5000;

/// Kinds that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
    Gzip,
}

impl Kind {
    /// By the first bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Kind> {
        match bytes {
            [0x50, 0x4b, 3, 4, ..] => Some(Kind::Zip),
            [0x1f, 0x8b, 8, ..] => Some(Kind::Gzip),
            _ if bytes.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
            _ => None,
        }
    }
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What is in it, and what was left out.
pub(crate) fn members(kind: Kind, path: &str, bytes: &[u8]) -> (Vec<Member>, Option<Problem>) {
    let (members, trouble) = match kind {
        Kind::Zip => zip(bytes),
        Kind::Tar => tar(bytes),
        Kind::Gzip => gzip(path, bytes),
    };
    let problem =
        trouble.map(|message| Problem { file: path.into(), line: None, message, unread: members.is_empty() });
    (members, problem)
}

fn zip(bytes: &[u8]) -> (Vec<Member>, Option<String>) {
    let mut out = Vec::new();
    let mut archive = match zip::ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => return (out, Some(format!("the zip archive could not be read: {error}"))),
    };
    let mut trouble = None;
    let mut total = 0u64;
    for number in 0..archive.len() {
        if number >= MEMBERS || total > WHOLE {
            trouble = Some(too_much());
            break;
        }
        let read = archive.by_index(number).map_err(|e| e.to_string()).and_then(|file| {
            let name = file.name().map_err(|e| e.to_string())?.into_owned();
            if file.is_dir() || file.size() > MEMBER {
                return Ok(None);
            }
            let mut content = Vec::new();
            // What the archive says of its sizes may be a lie.
            file.take(MEMBER).read_to_end(&mut content).map_err(|e| e.to_string())?;
            Ok(Some(Member { name, bytes: content }))
        });
        match read {
            Ok(Some(member)) => {
                total += member.bytes.len() as u64;
                out.push(member);
            }
            Ok(None) => {}
            Err(error) => trouble = Some(format!("part of the zip archive could not be read: {error}")),
        }
    }
    (out, trouble)
}

fn gzip(path: &str, bytes: &[u8]) -> (Vec<Member>, Option<String>) {
    let mut content = Vec::new();
    let trouble = match flate2::read::MultiGzDecoder::new(bytes).take(WHOLE).read_to_end(&mut content) {
        Ok(read) if read as u64 == WHOLE => Some(too_much()),
        Ok(_) => None,
        Err(error) => Some(format!("the gzip file could not be read whole: {error}")),
    };
    if Kind::of(&content) == Some(Kind::Tar) {
        let (members, inner) = tar(&content);
        return (members, trouble.or(inner));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".gz").unwrap_or("content").to_owned();
    (vec![Member { name, bytes: content }], trouble)
}

/// Reads headers of 512 bytes and what follows them, with the long names of GNU and POSIX.
fn tar(bytes: &[u8]) -> (Vec<Member>, Option<String>) {
    let mut out = Vec::new();
    let mut at = 0;
    let mut long_name: Option<String> = None;
    while let Some(header) = bytes.get(at..at + 512) {
        if header.iter().all(|b| *b == 0) {
            return (out, None);
        }
        if out.len() >= MEMBERS {
            return (out, Some(too_much()));
        }
        let broken = || Some(format!("the tar archive is broken at byte {at}"));
        let Some(size) = number(&header[124..136]) else { return (out, broken()) };
        let start = at + 512;
        let Some(end) = start.checked_add(size).filter(|e| *e <= bytes.len()) else { return (out, broken()) };
        let content = &bytes[start..end];
        match header[156] {
            b'0' | 0 | b'7' => {
                let name = long_name.take().unwrap_or_else(|| {
                    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
                    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
                });
                if size as u64 <= MEMBER {
                    out.push(Member { name, bytes: content.to_vec() });
                }
            }
            b'L' => long_name = Some(text(content)),
            b'x' => long_name = pax_path(content).or(long_name),
            _ => long_name = None,
        }
        let Some(next) = size.checked_next_multiple_of(512).and_then(|s| start.checked_add(s)) else {
            return (out, broken());
        };
        at = next;
    }
    (out, None)
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Octal digits, or a number in base 256 where the first bit is set.
fn number(field: &[u8]) -> Option<usize> {
    if field[0] & 0x80 != 0 {
        return field[1..]
            .iter()
            .try_fold(0usize, |sum, b| sum.checked_mul(256)?.checked_add(usize::from(*b)));
    }
    let digits = field.trim_ascii_start();
    digits
        .iter()
        .take_while(|b| matches!(b, b'0'..=b'7'))
        .try_fold(0usize, |sum, b| sum.checked_mul(8)?.checked_add(usize::from(b - b'0')))
        .filter(|_| digits.first().is_some_and(|b| matches!(b, b'0'..=b'7')))
}

fn pax_path(content: &[u8]) -> Option<String> {
    content.split(|b| *b == b'\n').find_map(|line| {
        let at = memchr::memmem::find(line, b" path=")?;
        Some(String::from_utf8_lossy(&line[at + 6..]).into_owned())
    })
}

fn too_much() -> String {
    format!("the archive holds more than {MEMBERS} files or {} MiB; the rest was not read", WHOLE >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn header(name: &str, size: usize) -> Vec<u8> {
        let mut header = vec![0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        header[156] = b'0';
        header[257..262].copy_from_slice(b"ustar");
        header
    }

    fn packed() -> Vec<u8> {
        let mut tar = header("a/b.txt", 3);
        tar.extend(b"abc");
        tar.resize(1024, 0);
        tar.extend(header("c", 0));
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    #[test]
    fn a_tar_in_a_gzip() {
        let tar = packed();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        let bytes = gzip.finish().unwrap();
        assert_eq!(Kind::of(&bytes), Some(Kind::Gzip));
        let (members, problem) = members(Kind::Gzip, "x.tar.gz", &bytes);
        assert_eq!(problem, None);
        assert_eq!(members[0], Member { name: "a/b.txt".into(), bytes: b"abc".to_vec() });
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn broken_archives_are_told() {
        let mut tar = header("a", 9999);
        tar.extend(b"abc");
        assert!(members(Kind::Tar, "a.tar", &tar).1.unwrap().message.contains("broken at byte 0"));
        let mut huge = header("a", 0);
        huge[124..136].fill(0xff);
        assert!(members(Kind::Tar, "a.tar", &huge).1.is_some());
        assert!(members(Kind::Zip, "a.zip", b"PK\x03\x04 and nothing").1.unwrap().unread);
        assert!(members(Kind::Gzip, "a.gz", b"\x1f\x8b\x08\0\0").1.is_some());
        for cut in 0..packed().len() {
            let _ = members(Kind::Tar, "a.tar", &packed()[..cut]);
        }
    }

    #[test]
    fn a_bomb_ends() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![b'a'; 1 << 20];
        for _ in 0..130 {
            gzip.write_all(&zeros).unwrap();
        }
        let (members, problem) = members(Kind::Gzip, "a.gz", &gzip.finish().unwrap());
        assert_eq!(members[0].bytes.len() as u64, WHOLE);
        assert!(problem.unwrap().message.contains("128 MiB"));
    }
}
