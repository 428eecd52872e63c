//! YAML from the parser's events. Aliases are unfolded, within a bound that a compose file does not
//! reach and a billion laughs does.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle};
use rustc_hash::FxHashMap;

use super::{Broken, DEEPEST, MOST_NODES, Name, Node, Value, span};

/// Most values that aliases may add to a file.
const MOST_UNFOLDED: usize = 100_000;

/// Reads a YAML text: its documents as far as they could be read, and where reading broke.
pub fn yaml(text: &str) -> (Vec<Node<'_>>, Option<Broken>) {
    let mut builder = Builder::default();
    let options = granit_parser::options! { emit_comments: false };
    let mut broken = None;
    for next in Parser::new_from_str_with_options(text, options) {
        let result = match next {
            Ok((event, range)) => {
                let range = range.byte_range().unwrap_or_default();
                builder.take(event, span(range.start, range.end))
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                let message = error.info().lines().next().unwrap_or("this is no YAML").to_owned();
                Err(Broken { at, message })
            }
        };
        if let Err(error) = result {
            broken = Some(error);
            break;
        }
    }
    // What was open when it broke is closed as it is.
    while !builder.open.is_empty() {
        builder.close(text.len() as u32);
    }
    (builder.documents, broken)
}

#[derive(Default)]
struct Builder<'t> {
    documents: Vec<Node<'t>>,
    open: Vec<Frame<'t>>,
    anchors: FxHashMap<usize, Node<'t>>,
    nodes: usize,
    unfolded: usize,
}

struct Frame<'t> {
    node: Node<'t>,
    name: Option<Name<'t>>,
    anchor: usize,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, at: (u32, u32)) -> Result<(), Broken> {
        match event {
            Event::Scalar(words, style, anchor, _) => {
                let node = Node { value: scalar(words, style), span: at };
                self.add(node, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Value::List(Vec::new()), anchor, at),
            Event::MappingStart(_, anchor, _) => self.begin(Value::Map(Vec::new()), anchor, at),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(at.1);
                Ok(())
            }
            Event::Alias(id) => {
                let size = self.anchors.get(&id).map_or(1, Node::size);
                self.unfolded += size;
                if self.unfolded > MOST_UNFOLDED {
                    return Err(Broken::new(at.0 as usize, "aliases unfold to more than is read"));
                }
                let node = self.anchors.get(&id).cloned().unwrap_or_default();
                self.add(node, 0)
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, value: Value<'t>, anchor: usize, at: (u32, u32)) -> Result<(), Broken> {
        if self.open.len() >= DEEPEST {
            return Err(Broken::new(at.0 as usize, "this is nested too deeply"));
        }
        self.open.push(Frame { node: Node { value, span: at }, name: None, anchor });
        Ok(())
    }

    fn close(&mut self, end: u32) {
        if let Some(mut frame) = self.open.pop() {
            frame.node.span.1 = end.max(frame.node.span.0);
            if let (Some(name), Value::Map(entries)) = (frame.name.take(), &mut frame.node.value) {
                entries.push((name, Node::default()));
            }
            // An error here was an error when the node began.
            let _ = self.add(frame.node, frame.anchor);
        }
    }

    fn add(&mut self, node: Node<'t>, anchor: usize) -> Result<(), Broken> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Broken::new(node.span.0 as usize, "the file holds more values than are read"));
        }
        if anchor != 0 {
            self.unfolded += node.size();
            if self.unfolded > MOST_UNFOLDED {
                return Err(Broken::new(node.span.0 as usize, "aliases unfold to more than is read"));
            }
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut frame.node.value {
            Value::Map(entries) => match frame.name.take() {
                Some(name) => entries.push((name, node)),
                None => {
                    let span = node.span;
                    let text = match node.value {
                        Value::Text(text) => text,
                        Value::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
                        _ => Cow::Borrowed(""),
                    };
                    frame.name = Some(Name { text, span });
                }
            },
            Value::List(items) => items.push(node),
            _ => {}
        }
        Ok(())
    }
}

fn scalar(words: Cow<'_, str>, style: ScalarStyle) -> Value<'_> {
    if style != ScalarStyle::Plain {
        return Value::Text(words);
    }
    match words.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ => Value::Text(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_bytes() {
        let text = "a: 3.10\nb:\n  - x\n  - 'true'\nc: &c {d: e}\nf:\n  <<: *c\n  g: h\n";
        let (documents, broken) = yaml(text);
        assert_eq!(broken, None);
        let root = &documents[0];
        assert_eq!(root.text_of("a"), "3.10");
        assert_eq!(root.items_of("b")[1].text(), "true");
        assert_eq!(root.at(&["f", "d"]).unwrap().text(), "e");
        let name = &root.entries()[1].0;
        assert_eq!(&text[name.span.0 as usize..name.span.1 as usize], "b");
    }

    #[test]
    fn laughs_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let line = vec![format!("*a{}", level - 1); 9].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{line}]\n"));
        }
        let (documents, broken) = yaml(&text);
        assert_eq!(broken.unwrap().message, "aliases unfold to more than is read");
        assert_eq!(documents[0].items_of("a0").len(), 9);
        assert!(yaml(&"[".repeat(50_000)).1.is_some());
        assert!(yaml(&"- ".repeat(5_000)).1.is_some());
    }

    #[test]
    fn what_stands_before_the_break_is_kept() {
        let (documents, broken) = yaml("a: 1\nb:\n  c: 2\n  d: [3, 4\n");
        assert!(broken.is_some());
        assert_eq!(documents[0].text_of("a"), "1");
        assert_eq!(documents[0].at(&["b", "c"]).unwrap().text(), "2");
    }
}
