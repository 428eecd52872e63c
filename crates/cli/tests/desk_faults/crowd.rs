//! More than one server, and more than one writer.

use std::thread::spawn;

use serde_json::{Value, json};

use crate::support::{Place, Server, agent, post, scan};

#[test]
fn two_servers_on_one_store_lose_nothing() {
    let place = Place::new();
    place.fill("shop", 3);
    let token = place.token();
    let (one, two) = (Server::start(&place), Server::start(&place));
    let writers: Vec<_> = (0..4)
        .map(|at| {
            let (url, token) = (if at % 2 == 0 { one.url.clone() } else { two.url.clone() }, token.clone());
            spawn(move || {
                let mut kept = 0;
                for n in 0..25 {
                    let body = json!({"do": "comment", "text": format!("{at} says {n}")});
                    kept += usize::from(
                        post(&url, "/records/F-2/commands", &token, &body, None)
                            .is_some_and(|(s, _)| s == 200),
                    );
                }
                kept
            })
        })
        .collect();
    let kept: usize = writers.into_iter().map(|w| w.join().unwrap()).sum();
    assert_eq!(kept, 100, "each got through");
    let comments = |server: &Server| server.get("/records/F-2", &token).1["comments"].as_u64().unwrap();
    assert_eq!((comments(&one), comments(&two)), (100, 100));
    let (_, told) = one.get("/records/F-2/events?limit=500", &token);
    let versions: Vec<u64> =
        told["events"].as_array().unwrap().iter().map(|e| e["version"].as_u64().unwrap()).collect();
    assert!(versions.windows(2).all(|w| w[1] == w[0] + 1), "no version twice: {versions:?}");
    // Two that saw the same: the second is told so.
    let seen = format!("\"{}\"", versions.last().unwrap());
    let set = |url: &str, text: &str| {
        post(
            url,
            "/records/F-2/commands",
            &token,
            &json!({"do": "set", "fields": {"fixed_in": text}}),
            Some(&seen),
        )
        .unwrap()
    };
    assert_eq!(set(&one.url, "v1").0, 200);
    let (status, told) = set(&two.url, "v2");
    assert!([409, 412].contains(&status), "{told}");
    assert_eq!(two.get("/records/F-2", &token).1["fields"]["fixed_in"], json!("v1"));
    // An undo at one server after a write at the other.
    let label = |url: &str, id: &str, name: &str| {
        post(url, &format!("/records/{id}/commands"), &token, &json!({"do": "label", "add": [name]}), None)
            .unwrap()
    };
    let batch = label(&one.url, "F-3", "a").1["batch"].as_u64().unwrap();
    assert_eq!(label(&two.url, "F-4", "b").0, 200);
    let (status, told) = one.post(&format!("/undo/{batch}"), &token, &json!({})).unwrap();
    assert_eq!((status, &told["changed"]), (200, &json!(1)), "{told}");
    drop((one, two));
    place.is_sound();
}

#[test]
fn two_scans_into_one_store_are_both_there() {
    let place = Place::new();
    place.token();
    let app = place.beside("app");
    std::fs::create_dir_all(app.join("app/controllers")).unwrap();
    std::fs::write(app.join("Gemfile"), "gem 'rails'\n").unwrap();
    std::fs::write(
        app.join("app/controllers/users_controller.rb"),
        "class UsersController < ActionController::Base\n  def index\n    User.where(\"name = '#{params[:name]}'\")\n    redirect_to params[:back]\n  end\nend\n",
    )
    .unwrap();
    let children: Vec<_> = (0..3)
        .map(|at| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wardroom"));
            command
                .args(["scan", "--repository", &format!("team/app{at}"), "--into"])
                .arg(place.store())
                .arg(&app);
            command
                .env("HOME", place.beside(&format!("home{at}")))
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let done = child.wait_with_output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let counts: Vec<u64> =
        (0..3).map(|at| place.count(&format!("kind:finding repository:\"team/app{at}\""))).collect();
    assert!(counts[0] > 0 && counts.iter().all(|c| *c == counts[0]), "{counts:?}");
    place.is_sound();
}

#[test]
fn a_program_is_applied_while_servers_write() {
    let place = Place::new();
    place.fill("shop", 2_500);
    let token = place.token();
    let server = Server::start(&place);
    let folder = place.beside("program");
    std::process::Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(["program", "init"])
        .arg(&folder)
        .output()
        .unwrap();
    let file = folder.join("kinds/finding.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("30d", "41d");
    std::fs::write(&file, text).unwrap();
    let (url, key) = (server.url.clone(), token.clone());
    let writes = spawn(move || {
        let body = |n: u32| json!({"do": "comment", "text": format!("{n}")});
        (0..60)
            .filter(|n| {
                post(&url, "/records/F-2/commands", &key, &body(*n), None).is_some_and(|(s, _)| s == 200)
            })
            .count()
    });
    let applied = place.run(&["program", "apply", folder.to_str().unwrap()]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    assert_eq!(writes.join().unwrap(), 60);
    assert_eq!(server.get("/records/F-2", &token).1["comments"], json!(60));
    drop(server);
    place.is_sound();
}

/// What HTTP/1 leaves open to argue about is not argued about.
#[test]
fn requests_that_are_no_requests_are_refused() {
    use std::io::{Read, Write};
    let place = Place::new();
    let token = place.token();
    let server = Server::start(&place);
    let host = server.url.trim_start_matches("http://").to_owned();
    let send = |text: &[u8]| {
        let mut stream = std::net::TcpStream::connect(&host).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(text);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    for (what, text) in [
        (
            "both lengths",
            "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        (
            "two lengths",
            "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        ),
        ("a length below nothing", "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        ("a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        ("a folded header", "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"),
        (
            "a chunk without a size",
            "POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ),
        ("an unknown transfer", "POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        ("no HTTP", "hello\r\n\r\n"),
    ] {
        let answer = send(text.as_bytes());
        let ok = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        assert!(ok && answer.matches("HTTP/1.").count() <= 1, "{what}: {answer}");
    }
    let many: String = (0..400).map(|n| format!("X-{n}: y\r\n")).collect();
    assert!(send(format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).starts_with("HTTP/1.1 431"));
    let long = "y".repeat(1 << 20);
    assert!(
        !send(format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n").as_bytes()).starts_with("HTTP/1.1 2")
    );
    // 300 MB are declared and never sent: nobody waits with memory for them.
    let declared = format!(
        "POST /api/v1/scans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 314572800\r\nConnection: close\r\n\r\n{{"
    );
    let answer = send(declared.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let status = agent().get(format!("{}/sign-in", server.url)).call().unwrap().status().as_u16();
    assert_eq!(status, 200, "it still serves");
    let (status, told) = server.post("/scans", &token, &scan("x", 1)).unwrap();
    assert_eq!((status, told["unchanged"].clone()), (200, Value::Bool(false)));
}
