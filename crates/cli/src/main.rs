//! The command `wardroom`: the place where everything is wired together, and the only one that
//! prints.
//!
//! Exit codes: 0 nothing that counts was found, 1 findings, 2 wrong use, 3 could not run.

mod analysis;
mod args;
mod args_desk;
mod args_feeds;
mod args_import;
mod args_libraries;
mod args_secrets;
mod cache;
mod clock;
mod delivery;
mod desk;
mod failure;
mod feeds;
mod hook;
mod ignores;
mod import;
mod input;
mod libraries;
mod manual;
mod output;
mod progress;
mod rules;
mod scan;
mod secrets;
mod surface;

/// A scan makes millions of small nodes in several threads; the system's allocator asks the kernel
/// for memory thousands of times on the way.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::panic;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Parser;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::output::Console;

/// Stack of the thread that does the work, in bytes: analyses recurse over trees as deep as people
/// and generators write them. It is address space, not memory; the smaller ones are for machines
/// that bound it.
const STACKS: [usize; 3] = [1 << 30, 256 << 20, 64 << 20];

/// Where the latest panic came from, for the message about one that nobody caught.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    let args = Args::parse();
    // A panic in one check is caught and told as a problem; the usual message would tear the report.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    for stack in STACKS {
        let args = args.clone();
        if let Ok(thread) =
            std::thread::Builder::new().name("wardroom".to_owned()).stack_size(stack).spawn(move || run(args))
        {
            return thread.join().unwrap_or_else(|panic| {
                let said = analysis::said(&*panic);
                let place = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Console::stderr(&format!("wardroom: internal error: {said}{place}; please report it"));
                ExitCode::from(failure::RUN)
            });
        }
    }
    Console::stderr("wardroom: no thread could be started");
    ExitCode::from(failure::RUN)
}

fn run(args: Args) -> ExitCode {
    let result = match args.command {
        Command::Scan(options) => scan::run(&options),
        Command::Secrets(options) => secrets::run(&options),
        Command::Hook(options) => hook::run(&options),
        Command::Surface(options) => surface::run(&options),
        Command::Serve(options) => desk::serve::run(&options),
        Command::Demo(options) => desk::demo::run(&options),
        Command::Program(options) => desk::program::run(&options),
        Command::Admin(options) => desk::admin::run(&options),
        Command::Audit(options) => desk::audit::run(&options),
        Command::Feeds(options) => feeds::run(&options),
        Command::Import(options) => import::run(&options),
        Command::Sbom(options) => libraries::bill::run(&options),
        Command::Upgrade(options) => libraries::upgrade::run(&options),
        Command::Rules(options) => rules::list(&options),
        Command::Explain(options) => rules::explain(&options.rule, options.color),
        Command::Completions { shell } => rules::completions(shell),
        Command::Ir { file } => surface::tree(&file),
        Command::Manual => manual::print(),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => Failure::told(&error),
    }
}
