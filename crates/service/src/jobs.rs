//! Long work: how far it is, and a way to stop it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_desk::Millis;

/// Finished jobs that are remembered.
const REMEMBERED: usize = 200;

/// How far a piece of work is. Clones show the same work.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

impl Progress {
    /// How much there is to do.
    pub fn total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Some more is done.
    pub fn step(&self, more: u64) {
        self.done.fetch_add(more, Ordering::Relaxed);
    }

    /// This much is done, of that much.
    pub fn at(&self, done: u64, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    /// Somebody wants it stopped.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Stops it at the next whole step.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Done, and in all.
    pub fn figures(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It runs.
    Running,
    /// It is done; what it says.
    Done(String),
    /// It could not; why.
    Failed(String),
    /// Somebody stopped it; what was done until then.
    Cancelled(String),
}

/// One piece of long work.
#[derive(Clone, Debug)]
pub struct Job {
    /// From 1.
    pub id: u64,
    /// Who started it: they alone, and administrators, see it.
    pub owner: String,
    /// What it does.
    pub title: String,
    /// When it began.
    pub started: Millis,
    /// How far it is.
    pub progress: Progress,
    /// How it stands.
    pub state: JobState,
    /// What it did can be undone as one.
    pub batch: Option<u64>,
}

/// All jobs of this process.
#[derive(Debug, Default)]
pub struct Jobs {
    all: Mutex<BTreeMap<u64, Job>>,
}

impl Jobs {
    /// Writes a new job down.
    pub fn start(&self, owner: &str, title: &str, now: Millis) -> Job {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let id = all.keys().next_back().map_or(1, |last| last + 1);
        while all.len() >= REMEMBERED {
            let Some(oldest) = all.values().find(|j| j.state != JobState::Running).map(|j| j.id) else {
                break;
            };
            all.remove(&oldest);
        }
        let job = Job {
            id,
            owner: owner.to_owned(),
            title: title.to_owned(),
            started: now,
            progress: Progress::default(),
            state: JobState::Running,
            batch: None,
        };
        all.insert(id, job.clone());
        job
    }

    /// Writes down how it ended.
    pub fn end(&self, id: u64, state: JobState, batch: Option<u64>) {
        if let Some(job) = self.all.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&id) {
            job.state = state;
            job.batch = batch;
        }
    }

    /// One job.
    pub fn get(&self, id: u64) -> Option<Job> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All, newest first.
    pub fn all(&self) -> Vec<Job> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).values().rev().cloned().collect()
    }
}
