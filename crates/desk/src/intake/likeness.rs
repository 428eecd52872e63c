//! How alike the code of two findings is: what came and what went may be one weakness in new words.

use std::collections::HashMap;

use crate::Record;
use crate::intake::Found;

/// Most comparisons of one delivery: with more, a rewrite has touched everything and likeness tells
/// nothing any more.
const MOST: usize = 200_000;

/// Pairs what came (by its place in the list) with what went, of one rule, best first, each once,
/// from `least` (0 to 1) on, where `may` allows it.
pub fn pairs(
    came: &[&Found],
    gone: &[Record],
    least: f64,
    may: impl Fn(&Found, &Record) -> bool,
) -> HashMap<usize, usize> {
    let mut by_rule: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, record) in gone.iter().enumerate() {
        by_rule.entry(record.text("rule")).or_default().push(at);
    }
    let mut scored = Vec::new();
    let mut compared = 0;
    'all: for (new, found) in came.iter().enumerate() {
        for old in by_rule.get(found.rule.as_str()).into_iter().flatten() {
            if !may(found, &gone[*old]) {
                continue;
            }
            compared += 1;
            if compared > MOST {
                break 'all;
            }
            let likeness = strsim::sorensen_dice(&found.code, gone[*old].text("code"));
            if likeness >= least {
                scored.push((likeness, new, *old));
            }
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    let mut pairs = HashMap::new();
    let mut used = vec![false; gone.len()];
    for (_, new, old) in scored {
        if !used[old] && !pairs.contains_key(&new) {
            used[old] = true;
            pairs.insert(new, old);
        }
    }
    pairs
}
