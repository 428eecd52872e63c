//! Words and where they are: an inverted index.
//!
//! Words of long texts lead to records. Words of a column's values lead to the values, which are
//! far fewer than the records, and only from there to records.

use super::column::Dictionary;
use super::posting::Posting;

/// Longer words are cut: they are digests and encoded data, which nobody types.
const LONGEST: usize = 40;

/// Calls for each word of a text: every run of letters and digits in lower case, and where it is
/// written in camel case its parts as well.
pub fn words(text: &str, mut call: impl FnMut(&str)) {
    let mut whole = String::new();
    let mut part = String::new();
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|r| !r.is_empty()) {
        whole.clear();
        lower(run, &mut whole);
        call(&whole);
        let mut from = 0;
        let mut parts = 0;
        for at in breaks(run) {
            parts += 1;
            part.clear();
            lower(&run[from..at], &mut part);
            call(&part);
            from = at;
        }
        if parts > 0 {
            part.clear();
            lower(&run[from..], &mut part);
            call(&part);
        }
    }
}

/// The words that are looked for when somebody types a text: its runs, in lower case.
pub fn runs(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|r| !r.is_empty())
        .map(|run| {
            let mut word = String::new();
            lower(run, &mut word);
            word
        })
        .collect()
}

fn lower(run: &str, into: &mut String) {
    if run.is_ascii() {
        into.push_str(&run[..run.len().min(LONGEST)]);
        into.make_ascii_lowercase();
        return;
    }
    for c in run.chars().take(LONGEST).flat_map(char::to_lowercase) {
        into.push(c);
    }
}

/// Where a run in camel case breaks: `HTMLParser` before `P`, `userId` before `I`.
fn breaks(run: &str) -> impl Iterator<Item = usize> + '_ {
    let mut chars = run.char_indices().peekable();
    let mut before: Option<char> = None;
    std::iter::from_fn(move || {
        while let Some((at, c)) = chars.next() {
            let last = before.replace(c);
            let Some(last) = last else { continue };
            let next_lower = chars.peek().is_some_and(|(_, n)| n.is_lowercase());
            if c.is_uppercase() && (!last.is_uppercase() || next_lower) {
                return Some(at);
            }
        }
        None
    })
}

/// A word in one place: a column or a text.
#[derive(Clone, Debug)]
struct Entry {
    place: u16,
    /// The next entry of the same word, or [`END`].
    next: u32,
    /// Records, or values of a column.
    found: Posting,
}

const END: u32 = u32::MAX;
/// So many words are looked through one by one, before they are put in order.
const LATEST: usize = 2_048;

/// The inverted index.
#[derive(Clone, Debug, Default)]
pub struct Words {
    vocabulary: Dictionary,
    /// By word: its first entry.
    heads: Vec<u32>,
    /// Words in alphabetical order, but for the latest.
    sorted: Vec<u32>,
    /// The latest words, in no order: a new word costs no move of all others.
    latest: Vec<u32>,
    entries: Vec<Entry>,
    /// The entries that each record is in, one after the other, so that they can be taken back.
    held: Vec<u32>,
    /// By number: where its entries begin in `held`, and how many there are.
    spans: Vec<(u32, u32)>,
    /// How much of `held` belongs to nobody any more.
    waste: usize,
}

impl Words {
    /// The entry of a word in a place, which is made where it is new.
    fn entry(&mut self, word: &str, place: u16) -> u32 {
        let fresh = u32::try_from(self.entries.len()).unwrap_or(END - 1);
        let known = self.vocabulary.keep(word);
        if known as usize == self.heads.len() {
            self.heads.push(fresh);
            self.entries.push(Entry { place, next: END, found: Posting::default() });
            self.latest.push(known);
            if self.latest.len() > LATEST {
                self.order();
            }
            return fresh;
        }
        let mut at = self.heads[known as usize];
        loop {
            let entry = &mut self.entries[at as usize];
            if entry.place == place {
                return at;
            }
            if entry.next == END {
                entry.next = fresh;
                self.entries.push(Entry { place, next: END, found: Posting::default() });
                return fresh;
            }
            at = entry.next;
        }
    }

    /// Puts the latest words in their places.
    fn order(&mut self) {
        let Words { vocabulary, sorted, latest, .. } = self;
        latest.sort_unstable_by(|a, b| vocabulary.name(*a).cmp(vocabulary.name(*b)));
        let mut merged = Vec::with_capacity(sorted.len() + latest.len());
        let mut from = 0;
        for word in latest.drain(..) {
            let to = from + sorted[from..].partition_point(|w| vocabulary.name(*w) < vocabulary.name(word));
            merged.extend_from_slice(&sorted[from..to]);
            merged.push(word);
            from = to;
        }
        merged.extend_from_slice(&sorted[from..]);
        *sorted = merged;
    }

    /// Adds the words of a column's value.
    pub fn value(&mut self, place: u16, code: u32, text: &str) {
        words(text, |word| {
            let entry = self.entry(word, place);
            self.entries[entry as usize].found.insert(code);
        });
    }

    /// Gives a record the words of these texts in place of those it had.
    pub fn record<'a>(&mut self, no: u32, texts: impl Iterator<Item = (u16, &'a str)>) {
        let mut new: Vec<u32> = Vec::new();
        for (place, text) in texts {
            words(text, |word| new.push(self.entry(word, place)));
        }
        new.sort_unstable();
        new.dedup();
        let at = no as usize;
        if self.spans.len() <= at {
            let len = at + 1;
            if self.spans.capacity() < len {
                self.spans.reserve_exact(len - self.spans.len() + len / 8);
            }
            self.spans.resize(len, (0, 0));
        }
        let (from, count) = self.spans[at];
        let old = from as usize..from as usize + count as usize;
        if self.held[old.clone()] == new {
            return;
        }
        for entry in self.held[old].iter().copied() {
            if new.binary_search(&entry).is_err() {
                self.entries[entry as usize].found.remove(no);
            }
        }
        for entry in &new {
            self.entries[*entry as usize].found.insert(no);
        }
        self.waste += count as usize;
        if self.held.capacity() < self.held.len() + new.len() {
            self.held.reserve_exact(new.len() + self.held.len() / 8);
        }
        self.spans[at] = (
            u32::try_from(self.held.len()).unwrap_or(u32::MAX),
            u32::try_from(new.len()).unwrap_or(u32::MAX),
        );
        self.held.extend_from_slice(&new);
        if self.waste > 65_536 && self.waste > self.held.len() / 2 {
            self.tidy();
        }
    }

    /// Puts the lists of entries together without the gaps that replaced ones left.
    fn tidy(&mut self) {
        let mut held = Vec::with_capacity(self.held.len() - self.waste);
        for span in &mut self.spans {
            let from = span.0 as usize;
            let at = u32::try_from(held.len()).unwrap_or(u32::MAX);
            held.extend_from_slice(&self.held[from..from + span.1 as usize]);
            span.0 = at;
        }
        self.held = held;
        self.waste = 0;
    }

    /// Where a word is: the place, and records or values there. With `whole` the word itself,
    /// otherwise every word that begins with it; a single letter or digit always stands for itself,
    /// as a large part of all words begins with it.
    pub fn find<'a>(&'a self, word: &'a str, whole: bool) -> impl Iterator<Item = (u16, &'a Posting)> {
        let whole = whole || word.chars().nth(1).is_none();
        let begins = move |w: &&u32| {
            let name = self.vocabulary.name(**w);
            if whole { name == word } else { name.starts_with(word) }
        };
        let from = self.sorted.partition_point(|w| self.vocabulary.name(*w) < word);
        let old = self.sorted[from..].iter().take_while(begins);
        let new = self.latest.iter().filter(begins);
        let heads = old.chain(new).map(|w| self.heads[*w as usize]);
        heads.flat_map(move |head| {
            let mut at = head;
            std::iter::from_fn(move || {
                let entry = self.entries.get(at as usize)?;
                at = entry.next;
                Some((entry.place, &entry.found))
            })
        })
    }

    /// About how much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        let words = self.vocabulary.memory() + (self.heads.capacity() + self.sorted.capacity()) * 4;
        let entries: usize = self.entries.iter().map(|e| e.found.memory()).sum();
        words
            + entries
            + self.entries.capacity() * size_of::<Entry>()
            + self.held.capacity() * 4
            + self.spans.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split() {
        let all = |text: &str| {
            let mut all = Vec::new();
            words(text, |w| all.push(w.to_owned()));
            all
        };
        assert_eq!(all("HTMLParser#user_id"), ["htmlparser", "html", "parser", "user", "id"]);
        assert_eq!(all("`params[:x]` in userId2"), ["params", "x", "in", "userid2", "user", "id2"]);
        assert_eq!(all("ÄrgerGross"), ["ärgergross", "ärger", "gross"]);
        assert_eq!(all("--"), Vec::<String>::new());
        assert_eq!(all(&"x".repeat(100)), ["x".repeat(40)]);
        assert_eq!(runs("HTMLParser#user_id"), ["htmlparser", "user", "id"]);
    }

    #[test]
    fn records_are_replaced() {
        let mut index = Words::default();
        index.record(3, [(0, "sql injection"), (1, "sql")].into_iter());
        index.record(4, [(0, "sqlite")].into_iter());
        let found = |index: &Words, word: &str, whole| {
            let mut all: Vec<(u16, u32)> = Vec::new();
            index.find(word, whole).for_each(|(place, p)| p.each(|no| all.push((place, no))));
            all.sort_unstable();
            all
        };
        assert_eq!(found(&index, "sql", false), [(0, 3), (0, 4), (1, 3)]);
        assert_eq!(found(&index, "sql", true), [(0, 3), (1, 3)]);
        index.record(3, [(0, "injection")].into_iter());
        assert_eq!(found(&index, "sql", false), [(0, 4)]);
        assert_eq!(found(&index, "injection", true), [(0, 3)]);
    }
}
