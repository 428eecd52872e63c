//! The command line of the desk: serving, programs, stores.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Subcommand;

use crate::desk::place::StorePlace;

/// Options of `wardroom serve`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom serve                                    on http://127.0.0.1:7070, with the store desk.db
  wardroom serve --store /var/lib/wardroom/desk.db --origin https://desk.example
                                                    behind a proxy that speaks TLS
  wardroom serve --store postgres://wardroom@db.example/desk
                                                    with a database that several servers share

The password of a database comes from PGPASSWORD or ~/.pgpass. The key that signs lies in desk.key, or where
`?signing_key=FILE` at the end of the address says; every server needs a copy of the first one's.

The first start prints a link with which the first person sets up an account.
Scans come in by `wardroom scan --send URL`, with a token from the Administration page.")]
pub struct ServeArgs {
    /// The store: a file, made where there is none, or the address of a PostgreSQL database
    #[arg(long, value_name = "STORE", default_value = "desk.db")]
    pub store: StorePlace,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub listen: SocketAddr,
    /// How browsers name this server [default: http:// and the address]
    #[arg(long, value_name = "URL")]
    pub origin: Option<String>,
}

/// Options of `wardroom demo`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom demo                    print a link that is signed in already
  wardroom demo --keep demo.db     keep what is done in it

Nothing is sent anywhere, and nothing but the store is written. Ctrl-C ends it.")]
pub struct DemoArgs {
    /// Keep the store in this file instead of throwing it away
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub listen: SocketAddr,
}

/// Options of `wardroom program`.
#[derive(Clone, Debug, clap::Args)]
pub struct ProgramArgs {
    /// What to do
    #[command(subcommand)]
    pub command: ProgramCommand,
}

/// What to do with a program.
#[derive(Clone, Debug, Subcommand)]
pub enum ProgramCommand {
    /// Write the built-in program to a folder, to begin with
    Init {
        /// The folder; it must not exist or be empty
        #[arg(default_value = "program")]
        folder: PathBuf,
    },
    /// Say everything that is wrong in a program, with file, line and what to write instead
    #[command(
        after_help = "Examples:\n  wardroom program check            the program in ./program\n  wardroom program check security/  another folder"
    )]
    Check {
        /// The program's folder
        #[arg(default_value = "program")]
        folder: PathBuf,
    },
    /// Run the examples that kinds carry
    Test {
        /// The program's folder
        #[arg(default_value = "program")]
        folder: PathBuf,
    },
    /// Say what applying a program would change: in its words, and in the records of a store
    Diff {
        /// The program's folder
        #[arg(default_value = "program")]
        folder: PathBuf,
        /// The store whose program and records it is compared with [default: the built-in program]
        #[arg(long, value_name = "STORE")]
        store: Option<StorePlace>,
    },
    /// Put a program in force: clocks and priorities are reckoned anew, and what moved is told
    Apply {
        /// The program's folder
        #[arg(default_value = "program")]
        folder: PathBuf,
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
    },
    /// Print the JSON schema of a file of the program, for editors
    Schema {
        /// kind, roles, identity or wardroom
        name: String,
    },
}

/// Options of `wardroom admin`.
#[derive(Clone, Debug, clap::Args)]
pub struct AdminArgs {
    /// What to do
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// What to do with a store.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Build the records again from the events, and say whether they were as they should be
    Rebuild {
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
    },
    /// Write a whole, verified copy, while the server runs
    Backup {
        /// The store
        #[arg(long, value_name = "FILE", default_value = "desk.db")]
        store: PathBuf,
        /// The copy; there must be no such file yet
        to: PathBuf,
        /// Copy the signing key too: who has it can sign
        #[arg(long)]
        with_key: bool,
    },
    /// Put a copy in the place of a store, after verifying it; the server must not run
    Restore {
        /// The copy
        from: PathBuf,
        /// The store
        #[arg(long, value_name = "FILE", default_value = "desk.db")]
        store: PathBuf,
        /// Replace a store that is there
        #[arg(long)]
        overwrite: bool,
    },
    /// Copy a whole store, a database too, into a new file that is a store itself: one that nothing is written
    /// to meanwhile
    #[command(after_help = "Examples:
  wardroom admin export --store postgres://wardroom@db.example/desk copy.db
  wardroom audit verify --store copy.db             the root is the same")]
    Export {
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
        /// The copy; there must be no such file yet
        to: PathBuf,
        /// Copy the signing key too: who has it can sign
        #[arg(long)]
        with_key: bool,
    },
    /// Fill a new store, a database too, with all that another one holds: one that nothing is written to
    /// meanwhile
    #[command(after_help = "Examples:
  wardroom admin import desk.db --store postgres://wardroom@db.example/desk
                                                    move a store into a database; its key is taken along")]
    Import {
        /// The other store
        from: StorePlace,
        /// The store: a file, or the address of a PostgreSQL database. No event may be in it yet
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
    },
    /// Make a token with which scans can be sent, and print it: it is shown this once
    Token {
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
        /// What it is for
        name: String,
        /// Days until it expires
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=730))]
        days: u32,
    },
    /// Print a link with which somebody can set a new password
    Recover {
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
        /// Their login
        login: String,
        /// How browsers name the server
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7070")]
        origin: String,
    },
}

/// Options of `wardroom audit`.
#[derive(Clone, Debug, clap::Args)]
pub struct AuditArgs {
    /// What to do
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to audit.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Go through every event, and name each that was changed, removed or inserted
    #[command(
        after_help = "Exit codes: 0 nothing was changed, 1 something was, 2 wrong use, 3 could not run."
    )]
    Verify {
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
        /// The public key that was noted down earlier, in hex; once more for each where it was changed
        /// [default: the store's own]
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
    },
    /// Print the public key, to be kept elsewhere
    Key {
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
    },
    /// Write a proof that a record's events are in the log: it can be checked without the store
    Prove {
        /// The record, such as F-12
        record: String,
        /// The store: a file, or the address of a PostgreSQL database
        #[arg(long, value_name = "STORE", default_value = "desk.db")]
        store: StorePlace,
        /// Where to write it [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check a proof without a store
    Check {
        /// The proof
        proof: PathBuf,
        /// The public key that was noted down earlier, in hex
        #[arg(long, value_name = "KEY")]
        key: String,
    },
}
