//! Files that cannot be written, or are not what they should be.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use sqlx::Connection;
use wardroom_store::{Store, StoreError};
use wardroom_store_sqlite::{Options, SqliteStore, key_path};

use crate::support::{Place, assert_clean, audit, filled, resumed, size};

/// Appends until nothing more fits, and looks at what is left.
async fn fill_up(path: &Path, options: &Options) {
    let store = SqliteStore::create(path, options).await.unwrap();
    let mut sample = resumed(&store, 3).await;
    let error = loop {
        let before = sample.clone();
        let append = sample.open(20);
        if let Err(error) = store.append(&append).await {
            sample = before;
            break error;
        }
        assert!(sample.seq() < 100_000, "the disk never filled");
    };
    assert!(matches!(&error, StoreError::Unwritable(_)), "{error}");
    assert!(sample.seq() > 0);
    assert_eq!(store.head().await.unwrap().seq, sample.seq(), "the append that failed left nothing");
    assert!(store.append(&sample.clone().open(200)).await.is_err(), "and it still is full");
    assert_clean(&store).await;
}

#[tokio::test]
async fn a_file_that_may_not_grow_stays_whole() {
    let place = Place::new();
    let options = Options { max_pages: Some(120), ..Options::default() };
    fill_up(&place.path, &options).await;
    // With room again it goes on.
    let store = place.open().await.unwrap();
    store.append(&resumed(&store, 4).await.open(100)).await.unwrap();
    assert_clean(&store).await;
}

/// A file system of four megabytes; none where this process may not mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder.path());
        mount.output().ok().filter(|done| done.status.success()).map(|_| Small(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk_leaves_the_store_whole() {
    // Where nothing can be mounted, the limit on pages above stands for it.
    let Some(small) = Small::mount() else { return };
    fill_up(&small.0.path().join("desk.db"), &Options::default()).await;
}

const ROLE: &str = "WARDROOM_TEST_READ_ONLY";

#[tokio::test]
async fn a_folder_that_cannot_be_written_can_be_audited() {
    if let Some(path) = std::env::var_os(ROLE) {
        return read_only(Path::new(&path)).await;
    }
    let place = filled().await;
    let path = place.path.as_path();
    // The program itself may lie where nobody but root gets to.
    let program = place.folder.path().join("again");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (file, mode) in [(path, 0o444), (&key_path(path), 0o444), (place.folder.path(), 0o555)] {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    // To root nothing is read-only: the test goes on as nobody.
    let mut again = Command::new(&program);
    again.args(["--exact", "files::a_folder_that_cannot_be_written_can_be_audited"]).env(ROLE, path);
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        again.uid(65534).gid(65534);
    }
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    std::fs::set_permissions(place.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
}

async fn read_only(path: &Path) {
    let error = SqliteStore::open(path, &Options::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unwritable(_) | StoreError::Other(_)), "{error}");
    let options = Options { read_only: true, ..Options::default() };
    let store = SqliteStore::open(path, &options).await.unwrap();
    assert_clean(&store).await;
    let refused = store.append(&resumed(&store, 1).await.work(1)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unwritable(_)), "{refused}");
    let beside = SqliteStore::create(&path.with_file_name("new.db"), &Options::default()).await.unwrap_err();
    assert!(matches!(beside, StoreError::Unwritable(_)), "{beside}");
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    let place = Place::new();
    let none = place.open().await.unwrap_err();
    assert!(none.to_string().contains("there is no store at"), "{none}");
    for garbage in [&b"not a database, but long enough to look at: ".repeat(300)[..], b"short", &[0xff; 4096]]
    {
        std::fs::write(&place.path, garbage).unwrap();
        let error = place.open().await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert!(std::fs::read(&place.path).unwrap() == garbage, "it is left as it was");
    }
    let there = SqliteStore::create(&place.path, &Options::default()).await.unwrap_err();
    assert!(there.to_string().contains("exists"), "{there}");
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let place = Place::new();
    let url = format!("sqlite://{}?mode=rwc", place.path.display());
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE events (id)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(&place.path).unwrap();
    let error = place.open().await.unwrap_err();
    assert!(error.to_string().contains("not one of Wardroom's"), "{error}");
    assert!(std::fs::read(&place.path).unwrap() == before, "it was changed");
}

#[tokio::test]
async fn a_newer_schema_is_not_touched() {
    let place = filled().await;
    let mut raw = place.raw().await;
    sqlx::raw_sql("INSERT INTO schema VALUES (99)").execute(&mut raw).await.unwrap();
    for read_only in [false, true] {
        let options = Options { read_only, ..Options::default() };
        let error = SqliteStore::open(&place.path, &options).await.unwrap_err();
        assert!(matches!(error, StoreError::TooNew { found: 99, known: 1 }), "{error}");
    }
}

#[tokio::test]
async fn a_file_cut_short_is_found() {
    let whole = filled().await;
    for keep in [100, 4096, 8192, 20_000, 100_000, size(&whole.path) / 2, size(&whole.path) - 8192] {
        let place = whole.copy();
        let file = std::fs::OpenOptions::new().write(true).open(&place.path).unwrap();
        file.set_len(keep).unwrap();
        match place.open().await {
            Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{keep}: {error}"),
            Ok(store) => match audit(&store).await {
                Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{keep}: {error}"),
                Ok(report) => assert!(!report.is_clean(), "{keep}: it looked whole"),
            },
        }
    }
}

#[tokio::test]
async fn one_changed_byte_in_the_file_is_named() {
    let place = filled().await;
    let store = place.open().await.unwrap();
    let body = store.stored(699, 1).await.unwrap().remove(0).body;
    store.close().await.unwrap();
    let mut bytes = std::fs::read(&place.path).unwrap();
    let at = bytes.windows(60).position(|window| window == &body[..60]).unwrap();
    // Within the actor's name, so that it still is JSON.
    let found = bytes[at..at + 60].windows(4).position(|window| window == b"scan").unwrap();
    bytes[at + found + 1] = b'C';
    std::fs::write(&place.path, bytes).unwrap();
    let store = place.open().await.unwrap();
    let report = audit(&store).await.unwrap();
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems); // the event, and the record it no longer gives
    let text = report.problems[0].to_string();
    assert!(text.starts_with("event 700 (F-") && text.contains("was changed"), "{text}");
}

#[tokio::test]
async fn the_key_file_is_the_stores() {
    let place = filled().await;
    let key = key_path(&place.path);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read(&key).unwrap();
    let old = place.open().await.unwrap().public_key();

    std::fs::remove_file(&key).unwrap();
    let error = place.open().await.unwrap_err();
    assert!(error.to_string().contains("put it back"), "{error}");
    std::fs::write(&key, "nonsense").unwrap();
    let error = place.open().await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    std::fs::write(&key, "11".repeat(32)).unwrap();
    let error = place.open().await.unwrap_err();
    assert!(error.to_string().contains("not the key"), "{error}");
    std::fs::write(&key, &secret).unwrap();
    place.open().await.unwrap().close().await.unwrap();

    std::fs::remove_file(&key).unwrap();
    let options = Options { new_key: true, ..Options::default() };
    let store = SqliteStore::open(&place.path, &options).await.unwrap();
    assert_ne!(store.public_key(), old);
    store.append(&resumed(&store, 1).await.work(5)).await.unwrap();
    let mut trust = wardroom_store::audit::Trust::key(store.public_key());
    trust.keys.push(old);
    let report = wardroom_store::audit::verify(&store, &trust, true, &mut |_| {}).await.unwrap();
    assert_eq!(report.problems, vec![]);
    store.close().await.unwrap();
    place.open().await.unwrap();
}
