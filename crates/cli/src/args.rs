//! The command line.

use std::path::PathBuf;

pub use crate::args_desk::{
    AdminArgs, AdminCommand, AuditArgs, AuditCommand, DemoArgs, ProgramArgs, ProgramCommand, ServeArgs,
};
use crate::args_feeds::FeedsArgs;
use crate::args_import::ImportArgs;
use crate::args_libraries::{SbomArgs, UpgradeArgs};
pub use crate::args_secrets::{HookArgs, HookCommand, SecretsArgs};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use wardroom_model::{Confidence, Severity, Verb};
use wardroom_report::Format;

/// Finds what is wrong in a Rails application, and shows the path that proves it.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "wardroom",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "Examples:
  wardroom scan                         scan the application in this folder
  wardroom scan app --format sarif      as a report for another tool
  wardroom surface --unauthenticated    what can be called without signing in
  wardroom explain sql-injection        a rule's page

Exit codes: 0 nothing that counts was found, 1 findings, 2 wrong use, 3 could not run.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Scan a code base and report what is wrong in it
    Scan(Box<ScanArgs>),
    /// Look for keys, tokens and passwords in a tree, what is staged, a range of commits or the whole history
    Secrets(Box<SecretsArgs>),
    /// Let git ask before secrets are committed or pushed
    Hook(HookArgs),
    /// List the ways into an application: who can call what, with which parameters, behind which filters
    Surface(SurfaceArgs),
    /// Say which libraries to change so that published weaknesses go
    Upgrade(UpgradeArgs),
    /// Write a bill of materials: CycloneDX or SPDX
    Sbom(SbomArgs),
    /// Read other tools' reports: show what they say, or send it to a desk
    Import(ImportArgs),
    /// Look after the advisories that libraries are compared with
    Feeds(FeedsArgs),
    /// Serve the desk: pages and API over a store of findings
    Serve(ServeArgs),
    /// Show the desk with an example: one command, nothing to set up
    Demo(DemoArgs),
    /// Check, test, compare and apply a program: how the team wants its work done
    Program(ProgramArgs),
    /// Look after a store: make one, back it up, build it again
    Admin(AdminArgs),
    /// Find out whether anything in a store was changed unseen
    Audit(AuditArgs),
    /// List the rules
    Rules(RulesArgs),
    /// Print a rule's page: what it finds, why it is bad, what to write instead
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  wardroom completions bash > /etc/bash_completion.d/wardroom")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the tree of one file as JSON
    #[command(hide = true)]
    Ir {
        /// A Ruby file or a template
        file: PathBuf,
    },
    /// Print the help of every command as one Markdown page
    #[command(hide = true)]
    Manual,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// At what findings the exit code is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// At none.
    Never,
    /// At a shown finding at least this bad and this sure.
    From(Severity, Confidence),
}

pub(crate) fn fail_on(text: &str) -> Result<FailOn, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(FailOn::Never);
    }
    let (severity, confidence) = text.split_once(':').unwrap_or((text, "low"));
    let severity = severity.parse::<Severity>().map_err(|e| format!("{e}, never"))?;
    Ok(FailOn::From(severity, confidence.parse::<Confidence>().map_err(|e| e.to_string())?))
}

pub(crate) fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str)).try_map(|word| word.parse::<Format>())
}

pub(crate) fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)).try_map(|word| word.parse::<Severity>())
}

pub(crate) fn confidences() -> impl TypedValueParser<Value = Confidence> {
    PossibleValuesParser::new(["low", "medium", "high"]).try_map(|word| word.parse::<Confidence>())
}

/// Options of `wardroom scan`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom scan                                    the application in this folder
  wardroom scan app --min-confidence high          only what one would act on without looking
  wardroom scan --only sql-injection,open-redirect two rules
  wardroom scan --changed-since main               only what this branch adds
  wardroom scan --format sarif --output out.sarif  a report for another tool, written whole or not at all
  wardroom scan --baseline known.json              only what an earlier JSON report does not hold
  wardroom scan --fail-on never                    exit code 0 whatever is found
  wardroom scan --advisories ../ruby-advisory-db   libraries compared with a feed at hand
  wardroom scan --fix                              show the mechanical fixes; --apply makes them
  wardroom scan --send https://desk.example        send the result to a desk
  wardroom scan --into desk.db                     take it into a store on this machine

Ignoring a finding:
  in the code     # wardroom:ignore sql-injection -- the column comes from a fixed list
                  on the line or the line above; <%# … %> in ERB, -# … in Haml, / … in Slim
  in a file       .wardroom-ignore.toml or program/scans/ignores.toml:
                  [[ignore]]
                  fingerprint = \"6a55…\"   # or rule, file and perhaps line
                  reason = \"the column comes from a fixed list\"
                  expires = \"2027-01-31\"  # may be left out
An ignore that ignores nothing, or has expired, is itself reported.

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong use, 3 could not run.")]
pub struct ScanArgs {
    /// The application's folder, or one file of it
    #[arg(default_value = ".")]
    pub path: PathBuf,

    /// What to write
    #[arg(long, short, default_value = "text", value_parser = formats(), help_heading = "Report")]
    pub format: Format,
    /// Write the report to a file, whole or not at all
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    pub output: Option<PathBuf>,
    /// One line a finding
    #[arg(long, help_heading = "Report")]
    pub short: bool,
    /// Colour in the text format
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    pub color: Color,
    /// Nothing on the terminal; only the exit code and --output speak
    #[arg(long, short, help_heading = "Report")]
    pub quiet: bool,
    /// Counts by rule, times and memory, on standard error
    #[arg(long, help_heading = "Report")]
    pub stats: bool,
    /// Print a rule's page instead of scanning
    #[arg(long, value_name = "RULE", help_heading = "Report")]
    pub explain: Option<String>,

    /// Show findings at least this sure
    #[arg(long, value_name = "LEVEL", default_value = "medium", value_parser = confidences(), help_heading = "What counts")]
    pub min_confidence: Confidence,
    /// Show findings at least this bad
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = severities(), help_heading = "What counts")]
    pub severity: Severity,
    /// Only these rules (repeatable; commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "What counts")]
    pub only: Vec<String>,
    /// Not these rules (repeatable; commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "What counts")]
    pub skip: Vec<String>,
    /// Exit with 1 at a shown finding this bad, as `SEVERITY` or `SEVERITY:CONFIDENCE`, or `never`
    #[arg(long, value_name = "SEVERITY", default_value = "medium:high", value_parser = fail_on, help_heading = "What counts")]
    pub fail_on: FailOn,
    /// Leave out the findings of an earlier JSON report
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub baseline: Option<PathBuf>,
    /// Only what was added since a git revision (its merge base with HEAD), committed or not
    #[arg(long, value_name = "REF", help_heading = "What counts")]
    pub changed_since: Option<String>,

    /// Compare libraries with these advisories instead of the user's index: a folder, an archive or an index (repeatable)
    #[arg(long, value_name = "PATH", help_heading = "Libraries")]
    pub advisories: Vec<PathBuf>,
    /// For --fix and --apply, where lists of versions are: each ecosystem's `own`, the address of a compact index, a folder, or `none`
    #[arg(long, value_name = "PLACE", default_value = crate::libraries::registry::OWN, help_heading = "Libraries")]
    pub registry: String,
    /// For --fix and --apply: where the Gemfile is in the way of a mended version, change what it asks for
    #[arg(long, help_heading = "Libraries")]
    pub beyond_manifest: bool,

    /// Print the mechanical fixes of the shown findings as a diff, instead of the report
    #[arg(long, conflicts_with = "output", help_heading = "Mending and ignoring")]
    pub fix: bool,
    /// Make these changes, then scan again and say what became of each finding
    #[arg(long, conflicts_with_all = ["output", "changed_since"], help_heading = "Mending and ignoring")]
    pub apply: bool,
    /// Carry an existing `config/brakeman.ignore` over into .wardroom-ignore.toml
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "apply", "output", "changed_since"], help_heading = "Mending and ignoring")]
    pub import_ignores: Option<PathBuf>,

    /// Send the result to a desk, by its address; the token comes from WARDROOM_TOKEN
    #[arg(long, value_name = "URL", conflicts_with_all = ["fix", "apply", "changed_since", "import_ignores"], help_heading = "Sending")]
    pub send: Option<String>,
    /// Take the result into a store on this machine
    #[arg(long, value_name = "STORE", conflicts_with_all = ["send", "fix", "apply", "changed_since", "import_ignores"], help_heading = "Sending")]
    pub into: Option<PathBuf>,
    /// What the desk calls the repository [default: the path of git's remote, or the folder's name]
    #[arg(long, value_name = "NAME", help_heading = "Sending")]
    pub repository: Option<String>,
    /// The branch that was scanned [default: what git or the pipeline says, or main]
    #[arg(long, value_name = "BRANCH", help_heading = "Sending")]
    pub branch: Option<String>,
    /// The branch that counts: what is on others only is proposed [default: git's, or main]
    #[arg(long, value_name = "BRANCH", help_heading = "Sending")]
    pub default_branch: Option<String>,

    /// Extra sources, sinks and sanitizers, beside those of program/scans/ (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "How")]
    pub knowledge: Vec<PathBuf>,
    /// Threads to use [default: as many as the machine has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "How")]
    pub threads: Option<u16>,
    /// Neither read nor keep results of earlier scans
    #[arg(long, help_heading = "How")]
    pub no_cache: bool,
}

/// Options of `wardroom surface`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom surface                            every endpoint of the application in this folder
  wardroom surface app --unauthenticated      those that ask nobody to sign in
  wardroom surface --controller admin --verb post,delete
  wardroom surface --format json | jq length")]
pub struct SurfaceArgs {
    /// The application's folder
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// What to write
    #[arg(long, short, value_enum, default_value_t)]
    pub format: SurfaceFormat,
    /// Only endpoints without a filter that always asks who is calling
    #[arg(long)]
    pub unauthenticated: bool,
    /// Only handlers of controllers whose path contains this (`admin`, `admin/users`)
    #[arg(long, value_name = "NAME")]
    pub controller: Option<String>,
    /// Only these methods (repeatable; commas)
    #[arg(long, value_delimiter = ',', value_parser = verb)]
    pub verb: Vec<Verb>,
    /// Neither read nor keep results of earlier scans
    #[arg(long)]
    pub no_cache: bool,
}

fn verb(word: &str) -> Result<Verb, String> {
    Verb::parse(word)
        .ok_or_else(|| format!("`{word}` is none of get, post, put, patch, delete, head, options, any"))
}

/// What the ways in can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SurfaceFormat {
    /// For a person at a terminal
    #[default]
    Table,
    /// Everything, for a program
    Json,
    /// For a spreadsheet
    Csv,
}

/// Options of `wardroom rules`.
#[derive(Clone, Debug, clap::Args)]
pub struct RulesArgs {
    /// What to write
    #[arg(long, short, value_enum, default_value_t)]
    pub format: RulesFormat,
}

/// What a list of rules can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// One line a rule
    #[default]
    Text,
    /// Everything, for a program
    Json,
    /// A table
    Markdown,
}

/// Options of `wardroom explain`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  wardroom explain sql-injection")]
pub struct ExplainArgs {
    /// The rule's id, as reports and `wardroom rules` name it
    pub rule: String,
    /// Colour
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
}
