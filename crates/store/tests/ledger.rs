//! The tree against one that keeps everything in memory.

use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;
use wardroom_store::ledger::{Frontier, Signer, TILE, from_hex, leaf_hash, root_hash, signed_by, to_hex};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_tiles_and_restarts_are_the_naive_trees(size in 0_u64..2000, restart in 0_u64..2000, seed: u64) {
        let mut naive = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let (mut frontier, mut tiles) = (Frontier::default(), Vec::new());
        for i in 0..size {
            let body = (seed ^ i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes().to_vec();
            frontier.push(leaf_hash(&body), |level, no, hash| tiles.push((level, no, hash)));
            naive.push(body);
            if i == restart {
                frontier = Frontier::from_bytes(frontier.size(), &frontier.to_bytes()).unwrap();
            }
        }
        prop_assert_eq!(naive.root(), RootHash::new(frontier.root().into(), size));
        prop_assert_eq!(tiles.len() as u64, size / TILE);
        for (level, no, hash) in tiles {
            prop_assert_eq!(level, 1);
            let mut block = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            for item in &naive.items()[usize::try_from(no * TILE).unwrap()..][..256] {
                block.push(item.clone());
            }
            prop_assert_eq!(block.root(), RootHash::new(hash.into(), TILE));
        }
        let signer = Signer::new(&[7; 32]);
        let checkpoint = signer.sign(&frontier, 5);
        prop_assert!(signed_by(&checkpoint, &signer.public_key()));
        prop_assert_eq!(root_hash(&checkpoint).unwrap(), naive.root());
    }

    #[test]
    fn hex_goes_there_and_back(bytes: [u8; 32]) {
        prop_assert_eq!(from_hex::<32>(&to_hex(&bytes)), Some(bytes));
    }
}

#[test]
fn a_frontier_that_does_not_fit_its_size_is_refused() {
    assert!(Frontier::from_bytes(3, &[0; 32]).is_none());
    assert!(Frontier::from_bytes(3, &[0; 64]).is_some());
    assert!(Frontier::from_bytes(0, &[]).is_some());
}

#[test]
fn higher_tiles_come_at_their_size() {
    let (mut frontier, mut tiles) = (Frontier::default(), Vec::new());
    for i in 0..65_536_u64 {
        frontier.push(leaf_hash(&i.to_le_bytes()), |level, no, hash| tiles.push((level, no, hash)));
    }
    assert_eq!(tiles.len(), 257);
    assert_eq!(tiles.last().unwrap(), &(2, 0, frontier.root()));
}
