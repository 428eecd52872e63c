//! The tree, its checkpoints and proofs, and the audit.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, RootHash};
use sha2::Sha256;
use wardroom_desk::Event;

use super::{Bench, Sample};
use crate::audit::{Fault, Report, Trust, verify};
use crate::ledger::{self, Nodes, TILE, from_hex, included, root_hash, signed_by};
use crate::{Store, check_proof, export_proof};

type Naive = MemoryBackedTree<Sha256, Vec<u8>>;

/// Appends of many sizes, so that blocks of 256 end within them, at their ends and between.
async fn fill(store: &dyn Store, sample: &mut Sample) {
    for many in [1, 1, 60, 66, 100, 28] {
        store.append(&sample.open(many)).await.unwrap();
    }
    assert_eq!(sample.seq(), 2 * TILE);
    for many in [1, 1, 254, 256, 77] {
        store.append(&sample.work(many)).await.unwrap();
    }
}

pub(super) async fn the_tree_is_the_naive_one(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(11, 10));
    fill(store, &mut sample).await;
    let bodies: Vec<Vec<u8>> = store.stored(0, 10_000).await.unwrap().into_iter().map(|s| s.body).collect();
    let checkpoints = store.checkpoints().await.unwrap();
    assert_eq!(checkpoints.len(), 11, "one for each append");
    assert!(checkpoints.iter().zip(&checkpoints[1..]).all(|(a, b)| a.size < b.size), "oldest first");
    let (mut naive, mut roots) = (Naive::new(), Vec::new());
    for body in &bodies {
        naive.push(body.clone());
        roots.push(naive.root());
    }
    for checkpoint in &checkpoints {
        assert!(signed_by(checkpoint, &bench.public_key()));
        let mut other = checkpoint.clone();
        other.at += 1;
        assert!(!signed_by(&other, &bench.public_key()));
        assert_eq!(root_hash(checkpoint).unwrap(), roots[usize::try_from(checkpoint.size).unwrap() - 1]);
    }
    for (no, hash) in store.tiles(1, 0, 100).await.unwrap() {
        let start = usize::try_from(no * TILE).unwrap();
        let mut block = Naive::new();
        bodies[start..start + 256].iter().for_each(|body| block.push(body.clone()));
        assert_eq!(RootHash::new(hash.into(), TILE), block.root());
    }
    assert_eq!(store.tiles(1, 0, 100).await.unwrap().len() as u64, sample.seq() / TILE);
    let leaves = store.tiles(0, 5, 2).await.unwrap();
    assert_eq!(leaves, [(5, ledger::leaf_hash(&bodies[5])), (6, ledger::leaf_hash(&bodies[6]))]);
    // Proofs against any earlier size, whether it was signed or not.
    for _ in 0..300 {
        let size = 1 + sample.below(bodies.len());
        let place = sample.below(size);
        let proof = Nodes::new(store, size as u64).prove(place as u64 + 1).await.unwrap();
        assert!(included(&roots[size - 1], place as u64 + 1, &bodies[place], &proof), "{place} of {size}");
    }
    for old in &checkpoints {
        let digests = Nodes::new(store, sample.seq()).prove_consistency(old.size).await.unwrap();
        let digests: Vec<_> = digests.into_iter().map(Into::into).collect();
        let proof = ConsistencyProof::from_digests(&digests);
        naive.root().verify_consistency(&root_hash(old).unwrap(), &proof).unwrap();
    }
}

pub(super) async fn proofs_hold_without_the_store(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(12, 10));
    assert!(ledger::prove(store, 1).await.is_err(), "an empty log proves nothing");
    fill(store, &mut sample).await;
    for stored in store.stored(0, 10_000).await.unwrap() {
        let (checkpoint, proof) = ledger::prove(store, stored.seq).await.unwrap();
        let root = root_hash(&checkpoint).unwrap();
        assert!(included(&root, stored.seq, &stored.body, &proof), "event {}", stored.seq);
        assert!(!included(&root, stored.seq + 1, &stored.body, &proof));
        assert!(!included(&root, stored.seq, b"{}", &proof));
    }
    assert!(ledger::prove(store, sample.seq() + 1).await.is_err());
    let key = bench.public_key();
    let json = export_proof(store, 2, &key).await.unwrap();
    let proven = check_proof(&json, &key).unwrap();
    assert_eq!(proven.events, store.timeline(2, 0, 1000).await.unwrap());
    assert_eq!(proven.size, sample.seq());
    assert!(check_proof(&json, &[7; 32]).is_err());
    let forged = json.replacen("finding", "invoice", 1);
    assert_ne!(forged, json);
    assert!(check_proof(&forged, &key).is_err());
    let mut shorter: serde_json::Value = serde_json::from_str(&json).unwrap();
    shorter["events"].as_array_mut().unwrap().remove(1);
    assert!(check_proof(&shorter.to_string(), &key).is_err(), "an event in the middle may not be left out");
    assert!(export_proof(store, 9999, &key).await.is_err());
}

async fn audited(bench: &dyn Bench) -> Report {
    verify(bench.store(), &Trust::key(bench.public_key()), true, &mut |_| {}).await.unwrap()
}

pub(super) async fn an_untouched_store_is_clean(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(13, 10));
    assert_eq!(audited(bench).await.problems, vec![]);
    fill(store, &mut sample).await;
    let report = audited(bench).await;
    assert_eq!(report.problems, vec![]);
    assert_eq!((report.events, report.records as usize), (sample.seq(), sample.records.len()));
    assert_eq!(report.checkpoints, 11);
    assert_eq!(from_hex::<32>(&report.root), from_hex(&store.checkpoints().await.unwrap()[10].root));
    let stranger = verify(store, &Trust::key([9; 32]), false, &mut |_| {}).await.unwrap();
    assert!(stranger.problems.iter().any(|p| p.fault == Fault::Checkpoint), "another key signed nothing");
}

pub(super) async fn a_changed_event_is_named(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(14, 10));
    fill(store, &mut sample).await;
    let stored = store.stored(299, 1).await.unwrap().remove(0);
    let mut event: Event = serde_json::from_slice(&stored.body).unwrap();
    event.at -= 1000;
    bench.tamper(300, &serde_json::to_vec(&event).unwrap()).await;
    let report = audited(bench).await;
    let named = report.problems.iter().find(|p| p.fault == Fault::Changed).unwrap();
    assert_eq!((named.from, named.to, named.within), (300, 300, false), "{named}");
    assert!(named.to_string().starts_with("event 300 (F-"), "{named}");
    let json = export_proof(store, event.record.no, &bench.public_key()).await.unwrap();
    assert!(check_proof(&json, &bench.public_key()).is_err(), "a changed event has no proof");
}

pub(super) async fn a_removed_event_is_named(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(15, 10));
    fill(store, &mut sample).await;
    bench.remove(400).await;
    let report = audited(bench).await;
    let named = report.problems.iter().find(|p| p.fault == Fault::Missing).unwrap();
    assert_eq!((named.from, named.to), (400, 400), "{named}");
}
