//! Makes a program out of its files, or says all that stands in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::asks::ValueName;
use crate::build::{self, Around};
use crate::names::{self, ENGINE};
use crate::node;
use crate::problem::{At, Place, Problem, Problems, crop, instead};
use crate::raw;
use crate::read::Read;
use crate::{Built, Calendar, Dated, File, Identity, Kind, Policies, PolicyValue, Program, Role};

/// The file with the organisation's name and its days.
const SETTINGS: &str = "wardroom.toml";
const ROLES: &str = "policies/roles.yaml";
const IDENTITY: &str = "policies/identity.yaml";
/// A program whose formulas ask for no values needs none.
const VALUES: &str = "policies/values.yaml";

/// Most files of one program, and most bytes of all of them: a repository that was given by mistake
/// should be said and not be kept.
const FILES: usize = 5_000;
const BYTES: usize = 32 * 1024 * 1024;

/// Makes a program out of its files. Files of folders that this version does not read are kept; a
/// file in `kinds/` or `policies/` that is none of the known ones is a problem.
pub fn load(files: &[File]) -> Built {
    let mut problems = Vec::new();
    if files.len() > FILES || files.iter().map(|f| f.text.len()).sum::<usize>() > BYTES {
        problems.push(whole("", format!("a program has at most {FILES} files and {BYTES} bytes")));
        return Built { program: None, problems };
    }
    let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files {
        if texts.insert(&file.path, &file.text).is_some() {
            problems.push(whole(&file.path, "the file was given twice".to_owned()));
        }
    }
    let program = program(&texts, &mut problems);
    problems.sort();
    problems.dedup();
    Built { program: program.filter(|_| problems.is_empty()), problems }
}

fn program(texts: &BTreeMap<&str, &str>, problems: &mut Vec<Problem>) -> Option<Program> {
    let settings = read::<raw::Settings>(texts, SETTINGS, problems);
    let raw_roles = read::<raw::Roles>(texts, ROLES, problems);
    let identity = read::<raw::Identity>(texts, IDENTITY, problems);
    let raw_values = texts
        .contains_key(VALUES)
        .then(|| read::<raw::Values>(texts, VALUES, problems))
        .flatten()
        .unwrap_or_default();
    let values = within(VALUES, problems, |p| values(&raw_values, p));
    let roles = raw_roles.as_ref().map(|r| within(ROLES, problems, |p| roles(r, p)));
    let mut stems = Vec::new();
    let mut raw_kinds = Vec::new();
    for path in texts.keys() {
        if let Some(stem) = stem(path) {
            stems.push(stem);
            raw_kinds.extend(read::<raw::Kind>(texts, path, problems).map(|raw| (stem, raw)));
        } else if path.starts_with("kinds/")
            || path.starts_with("policies/") && ![ROLES, IDENTITY, VALUES].contains(path)
        {
            let mut problem = whole(path, "this file is none that a program has".to_owned());
            problem.help = if path.starts_with("kinds/") {
                Some("a kind is a file `kinds/NAME.yaml`".to_owned())
            } else {
                instead(path, [ROLES, IDENTITY, VALUES])
            };
            problems.push(problem);
        }
    }
    let around = Around {
        kinds: raw_kinds.iter().map(|(stem, raw)| (*stem, raw)).collect(),
        roles: raw_roles.as_ref().map(|r| r.roles.names().collect()),
        names: stems,
        values: raw_values.values.0.iter().map(|(name, value)| value_name(name, value)).collect(),
    };
    let mut kinds = BTreeMap::new();
    for (stem, raw) in &raw_kinds {
        let path = format!("kinds/{stem}.yaml");
        let kind = within(&path, problems, |problems| {
            let kind = build::kind(stem, raw, &around, problems);
            if *stem == "finding" {
                engine_ways(raw, &kind, problems);
            }
            same_prefix(raw, stem, &around, problems);
            kind
        });
        kinds.insert((*stem).to_owned(), kind);
    }
    if !around.names.contains(&"finding") {
        problems.push(whole(
            "kinds/finding.yaml",
            "the file is missing: scans open records of this kind".to_owned(),
        ));
    }
    let calendar = within(SETTINGS, problems, |p| settings.as_ref().and_then(|s| calendar(s, p)));
    let identity = within(IDENTITY, problems, |p| identity.as_ref().and_then(|i| self::identity(i, p)));
    Some(Program {
        name: settings?.name.value,
        calendar: calendar?,
        kinds,
        policies: Policies { roles: roles?, identity: identity?, values },
        files: texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        digest: digest(texts),
        ground: OnceLock::new(),
    })
}

fn whole(file: &str, message: String) -> Problem {
    Problem { file: file.to_owned(), line: 0, column: 0, message, help: None }
}

fn within<T>(file: &str, all: &mut Vec<Problem>, work: impl FnOnce(&mut Problems) -> T) -> T {
    let mut problems = Problems::of(file);
    let done = work(&mut problems);
    all.append(&mut problems.list);
    done
}

/// The name of the kind that a path holds.
fn stem(path: &str) -> Option<&str> {
    path.strip_prefix("kinds/")?.strip_suffix(".yaml").filter(|s| !s.is_empty() && !s.contains('/'))
}

fn read<T: Read>(texts: &BTreeMap<&str, &str>, path: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let Some(text) = texts.get(path) else {
        problems.push(whole(path, "the file is missing".to_owned()));
        return None;
    };
    within(path, problems, |problems| {
        let node =
            if path.ends_with(".toml") { node::toml(text, problems) } else { node::yaml(text, problems) }?;
        if matches!(node.value, node::Value::Null) {
            problems.add(Place::FILE, "the file is empty", None);
            return None;
        }
        Some(T::read(&node, problems))
    })
}

fn roles(raw: &raw::Roles, problems: &mut Problems) -> Vec<Role> {
    let flag = |given: &Option<At<bool>>| given.as_ref().is_some_and(|f| f.value);
    let mut roles = Vec::new();
    for (name, role) in &raw.roles.0 {
        if !names::fits(name.text()) {
            problems.about(name, format!("`{}` is no name of a role", crop(name.text())), None);
        }
        if name.value == ENGINE {
            problems.about(name, "`engine` is the role of scans and policies; no person can have it", None);
        }
        roles.push(Role {
            name: name.value.clone(),
            title: role.title.as_ref().map_or_else(|| names::title(name.text()), |t| t.value.clone()),
            confidential: flag(&role.confidential),
            edit: flag(&role.edit),
            comment: flag(&role.comment),
            deliver: flag(&role.deliver),
            admin: flag(&role.admin),
        });
    }
    if !roles.iter().any(|r| r.admin) {
        problems.add(Place::FILE, "no role may manage people", Some("give one `admin: true`".to_owned()));
    }
    roles
}

/// What formulas may ask of a value.
fn value_name(name: &At<String>, value: &raw::PolicyValue) -> ValueName {
    let mut words: Vec<String> = Vec::new();
    for (word, _) in value.dated.iter().flat_map(|d| d.table.iter().flat_map(|t| &t.0)) {
        if !words.contains(&word.value) {
            words.push(word.value.clone());
        }
    }
    ValueName { name: name.value.clone(), plain: value.dated.iter().any(|d| d.value.is_some()), words }
}

fn values(raw: &raw::Values, problems: &mut Problems) -> Vec<PolicyValue> {
    let mut values = Vec::new();
    for (name, value) in &raw.values.0 {
        if !names::fits(name.text()) {
            problems.about(name, format!("`{}` is no name of a value", crop(name.text())), None);
        }
        if value.dated.is_empty() {
            problems.about(name, "the value holds from no day on", Some("give it a `since`".to_owned()));
        }
        let mut dated: Vec<Dated> = Vec::new();
        for part in &value.dated {
            let Ok(since) = part.since.text().parse::<Date>() else {
                let help = Some("write it as `2026-12-25`".to_owned());
                problems.about(&part.since, format!("`{}` is no date", crop(part.since.text())), help);
                continue;
            };
            if dated.last().is_some_and(|d| d.since >= since) {
                problems.about(&part.since, "the days from which a value holds must rise", None);
            }
            let table: Vec<(String, f64)> =
                part.table.iter().flat_map(|t| &t.0).map(|(w, n)| (w.value.clone(), n.value)).collect();
            if part.value.is_some() != table.is_empty() {
                problems.about(&part.since, "either `value` or `table` is needed", None);
            }
            dated.push(Dated { since, value: part.value.as_ref().map(|v| v.value), table });
        }
        if dated.iter().any(|d| d.value.is_some()) && dated.iter().any(|d| d.value.is_none()) {
            problems.about(name, "a value is one number or a table, on all days", None);
        }
        values.push(PolicyValue {
            name: name.value.clone(),
            help: value.help.as_ref().map_or_else(String::new, |h| h.value.clone()),
            dated,
        });
    }
    values
}

fn identity(raw: &raw::Identity, problems: &mut Problems) -> Option<Identity> {
    let after = raw.resolve_unseen_after.value;
    let before = problems.list.len();
    if !(0.0..=1000.0).contains(&after) || after.fract() != 0.0 {
        problems.about(
            &raw.resolve_unseen_after,
            format!("`{after}` is no number of scans: 0 to 1000 are"),
            None,
        );
    }
    if !(0.0..=1.0).contains(&raw.likeness.value) {
        problems.about(&raw.likeness, format!("`{}` is no likeness: 0 to 1 are", raw.likeness.value), None);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was looked at before")]
    let identity = Identity { resolve_unseen_after: after as u32, likeness: raw.likeness.value };
    (problems.list.len() == before).then_some(identity)
}

fn calendar(raw: &raw::Settings, problems: &mut Problems) -> Option<Calendar> {
    if raw.name.value.trim().is_empty() {
        problems.about(&raw.name, "the name is empty", None);
    }
    let zone = match &raw.time_zone {
        None => TimeZone::UTC,
        Some(at) => TimeZone::get(at.text()).unwrap_or_else(|_| {
            let zones: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            // There are hundreds: only a near one is of help.
            let near =
                instead(at.text(), zones.iter().map(String::as_str)).filter(|h| h.starts_with("perhaps"));
            let help = near.unwrap_or_else(|| "write it as `Europe/Berlin`".to_owned());
            problems.about(at, format!("there is no time zone `{}`", crop(at.text())), Some(help));
            TimeZone::UTC
        }),
    };
    let mut holidays = BTreeSet::new();
    for at in raw.holidays.iter().flatten() {
        match at.text().parse::<Date>() {
            Ok(date) => {
                holidays.insert(date);
            }
            Err(_) => {
                let help = "write it as `2026-12-25`".to_owned();
                problems.about(at, format!("`{}` is no date", crop(at.text())), Some(help));
            }
        }
    }
    let working = match &raw.working_days {
        None => {
            vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday]
        }
        Some(days) => {
            if days.is_empty() {
                // Business days would never pass.
                problems.add(Place::FILE, "`working_days` names no day", None);
            }
            days.iter().filter_map(|at| weekday(at, problems)).collect()
        }
    };
    Some(Calendar { zone, holidays, working })
}

fn weekday(at: &At<String>, problems: &mut Problems) -> Option<Weekday> {
    const WEEK: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let found = names::DAYS.iter().zip(WEEK).find(|(name, _)| **name == at.text()).map(|(_, day)| day);
    if found.is_none() {
        let help = instead(at.text(), names::DAYS.iter().copied());
        problems.about(at, format!("`{}` is no day of the week", crop(at.text())), help);
    }
    found
}

/// Scans take these transitions of a finding; without them a scan could not be taken in.
fn engine_ways(raw: &raw::Kind, kind: &Kind, problems: &mut Problems) {
    for name in names::ENGINE_TRANSITIONS {
        match kind.transition(name) {
            None => {
                problems.about(&raw.kind, format!("scans need a transition `{name}`, which is missing"), None)
            }
            Some(way) if !way.who.iter().any(|w| w == ENGINE) => {
                let at = raw.transitions.iter().flat_map(|t| &t.0).find(|(n, _)| n.text() == *name);
                let at = at.map_or(&raw.kind, |(n, _)| n);
                let help = Some("add `engine` to its `who`".to_owned());
                problems.about(at, format!("`{name}` is not for `engine`: scans take it"), help);
            }
            Some(_) => {}
        }
    }
}

fn same_prefix(raw: &raw::Kind, stem: &str, around: &Around<'_>, problems: &mut Problems) {
    let same = |other: &raw::Kind| other.prefix.value.eq_ignore_ascii_case(raw.prefix.text());
    // The kind whose file comes first keeps it.
    let first = around.kinds.iter().take_while(|(name, _)| *name != stem).find(|(_, other)| same(other));
    if let Some((name, _)) = first {
        let message = format!("the prefix `{}` is that of {name} already", crop(raw.prefix.text()));
        problems.about(&raw.prefix, message, None);
    }
}

/// Over paths and texts, each with its length before it: no two sets of files have one digest.
fn digest(texts: &BTreeMap<&str, &str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, text) in texts {
        for part in [path, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}
