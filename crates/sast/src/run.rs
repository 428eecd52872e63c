//! Running every check, and turning drafts into findings.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wardroom_flow::Flows;
use wardroom_model::{Finding, Fingerprint, Fix, Replacement, Rule};
use wardroom_rails::{App, FileId};
use wardroom_ruby::ir::{Kind, ModuleForm, Node, Span};

use crate::checks;
use crate::context::{Context, Draft};
use crate::mend;
use crate::rule::Check;

/// What the checks found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings, worst first, then by place.
    pub findings: Vec<Finding>,
    /// Rules that ran, by id.
    pub rules: Vec<&'static Rule>,
    /// Checks that failed: the rule and what it said.
    pub failures: Vec<(&'static str, String)>,
}

/// Every check, by rule id.
pub fn registry() -> Vec<Check> {
    let mut all = checks::all();
    all.sort_by_key(|c| (c.rule)().id);
    all
}

/// Runs the checks that `wanted` lets through.
pub fn run<'a>(app: &App<'a>, flows: &Flows, wanted: &dyn Fn(&Rule) -> bool) -> Outcome {
    let context = Context::new(app, flows);
    let mut outcome = Outcome::default();
    for check in registry() {
        let rule = (check.rule)();
        if !wanted(rule) {
            continue;
        }
        outcome.rules.push(rule);
        let before = context.drafts.borrow().len();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (check.run)(&context))) {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panicked without a message");
            outcome.failures.push((rule.id, message.to_owned()));
            context.drafts.borrow_mut().truncate(before);
        }
    }
    outcome.findings = finish(app, context.drafts.into_inner());
    outcome
}

/// How many bytes of one file are parsed again to see whether its fixes fit.
const PARSED_AGAIN: usize = 16 << 20;

/// Whether there is room to try a fix: each one parses its files once more, and a file made of nothing
/// but findings would be parsed thousands of times.
fn affordable(
    app: &App<'_>,
    replacements: &[(FileId, Span, String)],
    parsed: &mut HashMap<FileId, usize>,
) -> bool {
    replacements.iter().all(|(id, ..)| {
        let spent = parsed.entry(*id).or_default();
        *spent += app.file(*id).text.len();
        *spent <= PARSED_AGAIN
    })
}

fn finish(app: &App<'_>, mut drafts: Vec<Draft>) -> Vec<Finding> {
    // One weakness once: of two drafts of one rule at one place the surer stays.
    drafts.sort_by(|a, b| {
        (a.rule.id, a.file, a.span).cmp(&(b.rule.id, b.file, b.span)).then(b.confidence.cmp(&a.confidence))
    });
    drafts.dedup_by(|b, a| a.rule.id == b.rule.id && a.file == b.file && a.span == b.span);
    let mut ordinals: HashMap<(&str, String, String), u32> = HashMap::new();
    let mut findings: Vec<Finding> = Vec::with_capacity(drafts.len());
    let mut parsed: HashMap<FileId, usize> = HashMap::new();
    for draft in drafts {
        let file = app.file(draft.file);
        let scope = scope(app, draft.file, draft.span);
        let code = file.source(draft.span);
        let ordinal =
            ordinals.entry((draft.rule.id, scope.clone(), wardroom_model::normalise(&code))).or_default();
        let fingerprint = Fingerprint::new(draft.rule.id, &scope, &code, *ordinal);
        *ordinal += 1;
        let fix = draft.fix.filter(|(_, r)| affordable(app, r, &mut parsed) && mend::parses(app, r)).map(
            |(title, replacements)| Fix {
                title,
                replacements: replacements
                    .into_iter()
                    .map(|(id, span, text)| Replacement {
                        file: Arc::clone(&app.file(id).path),
                        start: span.start,
                        end: span.end,
                        text,
                    })
                    .collect(),
            },
        );
        findings.push(Finding {
            rule: draft.rule.id.to_owned(),
            message: draft.message,
            reason: draft.reason,
            remedy: draft.remedy,
            severity: draft.severity,
            confidence: draft.confidence,
            cwe: draft.rule.cwe,
            location: file.location(draft.span),
            scope,
            path: draft.steps.iter().map(|s| s.locate(app)).collect(),
            places: Vec::new(),
            package: None,
            advisory: None,
            reach: None,
            endpoints: draft.endpoints,
            fix,
            fingerprint,
            suppression: None,
        });
    }
    findings.sort_by(|a, b| {
        (b.severity, b.confidence)
            .cmp(&(a.severity, a.confidence))
            .then_with(|| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)))
    });
    findings
}

/// The definition around a place: `Admin::UsersController#index`, or a template's logical name. It
/// does not change when lines move or the file is renamed.
fn scope(app: &App<'_>, file: FileId, span: Span) -> String {
    let file = app.file(file);
    if file.is_template() {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        return name.split('.').next().unwrap_or(name).to_owned();
    }
    let mut out = String::new();
    enclosing(&file.parsed.body, span, &mut out);
    out
}

fn enclosing(node: &Node, span: Span, out: &mut String) {
    // The root counts too: where a file holds one class, that class is the root.
    name_of(node, out);
    wardroom_ruby::walk::children(node, &mut |child| {
        if child.span.start <= span.start && span.end <= child.span.end {
            enclosing(child, span, out);
        }
    });
}

fn name_of(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Module(module) if module.form != ModuleForm::Singleton => {
            if !out.is_empty() {
                out.push_str("::");
            }
            out.push_str(&wardroom_rails::path_name(&module.path));
        }
        Kind::Def(def) => {
            out.push('#');
            out.push_str(&def.name);
        }
        _ => {}
    }
}
