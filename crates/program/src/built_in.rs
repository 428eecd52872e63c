//! The program that the binary brings along: what `wardroom demo` runs on and a team starts from.

use std::sync::LazyLock;

use crate::{Built, File, Program, load};

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../program/", $path)))),*]
    };
}

/// Every file of it: path and text.
const FILES: &[(&str, &str)] = files![
    "wardroom.toml",
    "policies/roles.yaml",
    "policies/identity.yaml",
    "policies/values.yaml",
    "kinds/abuse.yaml",
    "kinds/account.yaml",
    "kinds/alert.yaml",
    "kinds/asset.yaml",
    "kinds/candidate.yaml",
    "kinds/control.yaml",
    "kinds/exception.yaml",
    "kinds/finding.yaml",
    "kinds/incident.yaml",
    "kinds/initiative.yaml",
    "kinds/notice.yaml",
    "kinds/observation.yaml",
    "kinds/person.yaml",
    "kinds/program.yaml",
    "kinds/questionnaire.yaml",
    "kinds/release.yaml",
    "kinds/report.yaml",
    "kinds/review.yaml",
    "kinds/risk.yaml",
    "kinds/threat.yaml",
    "kinds/training.yaml",
];

static TEXTS: LazyLock<Vec<File>> = LazyLock::new(|| {
    FILES.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
});

/// The files of the built-in program.
pub fn built_in() -> &'static [File] {
    &TEXTS
}

impl Program {
    /// The built-in program.
    pub fn built_in() -> Program {
        let Built { program, problems } = load(built_in());
        // A test holds that it has no problems.
        program.unwrap_or_else(|| panic!("the built-in program is broken: {problems:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_no_problems() {
        let problems: Vec<String> = load(built_in()).problems.iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }

    #[test]
    fn every_file_of_the_folder_is_in_it() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../program");
        let mut found = Vec::new();
        for part in ["", "kinds/", "policies/"] {
            for entry in std::fs::read_dir(format!("{folder}/{part}")).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    found.push(format!("{part}{}", entry.file_name().to_string_lossy()));
                }
            }
        }
        found.sort();
        let mut known: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        known.sort_unstable();
        assert_eq!(found, known);
    }

    #[test]
    fn its_examples_pass() {
        let tested = Program::built_in().test();
        assert!(tested.len() > 20);
        let failed: Vec<String> = tested
            .into_iter()
            .filter(|t| !t.failures.is_empty())
            .map(|t| format!("{}:{} {}: {:?}", t.file, t.line, t.name, t.failures))
            .collect();
        assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    }
}
