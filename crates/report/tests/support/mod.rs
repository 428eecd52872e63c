//! Reports built by hand: one as a scan makes it, one as an attacker would like it.

use std::sync::Arc;

use wardroom_model::{
    Advisory, Category, Confidence, Cwe, Endpoint, Feed, Filter, FilterRole, Finding, Fingerprint, Fix,
    Location, Package, Position, Problem, Reach, Replacement, Report, Rule, Severity, Stats, Step,
    Suppression, Verb,
};
use wardroom_report::{Format, Style};

pub static RULES: [Rule; 4] = [
    Rule {
        id: "cookie-flags",
        title: "A session cookie without its flags",
        category: Category::DataAndCryptography,
        cwe: Cwe(1004),
        severity: Severity::Low,
        cvss: None,
        doc: "Scripts can read a cookie that is not marked `HttpOnly`.\n\n## Use instead\n\nSet `httponly: true`.",
    },
    Rule {
        id: "cross-site-scripting",
        title: "Markup built from what a user sends",
        category: Category::CrossSiteScripting,
        cwe: Cwe(79),
        severity: Severity::High,
        cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"),
        doc: "# Markup built from what a user sends\n\nText that a user chose reaches the page unescaped, so the browser runs it.\n\n## Why it is bad\n\n- A script acts as whoever reads the page.\n- Filters on `<script>` do not help.\n\n## Use instead\n\n```erb\n<%= @comment.body %>\n```\n\nSee [CWE-79](https://cwe.mitre.org/data/definitions/79.html), not [this](javascript:alert(1)).\n\n<script>alert('from a doc')</script>",
    },
    Rule {
        id: "open-redirect",
        title: "A redirect to where a user says",
        category: Category::FilesAndNetwork,
        cwe: Cwe(601),
        severity: Severity::Medium,
        cvss: None,
        doc: "The application sends a visitor on to any site.",
    },
    Rule {
        id: "sql-injection",
        title: "SQL built from what a user sends",
        category: Category::Injection,
        cwe: Cwe(89),
        severity: Severity::Critical,
        cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        doc: "# SQL built from what a user sends\n\nA string that holds user input is run as SQL. Whoever sends the request can\nread and change every table.\n\n## Example\n\n```ruby\nUser.where(\"name = '#{params[:name]}'\")\n```\n\n## Use instead\n\n```ruby\nUser.where(name: params[:name])\n```",
    },
];

pub fn location(file: &str, start: (u32, u32), end: (u32, u32), snippet: &str) -> Location {
    Location {
        file: file.into(),
        start: Position { line: start.0, column: start.1 },
        end: Position { line: end.0, column: end.1 },
        snippet: snippet.to_owned(),
    }
}

fn filter(name: &str, role: FilterRole, conditional: bool) -> Filter {
    Filter { name: name.to_owned(), role, conditional }
}

fn endpoint(
    verb: Verb,
    path: &str,
    handler: &str,
    parameters: &[&str],
    filters: Vec<Filter>,
) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        verb,
        path: path.to_owned(),
        handler: handler.to_owned(),
        parameters: parameters.iter().map(|p| (*p).to_owned()).collect(),
        filters,
        route: Some(location("config/routes.rb", (4, 3), (4, 20), "  resources :users")),
        action: None,
    })
}

fn finding(rule: &'static Rule, confidence: Confidence, ordinal: u32, location: Location) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        message: String::new(),
        reason: String::new(),
        remedy: String::new(),
        severity: rule.severity,
        confidence,
        cwe: rule.cwe,
        fingerprint: Fingerprint::new(rule.id, &location.file, &location.snippet, ordinal),
        location,
        scope: String::new(),
        path: Vec::new(),
        places: Vec::new(),
        package: None,
        advisory: None,
        reach: None,
        endpoints: Vec::new(),
        fix: None,
        suppression: None,
    }
}

/// As a scan makes it.
pub fn plain() -> Report {
    let sign_in = || filter("authenticate_user!", FilterRole::Authentication, false);
    let csrf = || filter("verify_authenticity_token", FilterRole::Csrf, false);
    let endpoints = vec![
        endpoint(
            Verb::Get,
            "/admin/users",
            "admin/users#index",
            &["name"],
            vec![sign_in(), filter("require_admin", FilterRole::Authorization, false)],
        ),
        endpoint(Verb::Get, "/users", "users#index", &["name", "page"], vec![]),
        endpoint(Verb::Post, "/users/search", "users#search", &["name"], vec![csrf()]),
        endpoint(
            Verb::Get,
            "/teams/:team_id/users",
            "teams/users#index",
            &["team_id", "name"],
            vec![
                filter("require_login", FilterRole::Authentication, true),
                filter("set_locale", FilterRole::Other, false),
            ],
        ),
        endpoint(Verb::Any, "/comments/:id", "comments#show", &["id"], vec![sign_in()]),
        endpoint(Verb::Get, "/sign_in", "sessions#new", &["return_to"], vec![]),
    ];
    let sql = Finding {
        message: "`params[:name]` is interpolated into the SQL string of `User.where`".to_owned(),
        reason: "The string is built by interpolation, and nothing on the way checks or quotes the value."
            .to_owned(),
        remedy: "Give the value apart from the SQL: `where(\"name LIKE ?\", \"%#{name}%\")`.".to_owned(),
        path: vec![
            Step {
                location: location(
                    "app/controllers/users_controller.rb",
                    (8, 26),
                    (8, 39),
                    "    @users = User.search(params[:name])",
                ),
                note: "`params[:name]` is read".to_owned(),
            },
            Step {
                location: location(
                    "app/controllers/users_controller.rb",
                    (8, 14),
                    (8, 40),
                    "    @users = User.search(params[:name])",
                ),
                note: "passed to `User.search` as `name`".to_owned(),
            },
            Step {
                location: location("app/models/user.rb", (13, 19), (13, 23), "  def self.search(name)"),
                note: "enters `User.search`".to_owned(),
            },
            Step {
                location: location(
                    "app/models/user.rb",
                    (14, 11),
                    (15, 31),
                    "    where(\"active AND name LIKE '%#{name}%'\n           ORDER BY created_at\")",
                ),
                note: "interpolated into SQL".to_owned(),
            },
        ],
        endpoints: endpoints[..4].to_vec(),
        ..finding(
            &RULES[3],
            Confidence::High,
            0,
            location(
                "app/models/user.rb",
                (14, 11),
                (15, 31),
                "    where(\"active AND name LIKE '%#{name}%'\n           ORDER BY created_at\")",
            ),
        )
    };
    let xss = Finding {
        message: "`@comment.body`, which users write, goes into HTML text through `raw`".to_owned(),
        reason: "A model's attribute: who may write it is not known.".to_owned(),
        remedy: "Leave `raw` out, or let `sanitize` decide which tags may stay.".to_owned(),
        endpoints: vec![endpoints[4].clone()],
        fix: Some(Fix {
            title: "Leave out `raw`".to_owned(),
            replacements: vec![Replacement {
                file: "app/views/comments/_comment.html.erb".into(),
                start: 61,
                end: 80,
                text: "@comment.body".to_owned(),
            }],
        }),
        ..finding(
            &RULES[1],
            Confidence::Medium,
            0,
            location(
                "app/views/comments/_comment.html.erb",
                (3, 26),
                (3, 43),
                "  <p class=\"größe\">→ <%= raw @comment.body %></p>",
            ),
        )
    };
    let redirect = Finding {
        message: "`redirect_to` takes its target from `params[:return_to]`".to_owned(),
        remedy: "Check it with `url_from`, which answers `nil` for other hosts.".to_owned(),
        endpoints: vec![endpoints[5].clone()],
        ..finding(
            &RULES[2],
            Confidence::High,
            0,
            location(
                "app/controllers/sessions_controller.rb",
                (22, 5),
                (22, 59),
                "    redirect_to params[:return_to], allow_other_host: true",
            ),
        )
    };
    let cookie = Finding {
        message: "the cookie `remember_token` is set without `httponly`".to_owned(),
        remedy: "Add `httponly: true, secure: true, same_site: :lax`.".to_owned(),
        ..finding(
            &RULES[0],
            Confidence::Low,
            0,
            location(
                "app/controllers/sessions_controller.rb",
                (30, 5),
                (30, 43),
                "    cookies[:remember_token] = user.token!",
            ),
        )
    };
    let ignored = Finding {
        message: "`redirect_to` takes its target from `params[:back]`".to_owned(),
        suppression: Some(Suppression {
            kind: "inline".to_owned(),
            reason: "an allow-list stands in the proxy".to_owned(),
        }),
        ..finding(
            &RULES[2],
            Confidence::Medium,
            1,
            location("app/controllers/pages_controller.rb", (7, 5), (7, 31), "    redirect_to params[:back]"),
        )
    };
    Report {
        version: "0.1.0".to_owned(),
        root: "apps/shop".to_owned(),
        started: Some(1_790_000_000),
        findings: vec![sql, xss, redirect, cookie, ignored],
        rules: RULES.iter().collect(),
        problems: vec![
            Problem {
                file: "app/models/legacy.rb".into(),
                line: Some(41),
                message: "unexpected `end`; what stands before it was read".to_owned(),
                unread: false,
            },
            Problem {
                file: "lib/blob.rb".into(),
                line: None,
                message: "is not text (52,428,800 bytes), so it was left out".to_owned(),
                unread: true,
            },
        ],
        endpoints,
        feeds: vec![Feed {
            name: "ruby-advisory-db".to_owned(),
            date: "2026-08-22".to_owned(),
            age: Some(97),
            advisories: 1204,
        }],
        stats: Stats {
            ruby_files: 812,
            templates: 240,
            lines: 98_322,
            skipped_files: 340,
            endpoints: 1204,
            lockfiles: 2,
            packages: 412,
            phases: vec![("read".to_owned(), 212.4), ("model".to_owned(), 96.0), ("flow".to_owned(), 301.7)],
        },
    }
}

/// What every text field of the hostile report holds.
pub const HOSTILE: &str = "<script>alert(1)</script>\"'`]](x){0} @team | *b* \u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}rtl\r\n::error::forged\n=cmd|'/C calc'!A0 é日本🦀";

/// As an attacker would like it: each text is [`HOSTILE`], and one source line is huge.
pub fn hostile() -> Report {
    let place = |snippet: &str| location("app/<b>&\"',: \u{1b}[2J\n#é.rb", (3, 3), (3, 9), snippet);
    let mut evil = finding(&RULES[1], Confidence::High, 0, place(HOSTILE));
    let text = || HOSTILE.to_owned();
    evil.rule = "cross-site-scripting".to_owned();
    evil.message = text();
    evil.reason = text();
    evil.remedy = format!("=1+1 {HOSTILE}");
    evil.path = vec![Step { location: place(HOSTILE), note: text() }];
    evil.endpoints = vec![endpoint(
        Verb::Put,
        HOSTILE,
        HOSTILE,
        &[HOSTILE],
        vec![filter(HOSTILE, FilterRole::Authentication, true)],
    )];
    evil.fix = Some(Fix {
        title: text(),
        replacements: vec![Replacement { file: place("").file, start: 9, end: 3, text: text() }],
    });
    evil.places = vec![place(HOSTILE), place("")];
    evil.package = Some(Package { name: text(), version: text(), purl: text() });
    evil.advisory =
        Some(Advisory { id: text(), aliases: vec![text(); 9], url: format!("https://a.example/{}", text()) });
    evil.reach = Some(Reach::Reached);
    let mut unknown = evil.clone();
    unknown.rule = text();
    unknown.fingerprint = Fingerprint(text());
    unknown.suppression = Some(Suppression { kind: text(), reason: text() });
    let huge = format!("x = \"{}\" + evil(params) + \"{}\"", "é".repeat(400_000), "<".repeat(400_000));
    let mut long = finding(&RULES[3], Confidence::Medium, 1, place(&huge));
    long.location.start.column = 400_010;
    long.location.end.column = 400_022;
    long.message = format!("`{}`", "m".repeat(100_000));
    // A place that does not fit its snippet at all.
    let mut beyond =
        finding(&RULES[2], Confidence::Low, 2, location("a.rb", (0, 0), (900, 0), "\r\n\tx\r\n"));
    beyond.message = "=HYPERLINK(\"https://example.org\")".to_owned();
    let mut nothing = finding(&RULES[0], Confidence::Low, 3, location("", (9, 9), (1, 1), ""));
    nothing.severity = Severity::Info;
    Report {
        version: text(),
        root: text(),
        started: None,
        findings: vec![evil, long, beyond, nothing, unknown],
        rules: RULES.iter().collect(),
        problems: vec![Problem { file: place("").file, line: Some(0), message: text(), unread: true }],
        endpoints: Vec::new(),
        feeds: Vec::new(),
        stats: Stats { phases: vec![(text(), -1.0)], ..Stats::default() },
    }
}

/// Nothing found, nothing said.
pub fn empty() -> Report {
    Report {
        version: "0.1.0".to_owned(),
        root: ".".to_owned(),
        started: None,
        findings: Vec::new(),
        rules: Vec::new(),
        problems: Vec::new(),
        endpoints: Vec::new(),
        feeds: Vec::new(),
        stats: Stats::default(),
    }
}

pub fn written(format: Format, report: &Report) -> String {
    written_as(format, report, &Style::default())
}

pub fn written_as(format: Format, report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    wardroom_report::write(format, report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
