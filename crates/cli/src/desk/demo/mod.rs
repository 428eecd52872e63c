//! `wardroom demo`: the desk with the example application and twelve weeks of work on it, made by
//! running the engines through time.

mod story;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::Context;
use tokio::net::TcpListener;
use wardroom_desk::Millis;
use wardroom_service::{Clock, SystemClock};
use wardroom_store::Store;
use wardroom_store_sqlite::{Options, SqliteStore};
use wardroom_web::Origin;

use crate::args::DemoArgs;
use crate::desk::{block_on, desk_over, serve};
use crate::failure::{CLEAN, usage};
use crate::output::Console;

/// How long the printed link works, in milliseconds.
const LINK_LIVES: Millis = 12 * 3_600_000;

/// A clock that is set while the story is told, and is the system's from then on.
#[derive(Debug, Default)]
pub struct StoryClock {
    at: AtomicI64,
    over: AtomicBool,
}

impl StoryClock {
    fn set(&self, at: Millis) {
        self.at.store(at, Ordering::Relaxed);
    }

    fn release(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Millis {
        if self.over.load(Ordering::Relaxed) { SystemClock.now() } else { self.at.load(Ordering::Relaxed) }
    }
}

/// Runs it; the exit code.
pub fn run(options: &DemoArgs) -> anyhow::Result<u8> {
    serve::log();
    crate::scan::start_threads(None)?;
    let folder = tempfile::tempdir().context("no folder for the store")?;
    let path: PathBuf = match &options.keep {
        Some(path) if path.exists() => {
            return Err(usage(format!(
                "{} is there already; `wardroom serve --store {0}` serves it",
                path.display()
            )));
        }
        Some(path) => path.clone(),
        None => folder.path().join("demo.db"),
    };
    block_on(async {
        let listener = TcpListener::bind(options.listen).await.with_context(|| {
            format!("{} cannot be listened on; choose another with --listen", options.listen)
        })?;
        let origin = Origin(format!("http://{}", listener.local_addr()?));
        let store = Arc::new(SqliteStore::create(&path, &Options::default()).await?);
        let public_key = store.public_key().to_vec();
        let clock = Arc::new(StoryClock::default());
        Console::stderr("wardroom: telling twelve weeks of work on the example application …");
        clock.set(story::beginning(SystemClock.now()));
        let store: Arc<dyn Store> = store;
        let desk = desk_over(store, Arc::<StoryClock>::clone(&clock)).await?;
        story::tell(&desk, &clock, SystemClock.now()).await?;
        clock.release();
        desk.tick().await?;
        let link = wardroom_web::signed_in_link(&desk, &origin, story::VISITOR, LINK_LIVES).await?;
        Console::stdout(|out| {
            writeln!(out, "The desk is at {}. This link signs you in, once:\n\n    {link}\n", origin.0)?;
            writeln!(
                out,
                "You are Mara Voss, who runs the security team of a small harbour. Ctrl-C ends the demo."
            )?;
            Ok(())
        })?;
        serve::serve(desk, listener, origin, public_key).await?;
        Ok(CLEAN)
    })
}
