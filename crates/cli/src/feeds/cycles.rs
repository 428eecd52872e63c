//! The release cycles of endoflife.date: an answer of its API, or a folder of its pages.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use wardroom_deps::support::{Product, api, front_matter};
use wardroom_model::Problem;

use crate::clock::Date;

/// Most pages of a folder that are read: many times what there are.
const MOST: usize = 10_000;

/// What was read.
#[derive(Debug)]
pub struct Cycles {
    /// Products, by their ids there.
    pub products: Vec<(String, Product)>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// The day that they are of.
    pub day: Date,
}

impl Cycles {
    /// An answer of the API that came on a day.
    pub fn of_answer(name: &str, bytes: &[u8], day: Date) -> Cycles {
        let (products, problems) = api(&name.into(), bytes);
        Cycles { products, problems, day }
    }

    /// A file with an answer, or a folder of pages and answers. They are of the day on which the last of them
    /// was written: a copy that nobody has brought up to date shows its age.
    pub fn at(place: &Path) -> anyhow::Result<Cycles> {
        let told = || place.display().to_string();
        let mut files = Vec::new();
        if fs::metadata(place).with_context(told)?.is_dir() {
            for entry in fs::read_dir(place).with_context(told)? {
                let path = entry.with_context(told)?.path();
                if path.extension().is_some_and(|e| e == "md" || e == "json") && files.len() < MOST {
                    files.push(path);
                }
            }
            files.sort();
        } else {
            files.push(place.to_owned());
        }
        let mut newest = UNIX_EPOCH;
        let mut cycles = Cycles { products: Vec::new(), problems: Vec::new(), day: Date::of(0) };
        for path in files {
            let file: Arc<str> = path.display().to_string().into();
            let read = fs::metadata(&path).and_then(|meta| Ok((meta.modified()?, fs::read(&path)?)));
            let (written, bytes) = match read {
                Ok(read) => read,
                Err(error) => {
                    let message = format!("the page could not be read: {error}");
                    cycles.problems.push(Problem { file, line: None, message, unread: true });
                    continue;
                }
            };
            newest = newest.max(written);
            if path.extension().is_some_and(|e| e == "md") {
                match front_matter(&file, &bytes) {
                    Ok(product) => cycles.products.push(product),
                    Err(problem) => cycles.problems.push(problem),
                }
            } else {
                let (products, problems) = api(&file, &bytes);
                cycles.products.extend(products);
                cycles.problems.extend(problems);
            }
        }
        cycles.day = Date::of(seconds(newest));
        Ok(cycles)
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
