//! Requests that are large, deep, broken or lead elsewhere.

use std::io::Write;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{Method, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use wardroom_desk::Actor;
use wardroom_web::make_token;

use crate::place::{api, coded, filled, scan, sent, upload};
use crate::support::{Page, Site};

/// No single request may hold a processor for longer, also in a build for tests.
const LONG: Duration = Duration::from_secs(8);

#[tokio::test]
async fn nothing_leads_out_of_the_site() {
    let (site, _) = filled().await;
    let mut boss = site.person("boss", "admin").await;
    for to in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/%0d%0aSet-Cookie:%20a=b\r\nSet-Cookie: a=b",
        "http:evil.example",
        ".evil.example",
        "@evil.example",
        "/é//evil.example",
        " //evil.example",
        "/./\\evil.example",
        "///evil.example",
        "/;@evil.example",
        "https:/evil.example",
    ] {
        let next = coded(to);
        let within = |page: &Page, what: &str| {
            let at = page.location();
            assert!(
                at.starts_with('/') && !at.starts_with("//") && !at.starts_with("/\\"),
                "{what} {to:?}: {at}"
            );
            assert!(
                page.headers
                    .get_all(header::SET_COOKIE)
                    .iter()
                    .all(|c| !c.to_str().unwrap().starts_with("a=")),
                "{what}"
            );
        };
        within(&boss.get(&format!("/sign-in?next={next}")).await, "sign-in");
        for (path, fields) in [
            ("/views", &[("name", "x"), ("search", "is:open"), ("back", to)][..]),
            ("/account/theme", &[("theme", "dark"), ("back", to)]),
            ("/records/F-3/labels", &[("labels", "x"), ("back", to)]),
            ("/undo", &[("batch", "1"), ("back", to)]),
            ("/bulk", &[("id", "F-3"), ("label", "x"), ("back", to)]),
        ] {
            let page = boss.post(path, fields).await;
            if page.status == 303 {
                within(&page, path);
            }
        }
        // After signing in with a password.
        site.with_password("ana", "lead", "seven odd lanterns").await;
        break_up(&site, to).await;
    }
}

/// Signs in with a place to go to.
async fn break_up(site: &Site, to: &str) {
    let mut ana = site.browser();
    let page =
        ana.post_bare("/sign-in", &[("name", "ana"), ("password", "seven odd lanterns"), ("next", to)]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(
        page.location().starts_with('/') && !page.location().starts_with("//"),
        "{to:?}: {}",
        page.location()
    );
}

#[tokio::test]
async fn paths_lead_to_no_file() {
    let (site, _) = filled().await;
    let mut ana = site.person("ana", "admin").await;
    for path in [
        "/static/../../Cargo.toml",
        "/static/..%2f..%2fCargo.toml",
        "/static/x/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/wardroom.css%00.txt",
        "/program/files/../../Cargo.toml",
        "/program/files/..%2f..%2f..%2fetc%2fpasswd",
        "/program/files//etc/passwd",
        "/program/files/kinds/..%2f..%2fCargo.toml",
        "/program/files/kinds/finding.yaml%00",
        "/program/kinds/..%2f..%2fCargo",
        "/rules/..%2f..%2f..%2fetc%2fpasswd",
        "/records/F-2/files/..%2f..%2fdesk.db",
        "/records/F-2/files/%2fetc%2fpasswd",
        "/records/..%2fadmin",
        "/records/F-2%2f..%2fR-4",
        "/surface?repository=../../etc/passwd",
        "/export.csv/../../desk.db",
        "/desk.db",
        "/desk.db.key",
        "/.git/config",
        "/api/v1/surface/../../../etc/passwd",
        "/api/v1/surface/..%2f..%2fetc%2fpasswd",
        "/api/v1/../../admin",
        "//admin",
        "/admin/",
        "/admin/people/..",
        "/ADMIN",
    ] {
        let page = ana.get(path).await;
        assert!(
            [404, 401, 403].contains(&page.status.as_u16())
                || (path.ends_with(".yaml") && page.status == 200),
            "{path}: {}",
            page.status
        );
        for leaked in ["root:", "[workspace", "SQLite", "repositoryformatversion"] {
            assert!(!page.body.contains(leaked), "{path}");
        }
    }
}

#[tokio::test]
async fn names_of_files_cannot_write_headers() {
    let (site, _) = filled().await;
    let mut ana = site.person("ana", "lead").await;
    for (at, name) in [
        "a.html",
        "..%2f..%2fx",
        "../../x.html",
        "C:\\\\x\\\\y.svg",
        "a\u{202e}txt.exe",
        "é漢.pdf",
        "a;filename=evil.html",
        "a%0d%0aSet-Cookie: a=b",
        "....",
        "con",
        " ",
        &"x".repeat(4_000),
        "a\tb",
        "'; filename=\\\"evil.html",
        "a\u{0}b.html",
    ]
    .iter()
    .enumerate()
    {
        let bytes = format!("<script>alert({at})</script>");
        let page = upload(&mut ana, "F-3", name, "text/html", bytes.as_bytes()).await;
        assert!([303, 400, 422].contains(&page.status.as_u16()), "{name:?}: {}", page.status);
    }
    let shown = ana.get("/records/F-3").await;
    let mut kept = 0;
    for link in shown.body.split("href=\"/records/F-3/files/").skip(1) {
        let digest = link.split('"').next().unwrap();
        let page = ana.get(&format!("/records/F-3/files/{digest}")).await;
        assert_eq!(page.status, 200);
        let disposition = page.header("content-disposition");
        assert!(disposition.starts_with("attachment; filename=\"file\"; filename*=UTF-8''"), "{disposition}");
        let name = disposition.split_once("UTF-8''").unwrap().1;
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~%".contains(c)) && name.len() < 1_200,
            "{disposition}"
        );
        assert_eq!(page.header("content-type"), "application/octet-stream");
        assert!(page.header("content-security-policy").contains("sandbox"), "{name}");
        assert!(page.set_cookies().is_empty());
        kept += 1;
    }
    assert!(kept > 10, "{kept}");
}

#[tokio::test]
async fn uploads_that_are_no_uploads_are_refused() {
    let (site, _) = filled().await;
    let mut ana = site.person("ana", "lead").await;
    let csrf = ana.csrf.clone();
    let part =
        |name: &str, body: &str| format!("--cut\r\nContent-Disposition: form-data; {name}\r\n\r\n{body}\r\n");
    let own = part("name=\"csrf\"", &csrf);
    let file = part("name=\"file\"; filename=\"a\"", "x");
    let before = site.desk.store().head().await.unwrap();
    let many = own.clone() + &part("name=\"x\"", "y").repeat(100_000) + "--cut--\r\n";
    for (what, media, body) in [
        ("half written", "multipart/form-data; boundary=cut", own.clone() + &file[..file.len() - 2]),
        ("no end", "multipart/form-data; boundary=cut", own.clone() + &file),
        ("no boundary", "multipart/form-data", own.clone() + &file + "--cut--\r\n"),
        ("another boundary", "multipart/form-data; boundary=other", own.clone() + &file + "--cut--\r\n"),
        (
            "an endless boundary",
            &format!("multipart/form-data; boundary={}", "x".repeat(60_000)),
            own.clone(),
        ),
        ("no token", "multipart/form-data; boundary=cut", file.clone() + "--cut--\r\n"),
        (
            "a wrong token",
            "multipart/form-data; boundary=cut",
            part("name=\"csrf\"", "x") + &file + "--cut--\r\n",
        ),
        ("no file", "multipart/form-data; boundary=cut", own.clone() + "--cut--\r\n"),
        (
            "an empty file",
            "multipart/form-data; boundary=cut",
            own.clone() + &part("name=\"file\"; filename=\"a\"", "") + "--cut--\r\n",
        ),
        ("a hundred thousand parts", "multipart/form-data; boundary=cut", many),
        ("a form", "application/x-www-form-urlencoded", format!("csrf={csrf}&file=x")),
        ("nothing", "multipart/form-data; boundary=cut", String::new()),
        (
            "17 MiB",
            "multipart/form-data; boundary=cut",
            own.clone() + &part("name=\"file\"; filename=\"a\"", &"x".repeat(17 << 20)) + "--cut--\r\n",
        ),
        (
            "headers without end",
            "multipart/form-data; boundary=cut",
            format!("--cut\r\nX: {}", "y".repeat(200_000)),
        ),
    ] {
        let begun = Instant::now();
        let page = sent(&mut ana, "F-3", media, body.into_bytes()).await;
        assert!(page.status.is_client_error(), "{what}: {} {}", page.status, page.body);
        assert!(begun.elapsed() < LONG, "{what} took {:?}", begun.elapsed());
    }
    assert_eq!(site.desk.store().head().await.unwrap(), before);
}

#[tokio::test]
async fn what_is_too_large_or_too_deep_is_refused_soon() {
    let (site, _) = filled().await;
    let mut ana = site.person("ana", "lead").await;
    let token = make_token(&site.desk, "t", "lead", &["write", "deliver", "read"], 9, &Actor::Operator)
        .await
        .unwrap();
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
    let form = "application/x-www-form-urlencoded";
    let csrf = format!("csrf={}", ana.csrf);
    for (what, path, media, body, statuses) in [
        (
            "10,000 lists",
            "/api/v1/scans",
            "application/json",
            format!("{{\"repository\":\"x\",\"report\":{}}}", deep(10_000)),
            &[400, 422][..],
        ),
        (
            "10,000 objects",
            "/api/v1/scans",
            "application/json",
            format!("{{\"repository\":\"x\",\"report\":{}}}", objects(10_000)),
            &[400, 422],
        ),
        (
            "10,000 lists in a record",
            "/api/v1/records",
            "application/json",
            format!("{{\"kind\":\"finding\",\"fields\":{{\"title\":{}}}}}", deep(10_000)),
            &[400, 422],
        ),
        (
            "two MiB for a record",
            "/api/v1/records",
            "application/json",
            format!("{{\"kind\":\"{}\"}}", "x".repeat(2 << 20)),
            &[413],
        ),
        ("no end", "/api/v1/records", "application/json", "{\"kind\":".to_owned(), &[400, 422]),
        (
            "a name twice",
            "/api/v1/records",
            "application/json",
            "{\"kind\":\"finding\",\"kind\":\"person\",\"fields\":{\"title\":\"x\"}}".to_owned(),
            &[400, 422],
        ),
        (
            "numbers without end",
            "/api/v1/records",
            "application/json",
            format!(
                "{{\"kind\":\"finding\",\"fields\":{{\"title\":\"x\",\"severity\":1e{}}}}}",
                "9".repeat(400)
            ),
            &[400, 422],
        ),
        (
            "100,000 fields",
            "/records/F-3/set",
            form,
            format!("{csrf}{}", "&field.a=1".repeat(100_000)),
            &[400, 413],
        ),
        ("6,000 fields", "/records/F-3/set", form, format!("{csrf}{}", "&field.a=1".repeat(6_000)), &[400]),
        (
            "a search of a megabyte",
            "/views",
            form,
            format!("{csrf}&name=x&search={}", "a:b%20".repeat(170_000)),
            &[303, 413, 422],
        ),
        (
            "a text of a megabyte",
            "/records/F-3/comments",
            form,
            format!("{csrf}&text={}", "x".repeat(1_000_000)),
            &[422, 413],
        ),
        ("a bulk of all", "/bulk", form, format!("{csrf}&all={}", "x".repeat(900_000)), &[303, 422]),
        (
            "a name of a megabyte",
            "/sign-in",
            form,
            format!("name={}&password={}", "x".repeat(400_000), "y".repeat(400_000)),
            &[422],
        ),
    ] {
        let begun = Instant::now();
        let request = ana
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, media)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body))
            .unwrap();
        let page = site.send(request).await;
        assert!(
            statuses.contains(&page.status.as_u16()),
            "{what}: {} {}",
            page.status,
            page.body.chars().take(300).collect::<String>()
        );
        assert!(page.body.len() < 1_200_000, "{what}: the answer has {} bytes", page.body.len());
        assert!(begun.elapsed() < LONG, "{what} took {:?}", begun.elapsed());
    }
    let view = ana.get("/inbox").await;
    assert!(view.body.len() < 100_000, "no saved search makes every page large: {}", view.body.len());
}

#[tokio::test]
async fn a_bomb_and_a_flood_are_cut_off() {
    let (site, _) = filled().await;
    let token = make_token(&site.desk, "t", "lead", &["deliver"], 9, &Actor::Operator).await.unwrap();
    let client = site.browser();
    let send = async |encoding: &str, body: Body| {
        let request = client
            .request(Method::POST, "/api/v1/scans")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, encoding)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(body)
            .unwrap();
        site.send(request).await
    };
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..300 {
        packer.write_all(&spaces).unwrap();
    }
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < 400_000);
    assert_eq!(send("gzip", Body::from(bomb.clone())).await.status, 413);
    let half = bomb[..bomb.len() / 2].to_vec();
    assert_eq!(send("gzip", Body::from(half)).await.status, 400);
    for encoding in ["gzip, gzip", "br", "deflate", "zstd", "x"] {
        assert_eq!(send(encoding, Body::from(bomb.clone())).await.status, 415, "{encoding}");
    }
    assert_eq!(send("gzip", Body::from("no gzip")).await.status, 400);
    // A body without end: it is read up to what is allowed and no further.
    let chunk = Bytes::from(vec![b' '; 1 << 20]);
    let flood = tokio_stream::iter((0..300).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    assert_eq!(send("identity", Body::from_stream(flood)).await.status, 413);
    // A body that breaks off.
    let broken =
        tokio_stream::iter([Ok(Bytes::from("{\"repository\":")), Err(std::io::Error::other("gone"))]);
    assert_eq!(send("identity", Body::from_stream(broken)).await.status, 400);
    // The server still answers.
    assert_eq!(site.browser().get("/sign-in").await.status, 200);
}

#[tokio::test]
async fn patterns_cannot_blow_up() {
    let (site, _) = filled().await;
    let token = make_token(&site.desk, "t", "lead", &["deliver"], 9, &Actor::Operator).await.unwrap();
    let file = format!("app/{}x.rb", "a/".repeat(120));
    let globs = [
        format!("{}b @ana", "**/".repeat(60)),
        format!("{}b @ana", "*a".repeat(100)),
        format!("{}b @ana", "a*".repeat(100)),
        format!("{}b @ana", "{a,".repeat(60)),
        format!("{}b @ana", "[a-".repeat(60)),
        format!("{}b @ana", "?*".repeat(100)),
        format!("/{} @ana", "a/**/".repeat(60)),
    ];
    let owners: Vec<String> = (0..20_000).map(|at| globs[at % globs.len()].clone()).collect();
    let findings: Vec<_> = (0..30)
        .map(|at| {
            let mut finding = crate::place::finding(&format!("g{at}"), "x");
            finding["location"]["file"] = json!(format!("{file}{at}"));
            finding
        })
        .collect();
    let mut scan = scan(&findings);
    scan["codeowners"] = json!(owners.join("\n"));
    let begun = Instant::now();
    let page = api(&site, Method::POST, "/scans", &token, Some(&scan)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(begun.elapsed() < 3 * LONG, "CODEOWNERS took {:?}", begun.elapsed());
    let mut ana = site.person("ana", "lead").await;
    for search in [
        "*a".repeat(600),
        "a*".repeat(600),
        "(".repeat(1_900),
        "-".repeat(1_900),
        "\"".repeat(1_900),
        "NOT ".repeat(400),
        "file:*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b".to_owned(),
        format!("file:{}", "*a".repeat(500)),
        format!("file:/{}/", "(a+)+".repeat(100)),
        "is:open ".repeat(200),
        format!("severity:{}", ">=".repeat(500)),
        "\u{0}".repeat(100),
        "a:".repeat(600),
        "x".repeat(15_000),
        "scope:\"".to_owned() + &"\\".repeat(1_500),
    ] {
        for path in
            ["/queue?q=", "/board?q=", "/palette?q=", "/complete?q=", "/metrics?q=", "/export.json?q="]
        {
            let begun = Instant::now();
            let page = ana.get(&format!("{path}{}", coded(&search))).await;
            assert!(!page.status.is_server_error(), "{path} {:.40}", search);
            assert!(begun.elapsed() < LONG, "{path} {:.40} took {:?}", search, begun.elapsed());
        }
    }
}

#[tokio::test]
async fn prose_cannot_blow_up() {
    let (site, _) = filled().await;
    let mut ana = site.person("ana", "lead").await;
    for text in [
        ">".repeat(60_000),
        "> ".repeat(30_000),
        "[".repeat(60_000),
        "*a ".repeat(20_000),
        "_a".repeat(30_000),
        "`".repeat(60_000),
        "* ".repeat(30_000),
        "![".repeat(30_000),
        "[a](".repeat(15_000),
        "<!--".repeat(15_000),
        "<a ".repeat(20_000),
        "- a\n  ".repeat(9_000),
        "|a".repeat(30_000) + "\n" + &"|-".repeat(2_000),
        "&".repeat(60_000),
        "~~a".repeat(20_000),
        "a**b_c ".repeat(8_000),
        "@ana ".repeat(12_000),
        "F-2 ".repeat(15_000),
        "1. ".repeat(20_000),
        "[a]: /x\n".repeat(7_000),
        (0..600).map(|n| "  ".repeat(n.min(50)) + "- a\n").collect::<String>(),
    ] {
        let begun = Instant::now();
        let page = ana.post("/records/F-3/comments", &[("text", &text)]).await;
        assert!([303, 422].contains(&page.status.as_u16()), "{:.20}: {}", text, page.status);
        if page.status == 303 {
            let page = ana.get("/records/F-3").await;
            assert_eq!(page.status, 200, "{:.20}", text);
        }
        assert!(begun.elapsed() < LONG, "{:.20} took {:?}", text, begun.elapsed());
    }
}
