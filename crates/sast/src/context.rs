//! What a check sees, and how it says what it found.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wardroom_flow::{Flow, Flows, Mark, SourceKind, Unresolved};
use wardroom_model::{Confidence, Endpoint, Rule, Severity};
use wardroom_rails::{App, File, FileId, MethodId};
use wardroom_ruby::ir::{Call, Kind, Name, Node, Out, Span};
use wardroom_ruby::walk;

use crate::checks::access::practice::Practice;
use crate::mend::Mend;

/// The application, its flows, and the findings so far.
pub struct Context<'c, 'a> {
    /// The application.
    pub app: &'c App<'a>,
    /// What reaches what.
    pub flows: &'c Flows,
    pub(crate) drafts: RefCell<Vec<Draft>>,
    sites: OnceCell<Sites<'a>>,
    methods: OnceCell<FxHashMap<FileId, Vec<MethodId>>>,
    practice: OnceCell<Practice<'c, 'a>>,
}

/// The places of the application that checks ask for most, found in one walk over all trees.
#[derive(Default)]
struct Sites<'a> {
    /// Calls by method, the methods in the order in which they were met.
    calls: Vec<(Name, Vec<CallSite<'a>>)>,
    /// Where a method stands in `calls`.
    named: FxHashMap<Name, usize>,
    /// What templates write.
    outs: Vec<(FileId, &'a Out)>,
}

struct CallSite<'a> {
    file: FileId,
    node: &'a Node,
    call: &'a Call,
}

/// What a fix does, and what it puts where.
type Change = (String, Vec<(FileId, Span, String)>);

/// A finding as a check writes it; place, fingerprint and snippets are filled in later.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) rule: &'static Rule,
    pub(crate) file: FileId,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) reason: String,
    pub(crate) remedy: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) steps: Vec<wardroom_flow::FlowStep>,
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    pub(crate) fix: Option<Change>,
}

/// Fills in a finding and hands it in when it is dropped out of the chain by [`Builder::report`].
#[must_use = "a finding counts only once it is reported"]
pub struct Builder<'b, 'c, 'a> {
    context: &'b Context<'c, 'a>,
    draft: Draft,
}

impl<'c, 'a> Context<'c, 'a> {
    /// A context without findings.
    pub(crate) fn new(app: &'c App<'a>, flows: &'c Flows) -> Self {
        Context {
            app,
            flows,
            drafts: RefCell::default(),
            sites: OnceCell::new(),
            methods: OnceCell::new(),
            practice: OnceCell::new(),
        }
    }

    /// Starts a finding at a place.
    pub fn finding(
        &self,
        rule: &'static Rule,
        file: FileId,
        span: Span,
        message: impl Into<String>,
    ) -> Builder<'_, 'c, 'a> {
        let draft = Draft {
            rule,
            file,
            span,
            message: message.into(),
            reason: String::new(),
            remedy: String::new(),
            severity: rule.severity,
            confidence: Confidence::Medium,
            steps: Vec::new(),
            endpoints: Vec::new(),
            fix: None,
        };
        Builder { context: self, draft }
    }

    /// Starts a finding at a sink, with the flow's path, endpoints, confidence and reason.
    pub fn flow_finding(
        &self,
        rule: &'static Rule,
        flow: &Flow,
        message: impl Into<String>,
    ) -> Builder<'_, 'c, 'a> {
        let (confidence, reason) = confidence(flow);
        let mut builder = self.finding(rule, flow.file, flow.span, message);
        builder.draft.confidence = confidence;
        builder.draft.reason = reason;
        builder.draft.steps.clone_from(&flow.steps);
        builder.draft.endpoints.clone_from(&flow.endpoints);
        builder
    }

    /// Starts a finding at a sink that a parameter reaches without any known outsider's data.
    pub fn unresolved_finding(
        &self,
        rule: &'static Rule,
        open: &Unresolved,
        message: impl Into<String>,
    ) -> Builder<'_, 'c, 'a> {
        let mut builder = self.finding(rule, open.file, open.span, message);
        builder.draft.steps.clone_from(&open.steps);
        builder.draft.endpoints.clone_from(&open.endpoints);
        // Where every caller that is known hands over something open to `eval` or a template, it is worth a
        // look; `class_eval` mostly writes methods.
        // Behind a command's name: what stands in front of all is a command itself.
        let built = open.steps.iter().any(|s| {
            s.note == "built into a string"
                && self.source(s.file, s.span).chars().nth(1).is_some_and(char::is_alphanumeric)
        });
        let escaped = ["escape", "quote", "safe"].iter().any(|w| open.parameter.contains(w));
        let grave = open.mark == Mark::Template
            || open.mark == Mark::Command && built && !escaped
            || open.mark == Mark::Code && matches!(open.method.as_str(), "eval" | "instance_eval");
        let open_all = open.calls > 0 && open.open_calls == open.calls && !open.unknown_call;
        builder.draft.confidence = if grave && open_all { Confidence::Medium } else { Confidence::Low };
        builder.draft.reason = match (open.calls, open.open_calls) {
            (0, _) => "who calls this is not known".to_owned(),
            (calls, open) => {
                format!("{open} of {calls} known calls hand over something that the code does not fix")
            }
        };
        builder
    }

    /// The flows into one kind of sink, the surest one for each sink: an outsider's own words before
    /// what is stored, no doubt before doubt.
    pub fn flows_to(&self, mark: Mark) -> Vec<&'c Flow> {
        let mut best: Vec<&'c Flow> = Vec::new();
        for flow in self.flows.flows.iter().filter(|f| f.mark == mark) {
            match best.last_mut() {
                Some(last) if last.file == flow.file && last.span == flow.span => {
                    if confidence(flow).0 > confidence(last).0 {
                        *last = flow;
                    }
                }
                _ => best.push(flow),
            }
        }
        best
    }

    /// Parameters that reach one kind of sink.
    pub fn unresolved_to(&self, mark: Mark) -> impl Iterator<Item = &'c Unresolved> {
        self.flows.unresolved.iter().filter(move |u| u.mark == mark)
    }

    /// A file.
    pub fn file(&self, id: FileId) -> &'a File {
        self.app.file(id)
    }

    /// The source of a span.
    pub fn source(&self, file: FileId, span: Span) -> String {
        self.app.file(file).source(span).into_owned()
    }

    /// Every file that is code (Ruby or template), by number.
    pub fn code_files(&self) -> impl Iterator<Item = (FileId, &'a File)> {
        self.app
            .files
            .iter()
            .enumerate()
            .map(|(i, f)| (FileId(i as u32), f))
            .filter(|(_, f)| !matches!(f.parsed.body.kind, Kind::Nil))
    }

    /// Files whose text holds one of these words: most checks of settings look at very few files, and
    /// a search for words costs far less than a walk.
    pub fn files_with(&self, words: &[&str]) -> Vec<(FileId, &'a File)> {
        let pattern = words.iter().map(|w| regex::escape(w)).collect::<Vec<_>>().join("|");
        let Ok(pattern) = regex::bytes::Regex::new(&pattern) else { return Vec::new() };
        self.code_files().filter(|(_, file)| pattern.is_match(&file.text)).collect()
    }

    /// Visits every call of these methods, file by file within each name.
    pub fn calls_named(&self, names: &[&str], mut visit: impl FnMut(FileId, &'a Node, &'a Call)) {
        let sites = self.sites();
        for name in names {
            let Some(at) = sites.named.get(&Name::from(name)) else { continue };
            for site in &sites.calls[*at].1 {
                visit(site.file, site.node, site.call);
            }
        }
    }

    /// Visits every call of the methods whose names pass a test; it is asked once for each name.
    pub fn calls_where(
        &self,
        wanted: impl Fn(&str) -> bool,
        mut visit: impl FnMut(FileId, &'a Node, &'a Call),
    ) {
        for (_, sites) in self.sites().calls.iter().filter(|(name, _)| wanted(name)) {
            for site in sites {
                visit(site.file, site.node, site.call);
            }
        }
    }

    /// Visits everything that templates write into their pages.
    pub fn each_output(&self, mut visit: impl FnMut(FileId, &'a Out)) {
        for (file, out) in &self.sites().outs {
            visit(*file, out);
        }
    }

    /// The method that a place stands in, the innermost one.
    pub fn method_at(&self, file: FileId, span: Span) -> Option<MethodId> {
        let methods = self.methods.get_or_init(|| {
            let mut methods: FxHashMap<FileId, Vec<MethodId>> = FxHashMap::default();
            for (number, method) in self.app.index.methods.iter().enumerate() {
                methods.entry(method.file).or_default().push(MethodId(number as u32));
            }
            methods
        });
        let within = methods.get(&file)?.iter().copied().filter(|id| {
            let whole = self.app.index.method(*id).span;
            whole.start <= span.start && span.end <= whole.end
        });
        within.min_by_key(|id| {
            let whole = self.app.index.method(*id).span;
            whole.end - whole.start
        })
    }

    /// What the application itself does about access.
    pub fn practice(&self) -> &Practice<'c, 'a> {
        self.practice.get_or_init(|| Practice::new(self.app))
    }

    fn sites(&self) -> &Sites<'a> {
        self.sites.get_or_init(|| {
            let mut sites = Sites::default();
            for (file, source) in self.code_files() {
                walk::each(&source.parsed.body, &mut |node| {
                    match &node.kind {
                        Kind::Call(call) => {
                            let at = *sites.named.entry(call.name).or_insert_with(|| {
                                sites.calls.push((call.name, Vec::new()));
                                sites.calls.len() - 1
                            });
                            sites.calls[at].1.push(CallSite { file, node, call });
                        }
                        Kind::Out(out) => sites.outs.push((file, out)),
                        _ => {}
                    }
                    true
                });
            }
            sites
        })
    }

    /// The endpoints that a method answers.
    pub fn endpoints_of(&self, method: MethodId) -> Vec<Arc<Endpoint>> {
        self.app.endpoints_of.get(&method).cloned().unwrap_or_default()
    }
}

impl Builder<'_, '_, '_> {
    /// How sure.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.draft.confidence = confidence;
        self
    }

    /// At most this sure.
    pub fn at_most(mut self, confidence: Confidence) -> Self {
        self.draft.confidence = self.draft.confidence.min(confidence);
        self
    }

    /// How bad, where the place says more than the rule.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.draft.severity = severity;
        self
    }

    /// Another place than the sink's own, in the same file.
    pub fn span(mut self, span: Span) -> Self {
        self.draft.span = span;
        self
    }

    /// Why the engine is as sure as it says.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.draft.reason = reason.into();
        self
    }

    /// How to mend it here.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.draft.remedy = remedy.into();
        self
    }

    /// Steps that lead to the place.
    pub fn step(mut self, file: FileId, span: Span, note: impl Into<String>) -> Self {
        self.draft.steps.push(wardroom_flow::FlowStep { file, span, note: note.into() });
        self
    }

    /// From where it can be reached.
    pub fn endpoints(mut self, endpoints: Vec<Arc<Endpoint>>) -> Self {
        self.draft.endpoints = endpoints;
        self
    }

    /// A safe mechanical change: what it does, and the replacements.
    pub fn fix(mut self, title: impl Into<String>, replacements: Vec<(FileId, Span, String)>) -> Self {
        self.draft.fix = Some((title.into(), replacements));
        self
    }

    /// A safe mechanical change, if there is one here.
    pub fn mend(mut self, mend: Option<Mend>) -> Self {
        if let Some((title, replacements)) = mend {
            self = self.fix(title, replacements);
        }
        self
    }

    /// Hands it in.
    pub fn report(self) {
        self.context.drafts.borrow_mut().push(self.draft);
    }
}

/// How sure a flow is by itself, and why.
///
/// An outsider's own words on a path without doubt: high. What users have stored, or a path with a
/// doubt: medium. Two doubts, or stored words with one: low.
pub fn confidence(flow: &Flow) -> (Confidence, String) {
    let (mut confidence, mut reasons) = match flow.source {
        SourceKind::Params | SourceKind::Cookie | SourceKind::Upload | SourceKind::Request => {
            (Confidence::High, Vec::new())
        }
        SourceKind::Stored => {
            (Confidence::Medium, vec![format!("`{}` holds what a user has stored", flow.words)])
        }
        SourceKind::Job => (Confidence::Medium, vec!["the data comes through a job's arguments".to_owned()]),
        SourceKind::Remote => (Confidence::Medium, vec!["the data comes from another system".to_owned()]),
        SourceKind::Local => (Confidence::Low, vec!["the data comes from who runs the program".to_owned()]),
    };
    // A browser sends no markup as the name of a host.
    let host =
        ["request.host", "request.domain", "request.subdomain", "request.base_url", "request.server_name"];
    if flow.source == SourceKind::Request
        && matches!(flow.mark, Mark::Html | Mark::HtmlAttribute | Mark::Script | Mark::Style)
        && host.iter().any(|h| flow.words.starts_with(h))
    {
        confidence = Confidence::Low;
        reasons.push("a browser sends a plain name as the host".to_owned());
    }
    let doubts = [
        (flow.unknown_call, "it passes through a call of which nothing is known"),
        (flow.guarded, "a check stands in front whose worth is not known"),
        (flow.guessed, "the type of an object on the way was guessed from a name"),
    ];
    for (doubt, why) in doubts {
        if doubt {
            confidence = confidence.lower();
            reasons.push(why.to_owned());
        }
    }
    (confidence, reasons.join("; "))
}
