//! Fetching over HTTP: only what has changed, and from where it broke off.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::failure::usage;

/// The largest file that is taken, in bytes: the largest of OSV's archives has some 300 MB.
const LARGEST: u64 = 2 << 30;
/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server said.
pub enum Fetched {
    /// What was known is still so.
    Unchanged,
    /// There is nothing of that name.
    Missing,
    /// The file, and what tells this version of it from others (its ETag; empty where it has none).
    File(Vec<u8>, String),
}

/// Fetches files, and keeps what has come of one that broke off.
pub struct Downloads {
    agent: ureq::Agent,
    folder: PathBuf,
}

impl Downloads {
    /// `folder` is where parts are kept.
    pub fn new(folder: PathBuf) -> Downloads {
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("wardroom/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Downloads { agent, folder }
    }

    /// Fetches a file unless it still is the version that `known` tells.
    pub fn fetch(&self, address: &str, known: &str) -> anyhow::Result<Fetched> {
        check(address)?;
        let (part, mark) = self.part(address);
        let begun = fs::metadata(&part).map_or(0, |m| m.len());
        let version = fs::read_to_string(&mark).unwrap_or_default();
        let resumed = begun > 0 && !version.is_empty();
        let mut request = self.agent.get(address);
        if resumed {
            request = request.header("Range", format!("bytes={begun}-")).header("If-Range", &version);
        } else if !known.is_empty() {
            request = request.header("If-None-Match", known);
        }
        let mut answer = request.call().with_context(|| format!("{address} could not be reached"))?;
        let etag = answer.headers().get("etag").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        match answer.status().as_u16() {
            304 => return Ok(Fetched::Unchanged),
            404 => return Ok(Fetched::Missing),
            416 => {
                // What was kept is as long as the file, or of another one: from the beginning then.
                self.forget(&part, &mark);
                return self.fetch(address, known);
            }
            200 | 206 => {}
            status => bail!("{address} answered {status}"),
        }
        let goes_on = answer.status().as_u16() == 206 && resumed;
        fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        if !goes_on {
            fs::write(&mark, &etag).with_context(|| mark.display().to_string())?;
        }
        let file = OpenOptions::new().create(true).write(true).truncate(!goes_on).append(goes_on).open(&part);
        let mut file = file.with_context(|| part.display().to_string())?;
        let kept = if goes_on { begun } else { 0 };
        let length: Option<u64> =
            answer.headers().get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let mut reader = answer.body_mut().with_config().limit(LARGEST).reader();
        let came = copy(&mut reader, &mut file).with_context(|| {
            format!("{address} broke off; what has come is kept, and the next call goes on from there")
        })?;
        if length.is_some_and(|length| length != came) {
            bail!("{address} broke off after {} bytes; the next call goes on from there", kept + came);
        }
        drop(file);
        let bytes = fs::read(&part).with_context(|| part.display().to_string())?;
        let etag = if goes_on { version } else { etag };
        self.forget(&part, &mark);
        Ok(Fetched::File(bytes, etag))
    }

    fn part(&self, address: &str) -> (PathBuf, PathBuf) {
        let name = blake3::hash(address.as_bytes()).to_hex();
        (self.folder.join(format!("{name}.part")), self.folder.join(format!("{name}.etag")))
    }

    fn forget(&self, part: &Path, mark: &Path) {
        let _ = fs::remove_file(part);
        let _ = fs::remove_file(mark);
        // Only where nothing else is kept in it.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn copy(from: &mut impl Read, to: &mut File) -> std::io::Result<u64> {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(total);
        }
        to.write_all(&buffer[..n])?;
        total += n as u64;
    }
}

/// Who can change what a feed says can hide a weakness: without TLS only this machine is asked.
pub fn check(address: &str) -> anyhow::Result<()> {
    let Some(rest) = address.strip_prefix("http://") else {
        return if address.starts_with("https://") {
            Ok(())
        } else {
            Err(usage(format!("`{address}` is no address; write it with https://")))
        };
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        return Ok(());
    }
    Err(usage(format!("`{address}`: advisories are not fetched without TLS; write https://")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_only_this_machine_is_asked() {
        for good in ["https://a.example/x", "http://127.0.0.1:80/x", "http://[::1]:9/", "http://localhost/"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://a.example/",
            "http://127.0.0.1@a.example/",
            "http://localhost.a.example/",
            "ftp://x",
            "x",
            "",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
