//! Every class, module, method and constant of the application, and how constants resolve.

use rustc_hash::FxHashMap;
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use crate::files::{File, FileId};

/// A method's number within one index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodId(pub u32);

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Anyone.
    Public,
    /// Only itself and its kin.
    Hidden,
}

/// One method, scope or `define_method`.
#[derive(Debug)]
pub struct Method<'a> {
    /// The class or module in which it is defined.
    pub owner: Name,
    /// Its name.
    pub name: Name,
    /// Called on the class itself.
    pub singleton: bool,
    /// Who may call it.
    pub visibility: Visibility,
    /// Its parameters.
    pub params: &'a [Param],
    /// Its statements.
    pub body: &'a Node,
    /// The whole definition.
    pub span: Span,
    /// Where its name stands.
    pub name_span: Span,
    /// Its file.
    pub file: FileId,
}

/// One statement in a class body that is a call: `has_many :posts`, `before_action :x`.
#[derive(Clone, Copy, Debug)]
pub struct Macro<'a> {
    /// The call.
    pub call: &'a Call,
    /// The whole statement.
    pub span: Span,
    /// Its file.
    pub file: FileId,
}

/// A class or module, put together from every place that opens it.
#[derive(Debug, Default)]
pub struct Class<'a> {
    /// Its full name.
    pub name: Name,
    /// Whether it is a module.
    pub module: bool,
    /// Its superclass, as far as it resolves within the application; otherwise as written.
    pub superclass: Option<Name>,
    /// Mixed in by `include`, in order.
    pub includes: Vec<Name>,
    /// Mixed in before the class by `prepend` (and overlays), in order.
    pub prepends: Vec<Name>,
    /// Mixed into the class itself by `extend`.
    pub extends: Vec<Name>,
    /// Instance methods.
    pub methods: FxHashMap<Name, MethodId>,
    /// Methods of the class itself.
    pub singletons: FxHashMap<Name, MethodId>,
    /// Calls in its body, in order; for a concern also those of its `included` block.
    pub macros: Vec<Macro<'a>>,
    /// Constants that it sets.
    pub constants: FxHashMap<Name, (&'a Node, FileId)>,
    /// Attributes that `attr_reader` and its kin read and write.
    pub attributes: Vec<Name>,
    /// Members of a struct, in the order in which `new` takes them.
    pub members: Vec<Name>,
    /// Methods handed on to another object: the method, and the method that gives the object.
    pub delegates: Vec<(Name, Name)>,
    /// Where it is opened: file, whole span, name.
    pub places: Vec<(FileId, Span, Span)>,
    /// Lexical nesting of the first place, innermost first (the class itself included).
    pub nesting: Vec<Name>,
}

/// Every class and method.
#[derive(Debug, Default)]
pub struct Index<'a> {
    /// Classes and modules by full name; `""` holds what stands outside of any.
    pub classes: FxHashMap<Name, Class<'a>>,
    /// Methods, in order of files.
    pub methods: Vec<Method<'a>>,
    /// Methods of one name, instance and singleton.
    pub by_name: FxHashMap<Name, Vec<MethodId>>,
    /// Every class with all that it inherits from, in the order of look-up.
    lineages: FxHashMap<Name, Box<[Name]>>,
}

/// Adds a constant to a namespace.
pub fn join(outer: Name, inner: &str) -> Name {
    if outer.is_empty() { Name::from(inner) } else { Name::from(&format!("{outer}::{inner}")) }
}

/// `A::B` from its parts; a leading empty part is dropped.
pub fn path_name(path: &[Name]) -> Name {
    match path {
        [only] => *only,
        _ => {
            let parts: Vec<&str> = path.iter().map(|p| p.as_str()).filter(|p| !p.is_empty()).collect();
            Name::from(&parts.join("::"))
        }
    }
}

impl<'a> Index<'a> {
    /// Indexes files.
    pub fn build(files: &'a [File]) -> Self {
        let mut builder = Builder { index: Index::default(), file: FileId(0) };
        builder.index.classes.insert(Name::from(""), Class::default());
        for (number, file) in files.iter().enumerate() {
            if file.is_template() {
                continue;
            }
            builder.file = FileId(number as u32);
            let scope = Scope { class: Name::from(""), nesting: Vec::new(), singleton: false };
            builder.body(&file.parsed.body, &scope);
        }
        let mut index = builder.index;
        index.link();
        index
    }

    /// Turns superclasses and mixins from what was written into full names.
    fn link(&mut self) {
        let mut linked = Vec::new();
        for class in self.classes.values() {
            let outer: Vec<Name> = class.nesting.iter().copied().filter(|n| *n != class.name).collect();
            let all = |list: &[Name], from: &[Name]| -> Vec<Name> {
                list.iter().map(|n| self.resolve(*n, from)).collect()
            };
            linked.push((
                class.name,
                class.superclass.map(|s| self.resolve(s, &outer)),
                all(&class.includes, &class.nesting),
                all(&class.prepends, &class.nesting),
                all(&class.extends, &class.nesting),
            ));
        }
        for (name, superclass, includes, prepends, extends) in linked {
            if let Some(class) = self.classes.get_mut(&name) {
                class.superclass = superclass.filter(|s| *s != name);
                class.includes = includes;
                class.prepends = prepends;
                class.extends = extends;
            }
        }
        self.lineages = self
            .classes
            .keys()
            .map(|class| {
                let mut lineage = Vec::new();
                self.collect(*class, &mut lineage, 0);
                (*class, lineage.into())
            })
            .collect();
        for (number, method) in self.methods.iter().enumerate() {
            self.by_name.entry(method.name).or_default().push(MethodId(number as u32));
        }
    }

    /// The full name of a constant as written within a nesting (innermost first); as written where
    /// nothing of the application fits.
    pub fn resolve(&self, written: Name, nesting: &[Name]) -> Name {
        if let Some(top) = written.strip_prefix("::") {
            return Name::from(top);
        }
        for outer in nesting {
            let candidate = join(*outer, &written);
            if self.classes.contains_key(&candidate) {
                return candidate;
            }
        }
        written
    }

    /// A class by its full name.
    pub fn class(&self, name: Name) -> Option<&Class<'a>> {
        self.classes.get(&name)
    }

    /// A method.
    pub fn method(&self, id: MethodId) -> &Method<'a> {
        &self.methods[id.0 as usize]
    }

    /// The class and all that it inherits from, in the order in which Ruby looks for a method;
    /// nothing for a class that the application does not have.
    pub fn ancestors(&self, class: Name) -> &[Name] {
        self.lineages.get(&class).map_or(&[], |lineage| lineage)
    }

    fn collect(&self, name: Name, out: &mut Vec<Name>, depth: u32) {
        if depth > 40 || out.contains(&name) {
            return;
        }
        let Some(class) = self.classes.get(&name) else {
            out.push(name);
            return;
        };
        for mixin in class.prepends.iter().rev() {
            self.collect(*mixin, out, depth + 1);
        }
        out.push(name);
        for mixin in class.includes.iter().rev() {
            self.collect(*mixin, out, depth + 1);
        }
        if let Some(superclass) = class.superclass {
            self.collect(superclass, out, depth + 1);
        }
    }

    /// Whether `class` inherits from `ancestor` (or is it).
    pub fn inherits(&self, class: Name, ancestor: &str) -> bool {
        self.ancestors(class).iter().any(|a| *a == ancestor)
    }

    /// The instance method that a call on an object of `class` reaches.
    pub fn find(&self, class: Name, method: Name) -> Option<MethodId> {
        if let Some(found) =
            self.classes.get(&class).filter(|c| c.prepends.is_empty()).and_then(|c| c.methods.get(&method))
        {
            return Some(*found);
        }
        self.by_name.get(&method)?;
        self.ancestors(class).iter().find_map(|a| self.classes.get(a)?.methods.get(&method).copied())
    }

    /// The method that `super` in a method of `owner` reaches for an object of `class`.
    pub fn find_super(&self, class: Name, owner: Name, method: Name) -> Option<MethodId> {
        let ancestors = self.ancestors(class);
        let after = ancestors.iter().position(|a| *a == owner).map_or(0, |i| i + 1);
        ancestors[after..].iter().find_map(|a| self.classes.get(a)?.methods.get(&method).copied())
    }

    /// The method that a call on the class itself reaches.
    pub fn find_singleton(&self, class: Name, method: Name) -> Option<MethodId> {
        self.by_name.get(&method)?;
        for ancestor in self.ancestors(class) {
            let Some(class) = self.classes.get(ancestor) else { continue };
            if let Some(found) = class.singletons.get(&method) {
                return Some(*found);
            }
            for module in class.extends.iter().rev() {
                if let Some(found) = self.find(*module, method) {
                    return Some(found);
                }
            }
            // A concern's `module ClassMethods` is mixed into whoever includes the concern.
            for module in &class.includes {
                let found =
                    self.classes.get(&join(*module, "ClassMethods")).and_then(|m| m.methods.get(&method));
                let found =
                    found.or_else(|| self.classes.get(module).and_then(|m| m.singletons.get(&method)));
                if let Some(found) = found {
                    return Some(*found);
                }
            }
        }
        None
    }

    /// A constant's value, as seen from a nesting.
    pub fn constant(&self, written: &[Name], nesting: &[Name]) -> Option<(&'a Node, FileId)> {
        let (last, scope) = written.split_last()?;
        if scope.is_empty() {
            let found = nesting.iter().find_map(|n| self.classes.get(n)?.constants.get(last));
            let inherited = || {
                let class = nesting.first()?;
                self.ancestors(*class).iter().find_map(|a| self.classes.get(a)?.constants.get(last))
            };
            return found
                .or_else(inherited)
                .or_else(|| self.classes.get(&Name::from(""))?.constants.get(last))
                .copied();
        }
        let class = self.resolve(path_name(scope), nesting);
        self.ancestors(class).iter().find_map(|a| self.classes.get(a)?.constants.get(last)).copied()
    }

    /// Whether objects of a class have this as an attribute made by `attr_reader` or the like.
    pub fn has_attribute(&self, class: Name, name: Name) -> bool {
        self.ancestors(class)
            .iter()
            .any(|a| self.classes.get(a).is_some_and(|c| c.attributes.contains(&name)))
    }

    /// The method that gives the object to which a class hands a method on.
    pub fn delegate(&self, class: Name, name: Name) -> Option<Name> {
        let in_class =
            |a: &Name| self.classes.get(a)?.delegates.iter().find(|(n, _)| *n == name).map(|(_, to)| *to);
        self.ancestors(class).iter().find_map(in_class)
    }

    /// Every class-body call of a class: those of its ancestors first (superclass, then concerns),
    /// then its own, in the order in which Ruby would run them.
    pub fn macros(&self, class: Name) -> Vec<Macro<'a>> {
        self.ancestors(class)
            .iter()
            .rev()
            .filter_map(|a| self.classes.get(a))
            .flat_map(|c| c.macros.iter().copied())
            .collect()
    }
}

struct Builder<'a> {
    index: Index<'a>,
    file: FileId,
}

#[derive(Clone)]
struct Scope {
    class: Name,
    nesting: Vec<Name>,
    singleton: bool,
}

impl<'a> Builder<'a> {
    fn class(&mut self, name: Name) -> &mut Class<'a> {
        let class = self.index.classes.entry(name).or_default();
        class.name = name;
        class
    }

    fn body(&mut self, body: &'a Node, scope: &Scope) {
        let mut visibility = Visibility::Public;
        let mut module_function = false;
        let single = std::slice::from_ref(body);
        let statements = if let Kind::Seq(list) = &body.kind { list.as_slice() } else { single };
        for statement in statements {
            if let Kind::Call(call) = &statement.kind
                && call.recv.is_none()
                && call.args.is_empty()
                && call.block.is_none()
            {
                match call.name.as_str() {
                    "private" | "protected" => visibility = Visibility::Hidden,
                    "public" => visibility = Visibility::Public,
                    "module_function" => module_function = true,
                    _ => {}
                }
            }
            self.statement(statement, scope, visibility, module_function);
        }
    }

    fn statement(&mut self, node: &'a Node, scope: &Scope, visibility: Visibility, module_function: bool) {
        match &node.kind {
            Kind::Module(module) => self.module(module, node.span, scope),
            Kind::Def(def) => {
                // `def self.included(base); base.class_eval do …`: what a concern was written as
                // before there were concerns.
                if def.singleton.is_some()
                    && matches!(def.name.as_str(), "included" | "prepended" | "extended")
                {
                    self.hook(&def.body, scope);
                }
                let constant_receiver = matches!(def.singleton, Some(Node { kind: Kind::Const(_), .. }));
                let singleton = scope.singleton || def.singleton.is_some();
                let mut owner = scope.class;
                if constant_receiver && let Some(Node { kind: Kind::Const(path), .. }) = &def.singleton {
                    owner = self.index.resolve(path_name(path), &scope.nesting);
                }
                self.method(
                    owner,
                    def.name,
                    singleton,
                    visibility,
                    &def.params,
                    &def.body,
                    node.span,
                    def.name_span,
                );
                if module_function {
                    self.method(
                        owner,
                        def.name,
                        true,
                        visibility,
                        &def.params,
                        &def.body,
                        node.span,
                        def.name_span,
                    );
                }
            }
            Kind::Assign(assign) => {
                if let Kind::Const(path) = &assign.target.kind
                    && let [name] = &**path
                {
                    let file = self.file;
                    self.class(scope.class).constants.insert(*name, (&assign.value, file));
                    self.constant_class(*name, &assign.value, node.span, scope);
                }
            }
            Kind::Call(call) => self.macro_call(call, node, scope, visibility),
            Kind::Seq(list) => {
                list.iter().for_each(|n| self.statement(n, scope, visibility, module_function))
            }
            Kind::If(branches) => {
                self.statement(&branches.then, scope, visibility, module_function);
                self.statement(&branches.otherwise, scope, visibility, module_function);
            }
            Kind::Begin(begin) => self.statement(&begin.body, scope, visibility, module_function),
            Kind::Alias(new, old) => self.alias(scope, *new, *old),
            _ => {}
        }
    }

    /// The statements of a hook that are about the class which mixes the module in.
    fn hook(&mut self, body: &'a Node, scope: &Scope) {
        let single = std::slice::from_ref(body);
        for statement in if let Kind::Seq(list) = &body.kind { list.as_slice() } else { single } {
            if let Kind::Call(call) = &statement.kind
                && matches!(call.recv, Some(Node { kind: Kind::Local(_), .. }))
                && matches!(call.name.as_str(), "class_eval" | "class_exec" | "instance_eval")
                && call.block.is_some()
            {
                self.macro_call(call, statement, scope, Visibility::Public);
            }
        }
    }

    /// What `Struct.new(:a, :b)` and `Data.define(:a, :b)` give a class.
    fn members(&mut self, class: Name, call: &Call) {
        let maker = match &call.recv {
            Some(Node { kind: Kind::Const(path), .. }) => path_name(path),
            _ => return,
        };
        if matches!((maker.as_str(), call.name.as_str()), ("Struct", "new") | ("Data", "define")) {
            let members: Vec<Name> = call.args.iter().filter_map(literal_name).collect();
            let class = self.class(class);
            class.attributes.extend(&members);
            class.members = members;
        }
    }

    /// `X = Class.new(Y) do … end`, `X = Struct.new(:a) do … end`
    fn constant_class(&mut self, name: Name, value: &'a Node, span: Span, scope: &Scope) {
        let Kind::Call(call) = &value.kind else { return };
        let Some(Node { kind: Kind::Const(path), .. }) = &call.recv else { return };
        let maker = path_name(path);
        if !matches!(call.name.as_str(), "new" | "define")
            || !matches!(maker.as_str(), "Class" | "Struct" | "Module" | "Data")
        {
            return;
        }
        let full = join(scope.class, &name);
        let superclass = match call.args.first() {
            Some(Node { kind: Kind::Const(path), .. }) if maker == "Class" => Some(path_name(path)),
            _ => None,
        };
        let inner = self.open(full, span, span, scope, superclass, maker == "Module");
        self.members(full, call);
        if let Some(block) = &call.block {
            self.body(&block.body, &inner);
        }
    }

    fn open(
        &mut self,
        full: Name,
        span: Span,
        name_span: Span,
        scope: &Scope,
        superclass: Option<Name>,
        module: bool,
    ) -> Scope {
        let mut nesting = vec![full];
        nesting.extend(scope.nesting.iter().copied());
        let file = self.file;
        let class = self.class(full);
        class.module = module;
        class.places.push((file, span, name_span));
        if class.nesting.is_empty() || (class.superclass.is_none() && superclass.is_some()) {
            class.nesting.clone_from(&nesting);
        }
        if class.superclass.is_none() {
            class.superclass = superclass;
        }
        Scope { class: full, nesting, singleton: false }
    }

    fn module(&mut self, module: &'a Module, span: Span, scope: &Scope) {
        if module.form == ModuleForm::Singleton {
            let inner = Scope { singleton: true, ..scope.clone() };
            self.body(&module.body, &inner);
            return;
        }
        let full = match module.path.first() {
            Some(first) if first.is_empty() => path_name(&module.path),
            _ => {
                // `class A::B` inside `module C` opens `C::A::B` only where `C::A` is known.
                let written = path_name(&module.path);
                join(scope.class, &written)
            }
        };
        let superclass = match &module.superclass {
            Some(Node { kind: Kind::Const(path), .. }) if path.first().is_some_and(|f| f.is_empty()) => {
                Some(Name::from(&format!("::{}", path_name(path))))
            }
            Some(Node { kind: Kind::Const(path), .. }) => Some(path_name(path)),
            // `ActiveRecord::Migration[5.0]`, `Struct.new(:a)`: the constant that it starts from.
            Some(Node { kind: Kind::Call(call), .. }) => match &call.recv {
                Some(Node { kind: Kind::Const(path), .. }) => Some(path_name(path)),
                _ => None,
            },
            _ => None,
        };
        let inner =
            self.open(full, span, module.name_span, scope, superclass, module.form == ModuleForm::Module);
        // `class Point < Struct.new(:x, :y)`
        if let Some(Node { kind: Kind::Call(call), .. }) = &module.superclass {
            self.members(inner.class, call);
        }
        self.body(&module.body, &inner);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a method, given once")]
    fn method(
        &mut self,
        owner: Name,
        name: Name,
        singleton: bool,
        visibility: Visibility,
        params: &'a [Param],
        body: &'a Node,
        span: Span,
        name_span: Span,
    ) {
        let id = MethodId(self.index.methods.len() as u32);
        let file = self.file;
        self.index.methods.push(Method {
            owner,
            name,
            singleton,
            visibility,
            params,
            body,
            span,
            name_span,
            file,
        });
        let class = self.class(owner);
        let table = if singleton { &mut class.singletons } else { &mut class.methods };
        table.insert(name, id);
    }

    fn alias(&mut self, scope: &Scope, new: Name, old: Name) {
        let class = self.class(scope.class);
        let table = if scope.singleton { &mut class.singletons } else { &mut class.methods };
        if let Some(id) = table.get(&old).copied() {
            table.insert(new, id);
        }
    }

    fn macro_call(&mut self, call: &'a Call, node: &'a Node, scope: &Scope, visibility: Visibility) {
        let constants = |args: &'a [Node]| {
            args.iter().filter_map(|a| match &a.kind {
                Kind::Const(path) if path.first().is_some_and(|f| f.is_empty()) => {
                    Some(Name::from(&format!("::{}", path_name(path))))
                }
                Kind::Const(path) => Some(path_name(path)),
                _ => None,
            })
        };
        let on_self = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }));
        let first_name = call.args.first().and_then(literal_name);
        if let (Some(Node { kind: Kind::Const(path), .. }), "include" | "prepend" | "extend" | "send") =
            (&call.recv, call.name.as_str())
        {
            // `Foo.include Bar`, `Foo.send :include, Bar`
            let target = self.index.resolve(path_name(path), &scope.nesting);
            let verb = if call.name == "send" { first_name.unwrap_or_default() } else { call.name };
            let mixins: Vec<Name> = constants(&call.args).collect();
            self.mix(target, verb, mixins);
        }
        if let (Some(Node { kind: Kind::Const(path), .. }), "prepend_mod_with" | "prepend_mod") =
            (&call.recv, call.name.as_str())
        {
            let target = self.index.resolve(path_name(path), &scope.nesting);
            self.overlay(target, first_name);
        }
        if on_self {
            match (call.name.as_str(), first_name) {
                ("include" | "prepend" | "extend", _) => {
                    let mixins: Vec<Name> = constants(&call.args).collect();
                    let verb = if scope.singleton { Name::from("extend") } else { call.name };
                    self.mix(scope.class, verb, mixins);
                }
                ("prepend_mod_with" | "prepend_mod", _) => {
                    self.overlay(scope.class, first_name);
                }
                ("alias_method", Some(new)) => {
                    if let Some(old) = call.args.get(1).and_then(literal_name) {
                        self.alias(scope, new, old);
                    }
                }
                ("define_method", Some(name)) => {
                    let block = call.block.as_ref().or(match call.args.get(1) {
                        Some(Node { kind: Kind::Lambda(block), .. }) => Some(block),
                        _ => None,
                    });
                    if let Some(block) = block {
                        let span = node.span;
                        self.method(
                            scope.class,
                            name,
                            scope.singleton,
                            visibility,
                            &block.params,
                            &block.body,
                            span,
                            call.name_span,
                        );
                    }
                }
                (
                    "attr_reader" | "attr_accessor" | "attr_writer" | "mattr_accessor" | "cattr_accessor"
                    | "attribute" | "class_attribute" | "option" | "param" | "prop",
                    _,
                ) => {
                    let names: Vec<Name> = call.args.iter().filter_map(literal_name).collect();
                    self.class(scope.class).attributes.extend(names);
                }
                ("delegate", _) => {
                    let to = match call.args.last() {
                        Some(Node { kind: Kind::Hash(pairs), .. }) => pairs
                            .iter()
                            .find(|p| literal_name(&p.key).is_some_and(|k| k == "to"))
                            .and_then(|p| literal_name(&p.value)),
                        _ => None,
                    };
                    if let Some(to) = to {
                        let names: Vec<(Name, Name)> =
                            call.args.iter().filter_map(literal_name).map(|n| (n, to)).collect();
                        self.class(scope.class).delegates.extend(names);
                    }
                }
                ("scope" | "named_scope", Some(name)) => {
                    let body = call.args.iter().skip(1).find_map(|a| match &a.kind {
                        Kind::Lambda(block) => Some((block.params.as_slice(), &block.body)),
                        Kind::Call(inner) if matches!(inner.name.as_str(), "lambda" | "proc" | "new") => {
                            inner.block.as_ref().map(|b| (b.params.as_slice(), &b.body))
                        }
                        Kind::Hash(_) | Kind::Call(_) => Some((&[][..], a)),
                        _ => None,
                    });
                    let body = body.or(call.block.as_ref().map(|b| (b.params.as_slice(), &b.body)));
                    if let Some((params, body)) = body {
                        self.method(
                            scope.class,
                            name,
                            true,
                            Visibility::Public,
                            params,
                            body,
                            node.span,
                            call.name_span,
                        );
                    }
                }
                (
                    "private"
                    | "protected"
                    | "public"
                    | "private_class_method"
                    | "module_function"
                    | "memoize",
                    _,
                ) if !call.args.is_empty() => {
                    let hidden =
                        matches!(call.name.as_str(), "private" | "protected" | "private_class_method");
                    let visibility = if hidden { Visibility::Hidden } else { Visibility::Public };
                    for arg in &call.args {
                        if matches!(arg.kind, Kind::Def(_)) {
                            self.statement(arg, scope, visibility, call.name == "module_function");
                        } else if let Some(name) = literal_name(arg) {
                            let class = self.class(scope.class);
                            let id = class.methods.get(&name).copied();
                            if let (Some(id), true) = (id, hidden) {
                                self.index.methods[id.0 as usize].visibility = visibility;
                            }
                        }
                    }
                }
                (
                    "included" | "prepended" | "class_methods" | "with_options" | "concerning" | "class_eval"
                    | "controller" | "namespace" | "helpers" | "before" | "desc",
                    _,
                ) => {
                    if let Some(block) = &call.block {
                        let singleton = call.name == "class_methods";
                        let inner = Scope { singleton, ..scope.clone() };
                        self.body(&block.body, &inner);
                    }
                }
                _ => {}
            }
        } else if matches!(call.name.as_str(), "class_eval" | "instance_eval" | "class_exec" | "to_prepare")
            && let Some(block) = &call.block
        {
            let mut inner = scope.clone();
            if let Some(Node { kind: Kind::Const(path), .. }) = &call.recv {
                inner = self.open(
                    self.index.resolve(path_name(path), &scope.nesting),
                    node.span,
                    node.span,
                    scope,
                    None,
                    false,
                );
            }
            self.body(&block.body, &inner);
        }
        // A definition may stand in a block of a macro that we do not know (`namespace do … end`).
        if scope.class.is_empty() && call.block.is_some() && on_self {
            let mut inner: Vec<&'a Node> = Vec::new();
            if let Some(block) = &call.block {
                walk::children(&block.body, &mut |n| inner.push(n));
                if matches!(block.body.kind, Kind::Def(_) | Kind::Module(_)) {
                    inner.push(&block.body);
                }
            }
            for statement in inner {
                if matches!(statement.kind, Kind::Def(_) | Kind::Module(_)) {
                    self.statement(statement, scope, Visibility::Public, false);
                }
            }
        }
        let file = self.file;
        self.class(scope.class).macros.push(Macro { call, span: node.span, file });
    }

    /// GitLab's way of laying an edition's code over a class.
    fn overlay(&mut self, target: Name, named: Option<Name>) {
        let overlay = Name::from(&format!("::EE::{}", named.unwrap_or(target)));
        self.class(target).prepends.push(overlay);
    }

    fn mix(&mut self, target: Name, verb: Name, mixins: Vec<Name>) {
        let class = self.class(target);
        match verb.as_str() {
            "include" => class.includes.extend(mixins),
            "prepend" => class.prepends.extend(mixins),
            "extend" => class.extends.extend(mixins),
            _ => {}
        }
    }
}

/// The text of a symbol or string literal.
pub fn literal_name(node: &Node) -> Option<Name> {
    match &node.kind {
        Kind::Sym(name) => Some(*name),
        Kind::Str(text) => Some(Name::from(text)),
        _ => None,
    }
}
