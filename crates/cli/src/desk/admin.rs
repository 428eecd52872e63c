//! `wardroom admin`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use wardroom_desk::Actor;
use wardroom_service::SystemClock;
use wardroom_store::{Store, key, rebuild};
use wardroom_store_sqlite::{Options, SqliteStore, restore};

use crate::args::{AdminArgs, AdminCommand};
use crate::desk::place::{Opened, StorePlace};
use crate::desk::{block_on, desk_over};
use crate::failure::{CLEAN, usage};
use crate::output::Console;

/// Runs it; the exit code.
pub fn run(options: &AdminArgs) -> anyhow::Result<u8> {
    match &options.command {
        AdminCommand::Rebuild { store } => block_on(rebuilt(store)),
        AdminCommand::Backup { store, to, with_key } => block_on(async {
            let instead = "a database is copied while it is in use with pg_dump, and at rest with `wardroom admin export`";
            only_a_file(store, instead)?;
            only_a_file(to, instead)?;
            if !store.exists() {
                return Err(usage(format!("there is no store at {}", store.display())));
            }
            let opened = SqliteStore::open(store, &Options::default()).await;
            let store = opened.with_context(|| store.display().to_string())?;
            store.backup_with(to, *with_key).await?;
            let head = store.head().await?;
            Console::stderr(&format!("wardroom: {} holds {} events, verified", to.display(), head.seq));
            Ok(CLEAN)
        }),
        AdminCommand::Restore { from, store, overwrite } => block_on(async {
            let instead = "`wardroom admin import` fills a new database, pg_restore puts one back";
            only_a_file(store, instead)?;
            only_a_file(from, instead)?;
            let copied = restore(from, store, *overwrite).await?;
            Console::stderr(&format!(
                "wardroom: {} holds {} events, root {}",
                store.display(),
                copied.head.seq,
                copied.root
            ));
            Ok(CLEAN)
        }),
        AdminCommand::Export { store, to, with_key } => block_on(export(store, to, *with_key)),
        AdminCommand::Import { from, store } => block_on(import(from, store)),
        AdminCommand::Token { store, name, days } => block_on(async {
            let desk = desk_over(store.existing().await?.store, Arc::new(SystemClock)).await?;
            let token = wardroom_web::make_token(
                &desk,
                name,
                "engineer",
                &["deliver", "read"],
                *days,
                &Actor::Operator,
            )
            .await?;
            Console::stdout(|out| Ok(writeln!(out, "{token}")?))?;
            Ok(CLEAN)
        }),
        AdminCommand::Recover { store, login, origin } => block_on(async {
            let desk = desk_over(store.existing().await?.store, Arc::new(SystemClock)).await?;
            let origin = wardroom_web::Origin(origin.trim_end_matches('/').to_owned());
            let link = wardroom_web::recovery_link(&desk, &origin, login).await?;
            Console::stdout(|out| Ok(writeln!(out, "{link}")?))?;
            Ok(CLEAN)
        }),
    }
}

async fn rebuilt(place: &StorePlace) -> anyhow::Result<u8> {
    let store = place.existing().await?.store;
    let mut told = 0;
    let mut progress = |p: wardroom_store::Progress| {
        let percent = p.done * 100 / p.of.max(1);
        if percent >= told + 10 {
            told = percent;
            Console::stderr(&format!("wardroom: {percent} % of {} events", p.of));
        }
    };
    let events = rebuild(&*store, &mut progress).await?;
    Console::stderr(&format!("wardroom: every record is built again from {events} events"));
    Ok(CLEAN)
}

/// Refuses the address of a database where a file is meant, before anything repeats it with its password.
fn only_a_file(path: &Path, instead: &str) -> anyhow::Result<()> {
    if StorePlace::from(path).is_database() { Err(usage(instead.to_owned())) } else { Ok(()) }
}

/// Copies a store into a new file.
async fn export(from: &StorePlace, to: &Path, with_key: bool) -> anyhow::Result<u8> {
    only_a_file(to, "--store and `wardroom admin import` fill a database")?;
    let there = [to.to_owned(), key::key_path(to)].into_iter().find(|path| path.exists());
    if let Some(path) = there {
        return Err(usage(format!("{} is there already", path.display())));
    }
    let source = from.reading().await?;
    // Under another name until it is whole.
    let draft = key::beside(to, ".part");
    let pieces = [draft.clone(), key::beside(&draft, "-wal"), key::beside(&draft, "-shm")];
    let cleared = || pieces.iter().try_for_each(|path| discard(path));
    cleared()?;
    let copied = copied_into(&draft, &source).await;
    if copied.is_err() {
        cleared()?;
    }
    let (events, root) = copied?;
    if with_key {
        taken_along(&from.key_path()?, &key::key_path(to))?;
    }
    std::fs::rename(&draft, to).with_context(|| to.display().to_string())?;
    key::sync_folder(to)?;
    Console::stderr(&format!("wardroom: {} holds {events} events, root {root}", to.display()));
    Ok(CLEAN)
}

/// How many events there are now, and the root of the tree over them.
async fn copied_into(draft: &Path, source: &Opened) -> anyhow::Result<(u64, String)> {
    let options = Options { copy_of: Some(source.public_key), ..Options::default() };
    let copy = SqliteStore::create(draft, &options).await?;
    let head = copy.take_over(&*source.store).await?;
    let root = copy.newest_checkpoint().await?.map_or_else(String::new, |c| c.root);
    copy.tidy().await?;
    copy.close().await?;
    Ok((head.seq, root))
}

/// Fills a store from another one.
async fn import(from: &StorePlace, to: &StorePlace) -> anyhow::Result<u8> {
    let source = from.reading().await?;
    // The log goes on under the key that has signed it, where that is at hand.
    let (old, new) = (from.key_path()?, to.key_path()?);
    if old.exists() && !new.exists() {
        taken_along(&old, &new)?;
    }
    let target = to.open_or_create().await?;
    let head = target.store.take_over(&*source.store).await.map_err(|error| match error {
        wardroom_store::StoreError::Behind(seq) => {
            usage(format!("{to} holds {seq} events: only a new store can be filled"))
        }
        error => error.into(),
    })?;
    let root = target.store.newest_checkpoint().await?.map_or_else(String::new, |c| c.root);
    target.store.tidy().await?;
    Console::stderr(&format!("wardroom: {to} holds {} events, root {root}", head.seq));
    if target.public_key != source.public_key {
        Console::stderr(
            "wardroom: it signs with a key of its own: older checkpoints are checked with the key before",
        );
    }
    Ok(CLEAN)
}

fn taken_along(from: &Path, to: &Path) -> anyhow::Result<()> {
    let secret = std::fs::read(from).with_context(|| from.display().to_string())?;
    key::private(to)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &secret).and_then(|()| file.sync_all()))
        .with_context(|| to.display().to_string())
}

fn discard(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}
