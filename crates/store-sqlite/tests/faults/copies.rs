//! Backups and putting them back.

use std::os::unix::fs::PermissionsExt;

use wardroom_store::{Store, StoreError};
use wardroom_store_sqlite::{key_path, restore, verify_copy};

use crate::support::{Place, assert_clean, filled, resumed};

#[tokio::test]
async fn a_backup_is_whole_while_the_store_is_in_use() {
    let place = filled().await;
    let store = std::sync::Arc::new(place.open().await.unwrap());
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut sample = resumed(&*store, 9).await;
            for _ in 0..150 {
                store.append(&sample.work(2)).await.unwrap();
            }
        })
    };
    for copy in 0..5 {
        let to = place.folder.path().join(format!("copy-{copy}.db"));
        store.backup(&to).await.unwrap();
        let copied = verify_copy(&to).await.unwrap();
        assert!(copied.head.seq >= 1500);
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!key_path(&to).exists(), "the key is not part of it");
    }
    writer.await.unwrap();
    let names: Vec<_> =
        std::fs::read_dir(place.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains(".part")), "{names:?}");
    // With its key a copy is a store.
    let to = place.folder.path().join("with-key.db");
    store.backup_with(&to, true).await.unwrap();
    let other = Place { folder: tempfile::tempdir().unwrap(), path: to };
    let opened = other.open().await.unwrap();
    assert_clean(&opened).await;
    opened.append(&resumed(&opened, 3).await.work(3)).await.unwrap();
}

#[tokio::test]
async fn a_backup_never_replaces_a_file() {
    let place = filled().await;
    let store = place.open().await.unwrap();
    let to = place.folder.path().join("copy.db");
    std::fs::write(&to, "precious").unwrap();
    let error = store.backup(&to).await.unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
    let error = store.backup(&place.folder.path().join("no/such/folder.db")).await.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
}

#[tokio::test]
async fn a_backup_is_put_back() {
    let place = filled().await;
    let copy = place.folder.path().join("copy.db");
    let store = place.open().await.unwrap();
    store.backup(&copy).await.unwrap();
    store.append(&resumed(&store, 3).await.work(30)).await.unwrap();

    let refused = restore(&copy, &place.path, false).await.unwrap_err();
    assert!(refused.to_string().contains("is there already"), "{refused}");
    let open = restore(&copy, &place.path, true).await.unwrap_err();
    assert!(open.to_string().contains("open in another process"), "{open}");
    assert_eq!(store.head().await.unwrap().seq, 1530, "and nothing happened to it");
    store.close().await.unwrap();

    let restored = restore(&copy, &place.path, true).await.unwrap();
    assert_eq!(restored.head.seq, 1500);
    let store = place.open().await.unwrap();
    assert_eq!(store.head().await.unwrap(), restored.head);
    assert_clean(&store).await;
    store.append(&resumed(&store, 4).await.work(3)).await.unwrap();
    store.close().await.unwrap();

    // A store that is damaged beyond opening is replaced too.
    std::fs::write(&place.path, "garbage".repeat(1000)).unwrap();
    restore(&copy, &place.path, true).await.unwrap();
    assert_clean(&place.open().await.unwrap()).await;
}

#[tokio::test]
async fn a_damaged_backup_is_not_put_back() {
    let place = filled().await;
    let store = place.open().await.unwrap();
    let copy = place.folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    store.close().await.unwrap();
    let before = std::fs::read(&place.path).unwrap();
    let whole = std::fs::read(&copy).unwrap();
    let mut zeroed = whole.clone();
    zeroed[whole.len() / 2..][..8192].fill(0);
    for damaged in [&whole[..whole.len() / 2], &b"garbage".repeat(999)[..], &zeroed, b""] {
        std::fs::write(&copy, damaged).unwrap();
        let error = restore(&copy, &place.path, true).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert!(std::fs::read(&place.path).unwrap() == before, "the store is as it was");
    }
}
