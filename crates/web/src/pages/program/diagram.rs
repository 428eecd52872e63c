//! The states of a kind and the ways between them, drawn.
//!
//! A lane for each state, a column for each transition: a dot on each lane that it leads out of, and
//! a tip on the lane that it leads to. A kind with ten states has forty edges; as boxes and arrows
//! they would cross, here none does. Lanes are in layers: what is open before what is closed, and
//! each by how many steps it is from where records open.

use wardroom_program::Kind;

use crate::chart::Px;

/// From lane to lane.
const LANE: f64 = 38.0;
/// From column to column.
const COLUMN: f64 = 46.0;
/// Where the first column stands: right of the names of states.
const LEFT: f64 = 196.0;
/// Room for a letter of a name that is written aslant, and how far it rises.
const LETTER: f64 = 6.3;
/// The slant of names: the sine and cosine of 40 degrees.
const RISE: f64 = 0.643;
const RUN: f64 = 0.766;
/// A drawing of few columns is not blown up.
const LEAST: f64 = 760.0;

/// The drawing.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    pub width: Px,
    pub height: Px,
    pub end: Px,
    pub lanes: Vec<Lane>,
    pub ways: Vec<Way>,
}

/// A state.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    pub title: String,
    /// Where its line is, its box begins and its name stands.
    pub y: Px,
    pub top: Px,
    pub base: Px,
    /// `node-start`, `node-end` or nothing.
    pub class: &'static str,
}

/// A transition.
#[derive(Clone, Debug, Default)]
pub struct Way {
    pub name: String,
    pub title: String,
    pub says: String,
    pub x: Px,
    /// Where its name stands.
    pub name_y: Px,
    /// From where to where its column goes; for who points at it.
    pub top: Px,
    pub bottom: Px,
    pub left: Px,
    /// Where dots are.
    pub dots: Vec<Px>,
    /// Lines from the furthest dot to the lane that it leads to, with the tip's points.
    pub arms: Vec<Arm>,
    /// Engines alone take it.
    pub engine: bool,
}

/// A line from above or from below.
#[derive(Clone, Debug, Default)]
pub struct Arm {
    pub from: Px,
    pub to: Px,
    pub tip: String,
}

impl Diagram {
    /// Draws a kind.
    pub fn of(kind: &Kind) -> Diagram {
        let order = order(kind);
        let longest = kind.transitions.iter().map(|t| t.title.chars().count().min(24)).max().unwrap_or_default();
        let slant = size(longest) * LETTER;
        let above = slant * RISE + 18.0;
        let y_of = |at: usize| above + LANE * (size(at) + 0.5);
        let place = |name: &str| order.iter().position(|s| s == name);
        let lanes = order.iter().enumerate().filter_map(|(at, name)| {
            let state = kind.state(name)?;
            let y = y_of(at);
            let start = state.entry || state.name == kind.initial().name;
            Some(Lane {
                title: state.title.clone(),
                y: Px(y),
                top: Px(y - 14.0),
                base: Px(y + 4.0),
                class: if start { "node-start" } else if state.open { "" } else { "node-end" },
            })
        });

        let mut ways: Vec<(usize, usize, &wardroom_program::Transition, Vec<usize>)> = kind
            .transitions
            .iter()
            .filter_map(|t| {
                let to = place(&t.to)?;
                let mut from: Vec<usize> = t.from.iter().filter_map(|n| place(n)).collect();
                from.sort_unstable();
                Some((*from.first()?, to, t, from))
            })
            .collect();
        // Columns begin with what leads out of the first lane; the order of the file decides between
        // equals.
        ways.sort_by_key(|(first, to, ..)| (*first, *to));
        let end = LEFT + COLUMN * size(ways.len());
        let bottom = above + LANE * size(order.len());
        let ways = ways.into_iter().enumerate().map(|(at, (_, to, t, from))| {
            let x = LEFT + COLUMN * (size(at) + 0.5);
            let y = y_of(to);
            let title = |n: &String| kind.state(n).map_or_else(|| n.clone(), |s| s.title.clone());
            let mut arms = Vec::new();
            if let Some(first) = from.first().filter(|f| **f < to) {
                arms.push(arm(x, y_of(*first), y - 4.0, -1.0));
            }
            if let Some(last) = from.last().filter(|f| **f > to) {
                arms.push(arm(x, y_of(*last), y + 4.0, 1.0));
            }
            Way {
                name: t.name.clone(),
                title: t.title.chars().take(24).collect(),
                says: format!("{}: from {} to {}", t.title, t.from.iter().map(title).collect::<Vec<_>>().join(", "), title(&t.to)),
                x: Px(x),
                name_y: Px(above - 6.0),
                top: Px(above),
                bottom: Px(bottom),
                left: Px(x - COLUMN / 2.0),
                dots: from.into_iter().map(|f| Px(y_of(f))).collect(),
                arms,
                engine: !t.who.is_empty() && t.who.iter().all(|w| w == "engine"),
            }
        });
        Diagram {
            ways: ways.collect(),
            lanes: lanes.collect(),
            width: Px((end + slant * RUN).max(LEAST)),
            height: Px(bottom + 4.0),
            end: Px(end.max(LEFT + COLUMN)),
        }
    }
}

/// A line to a lane, ending in a tip; `side` is -1 from above and 1 from below.
fn arm(x: f64, from: f64, to: f64, side: f64) -> Arm {
    let back = to + side * 8.0;
    let tip = format!("M{} {}L{} {}L{} {}z", Px(x), Px(to), Px(x - 4.0), Px(back), Px(x + 4.0), Px(back));
    Arm { from: Px(from), to: Px(back), tip }
}

/// Names of states, in layers.
fn order(kind: &Kind) -> Vec<String> {
    let mut steps: Vec<(&str, usize)> = vec![(kind.initial().name.as_str(), 1)];
    // Where scans may open a record comes before where people do.
    steps.extend(kind.states.iter().filter(|s| s.entry).map(|s| (s.name.as_str(), 0)));
    let mut at = 0;
    while let Some((name, step)) = steps.get(at).copied() {
        for way in kind.ways_out(name) {
            if !steps.iter().any(|(n, _)| *n == way.to) {
                steps.push((way.to.as_str(), step + 1));
            }
        }
        at += 1;
    }
    let step = |name: &str| steps.iter().find(|(n, _)| *n == name).map_or(usize::MAX, |(_, s)| *s);
    let mut states: Vec<&wardroom_program::State> = kind.states.iter().collect();
    states.sort_by_key(|s| (!s.open, step(&s.name)));
    states.into_iter().map(|s| s.name.clone()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "states and transitions are few")]
fn size(n: usize) -> f64 {
    n as f64
}
