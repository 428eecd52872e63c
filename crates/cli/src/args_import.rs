//! The command line of `wardroom import`.

use std::path::PathBuf;

use clap::ValueEnum;

/// How reports are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// One line a finding
    #[default]
    Text,
    /// Everything that was understood
    Json,
}

/// Options of `wardroom import`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom import zap.xml gl-sast-report.json      show what the reports say
  wardroom import --list                           the formats that are known
  wardroom import burp.xml --send https://desk.example --repository group/app
  wardroom import findings.csv --suggest-mapping > mapping.json
  wardroom import findings.csv --mapping mapping.json --into desk.db

The format is told by the content. What cannot be read in a report is told, and the rest is taken.

Exit codes: 0 read, 2 wrong command line or a report that cannot be read at all, 3 a report that was read in part.")]
pub struct ImportArgs {
    /// The reports; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "list")]
    pub files: Vec<PathBuf>,
    /// The format, where the content does not tell
    #[arg(long = "as", value_name = "FORMAT")]
    pub wanted: Option<String>,
    /// List the formats that are known
    #[arg(long)]
    pub list: bool,
    /// A table's columns and what they hold, as --suggest-mapping writes it
    #[arg(long, value_name = "FILE", conflicts_with = "wanted")]
    pub mapping: Option<PathBuf>,
    /// Print a mapping for the columns of a table, to be mended and kept
    #[arg(long, conflicts_with_all = ["mapping", "wanted", "list"])]
    pub suggest_mapping: bool,
    /// How to show what was read
    #[arg(long, value_enum, default_value_t)]
    pub format: ImportFormat,

    /// Send the findings to a desk, by its address; the token comes from WARDROOM_TOKEN
    #[arg(long, value_name = "URL", help_heading = "Sending", requires = "repository")]
    pub send: Option<String>,
    /// Take the findings into a store on this machine
    #[arg(
        long,
        value_name = "STORE",
        conflicts_with = "send",
        help_heading = "Sending",
        requires = "repository"
    )]
    pub into: Option<PathBuf>,
    /// What the desk calls the repository or the system that the reports are about
    #[arg(long, value_name = "NAME", help_heading = "Sending")]
    pub repository: Option<String>,
    /// The branch that was looked at
    #[arg(long, value_name = "BRANCH", default_value = "main", help_heading = "Sending")]
    pub branch: String,
    /// The commit that was looked at
    #[arg(long, value_name = "COMMIT", default_value = "", help_heading = "Sending")]
    pub commit: String,
    /// The report holds all that the tool finds there: what it found before and does not now is gone
    #[arg(long, help_heading = "Sending")]
    pub complete: bool,
}
