//! Results of earlier scans, by the digest of everything that they depend on.
//!
//! The cache is never needed: whatever goes wrong here, the scan just runs. It holds pieces of the
//! scanned code, so its folder is for its owner alone.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use wardroom_model::Endpoint;

use crate::analysis::Analysis;

/// Results kept; the longest unused goes first.
const KEPT: usize = 40;
/// A result larger than this is not kept, in bytes.
const LARGEST: usize = 64 << 20;
/// Length of the checksum at the head of an entry, in bytes.
const SUM: usize = 32;

/// Where results are kept.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// An analysis with each endpoint once: findings name them by number.
#[derive(Serialize, Deserialize)]
struct Stored {
    analysis: Analysis,
    /// The model's, then any that only findings hold.
    endpoints: Vec<Arc<Endpoint>>,
    of_model: u32,
    of_findings: Vec<Vec<u32>>,
}

#[derive(Serialize)]
struct Storing<'a> {
    analysis: Analysis,
    endpoints: Vec<&'a Arc<Endpoint>>,
    of_model: u32,
    of_findings: Vec<Vec<u32>>,
}

impl Cache {
    /// The user's: `$XDG_CACHE_HOME/wardroom` or `~/.cache/wardroom`; none where neither is known.
    pub fn of_user() -> Option<Cache> {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let base = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
        Some(Cache { folder: base.join("wardroom") })
    }

    /// The result under a key, unless there is none or it is damaged.
    pub fn load(&self, key: &blake3::Hash) -> Option<Analysis> {
        let path = self.path(key);
        let bytes = fs::read(&path).ok()?;
        let (sum, body) = bytes.split_at_checked(SUM)?;
        if blake3::hash(body).as_bytes() != sum {
            return None;
        }
        let mut stored: Stored = postcard::from_bytes(body).ok()?;
        if stored.of_findings.len() != stored.analysis.findings.len() {
            return None;
        }
        for (finding, numbers) in stored.analysis.findings.iter_mut().zip(&stored.of_findings) {
            finding.endpoints =
                numbers.iter().map(|n| stored.endpoints.get(*n as usize).cloned()).collect::<Option<_>>()?;
        }
        stored.endpoints.truncate(stored.of_model as usize);
        stored.analysis.endpoints = stored.endpoints;
        // Used just now: it is the last to go.
        if let Ok(file) = fs::File::open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(stored.analysis)
    }

    /// Keeps a result.
    pub fn store(&self, key: &blake3::Hash, analysis: &Analysis) {
        let _ = self.try_store(key, analysis);
    }

    fn try_store(&self, key: &blake3::Hash, analysis: &Analysis) -> Option<()> {
        let body = encode(analysis)?;
        if body.len() > LARGEST {
            return None;
        }
        make_private(&self.folder)?;
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder).ok()?;
        file.write_all(blake3::hash(&body).as_bytes()).ok()?;
        file.write_all(&body).ok()?;
        file.persist(self.path(key)).ok()?;
        self.forget_oldest();
        Some(())
    }

    fn path(&self, key: &blake3::Hash) -> PathBuf {
        self.folder.join(format!("{}.scan", key.to_hex()))
    }

    fn forget_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut kept: Vec<(SystemTime, PathBuf)> = entries
            .flatten()
            .filter(|e| {
                let name = e.file_name();
                let name = name.to_string_lossy();
                name.ends_with(".scan") || name.starts_with(".new-")
            })
            .filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path())))
            .collect();
        kept.sort();
        for (_, path) in kept.iter().rev().skip(KEPT) {
            let _ = fs::remove_file(path);
        }
    }
}

fn encode(analysis: &Analysis) -> Option<Vec<u8>> {
    let mut endpoints: Vec<&Arc<Endpoint>> = analysis.endpoints.iter().collect();
    let mut numbers: HashMap<*const Endpoint, u32> =
        endpoints.iter().zip(0..).map(|(e, n)| (Arc::as_ptr(e), n)).collect();
    let mut of_findings = Vec::with_capacity(analysis.findings.len());
    for finding in &analysis.findings {
        let mut own = Vec::with_capacity(finding.endpoints.len());
        for endpoint in &finding.endpoints {
            own.push(*numbers.entry(Arc::as_ptr(endpoint)).or_insert_with(|| {
                endpoints.push(endpoint);
                endpoints.len() as u32 - 1
            }));
        }
        of_findings.push(own);
    }
    let findings = analysis
        .findings
        .iter()
        .map(|f| wardroom_model::Finding { endpoints: Vec::new(), ..f.clone() })
        .collect();
    let bare = Analysis {
        findings,
        problems: analysis.problems.clone(),
        endpoints: Vec::new(),
        ignores: analysis.ignores.clone(),
        answers: analysis.answers.clone(),
        ..*analysis
    };
    postcard::to_stdvec(&Storing {
        analysis: bare,
        endpoints,
        of_model: analysis.endpoints.len() as u32,
        of_findings,
    })
    .ok()
}

fn make_private(folder: &Path) -> Option<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).ok()
}
