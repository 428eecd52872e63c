//! The command line of feeds: advisories, and where they come from.

use std::path::PathBuf;

use clap::Subcommand;

/// Options of `wardroom feeds`.
#[derive(Clone, Debug, clap::Args)]
pub struct FeedsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: FeedsCommand,
    /// The index [default: advisories.index in the user's data folder]
    #[arg(long, value_name = "FILE", global = true)]
    pub index: Option<PathBuf>,
}

/// What to do with feeds.
#[derive(Clone, Debug, Subcommand)]
pub enum FeedsCommand {
    /// Bring the index up to date: only what has changed is fetched, and the old index stays until the new one is whole
    #[command(after_help = "Examples:
  wardroom feeds sync                                  everything that has changed
  wardroom feeds sync --ecosystem RubyGems,npm         only these
  wardroom feeds sync --osv https://mirror.example/osv from a mirror with the same layout
  wardroom feeds sync --add ../ruby-advisory-db        with a folder of advisories
  wardroom feeds sync --osv none --add osv.zip         without a network

A fetch that breaks off goes on where it was at the next call. HTTPS_PROXY and NO_PROXY are honoured.")]
    Sync(SyncArgs),
    /// Say which feeds are in the index, and how old they are
    List,
    /// Write the index to a file, for a machine without a network
    Export {
        /// The file
        file: PathBuf,
    },
    /// Take an index that was exported elsewhere, after checking all of it
    Import {
        /// The file
        file: PathBuf,
    },
}

/// Options of `wardroom feeds sync`.
#[derive(Clone, Debug, clap::Args)]
pub struct SyncArgs {
    /// Where OSV's folders are, or `none`
    #[arg(long, value_name = "URL", default_value = "https://osv-vulnerabilities.storage.googleapis.com")]
    pub osv: String,
    /// Ecosystems to take from OSV (commas)
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "RubyGems,npm,PyPI,crates.io,Go,Packagist,Maven,NuGet,Hex,Pub,GitHub Actions"
    )]
    pub ecosystem: Vec<String>,
    /// CISA's catalogue of exploited weaknesses: an address or a file, or `none`
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
    )]
    pub kev: String,
    /// FIRST's likelihoods of exploitation (EPSS): an address or a file, or `none`
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
    )]
    pub epss: String,
    /// endoflife.date's release cycles: an address, a file, a folder, or `none`
    #[arg(long, value_name = "PLACE", default_value = "https://endoflife.date/api/v1/products/full")]
    pub endoflife: String,
    /// A folder or an archive of advisories on this machine (repeatable)
    #[arg(long, value_name = "PATH")]
    pub add: Vec<PathBuf>,
    /// Nothing on the terminal but errors
    #[arg(long, short)]
    pub quiet: bool,
}
