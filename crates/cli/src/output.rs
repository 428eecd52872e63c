//! Where a result goes: standard output, or a file that is either the old one or the whole new one.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use wardroom_report::Style;

use crate::args::Color;

/// Columns where nothing says how wide the terminal is.
const WIDTH: usize = 100;

/// The terminal, or what stands in its place.
pub struct Console;

impl Console {
    /// One line on standard error. Where even that fails, there is nobody to tell.
    pub fn stderr(line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// How the text format looks, by what standard output is.
    pub fn style(color: Color, short: bool, to_file: bool) -> Style {
        let terminal = !to_file && io::stdout().is_terminal();
        let said = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "0");
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !said("NO_COLOR") && !dumb && (terminal || said("CLICOLOR_FORCE")),
        };
        let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let width = width
            .or_else(|| terminal_size::terminal_size().filter(|_| terminal).map(|(w, _)| usize::from(w.0)));
        Style { color, unicode: !(terminal && plain_locale()), width: width.unwrap_or(WIDTH), short }
    }

    /// Writes to standard output, locked and buffered, and flushes.
    pub fn stdout(write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        out.flush()?;
        Ok(())
    }
}

/// The locale names a character set other than UTF-8, or none at all where it says `C`.
fn plain_locale() -> bool {
    let set =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        matches!(locale.as_str(), "c" | "posix") || locale.contains('.') && !locale.contains("utf")
    })
}

/// Checks, before any work is done, that a file can be made beside the path.
pub fn check_writable(path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    if path.is_dir() {
        anyhow::bail!("--output: {} is a folder; name a file in it", path.display());
    }
    let meta = fs::metadata(folder)
        .with_context(|| format!("--output: the folder {} cannot be used", folder.display()))?;
    if !meta.is_dir() {
        anyhow::bail!("--output: {} is no folder", folder.display());
    }
    Ok(())
}

/// Puts a file in place whole: it is written beside its place and renamed, so that a crash, a full
/// disk or Ctrl-C leaves the old one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // A pipe or device (`/dev/stdout`) is written to, not replaced; a link stays a link.
    let special = fs::metadata(path).is_ok_and(|m| !m.is_file());
    let wrong = || format!("{} could not be written", path.display());
    if special {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut f| f.write_all(bytes))
            .with_context(wrong);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wardroom-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any program would make it; the system takes off what the user's mask forbids.
        let mode = fs::metadata(&target).map_or(0o666, |m| m.permissions().mode() & 0o7777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let mut file = builder.tempfile_in(folder_of(&target)).with_context(wrong)?;
    file.write_all(bytes).and_then(|()| file.flush()).with_context(wrong)?;
    if let Ok(meta) = fs::metadata(&target) {
        // The mask was applied to what a file had before: give it back.
        fs::set_permissions(file.path(), meta.permissions()).with_context(wrong)?;
    }
    file.persist(&target).with_context(wrong)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
