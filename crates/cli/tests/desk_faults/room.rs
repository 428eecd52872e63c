//! A disk without room.

use std::process::Command;

use crate::support::{Place, Server, agent, scan};

/// A file system of a few megabytes; none where this process may not mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path());
        mount.output().ok().filter(|done| done.status.success()).map(|_| Small(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn without_room_nothing_is_half_and_everybody_is_told() {
    let Some(small) = Small::mount() else { return };
    let place = Place::at(small.0.path().join("desk.db"));
    place.fill("shop", 200);
    let token = place.token();
    let link = place.lead();
    let server = Server::start(&place);
    let page = agent().get(format!("{}{link}", server.url)).call().unwrap();
    assert_eq!(page.status(), 303);
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let read = |path: &str| {
        let mut page = agent().get(format!("{}{path}", server.url)).header("cookie", &cookie).call().unwrap();
        (page.status().as_u16(), page.body_mut().read_to_string().unwrap())
    };
    let (status, account) = read("/account");
    assert_eq!(status, 200);
    let csrf = account.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let post = |text: &str| {
        let form = [("csrf", csrf.as_str()), ("text", text)];
        let mut page = agent()
            .post(format!("{}/records/F-2/comments", server.url))
            .header("cookie", &cookie)
            .send_form(form)
            .unwrap();
        (page.status().as_u16(), page.body_mut().read_to_string().unwrap())
    };
    assert_eq!(post("with room").0, 303);
    // Something else fills the disk.
    let filler = small.0.path().join("filler");
    let chunk = vec![b'x'; 1 << 16];
    let mut file = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
    drop(file);
    let (status, told) = server.post("/scans", &token, &scan("large", 1_500)).unwrap();
    assert_eq!(status, 507, "{told}");
    let mut refused = None;
    for _ in 0..200 {
        let (status, body) = post(&"y".repeat(60_000));
        if status != 303 {
            refused = Some((status, body));
            break;
        }
    }
    let (status, body) = refused.unwrap();
    assert_eq!(status, 507, "{body}");
    assert!(body.contains("Nothing was changed") && body.contains("make room"), "{body}");
    // Reading goes on.
    assert_eq!(read("/records/F-2").0, 200);
    assert_eq!(read("/queue").0, 200);
    assert_eq!(server.get("/records", &token).0, 200);
    std::fs::remove_file(&filler).unwrap();
    assert_eq!(post("room again").0, 303, "without a new start");
    let (status, _) = server.post("/scans", &token, &scan("small", 20)).unwrap();
    assert_eq!(status, 200);
    drop(server);
    assert_eq!(place.count("repository:large"), 0, "nothing half");
    assert_eq!(place.count("kind:finding repository:small"), 20);
    place.is_sound();
}
