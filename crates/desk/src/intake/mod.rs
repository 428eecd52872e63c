//! Taking in what a scan found: which finding is which record, what came, what went, what came back.

mod delivery;
mod likeness;
mod owners;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use wardroom_program::{Kind, Program};

pub use delivery::{Delivery, Envelope, Found};
pub use owners::Owners;

use crate::decide::{Draft, settle};
use crate::record::{Seen, scope};
use crate::{Change, Fields, Millis, Record, RecordId, Refused, Sighting, World};

/// The kind that scans fill.
pub const FINDING: &str = "finding";

/// From this likeness on, what came and what went in one definition is one weakness whose code was
/// changed: the place already says much.
const LIKE_IN_PLACE: f64 = 0.5;

/// What taking in a delivery asks for.
#[derive(Debug)]
pub struct Taken {
    /// New and changed records.
    pub drafts: Vec<Draft>,
    /// How many findings of which fate: seen, opened, carried, returned, adopted, gone, resolved.
    pub counts: BTreeMap<String, u64>,
}

/// Which findings of a delivery are which of the records that are there.
///
/// `known` are the repository's records by number: all that have one of the delivery's fingerprints,
/// and all that were present, or missing and open, on its branch. `next` gives numbers to new ones.
pub fn take(
    program: &Program,
    world: &dyn World,
    delivery: &Delivery,
    known: Vec<Record>,
    next: u32,
    now: Millis,
) -> Result<Taken, Refused> {
    let kind = program.kind(FINDING).ok_or_else(|| {
        Refused::NotNow("the program has no kind `finding`, so nothing can be taken in".to_owned())
    })?;
    let mut taking = Taking {
        program,
        kind,
        world,
        delivery,
        owners: Owners::read(&delivery.codeowners),
        next,
        now,
        drafts: Vec::new(),
        counts: BTreeMap::new(),
    };
    taking.run(known);
    Ok(Taken { drafts: taking.drafts, counts: taking.counts })
}

struct Taking<'a> {
    program: &'a Program,
    kind: &'a Kind,
    world: &'a dyn World,
    delivery: &'a Delivery,
    owners: Owners,
    next: u32,
    now: Millis,
    drafts: Vec<Draft>,
    counts: BTreeMap<String, u64>,
}

impl Taking<'_> {
    fn run(&mut self, known: Vec<Record>) {
        let delivery = self.delivery;
        let branch = &delivery.branch;
        let mut by_print: HashMap<String, usize> = HashMap::new();
        for (at, record) in known.iter().enumerate() {
            for seen in record.seen.values().filter(|s| s.repository == delivery.repository) {
                // Where two records had one name, the one that is still there keeps it.
                let other = by_print.get(&seen.fingerprint).copied();
                if other.is_none_or(|o| !known[o].open && record.open) {
                    by_print.insert(seen.fingerprint.clone(), at);
                }
            }
        }
        let mut records: Vec<Option<Record>> = known.into_iter().map(Some).collect();
        let mut unmatched = Vec::new();
        for found in &delivery.found {
            self.count("seen");
            match by_print.get(&found.fingerprint).and_then(|at| records[*at].take()) {
                Some(record) => self.carry(record, found),
                None => unmatched.push(found),
            }
        }
        let present = |r: &Record| was_present(r, delivery);
        let missing = |r: &Record| {
            of_tool(r, delivery)
                && r.open
                && r.seen.get(branch).is_some_and(|s| !s.present && s.repository == delivery.repository)
        };
        let (mut gone, rest): (Vec<Record>, Vec<Record>) = records.into_iter().flatten().partition(present);
        // By class and place: first the same file and definition, then the same definition elsewhere
        // (the file was renamed and the code changed), then the same file.
        unmatched = self.pair(unmatched, &mut gone, same_place);
        // Of several in one definition, those whose code is most alike belong together.
        unmatched = self.pair_alike(unmatched, &mut gone);
        for key in [same_scope as fn(&str, &str, &str) -> _, same_file] {
            unmatched = self.pair(unmatched, &mut gone, key);
        }
        let alike = likeness::pairs(&unmatched, &gone, self.program.policies.identity.likeness, |_, _| true);
        let waiting: HashSet<u32> = alike.values().map(|at| gone[*at].id.no).collect();
        for (at, found) in unmatched.into_iter().enumerate() {
            if !found.suppressed {
                self.open(found, alike.get(&at).map(|gone_at| gone[*gone_at].id.clone()));
            }
        }
        for record in gone {
            let asked = waiting.contains(&record.id.no);
            self.lose(record, asked);
        }
        for record in rest.into_iter().filter(missing) {
            let asked = record.links.iter().any(|l| l.relation == "same_as" && l.back);
            self.miss(record, asked);
        }
    }

    /// A finding that is this record is there.
    fn carry(&mut self, record: Record, found: &Found) {
        let delivery = self.delivery;
        // On another branch only what differs from the one that counts is written down.
        let here = record.seen.get(&delivery.branch).or_else(|| {
            let there = record.seen.get(&delivery.default_branch);
            there.filter(|s| s.fingerprint == found.fingerprint && s.present)
        });
        let same = here.is_some_and(|s| s.present && s.fingerprint == found.fingerprint);
        let only_here = delivery.counts() || record.state == "proposed";
        let news = !same || (only_here && here.is_some_and(|s| s.content != found.content));
        let comes_back = delivery.counts() && matches!(record.state.as_str(), "unseen" | "resolved");
        // What was decided about the code holds as long as the code is the same.
        let changed = record.text("code") != found.code && !record.text("code").is_empty();
        let code_changed =
            delivery.counts() && changed && matches!(record.state.as_str(), "dismissed" | "accepted");
        let proposed = delivery.counts() && record.state == "proposed";
        if !(news || comes_back || code_changed || proposed) || (found.suppressed && !record.open) {
            self.count("carried");
            return;
        }
        let mut draft = Draft::of(record, self.now);
        if news {
            let (fields, evidence) = if only_here {
                (self.news(&draft.record, found), Some(found.evidence.clone()))
            } else {
                (Fields::new(), None)
            };
            let sighting = self.sighting(&found.fingerprint, &found.content);
            draft.push(Change::Observed { sighting, fields, evidence });
        }
        if comes_back || code_changed {
            let because = if code_changed {
                "its code has changed since it was decided on".to_owned()
            } else {
                format!("seen again {}", self.at_commit())
            };
            self.step(&mut draft, "return", &because);
            self.count("returned");
        } else if proposed {
            self.step(&mut draft, "adopt", &format!("now on {}", delivery.branch));
            self.count("adopted");
        } else {
            self.count("carried");
        }
        self.done(draft);
    }

    /// Fields that the engine now says otherwise; what people have changed stays theirs.
    fn news(&self, record: &Record, found: &Found) -> Fields {
        let mut news = Fields::new();
        for (name, value) in &found.fields {
            let held = record.fields.get(name);
            let found_before = match name.as_str() {
                "title" => record.fields.get("message"),
                "severity" => record.fields.get("severity_found"),
                "exposure" => record.fields.get("exposure_found"),
                _ => held,
            };
            let of_people = held != found_before;
            if held != Some(value) && !of_people && self.kind.field(name).is_some() {
                news.insert(name.clone(), value.clone());
            }
        }
        news
    }

    fn open(&mut self, found: &Found, perhaps: Option<RecordId>) {
        let delivery = self.delivery;
        let mut fields: Fields = found
            .fields
            .iter()
            .filter(|(name, _)| self.kind.field(name).is_some())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        fields.insert("repository".to_owned(), json!(delivery.repository));
        for owner in self.owners.of(&found.file) {
            let name = owner.trim_start_matches('@');
            let team = name.rsplit('/').next().unwrap_or(name);
            if !fields.contains_key("owner") && self.world.person(name) {
                fields.insert("owner".to_owned(), json!(name));
            } else if !fields.contains_key("team") && self.world.team(team) {
                fields.insert("team".to_owned(), json!(team));
            }
        }
        let state = if delivery.counts() { self.kind.initial().name.clone() } else { "proposed".to_owned() };
        let id = RecordId::new(&self.kind.prefix, self.next);
        self.next += 1;
        let mut draft = Draft::new(id, self.kind, &state, fields, self.now);
        // What follows from the fields stands in the opening event already.
        settle(self.program, self.kind, &mut draft, self.now, "");
        draft.push(Change::Observed {
            sighting: self.sighting(&found.fingerprint, &found.content),
            fields: Fields::new(),
            evidence: Some(found.evidence.clone()),
        });
        if let Some(other) = perhaps {
            draft.push(Change::Linked { relation: "same_as".to_owned(), to: other, back: false });
        }
        self.count("opened");
        self.done(draft);
    }

    /// A record's subject was here and is no longer.
    fn lose(&mut self, record: Record, asked: bool) {
        let delivery = self.delivery;
        let here = record.seen.get(&delivery.branch).or_else(|| record.seen.get(&delivery.default_branch));
        let Some(seen) = here.cloned() else { return };
        if !delivery.complete || delivery.unread.contains(record.text("file")) {
            return;
        }
        let mut draft = Draft::of(record, self.now);
        draft.push(Change::Vanished { sighting: self.sighting(&seen.fingerprint, &seen.content) });
        self.count("gone");
        let elsewhere = draft.record.seen.values().any(|s| s.present);
        if draft.record.state == "proposed" {
            if !elsewhere {
                self.step(&mut draft, "withdraw", &format!("no longer seen on {}", self.delivery.branch));
            }
        } else if self.delivery.counts() && draft.record.open {
            self.step(&mut draft, "vanish", &format!("not seen {}", self.at_commit()));
            self.resolve(&mut draft, &seen, asked);
        }
        self.done(draft);
    }

    /// A record that was missing already is missing still.
    fn miss(&mut self, record: Record, asked: bool) {
        let waits = record.state == "unseen" && self.delivery.counts() && self.delivery.complete;
        let Some(seen) = record.seen.get(&self.delivery.branch).cloned() else { return };
        let wanted = self.program.policies.identity.resolve_unseen_after;
        if !waits || wanted == 0 || asked {
            return;
        }
        let mut draft = Draft::of(record, self.now);
        draft.push(Change::Vanished { sighting: self.sighting(&seen.fingerprint, &seen.content) });
        self.resolve(&mut draft, &seen, asked);
        self.done(draft);
    }

    fn resolve(&mut self, draft: &mut Draft, before: &Seen, asked: bool) {
        let wanted = self.program.policies.identity.resolve_unseen_after;
        let missed = draft.record.seen.get(&self.delivery.branch).map_or(0, |s| s.missed);
        // Where a person is asked whether it only changed its form, it is not closed under their hands.
        if asked || wanted == 0 || missed < wanted || draft.record.state != "unseen" {
            return;
        }
        let commit = if self.delivery.commit.is_empty() { "unknown" } else { &self.delivery.commit };
        let was = if before.commit.is_empty() {
            String::new()
        } else {
            format!(", last seen at {}", short(&before.commit))
        };
        let old = draft.record.fields.get("fixed_in").cloned().unwrap_or(Value::Null);
        draft.push(Change::Set {
            fields: [("fixed_in".to_owned(), json!(commit))].into(),
            before: [("fixed_in".to_owned(), old)].into(),
            because: "the first commit that was scanned without it".to_owned(),
        });
        self.step(draft, "resolve", &format!("a complete scan {} no longer finds it{was}", self.at_commit()));
        self.count("resolved");
        // Whether it was another one in new words matters no more, and the other need not wait.
        for link in draft.record.links.clone() {
            if link.relation == "same_as" && !link.back {
                draft.push(Change::Unlinked { relation: link.relation, to: link.to, back: false });
            }
        }
    }

    /// Takes a transition as the engine, where the program has it from this state.
    fn step(&self, draft: &mut Draft, name: &str, because: &str) {
        let state = draft.record.state.clone();
        let way = self.kind.ways_out(&state).find(|t| t.name == name).map(|t| t.to.clone());
        let Some(to) = way else { return };
        let open = self.kind.state(&to).is_none_or(|s| s.open);
        draft.push(Change::Moved {
            transition: name.to_owned(),
            from: state,
            to,
            open,
            because: because.to_owned(),
        });
    }

    fn done(&mut self, mut draft: Draft) {
        settle(self.program, self.kind, &mut draft, self.now, "");
        if !draft.changes.is_empty() {
            self.drafts.push(draft);
        }
    }

    /// Pairs what came with what went where each is the only one with its key; what came and found
    /// no partner is given back.
    fn pair<'f, K: std::hash::Hash + Eq>(
        &mut self,
        came: Vec<&'f Found>,
        gone: &mut Vec<Record>,
        key: fn(&str, &str, &str) -> Option<K>,
    ) -> Vec<&'f Found> {
        let mut went: HashMap<K, Vec<usize>> = HashMap::new();
        for (at, record) in gone.iter().enumerate() {
            if let Some(key) = key(record.text("rule"), record.text("file"), record.text("scope")) {
                went.entry(key).or_default().push(at);
            }
        }
        let mut count: HashMap<K, u32> = HashMap::new();
        for found in &came {
            if let Some(key) = key(&found.rule, &found.file, &found.scope) {
                *count.entry(key).or_default() += 1;
            }
        }
        let mut left = Vec::new();
        let mut matched: Vec<(usize, &Found)> = Vec::new();
        for found in came {
            let key = key(&found.rule, &found.file, &found.scope);
            match key.and_then(|k| (count.get(&k) == Some(&1)).then(|| went.get(&k)).flatten()) {
                Some(went) if went.len() == 1 => matched.push((went[0], found)),
                _ => left.push(found),
            }
        }
        self.carry_all(matched, gone);
        left
    }

    /// Pairs what came with what went in the same place by the likeness of their code.
    fn pair_alike<'f>(&mut self, came: Vec<&'f Found>, gone: &mut Vec<Record>) -> Vec<&'f Found> {
        let here = |found: &Found, record: &Record| {
            found.file == record.text("file") && found.scope == record.text("scope")
        };
        let pairs = likeness::pairs(&came, gone, LIKE_IN_PLACE, here);
        let mut left = Vec::new();
        let mut matched: Vec<(usize, &Found)> = Vec::new();
        for (at, found) in came.into_iter().enumerate() {
            match pairs.get(&at) {
                Some(old) => matched.push((*old, found)),
                None => left.push(found),
            }
        }
        self.carry_all(matched, gone);
        left
    }

    /// Carries pairs of a place in what went and what came there.
    fn carry_all(&mut self, mut matched: Vec<(usize, &Found)>, gone: &mut Vec<Record>) {
        // From the end, so that taking one out moves none that is still to be taken.
        matched.sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
        for (at, found) in matched {
            let record = gone.swap_remove(at);
            self.carry(record, found);
        }
    }

    fn sighting(&self, fingerprint: &str, content: &str) -> Sighting {
        Sighting {
            repository: self.delivery.repository.clone(),
            branch: self.delivery.branch.clone(),
            commit: self.delivery.commit.clone(),
            fingerprint: fingerprint.to_owned(),
            content: content.to_owned(),
        }
    }

    fn at_commit(&self) -> String {
        if self.delivery.commit.is_empty() {
            format!("on {}", self.delivery.branch)
        } else {
            format!("at {}", short(&self.delivery.commit))
        }
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }
}

/// Whether a record was there when the delivery's branch was last looked at. What another branch says
/// nothing about is there as it is on the one that counts.
fn was_present(record: &Record, delivery: &Delivery) -> bool {
    let seen = record.seen.get(&delivery.branch).or_else(|| record.seen.get(&delivery.default_branch));
    of_tool(record, delivery) && seen.is_some_and(|s| s.present && s.repository == delivery.repository)
}

/// A tool says nothing of what another one found.
fn of_tool(record: &Record, delivery: &Delivery) -> bool {
    ["", delivery.tool_name().as_str()].contains(&record.text("tool"))
}

fn same_place(rule: &str, file: &str, scope: &str) -> Option<(String, String, String)> {
    Some((rule.to_owned(), file.to_owned(), scope.to_owned()))
}

/// An empty scope is no place.
fn same_scope(rule: &str, _: &str, scope: &str) -> Option<(String, String, String)> {
    (!scope.is_empty()).then(|| (rule.to_owned(), String::new(), scope.to_owned()))
}

fn same_file(rule: &str, file: &str, _: &str) -> Option<(String, String, String)> {
    Some((rule.to_owned(), file.to_owned(), String::new()))
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// The scopes of the store's index that hold every record which a delivery may concern, beside those
/// that have one of its fingerprints in the scope of the repository: what is present on its branch or
/// on the one that counts, and what is missing there and still open.
pub fn scopes(delivery: &Delivery) -> Vec<String> {
    let here = scope(&delivery.repository, &delivery.branch);
    let mut scopes = vec![format!("{here}\n"), here];
    if !delivery.counts() {
        scopes.push(scope(&delivery.repository, &delivery.default_branch));
    }
    scopes
}
