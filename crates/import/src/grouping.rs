//! Findings of one check that are one finding with several places.

use std::collections::HashMap;

use crate::{Report, Reported};

/// Most addresses and places that one finding keeps: a check that fires on every page of a site says no more with
/// ten thousand of them.
const MOST: usize = 1000;

/// Findings by what makes them the same, in the order in which they first came.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    found: Vec<Reported>,
    at: HashMap<String, usize>,
    /// Bytes of the texts so far.
    used: usize,
    /// Findings that were left out since there are too many.
    rest: usize,
}

impl Groups {
    /// Adds a finding, or its places to the one that has the same key.
    pub(crate) fn put(&mut self, key: String, mut finding: Reported) {
        // Everything that is added counts, so that what is held never outgrows the report by far.
        if self.used > crate::ROOM {
            finding.shorten(crate::SHORT);
        } else {
            self.used += finding.size();
        }
        let Some(known) = self.at.get(&key).and_then(|at| self.found.get_mut(*at)) else {
            if self.found.len() >= crate::MOST {
                self.rest += 1;
                return;
            }
            self.at.insert(key, self.found.len());
            self.found.push(finding);
            return;
        };
        for address in finding.addresses {
            if known.addresses.len() < MOST && !known.addresses.contains(&address) {
                known.addresses.push(address);
            }
        }
        for place in finding.place.into_iter().chain(finding.places) {
            let stands = known.place.as_ref() == Some(&place) || known.places.contains(&place);
            if known.places.len() < MOST && !stands {
                known.places.push(place);
            }
        }
        for (ours, theirs) in [
            (&mut known.ids, finding.ids),
            (&mut known.references, finding.references),
            (&mut known.fixed_in, finding.fixed_in),
            (&mut known.tags, finding.tags),
        ] {
            for text in theirs {
                if ours.len() < MOST && !ours.contains(&text) {
                    ours.push(text);
                }
            }
        }
        if known.cwes.len() < MOST {
            known.cwes.extend(finding.cwes);
        }
    }

    /// Tells all of them, each changed once more by its key.
    pub(crate) fn tell_with(self, report: &mut Report<'_>, change: impl Fn(&str, &mut Reported)) {
        let mut keys: Vec<(String, usize)> = self.at.into_iter().collect();
        keys.sort_by_key(|(_, at)| *at);
        for ((key, _), mut finding) in keys.into_iter().zip(self.found) {
            change(&key, &mut finding);
            report.found(finding);
        }
        report.leave_out(self.rest);
    }

    /// Tells all of them.
    pub(crate) fn tell(self, report: &mut Report<'_>) {
        self.found.into_iter().for_each(|finding| report.found(finding));
        report.leave_out(self.rest);
    }
}
