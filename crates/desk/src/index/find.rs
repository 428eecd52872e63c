//! Answering a search.

use std::borrow::Cow;

use roaring::RoaringBitmap;

use super::{Column, Index, Matches, Moment, Place, Shape, Times, Viewer, at, words};
use crate::query::{Query, Term, Test, when};
use crate::{Millis, RecordId};

/// How a term is answered.
enum Plan<'a> {
    /// By these records.
    Bits(Cow<'a, RoaringBitmap>),
    /// By one pass over a column, for the values that are marked.
    Values(&'a Column, Vec<u32>),
    /// By one pass over moments: from, up to and without.
    Within(&'a Times, Millis, Millis),
    /// It says nothing about records.
    All,
    /// It means nothing.
    Nothing,
}

/// Fewer records than this are looked at one by one, rather than a whole column.
const FEW: u64 = 20_000;

impl Index {
    /// The records that a search finds, of those that somebody may see. A search that is broken, or
    /// has a term that means nothing, finds none.
    pub fn find(&self, query: &Query, viewer: &Viewer, now: Millis) -> Matches {
        self.found(query, None, viewer, now)
    }

    /// Those of what was found for which a further search holds.
    pub fn among(&self, query: &Query, of: &Matches, now: Millis) -> Matches {
        // What was found is what may be seen.
        let everything = Viewer { sees_confidential: true, ..Viewer::default() };
        self.found(query, Some(of), &everything, now)
    }

    fn found(&self, query: &Query, of: Option<&Matches>, viewer: &Viewer, now: Millis) -> Matches {
        if query.broken {
            return Matches::default();
        }
        let texts = self.looked_in(query);
        let mut holds: Vec<Cow<'_, RoaringBitmap>> = of.iter().map(|of| Cow::Borrowed(&of.0)).collect();
        let mut not: Vec<Cow<'_, RoaringBitmap>> = Vec::new();
        let mut passes = Vec::new();
        for term in &query.terms {
            match (self.plan(term, texts.as_deref(), viewer, now), term.negated) {
                (Plan::All, _) => {}
                (Plan::Nothing, _) => return Matches::default(),
                (Plan::Bits(bits), false) => holds.push(bits),
                (Plan::Bits(bits), true) => not.push(bits),
                (pass, negated) => passes.push((pass, negated)),
            }
        }
        holds.sort_by_key(|bits| bits.len());
        let mut holds = holds.into_iter();
        let mut found = match holds.next() {
            Some(first) => {
                let mut found = first.into_owned();
                if !viewer.sees_confidential {
                    found -= &self.confidential;
                }
                found
            }
            None => self.visible(viewer).0,
        };
        holds.for_each(|bits| found &= &*bits);
        not.iter().for_each(|bits| found -= &**bits);
        for (pass, negated) in passes {
            self.pass(&mut found, &pass, negated);
        }
        Matches(found)
    }

    /// Keeps those for which a column says so.
    fn pass(&self, found: &mut RoaringBitmap, pass: &Plan<'_>, negated: bool) {
        if found.is_empty() {
            return;
        }
        let few = found.len() < FEW;
        let bits = match pass {
            Plan::Values(column, codes) if few => {
                let table = column.table(codes);
                *found = found.iter().filter(|no| table[column.raw(*no) as usize] != negated).collect();
                return;
            }
            Plan::Within(times, from, to) if few => {
                let holds = |no| {
                    let at = times.get(no);
                    at != super::NEVER && *from <= at && at < *to
                };
                *found = found.iter().filter(|no| holds(*no) != negated).collect();
                return;
            }
            Plan::Values(column, codes) => column.any(codes, self.slots()),
            Plan::Within(times, from, to) => {
                let bits = times.within(*from, *to);
                return keep(found, &bits, negated);
            }
            _ => return,
        };
        keep(found, &bits, negated);
    }

    /// The places of words that `in:` names; none where they are looked for everywhere.
    fn looked_in(&self, query: &Query) -> Option<Vec<u16>> {
        let named: Vec<&Term> = query.terms.iter().filter(|t| t.key == "in" && !t.negated).collect();
        if named.is_empty() {
            return None;
        }
        let names = named.iter().flat_map(|t| &t.tests).filter_map(|t| match t {
            Test::Is(name) | Test::Exact(name) => self.schema.get(name),
            _ => None,
        });
        Some(names.filter_map(|n| self.words_of(n.place)).collect())
    }

    /// Where the words of a place are.
    pub(super) fn words_of(&self, place: Place) -> Option<u16> {
        match place {
            Place::Column(at) if self.columns[at].shape == Shape::Word => u16::try_from(at).ok(),
            Place::Text(at) => u16::try_from(self.columns.len() + at).ok(),
            _ => None,
        }
    }

    fn plan(&self, term: &Term, texts: Option<&[u16]>, viewer: &Viewer, now: Millis) -> Plan<'_> {
        if term.key.is_empty() {
            return term.tests.first().map_or(Plan::All, |test| self.text(test, texts));
        }
        let Some(name) = self.schema.get(&term.key) else { return Plan::Nothing };
        match name.place {
            Place::Sort | Place::Group | Place::In => Plan::All,
            _ if term.tests.is_empty() => Plan::Nothing,
            Place::Time(moment) => self.moment(moment, &term.tests, name.name == "age", now),
            Place::Column(at) => self.values(&self.columns[at], &term.tests, viewer, now),
            Place::Is if matches!(term.tests.as_slice(), [Test::Is(word)] if word.eq_ignore_ascii_case("late")) => {
                Plan::Within(&self.due, NEVER_YET, now)
            }
            place => {
                let mut any: Option<Cow<'_, RoaringBitmap>> = None;
                for test in &term.tests {
                    let Some(bits) = self.one(place, test, now) else { return Plan::Nothing };
                    any = Some(match any {
                        None => bits,
                        Some(any) => Cow::Owned(&*any | &*bits),
                    });
                }
                any.map_or(Plan::Nothing, Plan::Bits)
            }
        }
    }

    /// The records of one test of a name that has no column.
    fn one(&self, place: Place, test: &Test, now: Millis) -> Option<Cow<'_, RoaringBitmap>> {
        if let Place::Text(_) = place {
            return match self.text(test, Some(self.words_of(place).as_slice())) {
                Plan::Bits(bits) => Some(bits),
                _ => None,
            };
        }
        let (Test::Is(word) | Test::Exact(word)) = test else { return None };
        let word = word.to_lowercase();
        let missing = |bits: &RoaringBitmap| Some(Cow::Owned(&self.all - bits));
        match (place, word.as_str()) {
            (Place::Is, "open") => Some(Cow::Borrowed(&self.open)),
            (Place::Is, "closed") => missing(&self.open),
            (Place::Is, "late") | (Place::Late, "yes" | "true") => {
                Some(Cow::Owned((*self.due.within(NEVER_YET, now)).clone()))
            }
            (Place::Late, "no" | "false") => missing(&self.due.within(NEVER_YET, now)),
            (Place::Is, "confidential") => Some(Cow::Borrowed(&self.confidential)),
            (Place::Is, "reopened") => Some(Cow::Borrowed(self.columns[at::REOPENED].filled())),
            (Place::Is, "present") => Some(Cow::Borrowed(&self.present)),
            (Place::Is, "gone") => Some(Cow::Owned(&self.seen - &self.present)),
            (Place::Clock, text) => self.clock(text, now),
            (Place::Has, name) => self.filled(name),
            (Place::No, name) => missing(&*self.filled(name)?),
            (Place::Id, text) => {
                let id: RecordId = text.parse().ok()?;
                Some(Cow::Owned(self.named(&id).into_iter().collect()))
            }
            _ => None,
        }
    }

    /// The records that have a clock, in one of its states where one is named.
    fn clock(&self, text: &str, now: Millis) -> Option<Cow<'_, RoaringBitmap>> {
        let (name, state) = text.split_once('/').map_or((text, None), |(name, state)| (name, Some(state)));
        let Some(clock) = self.clocks.iter().find(|c| lower(&c.name) == name) else {
            // One that the program has, and no record yet.
            let known = self.schema.get("clock").is_some_and(|n| n.choices.iter().any(|c| c == text));
            return known.then(Cow::default);
        };
        let pick = |from: &RoaringBitmap, holds: &dyn Fn(u32) -> bool| {
            Some(Cow::Owned(from.iter().filter(|no| holds(*no)).collect()))
        };
        match state {
            None => Some(Cow::Owned(&clock.running | &clock.stopped | &clock.paused)),
            Some("running") => pick(&clock.running, &|no| clock.due.get(no) >= now),
            Some("late") => pick(&clock.running, &|no| clock.due.get(no) < now),
            Some("met") => pick(&clock.stopped, &|no| clock.due.get(no) >= clock.ended.get(no)),
            Some("missed") => pick(&clock.stopped, &|no| clock.due.get(no) < clock.ended.get(no)),
            Some("paused") => Some(Cow::Borrowed(&clock.paused)),
            Some(_) => None,
        }
    }

    /// The number of a record by its name, where the prefix is right.
    fn named(&self, id: &RecordId) -> Option<u32> {
        (self.all.contains(id.no) && self.id(id.no).as_ref() == Some(id)).then_some(id.no)
    }

    fn filled(&self, name: &str) -> Option<Cow<'_, RoaringBitmap>> {
        Some(match name {
            "comments" => Cow::Borrowed(&self.commented),
            "files" => Cow::Borrowed(&self.attached),
            "evidence" => Cow::Borrowed(&self.evidence),
            "links" => Cow::Borrowed(self.columns[at::LINK].filled()),
            _ => match self.schema.get(name)?.place {
                Place::Column(at) => Cow::Borrowed(self.columns[at].filled()),
                Place::Time(moment) => {
                    Cow::Owned((*self.time(moment).within(Millis::MIN, Millis::MAX)).clone())
                }
                _ => return None,
            },
        })
    }

    fn moment(&self, moment: Moment, tests: &[Test], age: bool, now: Millis) -> Plan<'_> {
        let times = self.time(moment);
        let mut spans = Vec::new();
        for test in tests {
            let lengths = match test {
                Test::Is(v) | Test::Exact(v) | Test::Compare(_, v) => when::is_length(v),
                Test::Between(from, to) => [from, to].iter().all(|v| v.is_empty() || when::is_length(v)),
                Test::Prefix(_) => false,
            };
            match when::moments(test, moment == Moment::Due, &self.calendar, now) {
                Some(span) if lengths || !age => spans.push(span),
                _ => return Plan::Nothing,
            }
        }
        match spans.as_slice() {
            [(from, to)] => Plan::Within(times, *from, *to),
            spans => {
                let mut any = RoaringBitmap::new();
                spans.iter().for_each(|(from, to)| any |= &*times.within(*from, *to));
                Plan::Bits(Cow::Owned(any))
            }
        }
    }

    fn values<'a>(&'a self, column: &'a Column, tests: &[Test], viewer: &Viewer, now: Millis) -> Plan<'a> {
        let mut codes = Vec::new();
        for test in tests {
            match self.codes(column, test, viewer, now) {
                Some(more) => codes.extend(more),
                None => return Plan::Nothing,
            }
        }
        codes.sort_unstable();
        codes.dedup();
        match codes.as_slice() {
            [] => Plan::Bits(Cow::Owned(RoaringBitmap::new())),
            // Few values: their lists are at hand.
            few if few.len() <= 64 => Plan::Bits(column.any(few, self.slots())),
            _ => Plan::Values(column, codes),
        }
    }

    /// The values of a column for which a test holds; none where it means nothing there.
    fn codes(&self, column: &Column, test: &Test, viewer: &Viewer, now: Millis) -> Option<Vec<u32>> {
        match column.shape {
            Shape::Date => {
                let (from, to) = when::dates(test, self.calendar.date(now))?;
                #[expect(clippy::cast_precision_loss, reason = "numbers of days are small")]
                Some(column.ranked(|r| from as f64 <= r && r < to as f64))
            }
            shape if shape.ordered() => {
                // `reopened:yes` beside `reopened:>1`.
                if let (at::REOPENED, Test::Is(word)) = (self.schema.column(&column.name)?, test)
                    && word == "yes"
                {
                    return Some(column.all().collect());
                }
                Some(column.ranked(when::ranks(test, shape)?))
            }
            Shape::Word => self.words_in(column, test),
            shape => {
                let (Test::Is(value) | Test::Exact(value) | Test::Prefix(value)) = test else { return None };
                let value = lower(value);
                let own = |of: &Option<String>| lower(of.as_deref().unwrap_or_default());
                let value = match (shape, test, value.as_str()) {
                    (Shape::Person, Test::Is(_), "me" | "@me") => own(&viewer.login),
                    (Shape::Team, Test::Is(_), "@team" | "@me") => own(&viewer.team),
                    (Shape::Person | Shape::Team, Test::Is(_), v) => v.trim_start_matches('@').to_owned(),
                    (Shape::Flag, _, "true") => "yes".to_owned(),
                    (Shape::Flag, _, "false") => "no".to_owned(),
                    (_, _, v) => v.to_owned(),
                };
                let prefix = matches!(test, Test::Prefix(_));
                let is = |c: u32| same(column.names.name(c), &value, prefix);
                // Names of records are many, and written in one way.
                if shape == Shape::Record && !prefix {
                    return Some(column.names.code(&value.to_uppercase()).into_iter().collect());
                }
                Some(column.all().filter(|c| is(*c)).collect())
            }
        }
    }

    /// The values of a column of words for which a test holds.
    ///
    /// A value that is one run of letters and digits holds for values that have it as a part:
    /// `rule:sql` for `sql-injection`. Anything longer, and anything in quotes, must be the whole
    /// value, so that a link to `sql-injection` does not also lead to `blind-sql-injection`.
    fn words_in(&self, column: &Column, test: &Test) -> Option<Vec<u32>> {
        let (Test::Is(written) | Test::Exact(written) | Test::Prefix(written)) = test else { return None };
        let value = lower(written);
        let runs = words::runs(written);
        let prefix = matches!(test, Test::Prefix(_));
        let part = matches!(test, Test::Is(_)) && written.chars().all(char::is_alphanumeric);
        let holds = |code: u32| {
            let name = column.names.name(code);
            if part { words::runs(name).contains(&runs[0]) } else { same(name, &value, prefix) }
        };
        // The rarest of its words leads to the values worth looking at.
        let place = u16::try_from(self.schema.column(&column.name)?).ok()?;
        let last = runs.len().saturating_sub(1);
        let lists = runs.iter().enumerate().map(|(at, run)| {
            let whole = !(prefix && at == last);
            self.words.find(run, whole).filter(|(p, _)| *p == place).map(|(_, p)| p).collect::<Vec<_>>()
        });
        // A single letter as a beginning is not looked up as one.
        let single = prefix && runs.last().is_none_or(|r| r.chars().nth(1).is_none());
        match lists.min_by_key(|list| list.iter().map(|p| p.len()).sum::<u64>()) {
            Some(list) if !single => {
                let mut codes = Vec::new();
                for posting in list {
                    posting.each(|code| {
                        if holds(code) {
                            codes.push(code);
                        }
                    });
                }
                Some(codes)
            }
            _ => Some(column.all().filter(|c| holds(*c)).collect()),
        }
    }

    /// The records that have all words of a text: bare, each as the beginning of a word; in quotes,
    /// each as a whole word. A record's own name finds it.
    fn text(&self, test: &Test, texts: Option<&[u16]>) -> Plan<'_> {
        let (value, whole) = match test {
            Test::Exact(value) => (value, true),
            Test::Is(value) | Test::Prefix(value) => (value, false),
            _ => return Plan::Nothing,
        };
        let mut found: Option<RoaringBitmap> = None;
        let mut runs = words::runs(value);
        // Long words are mostly rare: where one is nowhere, the others need not be looked for.
        runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
        for run in runs {
            if found.as_ref().is_some_and(RoaringBitmap::is_empty) {
                break;
            }
            let bits = self.word(&run, whole, texts);
            found = Some(match found {
                None => bits,
                Some(found) => found & bits,
            });
        }
        let Some(mut found) = found else { return Plan::All };
        if texts.is_none()
            && let Ok(id) = value.parse::<RecordId>()
        {
            found.extend(self.named(&id));
        }
        Plan::Bits(Cow::Owned(found))
    }

    fn word(&self, run: &str, whole: bool, texts: Option<&[u16]>) -> RoaringBitmap {
        let mut records = Vec::new();
        let mut values: Vec<Vec<u32>> = vec![Vec::new(); self.columns.len()];
        for (place, found) in self.words.find(run, whole) {
            if texts.is_some_and(|t| !t.contains(&place)) {
                continue;
            }
            match values.get_mut(usize::from(place)) {
                Some(codes) => found.each(|code| codes.push(code)),
                None => records.push(found),
            }
        }
        let mut all = super::posting::union(records.into_iter(), self.slots());
        for (column, mut codes) in self.columns.iter().zip(values) {
            if !codes.is_empty() {
                codes.sort_unstable();
                codes.dedup();
                all |= &*column.any(&codes, self.slots());
            }
        }
        all
    }
}

fn keep(found: &mut RoaringBitmap, bits: &RoaringBitmap, negated: bool) {
    if negated {
        *found -= bits;
    } else {
        *found &= bits;
    }
}

/// Before every moment that a clock can have.
const NEVER_YET: Millis = Millis::MIN;

/// A text in lower case, letter by letter as [`same`] compares.
pub(crate) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether a value is, or begins with, what was written in lower case.
pub(crate) fn same(name: &str, lower: &str, prefix: bool) -> bool {
    let (bytes, wanted) = (name.as_bytes(), lower.as_bytes());
    if name.is_ascii() {
        // An ASCII letter in lower case is one byte.
        return match bytes.get(..wanted.len()) {
            Some(start) => (prefix || bytes.len() == wanted.len()) && start.eq_ignore_ascii_case(wanted),
            None => false,
        };
    }
    let mut chars = name.chars().flat_map(char::to_lowercase);
    for wanted in lower.chars() {
        if chars.next() != Some(wanted) {
            return false;
        }
    }
    prefix || chars.next().is_none()
}
