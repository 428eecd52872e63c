//! Templates: each engine turns its source into Ruby code ([`Compiled`]), which is then parsed like
//! any other.
//!
//! The Ruby that comes out writes to the page with two marker variables, so that it always parses
//! where the template does:
//!
//! ```text
//! <%= title %>        _o= title        (escaped unless html_safe)
//! <%== title %>       _o= title        (raw: the difference stands in Compiled::outs)
//! ```
//!
//! `_o=` is an assignment, hence it takes a command call and a `do` block without parentheses.
//! Lowering turns every assignment to [`MARKER`] into [`crate::ir::Kind::Out`].

pub mod erb;
pub mod haml;
pub mod html;
pub mod slim;

use crate::ir::{Escape, HtmlContext};

/// The variable to which compiled templates assign what they write.
pub const MARKER: &str = "_o";

/// The engine of a template, by its last extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// `.erb`, `.rhtml`
    Erb,
    /// `.haml`
    Haml,
    /// `.slim`
    Slim,
    /// `.rb`, `.ruby`, `.jbuilder`, `.builder`, `.rxml`, `.rjs`, `.arb`, `.prawn`, `.axlsx`, `.rabl`: plain Ruby
    Ruby,
}

/// What the compilers need to know of the application around the template.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The page is HTML (by the format in the file's name); otherwise nothing is escaped.
    pub html: bool,
    /// `=` escapes by default. False before Rails 3 (where `<%= %>` is raw and `h` was the way).
    pub escape: bool,
    /// Haml's major version, as locked (filters escape their interpolation in 5 and not in 6).
    pub haml_major: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options { html: true, escape: true, haml_major: 6 }
    }
}

/// A template turned into Ruby.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// The code.
    pub ruby: String,
    /// Which stretches of `ruby` were copied from which place in the template, in order of `ruby`,
    /// not overlapping. What lies in no stretch was made up by the compiler.
    pub map: Vec<Copied>,
    /// One for each `_o=` in `ruby`, in order: its offset there and what it means.
    pub outs: Vec<OutMark>,
    /// What could not be understood: offset in the template and a sentence.
    pub problems: Vec<(u32, String)>,
}

/// `len` bytes at `ruby` come from `template`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Offset in the Ruby code.
    pub ruby: u32,
    /// Offset in the template.
    pub template: u32,
    /// Bytes.
    pub len: u32,
}

/// What one `_o=` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutMark {
    /// Offset of the marker in the Ruby code.
    pub ruby: u32,
    /// Offset of the tag in the template.
    pub template: u32,
    /// What the engine does to the value.
    pub escape: Escape,
    /// Where it lands.
    pub context: HtmlContext,
}

impl Compiled {
    /// Appends code that stands in the template at `offset`.
    pub fn copy(&mut self, code: &str, offset: u32) {
        if let Some(last) = self.map.last_mut()
            && last.ruby + last.len == self.ruby.len() as u32
            && last.template + last.len == offset
        {
            last.len += code.len() as u32;
        } else if !code.is_empty() {
            self.map.push(Copied { ruby: self.ruby.len() as u32, template: offset, len: code.len() as u32 });
        }
        self.ruby.push_str(code);
    }

    /// Appends code that stands nowhere in the template.
    pub fn synthesise(&mut self, code: &str) {
        self.ruby.push_str(code);
    }

    /// Starts an output: appends the marker. The expression follows, then a newline.
    pub fn out(&mut self, offset: u32, escape: Escape, context: HtmlContext) {
        self.outs.push(OutMark { ruby: self.ruby.len() as u32, template: offset, escape, context });
        self.ruby.push_str(MARKER);
        self.ruby.push_str("= ");
    }

    /// The place in the template of an offset in the Ruby code: exact inside a copied stretch,
    /// otherwise the start of the next one (or the end of the last).
    pub fn locate(&self, ruby: u32) -> u32 {
        let next = self.map.partition_point(|c| c.ruby <= ruby);
        if let Some(copied) = next.checked_sub(1).map(|i| self.map[i])
            && (ruby < copied.ruby + copied.len || next == self.map.len())
        {
            return copied.template + (ruby - copied.ruby).min(copied.len);
        }
        self.map.get(next).map_or(0, |c| c.template)
    }

    /// The same of an offset behind a stretch of code: just behind the place of the byte before it. Code
    /// that was made up takes no room in the template, so that nothing ends behind the template's end.
    pub fn locate_end(&self, ruby: u32) -> u32 {
        let Some(last) = ruby.checked_sub(1) else { return self.locate(0) };
        let next = self.map.partition_point(|c| c.ruby <= last);
        match next.checked_sub(1).map(|i| self.map[i]) {
            Some(copied) if last < copied.ruby + copied.len => copied.template + (last - copied.ruby) + 1,
            _ => self.locate(last),
        }
    }
}

/// Compiles a template of one of the engines that need it; plain Ruby comes back as it is.
pub fn compile(engine: Engine, source: &str, options: &Options) -> Compiled {
    match engine {
        Engine::Erb => erb::compile(source, options),
        Engine::Haml => haml::compile(source, options),
        Engine::Slim => slim::compile(source, options),
        Engine::Ruby => {
            let mut compiled = Compiled::default();
            compiled.copy(source, 0);
            compiled
        }
    }
}
