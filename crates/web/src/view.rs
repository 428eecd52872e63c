//! What templates show: times in words, icons, faces, and the frame around every page.

use jiff::Timestamp;
use wardroom_desk::Millis;
use wardroom_service::Person;

use crate::markdown::Safe;
use crate::session::Viewer;
use crate::{App, assets};

/// An icon of the sprite.
pub fn icon(name: &str) -> Safe {
    Safe::icon(match name {
        "inbox" => "inbox",
        "queue" => "queue",
        "board" => "board",
        "surface" => "surface",
        "metrics" => "metrics",
        "program" => "program",
        "admin" => "admin",
        "search" => "search",
        "menu" => "menu",
        "plus" => "plus",
        "x" => "x",
        "check" => "check",
        "copy" => "copy",
        "more" => "more",
        "path" => "path",
        "probe" => "probe",
        "trace" => "trace",
        "file" => "file",
        "folder" => "folder",
        "key" => "key",
        "download" => "download",
        "branch" => "branch",
        "link" => "link",
        "undo" => "undo",
        "book" => "book",
        _ => "warn",
    })
}

/// How long ago, in the shortest words that are true: `3 h`, `26 d`, `4 mo`.
pub fn length(millis: Millis) -> String {
    let minutes = millis.max(0) / 60_000;
    match minutes {
        0 => "now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2_880 => format!("{} h", minutes / 60),
        2_880..129_600 => format!("{} d", minutes / 1_440),
        129_600..1_051_200 => format!("{} mo", minutes / 43_800),
        _ => format!("{} y", minutes / 525_600),
    }
}

/// A moment as people read it beside a relative one: `2026-11-27 18:50 UTC`.
pub fn moment(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A moment for machines: the `datetime` of a `<time>`.
pub fn datetime(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A day as people read it: `27 Nov`, with the year where it is another one.
pub fn day(at: Millis, now: Millis) -> String {
    let (at, now) = (
        Timestamp::from_millisecond(at).unwrap_or_default(),
        Timestamp::from_millisecond(now).unwrap_or_default(),
    );
    let same = at.strftime("%Y").to_string() == now.strftime("%Y").to_string();
    let text = at.strftime(if same { "%d %b" } else { "%d %b %Y" }).to_string();
    text.trim_start_matches('0').to_owned()
}

/// `time ago`, or a day where that says more.
pub fn ago(at: Millis, now: Millis) -> String {
    if now - at < 60_000 {
        "just now".to_owned()
    } else if now - at < 2 * 86_400_000 {
        format!("{} ago", length(now - at))
    } else {
        day(at, now)
    }
}

/// A word with a capital: `in_progress` is `In progress`.
pub fn title(word: &str) -> String {
    let text = word.replace(['_', '-'], " ");
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// A number with a space between thousands.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Somebody in a list: colour and letters of their face.
#[derive(Clone, Debug, Default)]
pub struct Face {
    /// Login.
    pub login: String,
    /// Name.
    pub name: String,
    /// One to six.
    pub colour: u32,
    /// Two letters.
    pub initials: String,
}

impl Face {
    /// The face of a login, with the name of whoever has it.
    pub fn of(login: &str, person: Option<&Person>) -> Face {
        let name = person.map_or(login, |p| p.name.as_str());
        let mut letters = name.split_whitespace().filter_map(|w| w.chars().next());
        let initials: String = match (letters.next(), letters.next_back()) {
            (Some(a), Some(b)) => [a, b].iter().collect(),
            _ => name.chars().take(2).collect(),
        };
        let colour =
            login.bytes().fold(0_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))) % 6 + 1;
        Face { login: login.to_owned(), name: name.to_owned(), colour, initials: initials.to_uppercase() }
    }
}

/// An entry of a menu.
#[derive(Clone, Debug, Default)]
pub struct Item {
    pub href: String,
    pub label: String,
    pub icon: &'static str,
    pub current: bool,
    pub count: u64,
    pub of: &'static str,
}

/// A saved search in the menu.
#[derive(Clone, Debug, Default)]
pub struct SavedView {
    pub href: String,
    pub name: String,
    pub search: String,
    pub count: u64,
    pub late: bool,
}

/// What a page says of what was just done.
#[derive(Clone, Debug)]
pub struct Said {
    pub text: String,
    pub undo: Option<u64>,
}

/// Everything around a page's content.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub title: String,
    pub css: String,
    pub js: String,
    pub icon: String,
    pub theme: String,
    pub nav: Vec<Item>,
    pub setup: Vec<Item>,
    pub views: Vec<SavedView>,
    pub name: String,
    pub login: String,
    pub initials: String,
    pub face: u32,
    pub csrf: String,
    pub search: String,
    pub here: String,
    pub may_open: bool,
    pub origin: String,
    pub said: Option<Said>,
}

impl Frame {
    /// The frame of a page for somebody. `here` is the page's own address.
    pub async fn of(app: &App, viewer: &Viewer, title: &str, here: &str) -> Frame {
        let face = Face::of(&viewer.person.login, Some(&viewer.person));
        let said = crate::pages::said::take(app, viewer).await;
        let views = crate::pages::views::for_menu(app, viewer).await;
        let (inbox, open, may_open) = crate::pages::counts(app, viewer);
        let item = |href: &str, label: &str, icon: &'static str, count: u64, of: &'static str| Item {
            current: here == href
                || here.starts_with(&format!("{href}/"))
                || here.starts_with(&format!("{href}?")),
            href: href.to_owned(),
            label: label.to_owned(),
            icon,
            count,
            of,
        };
        let mut setup =
            vec![item("/program", "Program", "program", 0, ""), item("/rules", "Rules", "book", 0, "")];
        if viewer.caller.role.admin {
            setup.push(item("/admin", "Administration", "admin", 0, ""));
        }
        Frame {
            title: title.to_owned(),
            css: assets::address("wardroom.css"),
            js: assets::address("wardroom.js"),
            icon: assets::address("wardroom.svg"),
            theme: viewer.session.theme.clone(),
            nav: vec![
                item("/inbox", "Inbox", "inbox", inbox, "waiting"),
                item("/queue", "Queue", "queue", open, "open"),
                item("/board", "Board", "board", 0, ""),
                item("/surface", "Surface", "surface", 0, ""),
                item("/metrics", "Metrics", "metrics", 0, ""),
            ],
            setup,
            views,
            name: viewer.person.name.clone(),
            login: viewer.person.login.clone(),
            initials: face.initials,
            face: face.colour,
            csrf: viewer.session.csrf.clone(),
            search: String::new(),
            here: here.to_owned(),
            may_open,
            origin: app.origin.0.clone(),
            said,
        }
    }
}
