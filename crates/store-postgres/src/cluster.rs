//! A PostgreSQL of its own for tests and measurements: made in a folder that goes with it, listening on
//! loopback alone. Where no PostgreSQL is installed it panics, as a test then must.
#![expect(clippy::unwrap_used, reason = "it is a part of tests: they stop where something is wrong")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Address;

/// The password of the program's own role, of no worth.
pub const PASSWORD: &str = "hunter-of-swans";

/// A running PostgreSQL.
#[derive(Debug)]
pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    made: AtomicU32,
}

/// Where Debian, and who builds it, puts `initdb` and the others.
fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let whole = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| folder.join(name).exists())
    };
    let found = versions.into_iter().rev().chain(std::env::split_paths(&path)).find(whole);
    found.expect("PostgreSQL is not installed: `apt-get install postgresql`, or put `initdb` on the PATH")
}

fn ok(output: &Output, what: &str) {
    let said = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{what}: {said}");
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

impl Cluster {
    /// Makes and starts one.
    pub fn start() -> Cluster {
        let folder = tempfile::Builder::new().prefix("wardroom-pg").tempdir().unwrap();
        // The system's port is taken in a moment: nothing else asks for one so.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Cluster { folder, programs: programs(), port, made: AtomicU32::new(0) };
        if is_root() {
            // PostgreSQL refuses to run as root.
            ok(
                &Command::new("chown").arg("postgres").arg(cluster.folder.path()).output().unwrap(),
                "the folder is given to postgres",
            );
        }
        let data = cluster.data();
        let made = cluster
            .program("initdb")
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        ok(&made, "initdb");
        // The program's own role signs in as it would at work.
        let rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nmax_connections = 100\n\
             shared_buffers = 64MB\n"
        );
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
        let file = data.join("postgresql.conf");
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, before + &settings).unwrap();
        cluster.up();
        cluster.sql("postgres", &format!("CREATE ROLE wardroom LOGIN PASSWORD '{PASSWORD}'"));
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder of its own, for the key and the like.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/").env_remove("PGPASSWORD");
        command
    }

    /// Starts it again after [`Cluster::down`].
    pub fn up(&self) {
        let log = self.folder.path().join("log");
        let mut command = self.program("pg_ctl");
        command.args(["start", "-w", "-s", "-t", "60", "-D"]).arg(self.data()).arg("-l").arg(log);
        // Not by `output`: the server would hold the pipe open for ever.
        let status =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap();
        assert!(status.success(), "{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    /// Stops it: `immediate` as when power fails, `fast` in order.
    pub fn down(&self, mode: &str) {
        let mut command = self.program("pg_ctl");
        command.args(["stop", "-w", "-s", "-t", "60", "-m", mode, "-D"]).arg(self.data());
        ok(&command.output().unwrap(), "pg_ctl stop");
    }

    /// Runs SQL as the database's administrator, and gives what it answers.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql);
        ok(&output, sql);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs SQL that must fail, and gives what is said.
    pub fn refused(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql);
        assert!(!output.status.success(), "{sql} is refused");
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Output {
        let mut command = self.program("psql");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-d", database]);
        command.args(["-v", "ON_ERROR_STOP=1", "-X", "-A", "-t", "-q", "-c", sql]);
        command.output().unwrap()
    }

    /// Ends every connection of the program's role, as a network that breaks off.
    pub fn cut(&self) {
        self.sql(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wardroom'",
        );
    }

    /// A new empty database that belongs to the program's role; its name.
    pub fn database(&self) -> String {
        let name = format!("desk{}", self.made.fetch_add(1, Ordering::SeqCst));
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER wardroom"));
        name
    }

    /// The address of a database, with the key that signs in a file.
    pub fn address(&self, database: &str, key: &Path) -> String {
        let key: String = form_urlencoded::byte_serialize(key.to_string_lossy().as_bytes()).collect();
        let port = self.port;
        format!("postgres://wardroom:{PASSWORD}@127.0.0.1:{port}/{database}?signing_key={key}")
    }

    /// The same as an address that was read.
    pub fn parsed(&self, database: &str, key: &Path) -> Address {
        self.address(database, key).parse().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut command = self.program("pg_ctl");
        let _ = command.args(["stop", "-w", "-s", "-m", "immediate", "-D"]).arg(self.data()).output();
    }
}
