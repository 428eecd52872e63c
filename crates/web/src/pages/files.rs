//! Files kept with a record: in by upload, out only as attachments.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sha2::{Digest, Sha256};
use wardroom_desk::{Change, Command, Refused};

use crate::App;
use crate::error::{Failed, url_encode};
use crate::pages::act::id_of;
use crate::pages::said;
use crate::random;
use crate::session::Viewer;

/// Largest file, in bytes.
const LARGEST: usize = 16 << 20;

pub fn router() -> Router<App> {
    Router::new()
        .route("/records/{id}/files", post(attach).layer(DefaultBodyLimit::max(LARGEST + (64 << 10))))
        .route("/records/{id}/files/{digest}", get(fetch))
}

async fn attach(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    mut parts: Multipart,
) -> Result<Redirect, Failed> {
    let id = id_of(&id)?;
    // Who may not see the record, or put nothing with it, is told so before anything is read or kept.
    app.desk.record(&viewer.caller, &id).await?;
    if !viewer.caller.role.comment {
        let role = &viewer.caller.role.title;
        return Err(Failed::not_allowed(&format!("your role ({role}) may not attach files")));
    }
    let broken =
        |_| Failed::bad(format!("The upload broke off, or the file is larger than {} MiB.", LARGEST >> 20));
    let (mut csrf, mut file) = (String::new(), None);
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name() {
            Some("csrf") => csrf = part.text().await.map_err(broken)?,
            Some("file") => {
                let name = part.file_name().unwrap_or_default().to_owned();
                file = Some((name, part.bytes().await.map_err(broken)?));
            }
            _ => {}
        }
    }
    viewer.check(&csrf)?;
    let Some((name, bytes)) = file.filter(|(_, b)| !b.is_empty()) else {
        return Err(Refused::invalid("file", "choose a file first").into());
    };
    if bytes.len() > LARGEST {
        return Err(Refused::invalid("file", format!("a file may have {} MiB at most", LARGEST >> 20)).into());
    }
    let digest = random::hex(&Sha256::digest(&bytes));
    app.desk.store().put_file(&digest, &bytes).await?;
    let name = plain(&name);
    let command = Command::Attach {
        name: name.clone(),
        // What a sender calls it is not believed: it goes out as bytes.
        media: "application/octet-stream".to_owned(),
        size: bytes.len() as u64,
        digest,
    };
    let done = app.desk.act(&viewer.caller, &id, None, command).await?;
    said::leave(&app, &viewer, &format!("{name} is kept with {id}."), None).await?;
    Ok(Redirect::to(&format!("/records/{}", done.record.id)))
}

/// A file's name without folders and control characters.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String =
        last.chars().filter(|c| !c.is_control() && !"\"<>|:*?".contains(*c)).take(120).collect();
    let name = name.trim_matches(['.', ' ']).to_owned();
    if name.is_empty() { "file".to_owned() } else { name }
}

async fn fetch(
    State(app): State<App>,
    Path((id, digest)): Path<(String, String)>,
    viewer: Viewer,
) -> Result<Response, Failed> {
    let id = id_of(&id)?;
    // Only through a record that the caller may see, and that the file was put with.
    let mut after = 0;
    let mut name = None;
    loop {
        let events = app.desk.timeline(&viewer.caller, &id, after, 500).await?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events {
            if let Change::Attached { name: found, digest: of, .. } = event.change
                && of == digest
            {
                name = Some(found);
            }
        }
    }
    let name = name.ok_or_else(Failed::nothing)?;
    if app.desk.record(&viewer.caller, &id).await?.confidential {
        app.desk.note(&viewer.caller, id.no, Change::Read).await?;
    }
    let bytes = app.desk.store().file(&digest).await?.ok_or_else(Failed::nothing)?;
    let disposition = format!(
        "attachment; filename=\"file\"; filename*=UTF-8''{}",
        url_encode(&name).replace(['/', ':', '@'], "_")
    );
    Ok((
        [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        ],
        bytes,
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_lead_nowhere() {
        for (sent, kept) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\evil.html", "evil.html"),
            ("..", "file"),
            ("a\r\nb\"c.txt", "abc.txt"),
        ] {
            assert_eq!(plain(sent), kept);
        }
    }
}
