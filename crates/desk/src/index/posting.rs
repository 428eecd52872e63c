//! Which numbers have a value: small lists as lists, the rest as bitmaps.

use roaring::RoaringBitmap;

/// Up to this many numbers a plain list is smaller than a bitmap, which pays about 40 bytes for each
/// 65,536 numbers it touches.
const FEW: usize = 256;

/// A set of numbers. Most values of a large field occur on one record or a handful, so that a bitmap
/// for each would cost more than the records.
#[derive(Clone, Debug)]
pub enum Posting {
    /// None or one, without an allocation; none is `u32::MAX`, which no record has.
    One(u32),
    /// Ascending.
    Few(Vec<u32>),
    /// Many.
    Many(Box<RoaringBitmap>),
}

/// No record has this number: they are given from 1 on, one at a time.
const NONE: u32 = u32::MAX;

impl Default for Posting {
    fn default() -> Self {
        Posting::One(NONE)
    }
}

impl Posting {
    /// How many.
    pub fn len(&self) -> u64 {
        match self {
            Posting::One(NONE) => 0,
            Posting::One(_) => 1,
            Posting::Few(list) => list.len() as u64,
            Posting::Many(bits) => bits.len(),
        }
    }

    /// Adds a number.
    pub fn insert(&mut self, no: u32) {
        match self {
            Posting::One(one) if *one == NONE || *one == no => *one = no,
            Posting::One(one) => *self = Posting::Few(vec![no.min(*one), no.max(*one)]),
            Posting::Few(list) => {
                // Numbers mostly arrive in order.
                let at = if list.last().is_some_and(|l| *l < no) {
                    list.len()
                } else {
                    match list.binary_search(&no) {
                        Ok(_) => return,
                        Err(at) => at,
                    }
                };
                if list.len() == FEW {
                    let mut bits: RoaringBitmap = list.iter().copied().collect();
                    bits.insert(no);
                    *self = Posting::Many(Box::new(bits));
                    return;
                }
                if list.len() == list.capacity() {
                    list.reserve_exact(1 + list.len() / 4);
                }
                list.insert(at, no);
            }
            Posting::Many(bits) => {
                bits.insert(no);
            }
        }
    }

    /// Takes a number away.
    pub fn remove(&mut self, no: u32) {
        match self {
            Posting::One(one) => {
                if *one == no {
                    *one = NONE;
                }
            }
            Posting::Few(list) => {
                if let Ok(at) = list.binary_search(&no) {
                    list.remove(at);
                }
            }
            Posting::Many(bits) => {
                bits.remove(no);
            }
        }
    }

    /// How many of them are among others.
    pub fn among(&self, others: &RoaringBitmap) -> u64 {
        match self {
            Posting::Many(bits) => bits.intersection_len(others),
            few => few.list().iter().filter(|no| others.contains(**no)).count() as u64,
        }
    }

    /// The numbers, where they are no bitmap; else nothing.
    pub fn list(&self) -> &[u32] {
        match self {
            Posting::One(one) if *one != NONE => std::slice::from_ref(one),
            Posting::Few(list) => list,
            _ => &[],
        }
    }

    /// The bitmap, where it is one.
    pub fn bits(&self) -> Option<&RoaringBitmap> {
        match self {
            Posting::Many(bits) => Some(bits),
            _ => None,
        }
    }

    /// Calls for each number, in order.
    pub fn each(&self, mut call: impl FnMut(u32)) {
        match self {
            Posting::Many(bits) => bits.iter().for_each(call),
            few => few.list().iter().for_each(|no| call(*no)),
        }
    }

    /// About how much memory it takes beside itself, in bytes.
    pub fn memory(&self) -> usize {
        match self {
            Posting::One(_) => 0,
            Posting::Few(list) => list.capacity() * 4,
            Posting::Many(bits) => {
                let s = bits.statistics();
                let held =
                    s.n_bytes_array_containers + s.n_bytes_bitset_containers + s.n_bytes_run_containers;
                usize::try_from(held).unwrap_or(usize::MAX) + s.n_containers as usize * 40 + 32
            }
        }
    }
}

/// The union of postings. Small ones are set in a plain bit field first: one by one into a bitmap
/// would cost a search each.
pub fn union<'a>(postings: impl Iterator<Item = &'a Posting>, slots: u32) -> RoaringBitmap {
    use roaring::MultiOps;
    let mut large: Vec<&RoaringBitmap> = Vec::new();
    let mut small: Vec<&[u32]> = Vec::new();
    let mut count = 0_usize;
    for posting in postings {
        if let Some(bits) = posting.bits() {
            large.push(bits);
        } else {
            count += posting.list().len();
            small.push(posting.list());
        }
    }
    let mut all = match large.as_slice() {
        [] => RoaringBitmap::new(),
        [one] => (*one).clone(),
        _ => large.union(),
    };
    if count > 2_000 {
        let mut field = vec![0_u8; slots as usize / 8 + 1];
        for no in small.into_iter().flatten() {
            if let Some(byte) = field.get_mut(*no as usize / 8) {
                *byte |= 1 << (no % 8);
            }
        }
        all |= RoaringBitmap::from_lsb0_bytes(0, &field);
    } else if count > 0 {
        let mut list: Vec<u32> = small.into_iter().flatten().copied().collect();
        list.sort_unstable();
        all |= list.into_iter().collect::<RoaringBitmap>();
    }
    all
}
