//! The desk's commands: a store, a program and a server put together.

pub mod admin;
pub mod audit;
pub mod demo;
pub mod place;
pub mod program;
pub mod serve;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, bail};
use wardroom_desk::{Actor, Caller};
use wardroom_program::{File, Program};
use wardroom_service::{APPLYING, Clock, Desk, Progress, kept_program};
use wardroom_store::Store;

/// Threads that answer requests, at least. A page counts for some milliseconds: with a thread for each
/// processor alone, whoever only waits for a row of the store stands behind it at every step; with more, the
/// system shares the processors out.
const WORKERS: usize = 12;

/// Runs what waits for connections and disks.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads((processors * 2).max(WORKERS))
        .enable_all()
        .build()
        .context("the server's threads could not be started")?
        .block_on(work)
}

/// The program in force in a store: what was applied last, or the built-in one.
pub async fn program_of(store: &dyn Store) -> anyhow::Result<(Program, bool)> {
    let Some(document) = store.get(wardroom_service::PROGRAM, "current", 0).await? else {
        return Ok((Program::built_in(), false));
    };
    let files: BTreeMap<String, String> = serde_json::from_value(document.body["files"].clone())
        .context("the program kept in the store cannot be read")?;
    let files: Vec<File> = files.into_iter().map(|(path, text)| File { path, text }).collect();
    let built = wardroom_program::load(&files);
    match built.program {
        Some(program) => Ok((program, true)),
        None => {
            let problems: Vec<String> = built.problems.iter().map(ToString::to_string).collect();
            bail!("the program kept in the store no longer loads:\n  {}", problems.join("\n  "))
        }
    }
}

/// A desk over a store, with its program in force. A new store gets the built-in program.
pub async fn desk_over(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Desk>> {
    let broken_off = store.get(wardroom_service::PROGRAM, APPLYING, 0).await?;
    let (program, applied) = match broken_off.as_ref().and_then(kept_program) {
        Some(program) => (program, false),
        None => program_of(&*store).await?,
    };
    let desk = Desk::open(wardroom_service::Settings { store, program: program.clone(), clock }).await?;
    if !applied {
        let operator = Caller::engine(Actor::Operator);
        desk.apply(&operator, program, false, &Progress::default()).await?;
    }
    Ok(Arc::new(desk))
}
