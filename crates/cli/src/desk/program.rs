//! `wardroom program`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use wardroom_desk::{Actor, Caller};
use wardroom_program::{File, Program};
use wardroom_service::{Desk, Moved, Progress, Settings, SystemClock};

use crate::args::{ProgramArgs, ProgramCommand};
use crate::desk::place::StorePlace;
use crate::desk::{block_on, desk_over, program_of};
use crate::failure::{CLEAN, FINDINGS, usage};
use crate::output::{self, Console};

/// Largest file of a program, in bytes.
const LARGEST: u64 = 1 << 20;
/// Most files of a program.
const MOST: usize = 2_000;

/// Runs it; the exit code.
pub fn run(options: &ProgramArgs) -> anyhow::Result<u8> {
    match &options.command {
        ProgramCommand::Init { folder } => init(folder),
        ProgramCommand::Check { folder } => {
            let program = match load(folder)? {
                Ok(program) => program,
                Err(code) => return Ok(code),
            };
            Console::stderr(&format!(
                "wardroom: {} is in order: {}",
                folder.display(),
                program.kinds.keys().cloned().collect::<Vec<_>>().join(", ")
            ));
            Ok(CLEAN)
        }
        ProgramCommand::Test { folder } => test(folder),
        ProgramCommand::Diff { folder, store } => diff(folder, store.as_ref()),
        ProgramCommand::Apply { folder, store } => apply(folder, store),
        ProgramCommand::Schema { name } => {
            let schema = wardroom_program::schema(name).ok_or_else(|| {
                let names: Vec<&str> = wardroom_program::SCHEMAS.iter().map(|(name, _)| *name).collect();
                usage(format!("`{name}` is none of {}", names.join(", ")))
            })?;
            Console::stdout(|out| {
                serde_json::to_writer_pretty(&mut *out, &schema)?;
                Ok(writeln!(out)?)
            })?;
            Ok(CLEAN)
        }
    }
}

fn init(folder: &Path) -> anyhow::Result<u8> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(usage(format!("{} is not empty", folder.display())));
    }
    for file in wardroom_program::built_in() {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        output::write_whole(&path, file.text.as_bytes())?;
    }
    Console::stderr(&format!("wardroom: the built-in program is in {}", folder.display()));
    Ok(CLEAN)
}

/// The program in a folder; its problems are told, and the exit code is given, where it has any.
fn load(folder: &Path) -> anyhow::Result<Result<Program, u8>> {
    let built = wardroom_program::load(&read(folder)?);
    for problem in &built.problems {
        Console::stderr(&format!("{}/{problem}", folder.display()));
    }
    match built.program {
        Some(program) => Ok(Ok(program)),
        None => {
            let count = built.problems.len();
            let s = if count == 1 { "" } else { "s" };
            Console::stderr(&format!("wardroom: {count} problem{s}"));
            Ok(Err(FINDINGS))
        }
    }
}

/// Every text file under a folder. Links are not followed.
fn read(folder: &Path) -> anyhow::Result<Vec<File>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next).with_context(|| format!("{} cannot be read", next.display()))?;
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let wanted = matches!(path.extension().and_then(|e| e.to_str()), Some("yaml" | "yml" | "toml"));
            if !kind.is_file() || !wanted {
                continue;
            }
            if entry.metadata()?.len() > LARGEST {
                bail!("{} is larger than a file of a program may be (1 MiB)", path.display());
            }
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let text = String::from_utf8(bytes).with_context(|| format!("{} is no UTF-8", path.display()))?;
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.insert(name, text);
            if found.len() > MOST {
                bail!("{} holds more than {MOST} files", folder.display());
            }
        }
    }
    Ok(found.into_iter().map(|(path, text)| File { path, text }).collect())
}

fn test(folder: &Path) -> anyhow::Result<u8> {
    let program = match load(folder)? {
        Ok(program) => program,
        Err(code) => return Ok(code),
    };
    let tested = program.test();
    let mut failed = 0;
    Console::stdout(|out| {
        for one in &tested {
            let place = format!("{}:{}: {}", one.file, one.line, one.name);
            if one.failures.is_empty() {
                writeln!(out, "ok      {place}")?;
                continue;
            }
            failed += 1;
            writeln!(out, "FAILED  {place}")?;
            for failure in &one.failures {
                writeln!(out, "        {failure}")?;
            }
        }
        Ok(writeln!(out, "{} passed, {failed} failed", tested.len() - failed)?)
    })?;
    Ok(if failed == 0 { CLEAN } else { FINDINGS })
}

fn diff(folder: &Path, store: Option<&StorePlace>) -> anyhow::Result<u8> {
    let new = match load(folder)? {
        Ok(program) => program,
        Err(code) => return Ok(code),
    };
    let (old, moved) = match store {
        None => (Program::built_in(), None),
        Some(place) => block_on(async {
            let store = place.existing().await?.store;
            let (old, _) = program_of(&*store).await?;
            let settings = Settings { store, program: old.clone(), clock: Arc::new(SystemClock) };
            let desk = Desk::open(settings).await?;
            let operator = Caller::engine(Actor::Operator);
            let moved = desk.apply(&operator, new.clone(), true, &Progress::default()).await?;
            Ok((old, Some(moved)))
        })?,
    };
    let differences = wardroom_program::diff(&old, &new);
    Console::stdout(|out| {
        for difference in &differences {
            writeln!(out, "{difference}")?;
        }
        if differences.is_empty() {
            writeln!(out, "the programs say the same")?;
        }
        if let Some(moved) = &moved {
            writeln!(out, "\n{}", told(moved, "would change"))?;
        }
        Ok(())
    })?;
    Ok(CLEAN)
}

fn apply(folder: &Path, store: &StorePlace) -> anyhow::Result<u8> {
    let program = match load(folder)? {
        Ok(program) => program,
        Err(code) => return Ok(code),
    };
    let moved = block_on(async {
        let desk = desk_over(store.existing().await?.store, Arc::new(SystemClock)).await?;
        let operator = Caller::engine(Actor::Operator);
        Ok(desk.apply(&operator, program, false, &Progress::default()).await?)
    })?;
    Console::stdout(|out| Ok(writeln!(out, "{}", told(&moved, "changed"))?))?;
    Ok(CLEAN)
}

/// What applying moved, in words.
fn told(moved: &Moved, verb: &str) -> String {
    let mut text = format!("{} of {} records {verb}", moved.changed, moved.looked);
    for (what, count) in &moved.by {
        text.push_str(&format!("\n  {what}: {count}"));
    }
    if !moved.examples.is_empty() {
        let names: Vec<String> = moved.examples.iter().map(ToString::to_string).collect();
        text.push_str(&format!("\n  among them {}", names.join(", ")));
    }
    text
}
