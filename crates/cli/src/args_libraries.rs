//! The command line of libraries: bills of materials and upgrade plans.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use wardroom_deps::sbom::Form;

fn forms() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::name))
        .map(|name| Form::ALL.into_iter().find(|f| f.name() == name).unwrap_or(Form::CycloneDx16))
}

/// Options of `wardroom sbom`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom sbom                                     of the application in this folder
  wardroom sbom app --format spdx --output bom.spdx.json

SOURCE_DATE_EPOCH fixes the time and the serial number, so that the same lockfiles make the same bytes.")]
pub struct SbomArgs {
    /// The folder
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// What to write
    #[arg(long, short, default_value = Form::CycloneDx16.name(), value_parser = forms())]
    pub format: Form,
    /// Write it to a file, whole or not at all
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What the document calls the project [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The project's version
    #[arg(long, value_name = "VERSION", default_value = "")]
    pub project_version: String,
}

/// Options of `wardroom upgrade`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom upgrade                          the smallest set of changes that clears the most
  wardroom upgrade --registry none          only what advisories and the lockfile say
  wardroom scan --fix                       the same as a diff of the lockfile; --apply makes it

Changes stay within what the Gemfile asks for. What is in the way of the rest is said.")]
pub struct UpgradeArgs {
    /// The folder
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// What to write
    #[arg(long, short, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Compare libraries with these advisories instead of the user's index (repeatable)
    #[arg(long, value_name = "PATH")]
    pub advisories: Vec<PathBuf>,
    /// Where lists of versions are: each ecosystem's `own`, the address of a compact index, a folder, or `none`
    #[arg(long, value_name = "PLACE", default_value = crate::libraries::registry::OWN)]
    pub registry: String,
    /// Where the Gemfile is in the way of a mended version, change what it asks for
    #[arg(long)]
    pub beyond_manifest: bool,
}

/// What a plan can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For a person at a terminal
    #[default]
    Text,
    /// For a program
    Json,
}
