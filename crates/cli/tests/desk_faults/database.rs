//! Servers that share one PostgreSQL database: two of them, one killed, the database gone in the middle.

use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardroom_store_postgres::cluster::{Cluster, PASSWORD};

use crate::support::{Place, Server, agent, any, post, scan};

/// A place whose store is a new database.
fn place(cluster: &Cluster) -> Place {
    let database = cluster.database();
    let key = cluster.folder().join(format!("{database}.key"));
    Place::at(cluster.address(&database, &key).into())
}

/// Asks until the answer is as wanted; how long that took.
fn soon(what: &str, wanted: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !wanted() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come");
        sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

fn total(server: &Server, token: &str, search: &str) -> u64 {
    let (_, page) = server.get(&format!("/records?q={search}&limit=1"), token);
    page["total"].as_u64().unwrap_or(u64::MAX)
}

#[test]
fn what_one_server_does_is_seen_at_the_other() {
    let cluster = Cluster::start();
    let place = place(&cluster);
    place.fill("shop", 3);
    let token = place.token();
    let link = place.lead();
    let (one, two) = (Server::start(&place), Server::start(&place));
    // A page that is open at the second server, with a session from the first.
    let page = agent().get(format!("{}{link}", one.url)).call().unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let live = agent().get(format!("{}/live", two.url)).header("cookie", &cookie).call().unwrap();
    assert_eq!(live.status(), 200);
    let command =
        |url: &str, id: &str, body: Value| post(url, &format!("/records/{id}/commands"), &token, &body, None);
    let (status, _) = command(&one.url, "F-2", json!({"do": "label", "add": ["seen"]})).unwrap();
    assert_eq!(status, 200);
    let told = BufReader::new(live.into_body().into_reader()).lines().map_while(Result::ok);
    let told = told.filter(|line| line.starts_with("data:")).find(|line| line.contains("F-2"));
    assert!(told.is_some(), "the open page is told");
    let took = soon("the label", || total(&two, &token, "label:seen") == 1);
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Two that saw the same: the second is told so, whichever server it asks.
    let version = one.get("/records/F-2", &token).1["version"].to_string();
    let seen = format!("\"{version}\"");
    let set = |url: &str, text: &str| {
        let body = json!({"do": "set", "fields": {"fixed_in": text}});
        post(url, "/records/F-2/commands", &token, &body, Some(&seen)).unwrap()
    };
    assert_eq!(set(&one.url, "v1").0, 200);
    let (status, told) = set(&two.url, "v2");
    assert_eq!(status, 412, "{told}");
    // Both write to one record at once.
    let writers: Vec<_> = (0..4)
        .map(|at| {
            let (url, token) = (if at % 2 == 0 { one.url.clone() } else { two.url.clone() }, token.clone());
            spawn(move || {
                let kept = (0..25).filter(|n| {
                    let body = json!({"do": "comment", "text": format!("{at} says {n}")});
                    post(&url, "/records/F-3/commands", &token, &body, None).is_some_and(|(s, _)| s == 200)
                });
                kept.count()
            })
        })
        .collect();
    let kept: usize = writers.into_iter().map(|w| w.join().unwrap()).sum();
    assert_eq!(kept, 100, "each got through");
    let comments = |server: &Server| server.get("/records/F-3", &token).1["comments"].as_u64().unwrap();
    assert_eq!((comments(&one), comments(&two)), (100, 100));
    drop((one, two));
    place.is_sound();
}

#[test]
fn one_of_two_servers_is_killed_in_the_middle_of_sends() {
    let cluster = Cluster::start();
    let place = place(&cluster);
    let token = place.token();
    let two = Server::start(&place);
    let begun = Instant::now();
    assert_eq!(two.post("/scans", &token, &scan("first", 800)).unwrap().0, 200);
    let whole = begun.elapsed();
    let (mut names, mut acknowledged) = (vec!["first".to_owned()], vec!["first".to_owned()]);
    for round in 0..6 {
        let one = Server::start(&place);
        let send = |url: String, name: String| {
            let (token, body) = (token.clone(), scan(&name, 800));
            spawn(move || {
                post(&url, "/scans", &token, &body, None).filter(|(status, _)| *status == 200).map(|_| name)
            })
        };
        let (dies, lives) = (format!("dies{round}"), format!("lives{round}"));
        names.extend([dies.clone(), lives.clone()]);
        let (first, second) = (send(one.url.clone(), dies), send(two.url.clone(), lives.clone()));
        sleep(whole.mul_f64(any(200) as f64 / 100.0));
        one.kill();
        acknowledged.extend(first.join().unwrap());
        assert_eq!(second.join().unwrap(), Some(lives), "the other server goes on");
        acknowledged.push(format!("lives{round}"));
    }
    for name in &names {
        let found = place.count(&format!("kind:finding repository:{name}"));
        assert!(found == 0 || found == 800, "{name}: {found}");
        assert!(found > 0 || !acknowledged.contains(name), "{name} was acknowledged and is not there");
    }
    for name in &names {
        assert_eq!(two.post("/scans", &token, &scan(name, 800)).unwrap().0, 200, "sent again");
    }
    assert_eq!(total(&two, &token, "kind:finding"), 800 * names.len() as u64);
    place.is_sound();
}

#[test]
fn the_database_loses_power_while_two_servers_work() {
    let cluster = Cluster::start();
    let place = place(&cluster);
    place.fill("shop", 20);
    let token = place.token();
    let servers = [Server::start(&place), Server::start(&place)];
    let stop = AtomicBool::new(false);
    let (labels, scans, away) = std::thread::scope(|scope| {
        let stop = &stop;
        let writers: Vec<_> = servers
            .iter()
            .enumerate()
            .map(|(at, server)| {
                let (url, token) = (server.url.clone(), token.clone());
                scope.spawn(move || {
                    let (mut kept, mut away) = (Vec::new(), 0);
                    for n in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let (label, id) = (format!("l{at}-{n}"), format!("F-{}", 2 + n % 18));
                        let body = json!({"do": "label", "add": [label]});
                        match post(&url, &format!("/records/{id}/commands"), &token, &body, None) {
                            Some((200, _)) => kept.push(label),
                            Some((503, told)) => {
                                assert!(
                                    told["title"].as_str().unwrap().contains("cannot be reached"),
                                    "{told}"
                                );
                                away += 1;
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    (kept, away)
                })
            })
            .collect();
        let sender = {
            let (url, token) = (servers[0].url.clone(), token.clone());
            scope.spawn(move || {
                let mut kept = Vec::new();
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let name = format!("sent{n}");
                    if post(&url, "/scans", &token, &scan(&name, 300), None).is_some_and(|(s, _)| s == 200) {
                        kept.push(name);
                    }
                }
                kept
            })
        };
        for pause in [300, 6_000, 300] {
            sleep(Duration::from_millis(1_500 + any(500)));
            cluster.down("immediate");
            sleep(Duration::from_millis(pause));
            cluster.up();
        }
        sleep(Duration::from_millis(1_500));
        cluster.cut();
        sleep(Duration::from_millis(1_500));
        stop.store(true, Ordering::SeqCst);
        let (mut labels, mut away) = (Vec::new(), 0);
        for writer in writers {
            let (kept, told) = writer.join().unwrap();
            labels.extend(kept);
            away += told;
        }
        (labels, sender.join().unwrap(), away)
    });
    assert!(away > 0, "six seconds without a database are told as 503");
    assert!(!labels.is_empty() && !scans.is_empty());
    eprintln!("{} labels and {} scans kept, {away} answers of 503", labels.len(), scans.len());
    // Both servers, without a new start, know all of it.
    for server in &servers {
        soon("what the other did", || total(server, &token, "label:after") != u64::MAX);
        let (status, _) =
            server.post("/records/F-2/commands", &token, &json!({"do": "label", "add": ["after"]})).unwrap();
        assert_eq!(status, 200);
        for name in &scans {
            soon(name, || total(server, &token, &format!("kind:finding+repository:{name}")) == 300);
        }
    }
    let all: Vec<String> = (2..20)
        .flat_map(|no| {
            let record = servers[1].get(&format!("/records/F-{no}"), &token).1;
            let labels: Vec<String> = serde_json::from_value(record["labels"].clone()).unwrap();
            labels
        })
        .collect();
    for label in &labels {
        assert!(all.contains(label), "{label} was acknowledged and is not there");
    }
    drop(servers);
    place.is_sound();
}

#[test]
fn a_store_moves_into_a_database_and_back_with_the_same_root() {
    let cluster = Cluster::start();
    let file = Place::new();
    file.fill("shop", 700);
    let token = file.token();
    let root = |place: &Place| {
        let audit = place.run(&["audit", "verify"]);
        let said = String::from_utf8(audit.stdout).unwrap();
        assert!(audit.status.success(), "{said} {}", String::from_utf8_lossy(&audit.stderr));
        said.lines().find(|line| line.starts_with("root ")).unwrap().to_owned()
    };
    let ok = |place: &Place, arguments: &[&str]| {
        let done = place.run(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let before = root(&file);
    let database = place(&cluster);
    ok(&database, &["admin", "import", file.store().to_str().unwrap()]);
    assert_eq!(root(&database), before);
    assert_eq!(database.count("kind:finding"), 700);
    // Whole, with tokens: it is served and goes on.
    let server = Server::start(&database);
    let (status, _) = server.post("/scans", &token, &scan("later", 50)).unwrap();
    assert_eq!(status, 200);
    drop(server);
    let after = root(&database);
    assert_ne!(after, before);
    let again = database.run(&["admin", "import", file.store().to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stderr));
    let copy = Place::at(file.beside("copy.db"));
    ok(&database, &["admin", "export", copy.store().to_str().unwrap()]);
    assert_eq!(root(&copy), after, "without the key, by the public one that it holds");
    assert!(!file.beside("copy.db.key").exists() && !file.beside("copy.db.part").exists());
    let refused = database.run(&["admin", "export", copy.store().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    let with_key = Place::at(file.beside("keyed.db"));
    ok(&database, &["admin", "export", "--with-key", with_key.store().to_str().unwrap()]);
    assert_eq!(root(&with_key), after);
    assert_eq!(with_key.count("kind:finding"), 750);
    let server = Server::start(&with_key);
    assert_eq!(server.post("/scans", &token, &scan("last", 5)).unwrap().0, 200, "it goes on as a file");
    drop(server);
    with_key.is_sound();
    ok(&database, &["admin", "rebuild"]);
    assert_eq!(root(&database), after);
}

#[test]
fn no_password_is_ever_shown() {
    let cluster = Cluster::start();
    let good = place(&cluster);
    let address = good.store().to_str().unwrap().to_owned();
    let wrong = |from: &str, to: &str| Place::at(address.replace(from, to).into());
    let places = [
        wrong("127.0.0.1:", "127.0.0.1:1"),
        wrong("/desk", "/none"),
        wrong("wardroom:", "nobody:"),
        wrong("signing_key", "signing-key"),
        wrong("postgres://", "postgresql:/"),
        wrong("127.0.0.1", "127.0.0.1:x"),
        wrong("?signing_key=", "?sslmode=verify-full&signing_key="),
    ];
    for place in &places {
        for arguments in [
            &["audit", "verify"][..],
            &["admin", "token", "x"],
            &["admin", "backup", "x.db"],
            &["admin", "export", "x.db"],
            &["admin", "import", "y.db"],
            &["admin", "restore", "y.db"],
            &["admin", "import", address.as_str()],
            &["admin", "export", address.as_str()],
            &["admin", "backup", address.as_str()],
            &["admin", "restore", address.as_str()],
            &["admin", "recover", "ana"],
            &["program", "apply", "nowhere"],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let mut command = place.command(arguments);
            let done = command.env("WARDROOM_LOG", "trace").output().unwrap();
            let said = [done.stdout, done.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!done.status.success(), "{arguments:?}: {said}");
            assert!(!said.contains(PASSWORD), "{arguments:?}: {said}");
        }
    }
    let mut child = good.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = child.env("WARDROOM_LOG", "trace").stderr(std::process::Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    for line in lines {
        said.push_str(&line);
        if line.contains(" on http://") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.contains("postgres://wardroom@127.0.0.1") && !said.contains(PASSWORD), "{said}");
}
