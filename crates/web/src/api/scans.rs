//! Scans that pipelines send.

use std::io::Read;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use tokio::sync::Semaphore;
use wardroom_desk::intake::{Delivery, Envelope};

use super::caller::ApiCaller;
use super::input::{must_be_json, parse, too_large, whole};
use super::problem::{MALFORMED, MEDIA, Problem};
use super::shapes::{Delivered, Scan};
use crate::App;

/// Largest scan, packed or not, in bytes.
pub const LARGEST: usize = 256 << 20;

/// Scans that are read at the same time: each may take ten times its size in memory.
static READING: Semaphore = Semaphore::const_new(2);

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    No,
    Gzip,
}

impl Packed {
    fn of(headers: &HeaderMap) -> Result<Packed, Problem> {
        let mut all = headers.get_all(header::CONTENT_ENCODING).iter();
        let named = all.next().map_or("identity", |v| v.to_str().unwrap_or("?")).to_ascii_lowercase();
        match (named.trim(), all.next()) {
            ("identity" | "", None) => Ok(Packed::No),
            ("gzip" | "x-gzip", None) => Ok(Packed::Gzip),
            _ => Err(Problem::new(MEDIA, "A scan can be packed with gzip once, or not at all.")),
        }
    }
}

/// Send a scan
///
/// The body is what `wardroom scan --format json` found, in an envelope that says where and when the
/// code was so; `wardroom scan --send` makes it. All of it is taken in, or nothing. Sending the same
/// again changes nothing.
#[utoipa::path(
    post, path = "/scans", tag = "Scans", operation_id = "sendScan",
    request_body(content = Scan, description = "May be packed with `Content-Encoding: gzip`. At most 256 MiB.",
        examples(
            ("one finding" = (summary = "A scan of the default branch with one finding", value = json!({
                "repository": "shop/web", "branch": "main", "default_branch": "main",
                "commit": "4f2a9c61d0b87e35", "complete": true,
                "report": {
                    "tool": {"name": "wardroom", "version": "0.1.0"},
                    "rules": [{"id": "open-redirect", "category": "injection"}],
                    "endpoints": [{"method": "GET", "path": "/login", "handler": "sessions#new", "authenticated": false}],
                    "problems": [],
                    "findings": [{
                        "fingerprint": "b2c7e0a51f", "rule": "open-redirect", "severity": "high",
                        "confidence": "high", "cwe": 601, "message": "A parameter is the target of `redirect_to`",
                        "scope": "SessionsController#new",
                        "location": {"file": "app/controllers/sessions_controller.rb",
                            "start": {"line": 12, "column": 5}, "end": {"line": 12, "column": 40},
                            "snippet": "redirect_to params[:back]"},
                        "endpoints": [{"index": 0}], "path": []
                    }]
                }
            }))),
            ("empty" = (summary = "A scan that found nothing", value = json!({
                "repository": "shop/empty", "complete": true, "report": {"findings": []}
            })))
        )),
    responses(
        (status = 200, description = "It was taken in.", body = Delivered),
        (status = 400, description = "The body broke off, is no JSON, or nests too deeply.", body = super::problem::Told, content_type = "application/problem+json"),
        (status = 413, description = "It is too large.", body = super::problem::Told, content_type = "application/problem+json"),
        (status = 422, description = "A value is wrong; `errors` says where.", body = super::problem::Told, content_type = "application/problem+json"),
    ),
    params(super::IdempotencyKey),
)]
pub async fn send(
    State(app): State<App>,
    caller: ApiCaller,
    request: Request,
) -> Result<axum::Json<Delivered>, Problem> {
    must_be_json(request.headers())?;
    let packed = Packed::of(request.headers())?;
    let body = whole(request.into_body(), LARGEST).await?;
    let delivery = read(body, packed).await?;
    let delivered = app.desk.deliver(&caller.caller, &delivery).await?;
    Ok(axum::Json(delivered.into()))
}

/// Reads a scan off the threads that serve requests.
async fn read(body: Bytes, packed: Packed) -> Result<Delivery, Problem> {
    let permit = READING.acquire().await.map_err(|e| Problem::broken(&e))?;
    let task = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let envelope: Envelope = match packed {
            Packed::No => parse(&body)?,
            Packed::Gzip => parse(&unpacked(&body, LARGEST)?)?,
        };
        drop(body);
        Ok(Delivery::read(envelope)?)
    });
    task.await.map_err(|e| Problem::broken(&e))?
}

/// A little packed can be very much: not more than `most` bytes are unpacked.
fn unpacked(body: &[u8], most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(body)
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Problem::new(MALFORMED, format!("The gzip cannot be unpacked: {error}.")))?;
    if bytes.len() > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_bomb_is_not_unpacked() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&vec![b' '; 3 << 20]).unwrap();
        let packed = packer.finish().unwrap();
        assert!(packed.len() < 10_000);
        assert_eq!(unpacked(&packed, 1 << 20).unwrap_err().name(), "too-large");
        assert_eq!(unpacked(&packed, 3 << 20).unwrap().len(), 3 << 20);
        assert_eq!(unpacked(&packed[..packed.len() / 2], 4 << 20).unwrap_err().name(), "malformed");
    }
}
