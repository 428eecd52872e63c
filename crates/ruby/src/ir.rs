//! The plain-data tree that every analysis reads: Ruby as Prism parses it and templates as they
//! compile to Ruby, with the sugar taken off and the place of every node kept.
//!
//! Shapes that mean the same are one shape here: `a.b = c` is a call of `b=`, `a[b]` a call of `[]`,
//! `unless` an `If` with its branches swapped, a string without interpolation a `Str` however it was
//! written. Op-assignments keep their operator (`a ||= b`) in [`Assign`].

use serde::Serialize;

pub use ustr::Ustr;

/// An interned name: cheap to copy and to compare.
pub type Name = Ustr;

/// A stretch of the file, in bytes of the original source (for templates too).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Just past the last byte.
    pub end: u32,
}

/// A node and its place.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, Serialize)]
pub enum Kind {
    /// `nil`, and whatever is empty (an empty body, missing `else`).
    Nil,
    /// `true`
    True,
    /// `false`
    False,
    /// `self`
    SelfRef,
    /// An integer that fits; a larger one is clamped.
    Int(i64),
    /// A float, rational or imaginary literal.
    Float(f64),
    /// A string literal without interpolation.
    Str(Box<str>),
    /// `:name`, and `name:` as a hash key.
    Sym(Name),
    /// `"a#{b}"`, `:"a#{b}"`, backticks, regexps: parts in order, literal parts are `Str`.
    Interp(Box<Interp>),
    /// `[a, *b]`
    Array(Vec<Node>),
    /// `{ a: 1, **b }`, and the braceless keywords of a call (always its last argument).
    Hash(Vec<Pair>),
    /// `a..b`, `a...b`; a missing end is `Nil`.
    Range(Box<(Node, Node)>),
    /// A local variable, a block's parameter, `it`, `_1`.
    Local(Name),
    /// `@name`, with its `@`.
    Ivar(Name),
    /// `@@name`
    Cvar(Name),
    /// `$name`, `$1`, `$~`
    Gvar(Name),
    /// `A::B`; a leading `::` is an empty first name.
    Const(Box<[Name]>),
    /// Any method call, operator, index or attribute write.
    Call(Box<Call>),
    /// `super`: `name` is `super`; without a list of arguments (`super` alone) `args` holds one
    /// `Splat` of `Nil`.
    Super(Box<Call>),
    /// `yield a, b`
    Yield(Vec<Node>),
    /// `a = b`, `a ||= b`, `a += b`
    Assign(Box<Assign>),
    /// `a, (b, *c) = d`
    MultiAssign(Box<MultiAssign>),
    /// `a && b`, `a and b`
    And(Box<(Node, Node)>),
    /// `a || b`, `a or b`
    Or(Box<(Node, Node)>),
    /// `!a`, `not a`
    Not(Box<Node>),
    /// `defined?(a)`
    Defined(Box<Node>),
    /// `if`, `unless`, `a ? b : c`, modifiers.
    If(Box<If>),
    /// `case a when …`
    Case(Box<Case>),
    /// `case a in …`, `a => pattern`, `a in pattern`: patterns are written with ordinary nodes
    /// (`Local` binds, `Array` and `Hash` destructure, `Or` alternates, `Splat` takes the rest).
    Match(Box<Case>),
    /// `while`, `until`, `for`, `loop`-like keywords.
    Loop(Box<Loop>),
    /// `begin … rescue … else … ensure … end`
    Begin(Box<Begin>),
    /// `return a`; several values are one `Array`.
    Return(Option<Box<Node>>),
    /// `break a`
    Break(Option<Box<Node>>),
    /// `next a`
    Next(Option<Box<Node>>),
    /// `redo`, `retry`
    Jump,
    /// Statements one after the other.
    Seq(Vec<Node>),
    /// `-> (a) { … }`
    Lambda(Box<Block>),
    /// `def name … end`
    Def(Box<Def>),
    /// `class`, `module`, `class << self`
    Module(Box<Module>),
    /// `*a` in a list; of `Nil` for `*` alone and `...`, which hand on what came in
    Splat(Box<Node>),
    /// `**a` in keywords: it stands as a pair's key, with a `Nil` value.
    DoubleSplat(Box<Node>),
    /// `&a` as an argument; it is kept in [`Call::block_arg`], and stands alone only in patterns.
    BlockPass(Box<Node>),
    /// `alias new old`
    Alias(Name, Name),
    /// A template's output tag: `<%= expr %>`, `= expr`, `#{expr}` in text.
    Out(Box<Out>),
    /// Anything else, with the nodes inside it.
    Other(Vec<Node>),
}

/// `"a#{b}"` and its kin.
#[derive(Debug, Clone, Serialize)]
pub struct Interp {
    /// String, symbol, command or regexp.
    pub form: Form,
    /// Literal parts are `Str`; the others are the code between `#{` and `}`.
    pub parts: Vec<Node>,
    /// A regexp's flags (`"imx"`, and `o` for once); empty for the others.
    pub flags: Box<str>,
}

/// What an [`Interp`] makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Form {
    /// A string.
    Str,
    /// A symbol.
    Sym,
    /// A shell command in backticks or `%x`; also without interpolation.
    Command,
    /// A regexp; also without interpolation.
    Regex,
}

/// One pair of a hash.
#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    /// `DoubleSplat` for `**a`.
    pub key: Node,
    /// `Nil` for `**a`.
    pub value: Node,
}

/// A method call.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// What it is called on; `None` where it is called on `self` without saying so.
    pub recv: Option<Node>,
    /// The method: `[]`, `[]=`, `name=`, `+`, `!`, `call` for `a.()`.
    pub name: Name,
    /// Where the name stands (for `a[b]` the brackets).
    pub name_span: Span,
    /// Arguments; keywords are one last `Hash`. For `a[b] = c` and `a.b = c` the value comes last.
    pub args: Vec<Node>,
    /// `do … end`, `{ … }`
    pub block: Option<Block>,
    /// `&a`; `Nil` for an anonymous `&`.
    pub block_arg: Option<Node>,
    /// `&.`
    pub safe_nav: bool,
    /// A bare word that may be a method without arguments (`foo`, not `foo()`).
    pub bare: bool,
}

/// A block or lambda body.
#[derive(Debug, Clone, Serialize)]
pub struct Block {
    /// From brace to brace.
    pub span: Span,
    /// Parameters; `it` and `_1` appear as if declared.
    pub params: Vec<Param>,
    /// The statements.
    pub body: Node,
}

/// One parameter of a method or block.
#[derive(Debug, Clone, Serialize)]
pub struct Param {
    /// Its name; `*` and `**` for rests without one (and `*` for `...`), empty for the others.
    pub name: Name,
    /// How it is passed.
    pub form: ParamForm,
    /// Its default.
    pub default: Option<Node>,
    /// `(a, (b, c))`: the inner targets, for a destructured one.
    pub inner: Vec<Node>,
    /// Where it stands.
    pub span: Span,
}

/// How a parameter is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ParamForm {
    /// `a`, also after a splat.
    Required,
    /// `a = 1`
    Optional,
    /// `*a`
    Rest,
    /// `a:`, `a: 1`
    Keyword,
    /// `**a`
    KeywordRest,
    /// `&a`
    Block,
    /// `...`
    Forward,
}

/// `a = b` and its op forms.
#[derive(Debug, Clone, Serialize)]
pub struct Assign {
    /// `Local`, `Ivar`, `Cvar`, `Gvar`, `Const`, or a `Call` (`[]` or a reader) for op forms.
    pub target: Node,
    /// `None` for `=`.
    pub op: Option<Op>,
    /// The right side.
    pub value: Node,
}

/// The operator of an op-assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Op {
    /// `||=`
    Or,
    /// `&&=`
    And,
    /// `+=`, `<<=` …: the operator's name.
    Call(Name),
}

/// `a, *b = c`
#[derive(Debug, Clone, Serialize)]
pub struct MultiAssign {
    /// Variables, calls (`a.b=` as its reader), `Splat`, or `Array` for a nested list.
    pub targets: Vec<Node>,
    /// The right side; several values are one `Array`.
    pub value: Node,
}

/// A condition with two branches.
#[derive(Debug, Clone, Serialize)]
pub struct If {
    /// The condition.
    pub cond: Node,
    /// Where it holds.
    pub then: Node,
    /// Where it does not; `Nil` if nothing stands there.
    pub otherwise: Node,
}

/// `case`
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// What is looked at.
    pub subject: Option<Node>,
    /// The branches in order.
    pub arms: Vec<Arm>,
    /// `else`
    pub otherwise: Option<Node>,
}

/// One branch of a `case`.
#[derive(Debug, Clone, Serialize)]
pub struct Arm {
    /// `when a, b` holds several; a pattern is one.
    pub tests: Vec<Node>,
    /// The guard of a pattern (`in x if y`).
    pub guard: Option<Node>,
    /// The statements.
    pub body: Node,
}

/// A loop.
#[derive(Debug, Clone, Serialize)]
pub struct Loop {
    /// `for x in …`: the target and the collection.
    pub each: Option<(Node, Node)>,
    /// `while`'s condition (`until`'s is wrapped in `Not`).
    pub cond: Option<Node>,
    /// The statements.
    pub body: Node,
}

/// `begin … rescue …`
#[derive(Debug, Clone, Serialize)]
pub struct Begin {
    /// The statements.
    pub body: Node,
    /// The rescues in order.
    pub rescues: Vec<Rescue>,
    /// `else`
    pub otherwise: Option<Node>,
    /// `ensure`
    pub ensure: Option<Node>,
}

/// One `rescue`.
#[derive(Debug, Clone, Serialize)]
pub struct Rescue {
    /// The classes; empty for all of `StandardError`.
    pub classes: Vec<Node>,
    /// `=> e`
    pub binding: Option<Node>,
    /// The statements.
    pub body: Node,
}

/// `def`
#[derive(Debug, Clone, Serialize)]
pub struct Def {
    /// The method's name.
    pub name: Name,
    /// Where the name stands.
    pub name_span: Span,
    /// `def self.name`: the receiver.
    pub singleton: Option<Node>,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The statements.
    pub body: Node,
}

/// `class`, `module`, `class << self`
#[derive(Debug, Clone, Serialize)]
pub struct Module {
    /// Which of the three.
    pub form: ModuleForm,
    /// `A::B`; empty for `class << self`.
    pub path: Box<[Name]>,
    /// Where the name stands.
    pub name_span: Span,
    /// `class A < B`
    pub superclass: Option<Node>,
    /// The statements.
    pub body: Node,
}

/// Which of `class`, `module`, `class << self`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ModuleForm {
    /// `class`
    Class,
    /// `module`
    Module,
    /// `class << self`
    Singleton,
}

/// What a template writes out.
#[derive(Debug, Clone, Serialize)]
pub struct Out {
    /// The expression.
    pub value: Node,
    /// Whether the template engine escapes it unless it is `html_safe`.
    pub escape: Escape,
    /// Where in the page it lands.
    pub context: HtmlContext,
}

/// What the template engine does to what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Escape {
    /// Escapes `& < > " '` unless the value is `html_safe?`.
    UnlessSafe,
    /// Escapes always, even what is `html_safe?` (Haml's and Slim's attributes).
    Always,
    /// Writes the value as it is.
    Raw,
    /// The page is not HTML (`.text.erb`): nothing is escaped and nothing needs it.
    NotHtml,
}

/// Where in a page a value lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum HtmlContext {
    /// Between tags.
    Text,
    /// In a quoted attribute that is plain text.
    Quoted,
    /// In an attribute without quotes, or where an attribute's name or a tag's name stands.
    Unquoted,
    /// At the start of a URL attribute (`href`, `src`, `action` …): the scheme is the value's.
    UrlStart,
    /// Further on in a URL attribute, where the scheme is fixed.
    UrlRest,
    /// In an event handler (`onclick="…"`).
    EventHandler,
    /// In `<script>`, outside quotes.
    Script,
    /// In `<script>`, inside a quoted string.
    ScriptString,
    /// In `<style>` or a `style` attribute.
    Style,
    /// In `<!-- -->`.
    Comment,
    /// Not HTML at all (`.text`, JSON, XML …).
    NotHtml,
}
