//! How lengths of time are spread.

use crate::Millis;

/// How a number of lengths of time are spread, in milliseconds. Of no length all are 0. A
/// percentile is the smallest length that so many are not above (nearest rank). The mean stands only
/// beside the others: by itself it says little of lengths of which few are very long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// The middle.
    pub p50: Millis,
    /// Three quarters are not above it.
    pub p75: Millis,
    /// Nine tenths are not above it.
    pub p90: Millis,
    /// Nineteen in twenty are not above it.
    pub p95: Millis,
    /// The mean.
    pub mean: Millis,
}

/// Lengths are counted into so many parts of their range, and only the parts that hold a percentile are looked into.
const PARTS: usize = 4096;
/// Fewer lengths are looked into as they are.
const FEW: usize = 4 * PARTS;

impl Spread {
    /// Of some lengths, which are reordered.
    pub fn of(lengths: &mut [Millis]) -> Spread {
        let len = lengths.len();
        if len == 0 {
            return Spread::default();
        }
        let sum: i128 = lengths.iter().map(|l| i128::from(*l)).sum();
        let ranks = [50, 75, 90, 95].map(|percent: usize| (len * percent).div_ceil(100).max(1) - 1);
        let [p50, p75, p90, p95] = if len < FEW { picked(lengths, ranks) } else { counted(lengths, ranks) };
        let mean = Millis::try_from(sum / len as i128).unwrap_or(Millis::MAX);
        Spread { count: len as u64, p50, p75, p90, p95, mean }
    }
}

/// The lengths at four ascending ranks.
fn picked(lengths: &mut [Millis], ranks: [usize; 4]) -> [Millis; 4] {
    // The highest first: what is below it is what the next is looked for in.
    let mut end = lengths.len();
    let mut found = [0; 4];
    for (rank, found) in ranks.into_iter().zip(&mut found).rev() {
        if rank < end {
            lengths[..end].select_nth_unstable(rank);
            end = rank;
        }
        *found = lengths[rank];
    }
    found
}

/// The same of many: two passes without a branch that cannot be foreseen.
fn counted(lengths: &[Millis], ranks: [usize; 4]) -> [Millis; 4] {
    let (least, most) =
        lengths.iter().fold((Millis::MAX, Millis::MIN), |(least, most), l| (least.min(*l), most.max(*l)));
    let range = u64::try_from(i128::from(most) - i128::from(least)).unwrap_or(u64::MAX);
    // The shift that brings the range below the number of parts.
    let shift = (u64::BITS - range.leading_zeros()).saturating_sub(PARTS.ilog2());
    #[expect(clippy::cast_sign_loss, reason = "no length is below the least")]
    let part = |length: Millis| (length.wrapping_sub(least) as u64 >> shift) as usize;
    let mut counts = vec![0_usize; PARTS];
    for length in lengths {
        counts[part(*length)] += 1;
    }
    let mut wanted = vec![false; PARTS];
    let mut below = [(0, 0); 4];
    let (mut at, mut sum) = (0, 0);
    for (rank, below) in ranks.into_iter().zip(&mut below) {
        while sum + counts[at] <= rank {
            sum += counts[at];
            at += 1;
        }
        *below = (at, sum);
        wanted[at] = true;
    }
    let mut kept: Vec<Millis> = lengths.iter().copied().filter(|l| wanted[part(*l)]).collect();
    kept.sort_unstable();
    let first = |at: usize| kept.partition_point(|l| part(*l) < at);
    let mut found = [0; 4];
    for ((rank, (at, sum)), found) in ranks.into_iter().zip(below).zip(&mut found) {
        *found = kept[first(at) + rank - sum];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_spread_like_few() {
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Millis::try_from((seed >> 33) % below).unwrap()
        };
        for (len, range) in
            [(1, 1), (5, 3), (4_097, 10), (20_000, 1), (20_000, 40_000_000_000), (50_000, 4_097)]
        {
            let mut lengths: Vec<Millis> = (0..len).map(|_| next(range) - 17).collect();
            // Most are short, few are long.
            lengths.iter_mut().step_by(3).for_each(|l| *l /= 1_000);
            let ranks = [50, 75, 90, 95].map(|p: usize| (lengths.len() * p).div_ceil(100) - 1);
            let counted = counted(&lengths, ranks);
            let mut sorted = lengths.clone();
            sorted.sort_unstable();
            assert_eq!(counted, ranks.map(|r| sorted[r]), "{len} below {range}");
            assert_eq!(counted, picked(&mut lengths, ranks));
        }
        let far = [Millis::MIN, 0, Millis::MAX];
        assert_eq!(counted(&far, [0, 1, 1, 2]), [Millis::MIN, 0, 0, Millis::MAX]);
    }
}
