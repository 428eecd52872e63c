//! Files of ruby-advisory-db: one YAML file an advisory, in `gems/NAME/` or `rubies/ENGINE/`.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use wardroom_model::Severity;

use super::{Advisory, Affected, Reading, functions, one_line};
use crate::Ecosystem;

#[derive(Deserialize)]
struct File {
    gem: Option<String>,
    engine: Option<String>,
    cve: Option<Loose>,
    ghsa: Option<Loose>,
    osvdb: Option<Loose>,
    url: Option<String>,
    title: Option<String>,
    date: Option<Loose>,
    description: Option<String>,
    cvss_v2: Option<Loose>,
    cvss_v3: Option<Loose>,
    cvss_v4: Option<Loose>,
    #[serde(default)]
    patched_versions: Option<Vec<Loose>>,
    #[serde(default)]
    unaffected_versions: Option<Vec<Loose>>,
}

/// A number or a text: `2017-17742`, `77297` and `7.5` are written without quotes.
struct Loose(String);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
                Ok(Loose(value.to_owned()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Reads one file. Its advisory is known by the file's name, as bundler-audit knows it.
pub fn read_rubysec(file: &Arc<str>, bytes: &[u8], reading: &mut Reading) {
    if reading.too_long(file, bytes.len()) {
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        reading.problem(file, None, "The advisory is not UTF-8.".to_owned());
        return;
    };
    // Anchors and aliases have no place here: they are what a small file grows without bound with.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000,
            max_nodes: 20_000,
            max_depth: 16,
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
        },
    };
    let parsed = match serde_saphyr::from_str_with_options::<File>(text, options) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = error.location().map(|place| u32::try_from(place.line()).unwrap_or(u32::MAX));
            let words = one_line(&error.without_snippet().to_string());
            reading.problem(file, line, format!("The advisory is not understood: {words}."));
            return;
        }
    };
    let (ecosystem, package) = match (&parsed.gem, &parsed.engine) {
        (Some(gem), _) => (Ecosystem::RubyGems, gem.clone()),
        (None, Some(engine)) => (Ecosystem::Runtime, engine.clone()),
        (None, None) => {
            reading.problem(file, None, "The advisory names neither a gem nor an engine.".to_owned());
            return;
        }
    };
    let stem = file.rsplit('/').next().unwrap_or(file);
    let id = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).to_owned();
    let named =
        |prefix: &str, value: &Option<Loose>| value.as_ref().map(|Loose(value)| format!("{prefix}-{value}"));
    let aliases = [named("CVE", &parsed.cve), named("GHSA", &parsed.ghsa), named("OSVDB", &parsed.osvdb)];
    let score = [&parsed.cvss_v3, &parsed.cvss_v4, &parsed.cvss_v2]
        .into_iter()
        .find_map(|value| value.as_ref()?.0.parse::<f32>().ok())
        .filter(|score| (0.0..=10.0).contains(score));
    let ranges =
        |list: Option<Vec<Loose>>| list.unwrap_or_default().into_iter().map(|Loose(range)| range).collect();
    let date = parsed.date.map(|Loose(date)| date).unwrap_or_default();
    reading.add(Advisory {
        id,
        aliases: aliases.into_iter().flatten().collect(),
        ecosystem,
        package,
        affected: Affected::Unless {
            patched: ranges(parsed.patched_versions),
            unaffected: ranges(parsed.unaffected_versions),
        },
        severity: score.map(|s| Severity::of_score(f64::from(s))),
        score,
        vector: String::new(),
        summary: one_line(&parsed.title.unwrap_or_default()),
        url: parsed.url.unwrap_or_default(),
        cwes: Vec::new(),
        published: date.get(..10).unwrap_or_default().to_owned(),
        withdrawn: None,
        functions: functions::named_in(&parsed.description.unwrap_or_default()),
    });
}
