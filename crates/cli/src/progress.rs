//! What a long run is busy with, on standard error: only on a terminal, only after a second.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A run shorter than this says nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

struct State {
    phase: &'static str,
    done: bool,
}

/// The phase a run is in. Dropping it takes its line off the terminal.
pub struct Progress {
    shared: Arc<(Mutex<State>, Condvar)>,
    thread: Option<std::thread::JoinHandle<()>>,
    phases: Mutex<Vec<(&'static str, Instant)>>,
}

impl Progress {
    /// Starts the clock; `quiet` keeps standard error untouched.
    pub fn start(quiet: bool) -> Progress {
        let shared = Arc::new((Mutex::new(State { phase: "starting", done: false }), Condvar::new()));
        let visible = !quiet && std::io::stderr().is_terminal();
        let thread = visible.then(|| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().spawn(move || show(&shared)).ok()
        });
        Progress { shared, thread: thread.flatten(), phases: Mutex::new(Vec::new()) }
    }

    /// A new phase begins.
    pub fn phase(&self, name: &'static str) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).phase = name;
        self.phases.lock().unwrap_or_else(PoisonError::into_inner).push((name, Instant::now()));
    }

    /// Milliseconds of every phase so far, in order.
    pub fn phases(&self) -> Vec<(String, f64)> {
        let phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = phases.iter().skip(1).map(|p| p.1).chain([Instant::now()]);
        phases
            .iter()
            .zip(ends)
            .map(|((name, from), to)| ((*name).to_owned(), (to - *from).as_secs_f64() * 1000.0))
            .collect()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).done = true;
        self.shared.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn show(shared: &(Mutex<State>, Condvar)) {
    let started = Instant::now();
    let mut shown = false;
    let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !state.done {
        state = shared.1.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        let elapsed = started.elapsed();
        if !state.done && elapsed >= PATIENCE {
            shown = true;
            let _ = write!(std::io::stderr(), "\r\x1b[2K{} … {:.1} s", state.phase, elapsed.as_secs_f64());
        }
    }
    if shown {
        let _ = write!(std::io::stderr(), "\r\x1b[2K");
    }
}
