//! What the engine knows of Ruby, Rails and gems: sources, sinks, sanitizers and how methods hand
//! data on. All of it is data, in the files of `knowledge/`; users add their own in the same format.

use std::ops::{BitAnd, BitOr, BitOrAssign};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use wardroom_ruby::ir::Name;

/// The files that are built in.
const BUILT_IN: &[(&str, &str)] = &[
    ("ruby.toml", include_str!("../knowledge/ruby.toml")),
    ("rails.toml", include_str!("../knowledge/rails.toml")),
    ("gems.toml", include_str!("../knowledge/gems.toml")),
    ("injection.toml", include_str!("../knowledge/injection.toml")),
    ("markup.toml", include_str!("../knowledge/markup.toml")),
    ("files.toml", include_str!("../knowledge/files.toml")),
    ("access.toml", include_str!("../knowledge/access.toml")),
    ("data.toml", include_str!("../knowledge/data.toml")),
];

macro_rules! marks {
    ($($name:ident = $word:literal : $doc:literal),* $(,)?) => {
        /// A kind of sink: what goes wrong if an outsider's data gets there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum Mark { $(#[doc = $doc] $name),* }

        impl Mark {
            /// Every kind.
            pub const ALL: &[Mark] = &[$(Mark::$name),*];

            /// The word used in knowledge files.
            pub fn as_str(self) -> &'static str {
                match self { $(Mark::$name => $word),* }
            }
        }
    };
}

marks! {
    Sql = "sql": "Text of an SQL statement.",
    SqlIdentifier = "sql-identifier": "An argument that recent Rails checks to be a column name (`order`, `pluck`).",
    NoSql = "no-sql": "A document database's query.",
    Ldap = "ldap": "An LDAP filter.",
    XPath = "x-path": "An XPath expression.",
    Command = "command": "A command line that a shell reads.",
    Argument = "argument": "An argument of a program that no shell reads.",
    Code = "code": "Ruby code.",
    Method = "method": "The name of a method to call.",
    Constant = "constant": "The name of a constant to look up.",
    Variable = "variable": "The name of an instance variable or attribute to set.",
    Template = "template": "The source of a template.",
    Format = "format": "A format string.",
    Header = "header": "A response header.",
    Log = "log": "A line of the log.",
    MailHeader = "mail-header": "A header of an e-mail.",
    Html = "html": "Markup that is not escaped.",
    HtmlAttribute = "html-attribute": "The name of a tag or attribute, or an attribute without quotes.",
    Url = "url": "The start of a URL in a page: the scheme can be `javascript:`.",
    Script = "script": "JavaScript in a page.",
    Style = "style": "CSS in a page.",
    Path = "path": "The path of a file to read or list.",
    PathWrite = "path-write": "The path of a file to write or remove.",
    SendFile = "send-file": "The path of a file to send to the client.",
    Render = "render": "The name of a template or file to render.",
    Open = "open": "`Kernel#open`: a pipe or a URL as well as a file.",
    Request = "request": "The host of an outgoing request.",
    Redirect = "redirect": "The target of a redirect.",
    Xml = "xml": "XML for a parser that resolves entities.",
    Deserialize = "deserialize": "Bytes that become objects.",
    Regex = "regex": "A pattern.",
    RegexInput = "regex-input": "Text matched against a slow pattern.",
    Symbol = "symbol": "Text made a symbol.",
    Limit = "limit": "A bound on how much is loaded.",
    MassAssign = "mass-assign": "Attributes set in bulk.",
    Session = "session": "The name of a session or cookie key.",
    Archive = "archive": "An archive to unpack.",
    Email = "email": "The recipient of a message.",
    Secret = "secret": "A key or secret.",
}

/// A set of [`Mark`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u64);

impl Marks {
    /// None.
    pub const NONE: Marks = Marks(0);
    /// All: the data can do no harm anywhere.
    pub const ALL: Marks = Marks(u64::MAX);

    /// No kind of sink: it stands for a check of unknown worth on an expression.
    pub(crate) const GUARDED: Marks = Marks(1 << 63);

    /// Whether all of another set are in it.
    pub(crate) fn covers(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set without another's members.
    pub(crate) fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }

    /// A set of one.
    pub const fn of(mark: Mark) -> Marks {
        Marks(1 << mark as u8)
    }

    /// A set of these.
    pub const fn of_all(marks: &[Mark]) -> Marks {
        let mut set = 0;
        let mut i = 0;
        while i < marks.len() {
            set |= 1 << marks[i] as u8;
            i += 1;
        }
        Marks(set)
    }

    /// Whether a mark is in it.
    pub fn has(self, mark: Mark) -> bool {
        self.0 & Marks::of(mark).0 != 0
    }
}

impl BitAnd for Marks {
    type Output = Marks;

    fn bitand(self, other: Marks) -> Marks {
        Marks(self.0 & other.0)
    }
}

impl BitOr for Marks {
    type Output = Marks;

    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Marks) {
        self.0 |= other.0;
    }
}

/// Who wrote the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Request parameters (also Grape's, GraphQL's, ActionCable's).
    Params,
    /// Cookies that the client can write.
    Cookie,
    /// Request headers, URL, host, body.
    Request,
    /// Uploaded files.
    Upload,
    /// What users stored earlier: model attributes.
    Stored,
    /// What another system answered.
    Remote,
    /// Arguments of a job.
    Job,
    /// What a command line or the environment says: its writer runs the program.
    Local,
}

/// On what a method of an entry is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Anything.
    Any,
    /// Nothing: a call on `self` without saying so.
    Own,
    /// A model class, relation or association that is known as such.
    Record,
    /// As `Record`, or something of which nothing is known.
    MaybeRecord,
    /// One record.
    Object,
    /// A database connection.
    Connection,
    /// A constant by its path (or its last parts).
    Constant(Name),
    /// An object of a class by its name.
    Instance(Name),
    /// Something of which nothing is known.
    Unknown,
    /// What a call of this name gives: `.headers` for `response.headers`.
    Called(Name),
}

/// Which arguments matter.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// By position; empty with `all` unset means the first.
    pub positions: Vec<u8>,
    /// Every positional argument.
    pub all: bool,
    /// The receiver itself.
    pub receiver: bool,
    /// By keyword.
    pub keywords: Vec<Name>,
}

/// A method that must not get an outsider's data.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The kind.
    pub mark: Mark,
    /// On what.
    pub on: Vec<Receiver>,
    /// Which arguments.
    pub arguments: Arguments,
    /// Of an array argument only the first member matters (`where(["a = ?", x])`).
    pub array_first: bool,
    /// A hash argument is safe, whatever is in it.
    pub hash_safe: bool,
}

/// A method whose result carries an outsider's data.
#[derive(Clone, Debug)]
pub struct Source {
    /// Who wrote the data.
    pub kind: SourceKind,
    /// On what.
    pub on: Vec<Receiver>,
}

/// A method that makes data harmless for some sinks.
#[derive(Clone, Debug)]
pub struct Sanitizer {
    /// On what.
    pub on: Vec<Receiver>,
    /// For which sinks.
    pub clears: Marks,
    /// Its result is `html_safe`.
    pub markup: bool,
}

/// A declaration that names methods which a library calls with what a request holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Callback {
    /// The declarations: `scoped_search`, or a class method that lists the names.
    pub macros: Vec<String>,
    /// Keywords that name the method.
    pub keywords: Vec<String>,
    /// Positional arguments that name it.
    pub positions: Vec<usize>,
    /// `macros` are class methods in whose body the names stand.
    pub listed: bool,
    /// Keys of the hash that it gives back under which the library takes SQL.
    pub sql: Vec<String>,
    /// Which of the called method's parameters hold the request's data; all where this is empty.
    pub data: Vec<usize>,
}

/// What a method hands to its block.
#[derive(Clone, Debug)]
pub struct BlockSource {
    /// Who wrote the data.
    pub kind: SourceKind,
    /// On what.
    pub on: Vec<Receiver>,
    /// What a finding calls it.
    pub words: Name,
}

/// How a method that is not the application's own hands data on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Nothing: its result is harmless.
    Nothing,
    /// The receiver's data.
    Receiver,
    /// The arguments' data.
    Arguments,
    /// Both.
    Both,
    /// A member of the receiver.
    Element,
    /// The receiver itself, shape and all.
    Same,
    /// The first argument itself.
    First,
}

/// All of it, by method name.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// Sinks.
    pub sinks: FxHashMap<Name, Vec<Sink>>,
    /// Sources.
    pub sources: FxHashMap<Name, Vec<Source>>,
    /// Sanitizers.
    pub sanitizers: FxHashMap<Name, Vec<Sanitizer>>,
    /// How methods hand data on.
    pub carries: FxHashMap<Name, Carries>,
    /// Classes of which methods give an object.
    pub makes: FxHashMap<Name, Vec<(Vec<Receiver>, Name)>>,
    /// Methods of which a user's file says that they are sources or sanitizers.
    pub told: FxHashSet<Name>,
    /// Declarations that make methods callbacks.
    pub callbacks: Vec<Callback>,
    /// Methods whose block is given what a client sent.
    pub blocks: FxHashMap<Name, BlockSource>,
}

/// A knowledge file that does not read.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct KnowledgeError {
    /// Its name.
    pub file: String,
    /// What is wrong and where.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntries {
    #[serde(default)]
    sink: Vec<SinkEntry>,
    #[serde(default)]
    source: Vec<SourceEntry>,
    #[serde(default)]
    sanitizer: Vec<SanitizerEntry>,
    #[serde(default)]
    carry: Vec<CarryEntry>,
    #[serde(default)]
    object: Vec<ObjectEntry>,
    #[serde(default)]
    callback: Vec<Callback>,
    #[serde(default)]
    block: Vec<BlockEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockEntry {
    kind: SourceKind,
    #[serde(default = "anything")]
    on: Vec<String>,
    methods: Vec<String>,
    words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectEntry {
    class: String,
    on: Vec<String>,
    methods: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SinkEntry {
    kind: Mark,
    #[serde(default = "anything")]
    on: Vec<String>,
    methods: Vec<String>,
    #[serde(default)]
    arguments: Vec<ArgumentEntry>,
    #[serde(default)]
    array_first: bool,
    #[serde(default)]
    hash_safe: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ArgumentEntry {
    Position(u8),
    Word(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    kind: SourceKind,
    #[serde(default = "anything")]
    on: Vec<String>,
    methods: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SanitizerEntry {
    #[serde(default = "anything")]
    on: Vec<String>,
    methods: Vec<String>,
    clears: Vec<String>,
    #[serde(default)]
    markup: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CarryEntry {
    what: Carries,
    methods: Vec<String>,
}

fn anything() -> Vec<String> {
    vec!["any".to_owned()]
}

fn receivers(words: &[String]) -> Vec<Receiver> {
    words
        .iter()
        .map(|word| match word.as_str() {
            "any" => Receiver::Any,
            "own" => Receiver::Own,
            "record" => Receiver::Record,
            "maybe-record" => Receiver::MaybeRecord,
            "object" => Receiver::Object,
            "connection" => Receiver::Connection,
            "unknown" => Receiver::Unknown,
            _ => match (word.strip_prefix('#'), word.strip_prefix('.')) {
                (Some(class), _) => Receiver::Instance(Name::from(class)),
                (_, Some(call)) => Receiver::Called(Name::from(call)),
                _ => Receiver::Constant(Name::from(word.as_str())),
            },
        })
        .collect()
}

impl Knowledge {
    /// What is built in.
    pub fn built_in() -> Result<Knowledge, KnowledgeError> {
        let mut knowledge = Knowledge::default();
        for (name, text) in BUILT_IN {
            knowledge.read(name, text, false)?;
        }
        Ok(knowledge)
    }

    /// Adds the entries of a user's file. What it says of a method goes before what is built in and
    /// before the method's own code.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), KnowledgeError> {
        self.read(file, text, true)
    }

    fn read(&mut self, file: &str, text: &str, told: bool) -> Result<(), KnowledgeError> {
        let error = |message: String| KnowledgeError { file: file.to_owned(), message };
        let entries: FileEntries = toml::from_str(text).map_err(|e| error(e.to_string()))?;
        for entry in entries.sink {
            let mut arguments = Arguments::default();
            for argument in entry.arguments {
                match argument {
                    ArgumentEntry::Position(position) => arguments.positions.push(position),
                    ArgumentEntry::Word(word) if word == "all" => arguments.all = true,
                    ArgumentEntry::Word(word) if word == "receiver" => arguments.receiver = true,
                    ArgumentEntry::Word(word) => arguments.keywords.push(Name::from(word.as_str())),
                }
            }
            if arguments.positions.is_empty()
                && !arguments.all
                && !arguments.receiver
                && arguments.keywords.is_empty()
            {
                arguments.positions.push(0);
            }
            let sink = Sink {
                mark: entry.kind,
                on: receivers(&entry.on),
                arguments,
                array_first: entry.array_first,
                hash_safe: entry.hash_safe,
            };
            for method in entry.methods {
                self.sinks.entry(Name::from(method.as_str())).or_default().push(sink.clone());
            }
        }
        for entry in entries.source {
            let source = Source { kind: entry.kind, on: receivers(&entry.on) };
            for method in entry.methods {
                let method = Name::from(method.as_str());
                if told {
                    self.told.insert(method);
                }
                let list = self.sources.entry(method).or_default();
                list.insert(if told { 0 } else { list.len() }, source.clone());
            }
        }
        for entry in entries.block {
            let given = BlockSource {
                kind: entry.kind,
                on: receivers(&entry.on),
                words: Name::from(entry.words.as_str()),
            };
            for method in entry.methods {
                self.blocks.insert(Name::from(method.as_str()), given.clone());
            }
        }
        for entry in entries.sanitizer {
            let mut clears = Marks::NONE;
            for word in &entry.clears {
                clears |= match word.as_str() {
                    "all" => Marks::ALL,
                    word => match Mark::ALL.iter().find(|m| m.as_str() == word) {
                        Some(mark) => Marks::of(*mark),
                        None => {
                            return Err(error(format!(
                                "`{word}` is no kind of sink (in the sanitizer {:?})",
                                entry.methods
                            )));
                        }
                    },
                };
            }
            let sanitizer = Sanitizer { on: receivers(&entry.on), clears, markup: entry.markup };
            for method in entry.methods {
                let method = Name::from(method.as_str());
                let list = self.sanitizers.entry(method).or_default();
                if told {
                    self.told.insert(method);
                    list.insert(0, sanitizer.clone());
                } else {
                    list.push(sanitizer.clone());
                }
            }
        }
        let mut carried: FxHashMap<Name, Carries> = FxHashMap::default();
        for entry in entries.carry {
            for method in entry.methods {
                let name = Name::from(method.as_str());
                if carried.insert(name, entry.what).is_some_and(|before| before != entry.what) {
                    return Err(error(format!("`{method}` is said to carry two different things")));
                }
            }
        }
        self.carries.extend(carried);
        for entry in entries.object {
            let class = Name::from(entry.class.as_str());
            for method in entry.methods {
                self.makes
                    .entry(Name::from(method.as_str()))
                    .or_default()
                    .push((receivers(&entry.on), class));
            }
        }
        self.callbacks.extend(entries.callback);
        Ok(())
    }
}
