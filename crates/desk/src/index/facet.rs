//! Counts of what was found, by value.

use rustc_hash::FxHashMap;
use wardroom_model::Severity;

use super::{Among, Column, Index, Matches, at};
use crate::query::exactly;

/// How often each value of a field occurs among what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// The most frequent values, most frequent first.
    pub values: Vec<FacetValue>,
    /// How many other values occur.
    pub others: usize,
    /// How many records have no value.
    pub none: u64,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// How many records have it.
    pub count: u64,
    /// The term that holds for it: `rule:sql-injection`.
    pub term: String,
}

/// Records that have one value, to be treated as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The value; empty for records without one.
    pub value: String,
    /// How many.
    pub count: u64,
    /// The worst of their severities.
    pub worst: Option<Severity>,
    /// One of the worst of them: the one with the lowest number.
    pub sample: u32,
    /// The term that holds for them: `file:app/models/user.rb`, or `no:file`.
    pub term: String,
}

/// A node of a tree of counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    /// The value at this level; empty at the root, and for records without one.
    pub value: String,
    /// How many records are at or under it.
    pub count: u64,
    /// The worst of their severities.
    pub worst: Option<Severity>,
    /// By value of the next field, most records first.
    pub below: Vec<Branch>,
    /// How many other values there are below, with fewer records.
    pub others: usize,
}

impl Index {
    /// How often the values of some fields occur: for each the `top` most frequent. A name that has
    /// no column is left out.
    pub fn facets(&self, matches: &Matches, fields: &[&str], top: usize) -> Vec<Facet> {
        let columns = fields.iter().filter_map(|name| self.schema.column(name));
        let among = Among::new(&matches.0, &self.all);
        columns.map(|at| self.facet(&self.columns[at], &among, matches, top)).collect()
    }

    fn facet(&self, column: &Column, among: &Among<'_>, matches: &Matches, top: usize) -> Facet {
        let counts = column.counts(among);
        let mut found: Vec<(u32, u32)> = (0..).zip(counts).filter(|(_, n)| *n > 0).collect();
        let others = found.len().saturating_sub(top);
        let order = |(code, count): &(u32, u32)| (std::cmp::Reverse(*count), *code);
        if others > 0 && top > 0 {
            // Among the last that fit, names decide, so that what was put first does not show.
            found.select_nth_unstable_by_key(top - 1, order);
            let least = found[top - 1].1;
            found.retain(|(_, count)| *count >= least);
        }
        found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| column.names.name(a.0).cmp(column.names.name(b.0))));
        found.truncate(top);
        let values = found.into_iter().map(|(code, count)| {
            let value = column.names.name(code).to_owned();
            FacetValue { term: exactly(column.shape, &column.name, &value), value, count: count.into() }
        });
        Facet {
            field: column.name.clone(),
            values: values.collect(),
            others,
            none: matches.0.len() - column.filled().intersection_len(&matches.0),
        }
    }

    /// What was found in groups by the value of a field, the largest first, at most `top`. A record
    /// with several values is in several groups. None where the field has no column.
    pub fn groups(&self, matches: &Matches, field: &str, top: usize) -> Option<Vec<Group>> {
        let column = &self.columns[self.schema.column(field)?];
        // Code 0 is for records without a value.
        let mut groups: Vec<(u32, u8, u32)> = vec![(0, 0, 0); column.names.len() + 1];
        let ranks = self.severities();
        let severity = &self.columns[at::SEVERITY];
        // The bitmap's own loop is faster than one from outside.
        matches.0.iter().for_each(|no| {
            let worst = ranks[severity.raw(no) as usize];
            let mut any = false;
            let mut add = |code: u32| {
                let group = &mut groups[code as usize];
                group.0 += 1;
                if worst > group.1 || group.2 == 0 {
                    (group.1, group.2) = (worst, no);
                }
            };
            column.each(no, |code| {
                any = true;
                add(code + 1);
            });
            if !any {
                add(0);
            }
        });
        let mut found: Vec<(u32, (u32, u8, u32))> = (0..).zip(groups).filter(|(_, g)| g.0 > 0).collect();
        let order = |(code, (count, worst, sample)): &(u32, (u32, u8, u32))| {
            (std::cmp::Reverse(*count), std::cmp::Reverse(*worst), *sample, *code)
        };
        if found.len() > top && top > 0 {
            found.select_nth_unstable_by_key(top - 1, order);
            found.truncate(top);
        }
        found.sort_unstable_by_key(order);
        let groups = found.into_iter().map(|(code, (count, worst, sample))| {
            let value = code.checked_sub(1).map_or("", |c| column.names.name(c)).to_owned();
            let term = if code == 0 {
                format!("no:{}", column.name)
            } else {
                exactly(column.shape, &column.name, &value)
            };
            Group { value, count: count.into(), worst: level(worst), sample, term }
        });
        Some(groups.collect())
    }

    /// What was found as a tree of counts, a level for each field: what the map of a surface shows.
    /// Under each node the `top` values with the most records. None where a field has no column, or
    /// one with several values a record.
    pub fn rollup(&self, matches: &Matches, fields: &[&str], top: usize) -> Option<Branch> {
        let columns: Vec<&Column> =
            fields.iter().map(|f| Some(&self.columns[self.schema.column(f)?])).collect::<Option<_>>()?;
        if columns.iter().any(|c| c.many()) {
            return None;
        }
        let ranks = self.severities();
        let severity = &self.columns[at::SEVERITY];
        // Nodes in the order in which they were met; the root first.
        let mut nodes: Vec<Node> = vec![Node::default()];
        let mut places: Vec<Places> = columns.iter().map(|c| Places::new(c.width())).collect();
        matches.0.iter().for_each(|no| {
            let worst = ranks[severity.raw(no) as usize];
            let mut at = 0_u32;
            nodes[0].count(worst);
            for (column, places) in columns.iter().zip(&mut places) {
                let code = column.raw(no);
                let fresh = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
                let place = places.node(&nodes, at, code).unwrap_or_else(|| {
                    let next = places.add(at, code, fresh);
                    nodes.push(Node { parent: at, code, next, ..Node::default() });
                    fresh
                });
                nodes[place as usize].count(worst);
                at = place;
            }
        });
        Some(tree(&nodes, &columns, top))
    }

    /// For each code of the severity's column: 0 for none, else the rank and 1.
    pub(crate) fn severities(&self) -> Vec<u8> {
        let column = &self.columns[at::SEVERITY];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are 0 to 4")]
        let rank = |code| column.rank(code).map_or(0, |r| r as u8 + 1);
        std::iter::once(0).chain(column.all().map(rank)).collect()
    }
}

/// The severity behind a rank and 1.
pub(crate) fn level(rank: u8) -> Option<Severity> {
    Severity::ALL.get(usize::from(rank.checked_sub(1)?)).copied()
}

#[derive(Clone, Copy, Default)]
struct Node {
    parent: u32,
    code: u32,
    /// Another node of the same value, under another parent; 0 for none.
    next: u32,
    count: u32,
    worst: u8,
}

impl Node {
    fn count(&mut self, worst: u8) {
        self.count += 1;
        self.worst = self.worst.max(worst);
    }
}

/// Where the nodes of one level are. A value mostly stands under one parent or a few: they are a
/// chain from the value. Those of a value with many are in a map.
struct Places {
    /// By value: the latest node and how many are in the chain.
    heads: Vec<(u32, u8)>,
    others: FxHashMap<(u32, u32), u32>,
}

/// Longest chain: what it costs to follow is about what the map costs.
const CHAIN: u8 = 8;

impl Places {
    fn new(width: usize) -> Places {
        Places { heads: vec![(0, 0); width], others: FxHashMap::default() }
    }

    /// The node of a value under a parent.
    #[inline]
    fn node(&self, nodes: &[Node], parent: u32, code: u32) -> Option<u32> {
        let (mut at, length) = self.heads[code as usize];
        while at != 0 {
            let node = &nodes[at as usize];
            if node.parent == parent {
                return Some(at);
            }
            at = node.next;
        }
        if length < CHAIN { None } else { self.others.get(&(parent, code)).copied() }
    }

    /// Takes a node in; what comes behind it in its chain.
    fn add(&mut self, parent: u32, code: u32, node: u32) -> u32 {
        let head = &mut self.heads[code as usize];
        if head.1 < CHAIN {
            let next = head.0;
            *head = (node, head.1 + 1);
            return next;
        }
        self.others.insert((parent, code), node);
        0
    }
}

/// Puts nodes under their parents, which all come before them.
fn tree(nodes: &[Node], columns: &[&Column], top: usize) -> Branch {
    // The nodes under each, one after the other: where those of a node begin, and which they are.
    let mut from = vec![0_usize; nodes.len() + 1];
    for node in &nodes[1..] {
        from[node.parent as usize + 1] += 1;
    }
    for at in 1..from.len() {
        from[at] += from[at - 1];
    }
    let mut next = from.clone();
    let mut under = vec![0_u32; nodes.len() - 1];
    for (at, node) in (0_u32..).zip(nodes).skip(1) {
        let place = &mut next[node.parent as usize];
        under[*place] = at;
        *place += 1;
    }
    branch(&Tree { nodes, columns, top, from: &from, under: &under }, 0, 0)
}

struct Tree<'a> {
    nodes: &'a [Node],
    columns: &'a [&'a Column],
    top: usize,
    from: &'a [usize],
    under: &'a [u32],
}

/// A node and what is under it; as deep as there are fields.
fn branch(tree: &Tree<'_>, at: usize, depth: usize) -> Branch {
    let node = &tree.nodes[at];
    let name = |depth: usize, node: &Node| match (depth.checked_sub(1), node.code.checked_sub(1)) {
        (Some(level), Some(code)) => tree.columns[level].names.name(code),
        _ => "",
    };
    let mut under = tree.under[tree.from[at]..tree.from[at + 1]].to_vec();
    let of = |at: u32| &tree.nodes[at as usize];
    let order = |a: &u32, b: &u32| {
        let names = || name(depth + 1, of(*a)).cmp(name(depth + 1, of(*b)));
        of(*b).count.cmp(&of(*a).count).then_with(names)
    };
    let others = under.len().saturating_sub(tree.top);
    if others > 0 && tree.top > 0 {
        under.select_nth_unstable_by(tree.top - 1, order);
    }
    under.truncate(tree.top);
    under.sort_unstable_by(order);
    Branch {
        value: name(depth, node).to_owned(),
        count: node.count.into(),
        worst: level(node.worst),
        below: under.into_iter().map(|at| branch(tree, at as usize, depth + 1)).collect(),
        others,
    }
}
