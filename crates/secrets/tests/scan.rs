//! Files as people have them: what is found in them, and what is not.

use std::time::{Duration, Instant};

use wardroom_model::Confidence;
use wardroom_secrets::{Allow, Scanner, book, findings};

fn found(path: &str, text: &[u8]) -> Vec<String> {
    let scanner = Scanner::new(Allow::none());
    let hits = scanner.scan(path, text).hits;
    hits.iter()
        .filter(|h| h.confidence > Confidence::Low && h.allowed.is_none())
        .map(|h| format!("{} {}", h.location.start.line, h.token.id))
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            out.push(if place <= chunk.len() {
                char::from(DIGITS[(number >> (18 - 6 * place)) as usize & 63])
            } else {
                '='
            });
        }
    }
    out
}

/// A key block that parses and belongs to nobody: its bytes are counted, not drawn.
fn pem(label: &str) -> String {
    let mut bytes = vec![0x30, 0x82, 1, 0];
    bytes.extend((0..256u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8));
    let body = base64(&bytes);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|n| &body[n..body.len().min(n + 64)]).collect();
    format!("-----{} {label}-----\n{}\n-----{} {label}-----\n", "BEGIN", lines.join("\n"), "END")
}

#[test]
fn files_that_programs_keep_passwords_in() {
    for (path, text, expected) in [
        (".netrc", "machine a.acme.net login x password s3cretly\n", "1 password-file"),
        (".pgpass", "#h:p:d:u:w\nlocalhost:5432:db:root:s3cretly\n", "2 password-file"),
        (".git-credentials", "https://me@acme.net:pa!s@word@git.acme.net\n", "1 password-file"),
        (
            "etc/shadow",
            "daemon:*:17431:0\nann:$6$LnUhhUi45srUKt9i$4Hp6VRTOB2mxvsYH8mwsCfBryg6hCbm4JJjV26KplN8ewZ7EUVqQDkLKDW.O8XRHx.B76JkwXtyD3wnAXEuZN1:17431:0\n",
            "2 password-hash-file",
        ),
        ("config/master.key", "3ebf21f8e5d1ab86b27a720842c3bb56\n", "1 rails-master-key"),
        (".env", "A=b\nDB_PASSWORD=tr0ub4dor\n", "2 password-in-settings"),
        (
            "config/database.yml",
            "production:\n  adapter: postgresql\n  username: app\n  password: tr0ub4dor\n",
            "4 password-in-settings",
        ),
        (
            "filezilla.xml",
            "<Host>acme.net</Host>\n<Pass encoding=\"base64\">dHIwdWI0ZG9yJjM=</Pass>\n",
            "2 password-in-settings",
        ),
        (
            "dump.sql",
            "INSERT INTO u VALUES\n(1, 'a', '$2y$12$s.YfVZdfvAuO/Iz6fte5iO..ZbbEgreZnDcYOGvX4NGJskYQIstcG');\n",
            "2 password-hash-dump",
        ),
        ("app/client.js", "c.login('ann@acme.net', 'tr0ub4dor', done)\n", "1 login-call"),
        ("app/db.py", "url = 'postgres://app:tr0ub4dor@db.acme.net/app'\n", "1 database-url"),
        ("app/x.py", "requests.get('https://ann:tr0ub4dor@api.acme.net/')\n", "1 url-credentials"),
    ] {
        assert_eq!(found(path, text.as_bytes()), [expected], "{path}");
    }
}

#[test]
fn keys_in_blocks() {
    assert_eq!(found("deploy/id", pem("RSA PRIVATE KEY").as_bytes()), ["1 private-key-pem"]);
    assert_eq!(found("deploy/id", pem("ENCRYPTED PRIVATE KEY").as_bytes()), ["1 private-key-pem-encrypted"]);
    // As a string with escapes, as in the file of a service account.
    let json = format!("{{\"private_key\": \"{}\"}}\n", pem("PRIVATE KEY").replace('\n', "\\n"));
    assert_eq!(found("account.json", json.as_bytes()), ["1 private-key-pem"]);
    assert!(found("a.pem", pem("CERTIFICATE").as_bytes()).is_empty());
    assert!(found("a.pem", pem("PUBLIC KEY").as_bytes()).is_empty());
    let words = format!("-----{0} PRIVATE KEY-----\n...\n-----{1} PRIVATE KEY-----\n", "BEGIN", "END");
    assert!(found("a.pem", words.as_bytes()).is_empty());
    // In a test it is told only on request.
    assert!(found("spec/fixtures/a.pem", pem("RSA PRIVATE KEY").as_bytes()).is_empty());
}

#[test]
fn what_is_written_another_way() {
    let inner = "user: ann\npassword: tr0ub4dor\nhost: db\n";
    let text = format!("data:\n  config: {}\n", base64(inner.as_bytes()));
    assert_eq!(found("secret.yaml", text.as_bytes()), ["2 password-in-settings"]);
    let text = "u=https%3A%2F%2Fann%3Atr0ub4dor%40api.acme.net%2F\n";
    assert_eq!(found("a.conf", text.as_bytes()), ["1 url-credentials"]);
    let text = "x = \"https:\\u002f\\u002fann:tr0ub4dor@api.acme.net\"\n";
    assert_eq!(found("a.conf", text.as_bytes()), ["1 url-credentials"]);
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("DB_PASSWORD=tr0ub4dor\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(found(".env", &wide), ["1 password-in-settings"]);
}

#[test]
fn harmless_things_are_quiet() {
    for (path, text) in [
        ("app/a.rb", "password = params[:password]\ntoken = SecureRandom.hex\nkey = ENV['API_KEY']\n"),
        (
            "app/a.js",
            "const apiKey = process.env.API_KEY;\nlet password = getPassword();\nlabel: 'password'\n",
        ),
        (
            "config/a.yml",
            "password: <%= ENV['DB_PASSWORD'] %>\nsecret: ${SECRET}\ntoken: {{ token }}\npassword: changeme\n",
        ),
        ("config/locales/fr.yml", "fr:\n  password: Motdepasse1\n  label_api_key: Cle42abcdefgh\n"),
        (
            "Gemfile.lock",
            "  checksum token: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n",
        ),
        ("public/app.min.js", "var secret_key=\"nAH2VzKrMrRjySLlt8HCdFU3tM2TUuUZgh39NX\";"),
        ("README.md", "Set `api_key = \"9f86d081884c7d659a2feaa0c55ad015\"` in the file.\n"),
        ("test/a_test.rb", "post :login, params: { password: 'tr0ub4dor3' }\n"),
        (
            "app/a.rb",
            "url = 'http://user:password@example.com/'\nu = 'postgres://postgres:postgres@localhost/x'\n",
        ),
        ("app/a.go", "const tokenURL = \"https://acme.net/oauth/token\"\nvar keyID = \"1234567890abcdef\"\n"),
        ("app/a.cs", "[assembly: InternalsVisibleTo(\"A, PublicKeyToken=31bf3856ad364e35\")]\n"),
        (
            "app/a.rb",
            "AWS_KEY = 'AKIAIOSFODNN7EXAMPLE'\nsecret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'\n",
        ),
        ("app/a.css", "a { background: url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA) }\n"),
    ] {
        assert_eq!(found(path, text.as_bytes()), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn findings_hold_nothing_of_the_secret() {
    let scanner = Scanner::new(Allow::none());
    let secret = "tr0ub4dor";
    let text =
        format!("host=x\npassword={secret} # was {secret} before\nurl=https://ann:{secret}@api.acme.net\n");
    let hits = scanner.scan("a.conf", text.as_bytes()).hits;
    assert!(!format!("{hits:?}").contains(secret));
    let found = findings(hits, b"salt");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].places.len(), 1);
    assert!(!format!("{found:?}").contains(secret), "{found:?}");
}

#[test]
fn hostile_texts_end_soon_and_without_a_panic() {
    let scanner = Scanner::new(Allow::none());
    let mut texts: Vec<Vec<u8>> = vec![
        b"password=".repeat(200_000),
        b"://a:b@".repeat(200_000),
        b"-----BEGIN PRIVATE KEY-----".repeat(50_000),
        b"eyJhbGciOiJ".repeat(150_000),
        b"cGFzc3dvcmQ9".repeat(150_000),
        b"%3d".repeat(500_000),
        b"\\u003d".repeat(300_000),
        b"secret_key = \"".repeat(100_000),
        [b"token='".as_slice(), &b"\\".repeat(1_000_000)].concat(),
        vec![b'a'; 4_000_000],
        b"$2y$12$".repeat(200_000),
        b"ghp_".repeat(300_000),
    ];
    // Cut anywhere, and with bytes that are no UTF-8.
    let sample = book().tokens.iter().flat_map(|t| t.examples.clone()).collect::<Vec<_>>().join("\n");
    for cut in (0..sample.len()).step_by(97) {
        texts.push([&sample.as_bytes()[cut..sample.len().min(cut + 300)], b"\xff\xfe\xc3"].concat());
    }
    let begun = Instant::now();
    for text in &texts {
        let length = text.len();
        let one = Instant::now();
        scanner.scan("a.conf", text);
        assert!(
            one.elapsed() < Duration::from_secs(20),
            "{length} bytes of {:?} took {:?}",
            &text[..20.min(length)],
            one.elapsed()
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
}

#[test]
fn what_lies_across_a_secret_is_hidden_too() {
    // A token of known form within a longer value: the rest of the value may be a secret as well.
    let token = ["xoxb-", "371948265017", "-", "8264917350462", "-", "aB3dE6gH9jK2mN5pQ8sT1vW4"].concat();
    let text = format!("api_key = \"pre9Fix7{token}.sUf4fix8\"\n");
    let scanner = Scanner::new(Allow::none());
    let hits = scanner.scan("a.conf", text.as_bytes()).hits;
    for hit in &hits {
        for part in ["pre9Fix7", "sUf4fix8", "8264917350462"] {
            assert!(!hit.location.snippet.contains(part), "{}", hit.location.snippet);
        }
    }
    assert!(!hits.is_empty());
    // Two tokens in one value are two.
    let other = ["xoxb-", "482610397152", "-", "9175308264713", "-", "qW7eR2tY5uI8oP1aS4dF6gHj"].concat();
    let text = format!("api_keys = \"{token},{other}\"\n");
    assert_eq!(found("a.conf", text.as_bytes()), ["1 slack-bot-token", "1 slack-bot-token"]);
}
