//! Finding many words in one pass.
//!
//! An Aho–Corasick automaton, worked out to a table. What bounds such a walk is the time that a look
//! into the table takes, since each look waits for the one before. So the text is cut into four lanes
//! that are walked side by side, and four looks are under way at once.

/// How many stretches of a text are walked side by side.
const LANES: usize = 4;
/// A text shorter than this is walked in one go. In bytes.
const SHORT: usize = 1024;

/// Where a word ends in a text, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Just past its last byte.
    pub end: usize,
    /// The word's number, in the order in which they were given.
    pub word: u32,
}

/// The automaton. Upper and lower case of ASCII are one.
#[derive(Debug)]
pub struct Keywords {
    /// For each state, the next one by class of byte. States are offsets of their row.
    table: Vec<u32>,
    /// The class of a byte.
    classes: [u8; 256],
    /// States from here on have words that end in them.
    first_match: u32,
    /// Width of a row.
    width: usize,
    /// The words that end in a state, by its row counted from `first_match`.
    ends: Vec<Vec<u32>>,
    lengths: Vec<u32>,
    longest: usize,
}

impl Keywords {
    /// Builds it. An empty word is never seen.
    pub fn new(words: &[Vec<u8>]) -> Keywords {
        let mut classes = [0u8; 256];
        let mut count = 1u8;
        for byte in words.iter().flatten() {
            let folded = byte.to_ascii_lowercase() as usize;
            if classes[folded] == 0 {
                classes[folded] = count;
                count += 1;
            }
        }
        for byte in b'A'..=b'Z' {
            classes[byte as usize] = classes[byte.to_ascii_lowercase() as usize];
        }
        let width = usize::from(count);

        // The trie: 0 stands for no child, as none leads back to the root.
        let mut rows: Vec<Vec<u32>> = vec![vec![0; width]];
        let mut ends: Vec<Vec<u32>> = vec![Vec::new()];
        for (number, word) in words.iter().enumerate().filter(|(_, w)| !w.is_empty()) {
            let mut state = 0usize;
            for byte in word {
                let class = usize::from(classes[usize::from(byte.to_ascii_lowercase())]);
                if rows[state][class] == 0 {
                    rows[state][class] = rows.len() as u32;
                    rows.push(vec![0; width]);
                    ends.push(Vec::new());
                }
                state = rows[state][class] as usize;
            }
            ends[state].push(number as u32);
        }

        // Breadth first, each state takes over what its longest proper suffix would do.
        let mut suffix = vec![0u32; rows.len()];
        let mut queue: std::collections::VecDeque<usize> = rows[0].iter().map(|s| *s as usize).collect();
        queue.retain(|s| *s != 0);
        while let Some(state) = queue.pop_front() {
            let back = suffix[state] as usize;
            let inherited = ends[back].clone();
            ends[state].extend(inherited);
            let others = rows[back].clone();
            for (next, other) in rows[state].iter_mut().zip(others) {
                if *next == 0 {
                    *next = other;
                } else {
                    suffix[*next as usize] = other;
                    queue.push_back(*next as usize);
                }
            }
        }

        // States in which words end go last, so that one comparison tells them.
        let quiet = ends.iter().filter(|e| e.is_empty()).count();
        let (mut low, mut high) = (0usize, quiet);
        let mut place = vec![0u32; rows.len()];
        for (state, ends) in ends.iter().enumerate() {
            let slot = if ends.is_empty() { &mut low } else { &mut high };
            place[state] = (*slot * width) as u32;
            *slot += 1;
        }
        let mut table = vec![0u32; rows.len() * width];
        let mut sorted = vec![Vec::new(); rows.len() - quiet];
        for (state, row) in rows.iter().enumerate() {
            let at = place[state] as usize;
            for (class, next) in row.iter().enumerate() {
                table[at + class] = place[*next as usize];
            }
            if !ends[state].is_empty() {
                sorted[at / width - quiet] = std::mem::take(&mut ends[state]);
            }
        }
        Keywords {
            table,
            classes,
            first_match: (quiet * width) as u32,
            width,
            ends: sorted,
            lengths: words.iter().map(|w| w.len() as u32).collect(),
            longest: words.iter().map(Vec::len).max().unwrap_or(0),
        }
    }

    /// How long a word is, in bytes.
    pub fn length(&self, word: u32) -> usize {
        self.lengths[word as usize] as usize
    }

    /// Every place where a word ends, in the order of the text.
    pub fn find(&self, text: &[u8], out: &mut Vec<Seen>) {
        out.clear();
        let lane = text.len() / LANES;
        if text.len() < SHORT || lane <= self.longest {
            self.walk(text, 0, 0, out);
            return;
        }
        // A word that lies across a border ends in the later lane, so that one begins early, and
        // keeps quiet until it is past the border.
        let early = self.longest.saturating_sub(1);
        let starts: [usize; LANES] = std::array::from_fn(|n| (n * lane).saturating_sub(early));
        let mut states = [0u32; LANES];
        for (n, state) in states.iter_mut().enumerate() {
            for byte in &text[starts[n]..n * lane] {
                *state = self.next(*state, *byte);
            }
        }
        let (a, rest) = text.split_at(lane);
        let (b, rest) = rest.split_at(lane);
        let (c, rest) = rest.split_at(lane);
        let (d, tail) = rest.split_at(lane);
        let [mut s0, mut s1, mut s2, mut s3] = states;
        let mut found: [Vec<Seen>; LANES] = Default::default();
        for (n, (((b0, b1), b2), b3)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
            s0 = self.next(s0, *b0);
            s1 = self.next(s1, *b1);
            s2 = self.next(s2, *b2);
            s3 = self.next(s3, *b3);
            if s0.max(s1).max(s2.max(s3)) >= self.first_match {
                for (lane_number, state) in [s0, s1, s2, s3].into_iter().enumerate() {
                    self.note(state, lane_number * lane + n + 1, &mut found[lane_number]);
                }
            }
        }
        for list in &found {
            out.extend_from_slice(list);
        }
        self.walk(tail, s3, text.len() - tail.len(), out);
    }

    fn walk(&self, text: &[u8], mut state: u32, offset: usize, out: &mut Vec<Seen>) {
        for (n, byte) in text.iter().enumerate() {
            state = self.next(state, *byte);
            self.note(state, offset + n + 1, out);
        }
    }

    #[inline(always)]
    fn next(&self, state: u32, byte: u8) -> u32 {
        self.table[state as usize + usize::from(self.classes[usize::from(byte)])]
    }

    #[inline(always)]
    fn note(&self, state: u32, end: usize, out: &mut Vec<Seen>) {
        if state >= self.first_match {
            let row = (state - self.first_match) as usize / self.width;
            out.extend(self.ends[row].iter().map(|word| Seen { end, word: *word }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(words: &[Vec<u8>], text: &[u8]) -> Vec<Seen> {
        let mut out = Vec::new();
        for end in 1..=text.len() {
            for (number, word) in words.iter().enumerate() {
                if !word.is_empty()
                    && end >= word.len()
                    && text[end - word.len()..end].eq_ignore_ascii_case(word)
                {
                    out.push(Seen { end, word: number as u32 });
                }
            }
        }
        out
    }

    #[test]
    fn lanes_see_what_a_plain_search_sees() {
        let words: Vec<Vec<u8>> =
            ["ab", "abc", "bca", "c", "aaaa", "", "x-y", "\u{e9}"].map(|w| w.as_bytes().to_vec()).into();
        let keywords = Keywords::new(&words);
        let mut seed = 7u64;
        for length in [0, 1, 5, 1023, 1024, 1025, 1029, 5000, 5003] {
            let text: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    b"abcABCxy-\xc3\xa9"[(seed >> 33) as usize % 11]
                })
                .collect();
            let mut seen = Vec::new();
            keywords.find(&text, &mut seen);
            seen.sort();
            assert_eq!(seen, naive(&words, &text), "{length}");
        }
    }
}
