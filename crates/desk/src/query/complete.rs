//! What can stand where somebody is typing.

use std::ops::Range;

use super::{Query, exactly};
use crate::index::{Among, HAS, IS, Index, Name, Place, SORTS, Shape, Viewer, lower, same};

/// One thing that can stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What to put there.
    pub text: String,
    /// A few words on it: a title, how many records have it.
    pub hint: String,
    /// What it replaces, in bytes of the text.
    pub replace: Range<usize>,
}

/// Most that are offered.
const MOST: usize = 12;

/// What can stand at a place of a text, in bytes: names of fields, and after a colon the values that
/// occur on records which the viewer may see, the most frequent first.
pub fn complete(text: &str, at: usize, index: &Index, viewer: &Viewer) -> Vec<Completion> {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at]
        .rfind(char::is_whitespace)
        .map_or(0, |s| s + text[s..].chars().next().map_or(1, char::len_utf8));
    let typed = &text[start..at];
    let end = at + text[at..].find(char::is_whitespace).unwrap_or(text.len() - at);
    let sign = usize::from(typed.starts_with('-'));
    let typed = &typed[sign..];
    match typed.split_once(':') {
        None => names(index, typed, start + sign..end),
        Some((key, value)) => {
            let Some(name) = index.schema().get(&key.to_ascii_lowercase()) else { return Vec::new() };
            let before = value.rfind(',').map_or(0, |c| c + 1);
            let from = start + sign + key.len() + 1 + before;
            let value_end = at + text[at..end].find(',').unwrap_or(end - at);
            values(index, viewer, name, &value[before..], from..value_end)
        }
    }
}

fn names(index: &Index, typed: &str, replace: Range<usize>) -> Vec<Completion> {
    let typed = typed.to_lowercase();
    let known = index.schema().names.values().filter(|n| n.name.starts_with(&typed));
    let mut known: Vec<&Name> = known.collect();
    // What is used most comes first; then by name.
    let first = ["is", "severity", "state", "owner", "due", "label", "kind", "age"];
    known.sort_by_key(|n| first.iter().position(|f| *f == n.name).unwrap_or(first.len()));
    known.truncate(MOST);
    let all = known.into_iter().map(|n| Completion {
        text: format!("{}:", n.name),
        hint: n.title.clone(),
        replace: replace.clone(),
    });
    all.collect()
}

fn values(
    index: &Index,
    viewer: &Viewer,
    name: &Name,
    typed: &str,
    replace: Range<usize>,
) -> Vec<Completion> {
    let plain = typed.trim_start_matches(['"', '=', '<', '>', '@']);
    let signs = typed.len() - plain.len();
    let order = typed[..signs].contains(['<', '>']);
    let wanted = lower(plain);
    let fits = |value: &str| same(value, &wanted, true);
    let make = |text: String, hint: String| Completion { text, hint, replace: replace.clone() };
    let fixed = |words: &[&str]| -> Vec<Completion> {
        let lead = if order { &typed[..signs] } else { "" };
        let fit = words.iter().filter(|w| fits(w)).map(|w| make(format!("{lead}{w}"), String::new()));
        fit.take(MOST).collect()
    };
    let named = |wanted: &dyn Fn(&Name) -> bool| -> Vec<&str> {
        index.schema().names.values().filter(|n| wanted(n)).map(|n| n.name.as_str()).collect()
    };
    match name.place {
        Place::Is => fixed(&IS),
        Place::Late => fixed(&["yes", "no"]),
        Place::Clock => fixed(&name.choices.iter().map(String::as_str).collect::<Vec<_>>()),
        Place::Sort => fixed(&SORTS),
        Place::Group => fixed(&named(&|n| matches!(n.place, Place::Column(_)))),
        Place::In => fixed(&named(&|n| {
            matches!(n.place, Place::Text(_))
                || (n.shape == Shape::Word && matches!(n.place, Place::Column(_)))
        })),
        Place::Has | Place::No => {
            let mut all = HAS.to_vec();
            all.extend(named(&|n| matches!(n.place, Place::Column(_) | Place::Time(_))));
            fixed(&all)
        }
        Place::Time(_) if name.name == "due" => fixed(&["<0d", "<7d", "<30d", "today", ">30d"]),
        Place::Time(_) if name.name == "age" => fixed(&[">7d", ">30d", ">90d", ">180d", "<7d"]),
        Place::Time(_) => fixed(&["today", "<7d", "<30d", ">90d"]),
        Place::Id | Place::Text(_) => Vec::new(),
        Place::Column(at) => {
            let mut all = Vec::new();
            if viewer.login.is_some() && name.shape == Shape::Person && "me".starts_with(&wanted) {
                all.push(make("@me".to_owned(), "you".to_owned()));
            }
            if viewer.team.is_some() && name.shape == Shape::Team && "team".starts_with(&wanted) {
                all.push(make("@team".to_owned(), "your team".to_owned()));
            }
            let column = &index.columns[at];
            let visible = index.visible(viewer);
            let counts = column.counts(&Among::new(visible.bits(), &index.all));
            let lead = if order { &typed[..signs] } else { "" };
            let counted = || {
                let all = (0..).zip(&counts).filter(|(_, count)| **count > 0);
                all.map(|(code, count)| (*count, column.names.name(code)))
            };
            let mut found: Vec<(bool, u32, &str)> =
                counted().filter(|(_, v)| fits(v)).map(|(count, v)| (false, count, v)).collect();
            if found.len() < MOST && wanted.len() > 1 {
                // What a value has in the middle is found too, behind what it begins with.
                let inside = counted().filter(|(_, v)| !fits(v) && contains(v, &wanted));
                found.extend(inside.map(|(count, v)| (true, count, v)));
            }
            let by = |(inside, count, value): &(bool, u32, &str)| {
                (*inside, std::cmp::Reverse(*count), (*value).to_owned())
            };
            if found.len() > 4 * MOST {
                found.select_nth_unstable_by(4 * MOST, |a, b| (a.0, b.1).cmp(&(b.0, a.1)));
                found.truncate(4 * MOST);
            }
            found.sort_by_cached_key(by);
            for (_, count, value) in found {
                let term = exactly(name.shape, &name.name, value);
                let written = &term[name.name.len() + 1..];
                all.push(make(format!("{lead}{written}"), count.to_string()));
            }
            let listed = name.shape.levels().iter().copied().chain(name.choices.iter().map(String::as_str));
            for choice in listed.filter(|c| fits(c)) {
                let term = exactly(name.shape, &name.name, choice);
                let written = format!("{lead}{}", &term[name.name.len() + 1..]);
                if !all.iter().any(|c| c.text == written) {
                    all.push(make(written, "0".to_owned()));
                }
            }
            all.truncate(MOST);
            all
        }
    }
}

/// Whether a value has what was typed, in lower case, anywhere.
fn contains(value: &str, lower: &str) -> bool {
    if value.is_ascii() {
        return value.as_bytes().windows(lower.len()).any(|w| w.eq_ignore_ascii_case(lower.as_bytes()));
    }
    self::lower(value).contains(lower)
}

impl Query {
    /// The search that a text becomes when a completion is taken.
    pub fn taking(text: &str, completion: &Completion) -> String {
        let mut text = text.to_owned();
        if text.get(completion.replace.clone()).is_some() {
            text.replace_range(completion.replace.clone(), &completion.text);
        }
        text
    }
}
