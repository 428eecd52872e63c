//! `desk-load`: fills a store as a large team would in two years, and uses a server as twenty people
//! at once. The figures are in docs/load.md.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement for people")]

mod fill;
mod http;
mod made;
mod send;
mod users;

/// A store is filled by millions of small pieces of memory, as the server's own are.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The password of everybody in a made store, which is for measuring alone.
pub const PASSWORD: &str = "harbour lights at dawn";
/// How many people of a made store can sign in: `user1` and so on.
pub const USERS: usize = 20;

#[derive(Parser)]
#[command(about = "Measures the desk under load")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a store with two years of work in it
    Fill {
        /// The store; there must be no such file yet
        store: PathBuf,
        /// How many findings
        #[arg(long, default_value_t = 1_000_000)]
        findings: u32,
        /// How many events
        #[arg(long, default_value_t = 5_000_000)]
        events: u64,
    },
    /// Use a server as many people at once, and say how long pages take
    Users {
        /// Such as `http://127.0.0.1:7070`
        origin: String,
        /// How many at once
        #[arg(long, default_value_t = USERS)]
        users: usize,
        /// For how long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// How long each looks at a page before asking for the next, in milliseconds: half to one and a
        /// half times as much
        #[arg(long, default_value_t = 0)]
        think: u64,
        /// The server's process, for its memory
        #[arg(long)]
        pid: Option<u32>,
    },
    /// Send a scan twice, then do one thing to one finding, and with `--bulk` to many
    Send {
        /// Such as `http://127.0.0.1:7070`
        origin: String,
        /// A token from `wardroom admin token`
        #[arg(long)]
        token: String,
        /// How many findings
        #[arg(long, default_value_t = 10_000)]
        findings: u64,
        /// The repository's name
        #[arg(long, default_value = "load/sent")]
        repository: String,
        /// Also sign in and change all that was sent
        #[arg(long)]
        bulk: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Fill { store, findings, events } => fill::run(&store, findings, events),
        Command::Users { origin, users, seconds, think, pid } => {
            users::run(&users::Options { origin, users, seconds, think, pid })
        }
        Command::Send { origin, token, findings, repository, bulk } => {
            send::run(&origin, &token, findings, &repository, bulk)
        }
    }
}
