//! XML as plain elements. Entities that a document declares are never expanded, and nothing outside is read.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::LONGEST_TEXT;

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name without a prefix.
    pub name: String,
    /// Its attributes, names without a prefix.
    pub attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// Its own text and CDATA, put together.
    pub text: String,
}

/// Deepest nesting: reports have about ten levels.
const DEEPEST: usize = 128;
/// Most elements and attributes together.
const MOST: usize = 4_000_000;
/// Most attributes of one element.
const MOST_ATTRIBUTES: usize = 1000;

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|c| c.name == name)
    }

    /// All children of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The first element that a path of names leads to: `host/ports/port`.
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The trimmed text at a path; empty where there is none.
    pub fn text_at(&self, path: &str) -> String {
        self.at(path).map(|e| start_of(e.text.trim()).to_owned()).unwrap_or_default()
    }

    /// An attribute, trimmed; empty where there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(n, _)| n == name).map_or("", |(_, v)| start_of(v.trim()))
    }

    /// Every element of that name below this one, in the document's order.
    pub fn below<'a>(&'a self, name: &'a str) -> Vec<&'a Element> {
        let mut found = Vec::new();
        // Depth is bounded by the parser.
        fn walk<'a>(element: &'a Element, name: &str, found: &mut Vec<&'a Element>) {
            for child in &element.children {
                if child.name == name {
                    found.push(child);
                }
                walk(child, name, found);
            }
        }
        walk(self, name, &mut found);
        found
    }
}

/// What is taken of a text: what a check says of itself may stand once and be told a hundred thousand times.
fn start_of(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Parses a document; one that ends too early gives what stands before.
pub(super) fn parse(text: &str, cut: &mut impl FnMut(usize, String)) -> Result<Element, (usize, String)> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut count = 0usize;
    let line = |at: u64| {
        text.get(..usize::try_from(at).unwrap_or(usize::MAX)).unwrap_or(text).matches('\n').count() + 1
    };
    let mut wrong = None;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                wrong = Some(error.to_string());
                break;
            }
        };
        match event {
            Event::Start(start) => {
                let element = element(&start);
                count += 1 + element.attributes.len();
                if open.len() >= DEEPEST || count > MOST {
                    return Err(too_much(line(reader.buffer_position())));
                }
                open.push(element);
            }
            Event::Empty(start) => {
                let element = element(&start);
                count += 1 + element.attributes.len();
                if count > MOST {
                    return Err(too_much(line(reader.buffer_position())));
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = root.or(Some(element)),
                }
            }
            Event::End(_) => {
                let Some(done) = open.pop() else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = root.or(Some(done)),
                }
            }
            Event::Text(piece) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&piece.xml10_content());
                }
            }
            Event::CData(piece) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&piece.xml10_content());
                }
            }
            Event::GeneralRef(name) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&reference(&name));
                }
            }
            Event::Eof => break,
            // A document type may declare entities: none is taken.
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
    if wrong.is_some() || !open.is_empty() {
        let at = line(reader.buffer_position());
        let why = wrong.unwrap_or_else(|| "the XML ends in the middle".to_owned());
        while let Some(done) = open.pop() {
            match open.last_mut() {
                Some(parent) => parent.children.push(done),
                None => root = root.or(Some(done)),
            }
        }
        if root.is_some() {
            cut(at, format!("{why}; what stands before was read"));
        } else {
            return Err((at, why));
        }
    }
    root.ok_or_else(|| (1, "there is no element".to_owned()))
}

fn too_much(line: usize) -> (usize, String) {
    (line, format!("more than {DEEPEST} levels or {MOST} elements and attributes are not read"))
}

/// What a reference stands for: the five of XML itself and numbers; others stay as they are written.
fn reference(name: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = name.resolve_char_ref() {
        return character.to_string();
    }
    let name: &str = name;
    quick_xml::escape::resolve_predefined_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start
        .attributes()
        .with_checks(false)
        .flatten()
        .take(MOST_ATTRIBUTES)
        .map(|attribute| {
            let raw = attribute.value.to_string();
            let value = quick_xml::escape::unescape(&raw).map_or_else(|_| raw.clone(), |v| v.into_owned());
            (attribute.key.local_name().as_ref().to_owned(), value)
        })
        .collect();
    Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() }
}
