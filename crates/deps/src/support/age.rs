//! The age of libraries, in years between the release that is used and the newest one.

use jiff::civil::Date;

use crate::lockfile::Inventory;
use crate::{Ecosystem, Origin, Package};

/// Days in a year, leap years among them.
const YEAR: f64 = 365.25;

/// Who knows when releases came out: an index that the caller keeps.
pub trait Releases {
    /// The day on which a version came out; none where nobody knows.
    fn released(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Option<Date>;

    /// The newest release that is no pre-release, and its day.
    fn newest(&self, ecosystem: Ecosystem, name: &str) -> Option<(String, Date)>;
}

/// How far behind one package is.
#[derive(Clone, Debug, PartialEq)]
pub struct Age {
    /// Its index in the inventory.
    pub package: usize,
    /// The newest version.
    pub newest: String,
    /// When that came out.
    pub newest_released: Date,
    /// Years between the two releases: libyears. Never below zero.
    pub years: f64,
}

/// The age of every package from a registry of which both days are known. The sum of the years over all
/// packages is what people call the libyears of a project.
pub fn ages(inventory: &Inventory, releases: &dyn Releases) -> Vec<Age> {
    let age = |(index, package): (usize, &Package)| {
        if package.version.is_empty() || !matches!(package.origin, Origin::Registry(_)) {
            return None;
        }
        let own = releases.released(package.ecosystem, &package.name, &package.version)?;
        let (newest, day) = releases.newest(package.ecosystem, &package.name)?;
        let days = own.until(day).ok()?.get_days();
        let years = (f64::from(days) / YEAR).max(0.0);
        Some(Age { package: index, newest, newest_released: day, years })
    };
    inventory.packages.iter().enumerate().filter_map(age).collect()
}
