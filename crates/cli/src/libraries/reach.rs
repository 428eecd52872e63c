//! How near an application comes to a library's weak code: whether it loads the library where it serves,
//! whether it calls the functions that the advisory names, and from which endpoints.
//!
//! Three answers, and none of them hides a finding: it is a reason to take one up before another.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use wardroom_model::{Endpoint, Finding, Reach, Step};
use wardroom_rails::{App, File, FileId, MethodId, path_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};
use wardroom_ruby::walk;

/// Most calls between an endpoint and the weak function.
const FARTHEST: usize = 6;
/// Most endpoints that one answer names.
const ENDPOINTS: usize = 20;
/// A method without a class in front of it is told by its name alone, which must be one that few have.
const TELLING: usize = 9;

/// Ruby's own classes: an advisory that names one of their methods tells what the library itself calls.
const CORE: [&str; 30] = [
    "Array",
    "BasicObject",
    "Class",
    "Date",
    "DateTime",
    "Dir",
    "ENV",
    "Encoding",
    "Enumerable",
    "File",
    "FileUtils",
    "Hash",
    "IO",
    "Integer",
    "Kernel",
    "Marshal",
    "Module",
    "Net::HTTP",
    "Object",
    "OpenStruct",
    "Pathname",
    "Process",
    "Range",
    "Regexp",
    "Set",
    "String",
    "Symbol",
    "Tempfile",
    "Thread",
    "Time",
];

/// What is asked of an application: one gem and the functions of one of its advisories.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The gem.
    pub gem: String,
    /// `Rack::Utils.parse_nested_query`, `Loofah::Helpers#sanitize`, `sanitize`.
    pub functions: Vec<String>,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// How near.
    pub reach: Reach,
    /// Why, in a few words.
    pub because: String,
    /// From the endpoint to the call.
    pub path: Vec<Step>,
    /// The endpoints, by their number among the application's.
    pub endpoints: Vec<u32>,
}

impl Answer {
    /// Puts the answer on a finding.
    pub fn tell(&self, finding: &mut Finding, endpoints: &[Arc<Endpoint>]) {
        finding.reach = Some(self.reach);
        if !finding.reason.is_empty() {
            finding.reason.push_str("; ");
        }
        finding.reason.push_str(&self.because);
        finding.path.clone_from(&self.path);
        finding.endpoints =
            self.endpoints.iter().filter_map(|n| endpoints.get(*n as usize).cloned()).collect();
    }
}

/// Answers each question, in their order.
pub fn answer(app: &App<'_>, questions: &[Question]) -> Vec<Answer> {
    if questions.is_empty() {
        return Vec::new();
    }
    let calls = Calls::of(app);
    let answer = |question: &Question| {
        if let Some(because) = not_loaded(app, &question.gem) {
            return Answer { reach: Reach::NotLoaded, because, path: Vec::new(), endpoints: Vec::new() };
        }
        calls.reached(app, question).unwrap_or_else(|| Answer {
            reach: Reach::Loaded,
            because: match question.functions.as_slice() {
                [] => "production loads it, and the advisory names no function".to_owned(),
                [one] => format!("production loads it; no call of `{one}` was seen in the application's own code"),
                all => format!(
                    "production loads it; no call of the {} functions that the advisory names was seen in the \
                     application's own code",
                    all.len()
                ),
            },
            path: Vec::new(),
            endpoints: Vec::new(),
        })
    };
    questions.iter().map(answer).collect()
}

/// Why production does not load a gem; none where it does.
fn not_loaded(app: &App<'_>, gem: &str) -> Option<String> {
    let gems = &app.gems;
    if gems.has_in_production(gem) {
        return None;
    }
    let groups = gems.declared.get(gem).map(|d| d.groups.join(", ")).unwrap_or_default();
    Some(if groups.is_empty() {
        "production does not load it: only gems for development and tests ask for it".to_owned()
    } else {
        format!("production does not load it: the Gemfile has it in {groups} only")
    })
}

/// A call in the application's own code.
#[derive(Clone, Copy)]
struct Site<'a> {
    file: FileId,
    span: Span,
    call: &'a Call,
    /// The method around it; none in a template and at the top of a file.
    method: Option<MethodId>,
}

struct Calls<'a> {
    by_name: FxHashMap<Name, Vec<Site<'a>>>,
    numbers: FxHashMap<*const Endpoint, u32>,
}

impl<'a> Calls<'a> {
    fn of(app: &App<'a>) -> Calls<'a> {
        let mut around: FxHashMap<FileId, Vec<(Span, MethodId)>> = FxHashMap::default();
        for (number, method) in app.index.methods.iter().enumerate() {
            around.entry(method.file).or_default().push((method.span, MethodId(number as u32)));
        }
        let mut by_name: FxHashMap<Name, Vec<Site<'a>>> = FxHashMap::default();
        for (number, file) in app.files.iter().enumerate() {
            let id = FileId(number as u32);
            let methods = around.get(&id).map(Vec::as_slice).unwrap_or_default();
            walk::each(&file.parsed.body, &mut |node: &'a Node| {
                if let Kind::Call(call) = &node.kind {
                    let span = node.span;
                    let within = methods.iter().filter(|(m, _)| m.start <= span.start && span.end <= m.end);
                    let method = within.min_by_key(|(m, _)| m.end - m.start).map(|(_, id)| *id);
                    by_name.entry(call.name).or_default().push(Site { file: id, span, call, method });
                }
                true
            });
        }
        let numbers = app.endpoints.iter().zip(0..).map(|(e, n)| (Arc::as_ptr(e), n)).collect();
        Calls { by_name, numbers }
    }

    /// A call of one of the functions, and the way to it from an endpoint: one that an endpoint leads to
    /// before one that none is known to lead to.
    fn reached(&self, app: &App<'a>, question: &Question) -> Option<Answer> {
        let mut best: Option<Answer> = None;
        for function in &question.functions {
            for site in self.sites_of(app, function) {
                let (path, endpoints) = self.way(app, site);
                let because = match endpoints.len() {
                    0 => format!("`{function}` is called, from no endpoint that is known"),
                    1 => format!("`{function}` is called, and an endpoint leads to it"),
                    n => format!("`{function}` is called, and {n} endpoints lead to it"),
                };
                if best.as_ref().is_none_or(|b| b.endpoints.len() < endpoints.len()) {
                    best = Some(Answer { reach: Reach::Reached, because, path, endpoints });
                }
            }
        }
        best
    }

    /// The calls of a function that an advisory names.
    fn sites_of(&self, app: &App<'a>, function: &str) -> Vec<Site<'a>> {
        let (class, name) = match function.split_once('#').or_else(|| function.rsplit_once('.')) {
            Some((class, name)) => (Some(class), name),
            None => (None, function),
        };
        if class.is_some_and(|class| CORE.contains(&class)) {
            return Vec::new();
        }
        let own = app.index.by_name.contains_key(&Name::from(name));
        let on_class = function.contains('.') && !function.contains('#');
        let telling = name.len() >= TELLING || name.contains('_');
        let called = |site: &&Site<'a>| match (&site.call.recv, class) {
            // `Rack::Utils.parse_nested_query`, called by that name or by its last part in its module.
            (Some(recv), Some(class)) => match &recv.kind {
                Kind::Const(path) => {
                    let written = path_name(path).to_string();
                    let written = written.trim_start_matches("::");
                    on_class && (class == written || class.ends_with(&format!("::{written}")))
                }
                // A method of an object, whose class nobody writes down.
                _ => !on_class && telling && !own,
            },
            (None, Some(_)) => !on_class && telling && !own,
            // `sanitize(text)` in a template or a controller: the framework's own word.
            (None, None) => !own && !site.call.args.is_empty(),
            (Some(_), None) => telling && !own,
        };
        self.by_name.get(&Name::from(name)).into_iter().flatten().filter(called).copied().collect()
    }

    /// The shortest way from an endpoint to a call, by the names of methods and templates, and all endpoints
    /// that lead to it.
    fn way(&self, app: &App<'a>, site: Site<'a>) -> (Vec<Step>, Vec<u32>) {
        let mut queue = VecDeque::from([vec![site]]);
        let mut seen: FxHashSet<(FileId, Option<MethodId>)> = FxHashSet::default();
        let mut endpoints = BTreeSet::new();
        let mut shortest: Option<Vec<Site<'a>>> = None;
        while let Some(way) = queue.pop_front() {
            let Some(last) = way.last().copied() else { continue };
            if !seen.insert((last.file, last.method)) || way.len() > FARTHEST {
                continue;
            }
            let here = self.endpoints_at(app, last);
            if !here.is_empty() {
                endpoints.extend(here);
                shortest.get_or_insert_with(|| way.clone());
                continue;
            }
            let Some(method) = last.method else { continue };
            let name = app.index.method(method).name;
            // A name that many methods have leads everywhere.
            if app.index.by_name.get(&name).is_some_and(|all| all.len() > 3) {
                continue;
            }
            for caller in self.by_name.get(&name).into_iter().flatten() {
                let mut longer = way.clone();
                longer.push(*caller);
                queue.push_back(longer);
            }
        }
        let way = shortest.unwrap_or_else(|| vec![site]);
        let mut steps = Vec::new();
        for (at, site) in way.iter().enumerate().rev() {
            let file: &File = &app.files[site.file.0 as usize];
            let note = match site.method {
                Some(method) if at > 0 => {
                    format!("`{}` calls `{}`", app.index.method(method).name, site.call.name)
                }
                Some(method) => {
                    format!("`{}` calls the library's `{}`", app.index.method(method).name, site.call.name)
                }
                None => format!("`{}` is called", site.call.name),
            };
            steps.push(Step { location: file.location(site.span), note });
        }
        (steps, endpoints.into_iter().take(ENDPOINTS).collect())
    }

    /// The endpoints that answer with the method, or the template, that a call stands in.
    fn endpoints_at(&self, app: &App<'a>, site: Site<'a>) -> Vec<u32> {
        if let Some(method) = site.method {
            let own = app.endpoints_of.get(&method).into_iter().flatten();
            return own.filter_map(|e| self.numbers.get(&Arc::as_ptr(e)).copied()).collect();
        }
        let file = &app.files[site.file.0 as usize];
        let Some(logical) = template_of(&file.path).filter(|_| file.is_template()) else { return Vec::new() };
        // `users/show` is what `users#show` answers with; a partial or a layout belongs to its folder.
        let (folder, name) = logical.rsplit_once('/').unwrap_or(("", logical));
        let whole = format!("{folder}#{name}");
        let shared = name.starts_with('_');
        let all = app.endpoints.iter().zip(0..);
        all.filter(|(e, _)| {
            e.handler == whole
                || shared && e.handler.split_once('#').is_some_and(|(controller, _)| controller == folder)
        })
        .map(|(_, n)| n)
        .collect()
    }
}

/// `users/show` of `app/views/users/show.html.erb`.
fn template_of(path: &str) -> Option<&str> {
    let start = path.find("views/")? + "views/".len();
    let relative = &path[start..];
    let name = relative.rfind('/').map_or(0, |slash| slash + 1);
    let end = relative[name..].find('.').map_or(relative.len(), |dot| name + dot);
    Some(&relative[..end])
}
