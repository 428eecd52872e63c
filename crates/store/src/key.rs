//! The key that signs checkpoints: a file outside the store that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::ledger::{Signer, from_hex, to_hex};

/// Where the key of a store lies: its path with `.key` at the end.
pub fn key_path(store: &Path) -> PathBuf {
    beside(store, ".key")
}

/// The path with something at its end.
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Reads the key; none where there is no file.
pub fn read(path: &Path) -> Result<Option<Signer>, StoreError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_failed(path, &error)),
    };
    let secret = from_hex(text.trim()).ok_or_else(|| {
        StoreError::Damaged(format!("{} is no key: it must hold 64 hexadecimal digits", path.display()))
    })?;
    Ok(Some(Signer::new(&secret)))
}

/// Makes a key, unless another process was quicker: then reads that one.
pub fn make(path: &Path) -> Result<Signer, StoreError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|e| StoreError::Other(format!("no randomness: {e}")))?;
    // Under another name first: at its place the file is whole from its first moment.
    let draft = beside(path, &format!(".{}", std::process::id()));
    let written = private(&draft).and_then(|mut file| {
        writeln!(file, "{}", to_hex(&secret))?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    match placed {
        Ok(()) => sync_folder(path)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(file_failed(path, &error)),
    }
    read(path)?.ok_or_else(|| StoreError::Other(format!("{} has gone", path.display())))
}

/// Creates a file that only its owner can read; there must be none.
pub fn private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in a file's folder last.
pub fn sync_folder(file: &Path) -> Result<(), StoreError> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(|e| file_failed(folder, &e))
}

/// The store's error for one of the file system.
pub fn file_failed(path: &Path, error: &std::io::Error) -> StoreError {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied
        | std::io::ErrorKind::ReadOnlyFilesystem
        | std::io::ErrorKind::StorageFull => StoreError::Unwritable(message),
        _ => StoreError::Other(message),
    }
}
