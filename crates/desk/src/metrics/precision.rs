//! How often what a rule reports is right.

use roaring::RoaringBitmap;

use super::{Count, Scope};
use crate::index::{Among, Column, at};
use crate::query::exactly;

/// What counts as right and wrong, and from when on a rule is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// The field whose values are judged: `rule`.
    pub field: String,
    /// A record that is in one of these states was right.
    pub right: Vec<String>,
    /// A record whose field of this name has this value was wrong.
    pub wrong: (String, String),
    /// A rule is judged from so many decided records on: below, one decision more or less would turn
    /// the verdict.
    pub least: u64,
    /// A rule of which fewer than this share (0 to 1) are right is mostly dismissed: at a half, a
    /// person who opens one is more often disappointed than not.
    pub half: f64,
}

impl Default for Precision {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
        Precision {
            field: "rule".to_owned(),
            right: words(&["confirmed", "resolved"]),
            wrong: ("dismissal".to_owned(), "false_positive".to_owned()),
            least: 5,
            half: 0.5,
        }
    }
}

/// What is said of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too few were decided.
    TooFew,
    /// What it reports is mostly right.
    Good,
    /// What it reports is mostly dismissed.
    MostlyDismissed,
}

/// How often one rule was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePrecision {
    /// The rule.
    pub rule: String,
    /// All that it reported.
    pub all: Count,
    /// Right.
    pub right: Count,
    /// Wrong.
    pub wrong: Count,
    /// What follows.
    pub verdict: Verdict,
}

impl RulePrecision {
    /// The share that was right of what was decided, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "counts of records are small")]
    pub fn share(&self) -> Option<f64> {
        let decided = self.right.count + self.wrong.count;
        (decided > 0).then(|| self.right.count as f64 / decided as f64)
    }
}

/// How the findings of a scope were judged.
struct Judged<'a> {
    rule: &'a Column,
    right: RoaringBitmap,
    wrong: RoaringBitmap,
    /// The terms that hold for right ones, and for wrong ones.
    terms: (String, String),
}

impl<'a> Judged<'a> {
    /// None where a field has no column.
    fn of(scope: &Scope<'a>, how: &Precision) -> Option<Judged<'a>> {
        let index = scope.index;
        let column = |name: &str| index.schema().column(name).map(|at| &index.columns[at]);
        let dismissal = column(&how.wrong.0)?;
        let of = |column: &Column, names: &[String]| {
            let codes: Vec<u32> = names.iter().filter_map(|n| column.names.code(n)).collect();
            column.any(&codes, index.slots()).as_ref() & scope.matches.bits()
        };
        // Dismissed once and taken up again since: the field may still stand there, but it was right.
        let right = of(&index.columns[at::STATE], &how.right);
        let wrong = of(dismissal, std::slice::from_ref(&how.wrong.1)) - &right;
        let states = format!("state:{}", how.right.join(","));
        let dismissed = exactly(dismissal.shape, &how.wrong.0, &how.wrong.1);
        let not_right = format!("{dismissed} -{states}");
        Some(Judged { rule: column(&how.field)?, right, wrong, terms: (states, not_right) })
    }

    fn rule(
        &self,
        scope: &Scope<'_>,
        how: &Precision,
        name: &str,
        [all, right, wrong]: [u64; 3],
    ) -> RulePrecision {
        let term = exactly(self.rule.shape, &how.field, name);
        let count =
            |count, terms: &str| Count { count, search: scope.search(format!("{term} {terms}").trim_end()) };
        #[expect(clippy::cast_precision_loss, reason = "counts of records are small")]
        let mostly_wrong = (right as f64) < how.half * (right + wrong) as f64;
        let verdict = if right + wrong < how.least {
            Verdict::TooFew
        } else if mostly_wrong {
            Verdict::MostlyDismissed
        } else {
            Verdict::Good
        };
        RulePrecision {
            all: count(all, ""),
            right: count(right, &self.terms.0),
            wrong: count(wrong, &self.terms.1),
            rule: name.to_owned(),
            verdict,
        }
    }
}

/// Rules by how often they were wrong, the most first. None where a field has no column.
pub fn precision(scope: &Scope<'_>, how: &Precision) -> Option<Vec<RulePrecision>> {
    let judged = Judged::of(scope, how)?;
    let counts = |of: &RoaringBitmap| judged.rule.counts(&Among::new(of, &scope.index.all));
    let (all, right, wrong) = (counts(scope.matches.bits()), counts(&judged.right), counts(&judged.wrong));
    let mut rules: Vec<RulePrecision> = judged
        .rule
        .all()
        .zip(all.into_iter().zip(right.into_iter().zip(wrong)))
        .filter(|(_, (all, _))| *all > 0)
        .map(|(code, (all, (right, wrong)))| {
            let name = judged.rule.names.name(code);
            judged.rule(scope, how, name, [all, right, wrong].map(u64::from))
        })
        .collect();
    rules.sort_by(|a, b| b.wrong.count.cmp(&a.wrong.count).then_with(|| a.rule.cmp(&b.rule)));
    Some(rules)
}

/// How often one rule was right. None where it has reported nothing.
pub fn precision_of(scope: &Scope<'_>, how: &Precision, rule: &str) -> Option<RulePrecision> {
    let judged = Judged::of(scope, how)?;
    let reported = judged.rule.posting(judged.rule.names.code(rule)?);
    let counts = [scope.matches.bits(), &judged.right, &judged.wrong].map(|of| reported.among(of));
    (counts[0] > 0).then(|| judged.rule(scope, how, rule, counts))
}
