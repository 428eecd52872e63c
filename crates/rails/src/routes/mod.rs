//! Routes: `config/routes.rb` of Rails 2.3 to 8.1 and the files it draws, read into verb, path and
//! handler without running them.
//!
//! The file is evaluated on paper: loops over known lists, local variables, methods defined in the
//! file and `with_options` are followed, both branches of an unknown condition are read. What is not
//! known is named in [`Routes::problems`], never left out in silence. A part of a path that is not
//! known stands in braces (`/{Settings.prefix}/users`).

mod calls;
mod classic;
mod endpoint;
mod libraries;
mod mapper;
mod reader;
mod resources;
mod ruby;
mod scope;
mod value;

use std::fmt;

use serde::Serialize;
use wardroom_model::Verb;
use wardroom_ruby::ir::{Kind, Node, Span};

pub use value::path_parameters;

use reader::Reader;

/// One declared route.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// The method; a route for several is listed once for each.
    pub verb: Verb,
    /// `/users/:id`, with optional parts in parentheses, without the optional format.
    pub path: String,
    /// What answers.
    pub target: Target,
    /// The name for URL helpers, without `_path`; as in Rails only the first route of a name has it.
    pub name: Option<String>,
    /// The file, by the caller's number.
    pub file: u32,
    /// The call that declares it.
    pub span: Span,
    /// Classes and lambdas that decide whether a request may take the route (`constraints`, the
    /// condition of `authenticate`). Plain patterns and hosts are none.
    pub guards: Vec<String>,
    /// It stands in Devise's `authenticate` or `authenticated` block.
    pub authenticated: bool,
    /// It exists only outside production.
    pub development: bool,
    /// Parameters that the route itself sets (`defaults:`, `format:`).
    pub defaults: Vec<(String, String)>,
    /// The engine whose routes it is declared in; the path then holds the place where the engine is
    /// mounted, where that is known.
    pub engine: Option<String>,
}

/// What answers a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Target {
    /// A controller (`admin/users`) and its action. `:controller` and `:action` stand where the
    /// request chooses, as in Rails 2's default route.
    Action {
        /// `admin/users`
        controller: String,
        /// `index`
        action: String,
    },
    /// A Rack application or engine that takes everything under the path.
    Mount {
        /// The constant or expression.
        app: String,
    },
    /// `redirect(…)`
    Redirect,
    /// A lambda or Rack application that answers this path; empty where nothing is named.
    Other(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Action { controller, action } => write!(f, "{controller}#{action}"),
            Target::Mount { app } => f.write_str(app),
            Target::Redirect => f.write_str("redirect"),
            Target::Other(text) => write!(f, "({text})"),
        }
    }
}

impl Route {
    /// Whether the request's path chooses controller or action, so that every public method of the
    /// controllers it reaches is an endpoint.
    pub fn is_wildcard(&self) -> bool {
        match &self.target {
            Target::Action { controller, action } => {
                controller.ends_with(":controller") || (action == ":action")
            }
            _ => false,
        }
    }
}

/// One file with routes, already parsed.
#[derive(Clone, Copy, Debug)]
pub struct RouteFile<'a> {
    /// The caller's number; it comes back in [`Route::file`].
    pub index: u32,
    /// Relative to the scanned root, with `/`.
    pub path: &'a str,
    /// Its statements.
    pub body: &'a Node,
}

/// Finds what another file defines: the value of a constant (`HelpController::TOPICS`) or the body of
/// a class method without arguments (`Site.prefix`).
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<&'a Node>;

/// What the rest of the application says that routes depend on.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Rails' version, major and minor.
    pub rails: (u32, u32),
    /// `config.api_only = true`: resources have no `new` and `edit`.
    pub api_only: bool,
    /// Engines that call `isolate_namespace`: the engine's class and the module as a path
    /// (`Spree::Core::Engine`, `spree`).
    pub isolated: &'a [(String, String)],
    /// Models with Devise's modules: class name and modules (`User`, `[database_authenticatable]`).
    pub devise: &'a [(String, Vec<String>)],
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Settings { rails: (8, 1), api_only: false, isolated: &[], devise: &[] }
    }
}

/// All routes, in the order in which Rails tries them within each file.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// The routes.
    pub routes: Vec<Route>,
    /// What was not understood: file, place, what it means.
    pub problems: Vec<(u32, Span, String)>,
}

/// Reads routes. `files` holds `config/routes.rb` first, then `config/routes/*.rb` and the same of
/// engines; a file without a draw block of its own is a part that another one draws. `lookup` finds what they
/// take from elsewhere. A file that reopens `ActionDispatch::Routing::Mapper` may stand among them: its
/// methods are then words of the language.
pub fn read<'a>(
    files: &'a [RouteFile<'a>],
    settings: &'a Settings<'a>,
    lookup: Option<Lookup<'a>>,
) -> Routes {
    let mut reader = Reader::new(files, settings, lookup);
    let whole: Vec<bool> = files.iter().map(|file| has_draw(file.body, 12)).collect();
    for (at, file) in files.iter().enumerate() {
        if !whole[at] && extends_mapper(file.body, 12) {
            reader.run_file(at, false);
        }
    }
    for (at, _) in files.iter().enumerate().filter(|(at, _)| whole[*at]) {
        reader.run_file(at, false);
    }
    for (at, file) in files.iter().enumerate() {
        if reader.drawn[at] || matches!(file.body.kind, Kind::Nil) {
            continue;
        }
        let before = reader.routes.len();
        reader.run_file(at, true);
        if file.path.contains("config/routes/") && reader.routes.len() > before {
            reader.file = at;
            reader.problem(file.body.span, "no draw names this file: read as if drawn at the top");
        }
    }
    let mut routes = Routes { routes: reader.routes, problems: reader.problems };
    place_engines(&mut routes.routes);
    routes
}

/// Whether a file draws routes itself.
fn has_draw(node: &Node, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    let inner = |node: &Node| has_draw(node, depth - 1);
    match &node.kind {
        Kind::Seq(nodes) => nodes.iter().any(inner),
        Kind::If(branch) => inner(&branch.then) || inner(&branch.otherwise),
        Kind::Begin(begin) => inner(&begin.body),
        Kind::Module(module) => inner(&module.body),
        Kind::Def(def) => inner(&def.body),
        Kind::Call(call) => {
            let Some(block) = &call.block else { return false };
            call.recv.as_ref().is_some_and(|recv| calls::draws(recv, call).is_some()) || inner(&block.body)
        }
        _ => false,
    }
}

/// Whether a file adds methods to the language of routes.
fn extends_mapper(node: &Node, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    match &node.kind {
        Kind::Seq(nodes) => nodes.iter().any(|node| extends_mapper(node, depth - 1)),
        Kind::Module(module) => {
            let named = module.path.last().is_some_and(|n| n == "Mapper" || n == "MapperExtensions");
            named || extends_mapper(&module.body, depth - 1)
        }
        _ => false,
    }
}

/// Puts the routes of engines under the paths where they are mounted, with the guards of the mount.
fn place_engines(routes: &mut [Route]) {
    let mounts: Vec<Route> =
        routes.iter().filter(|r| matches!(r.target, Target::Mount { .. })).cloned().collect();
    for route in routes.iter_mut() {
        let Some(engine) = &route.engine else { continue };
        let mount = mounts.iter().find(|m| matches!(&m.target, Target::Mount { app } if app == engine));
        if let Some(mount) = mount.filter(|m| m.engine.as_ref() != Some(engine)) {
            route.path = value::normalise(&format!("{}/{}", mount.path, route.path));
            route.guards.splice(0..0, mount.guards.iter().cloned());
            route.authenticated |= mount.authenticated;
            route.development |= mount.development;
        }
    }
}

#[cfg(test)]
mod tests;
