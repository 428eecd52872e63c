//! Content security policies: Rails' own block and the `secure_headers` gem's hash.

use serde::Serialize;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::read::{Conditions, branches};
use super::value::{Literals, SettingValue, is_name};
use super::{Config, Stage};

/// One content security policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Csp {
    /// Directive → sources, as they stand in the header: `("script-src", ["'self'", "https:"])`. A
    /// source that is made at run time is [`Csp::DYNAMIC`]. A directive that is set in several
    /// places under conditions holds the sources of all of them.
    pub directives: Vec<(String, Vec<String>)>,
    /// Where each directive was set last, by its name.
    pub places: Vec<(String, Span)>,
    /// Whether it is only reported, not enforced.
    pub report_only: bool,
    /// Whether scripts or styles get a nonce.
    pub nonce: bool,
    /// The only environment in which it holds.
    pub environment: Option<String>,
    /// Whether it stands under a condition that the reader cannot decide.
    pub conditional: bool,
    /// The file.
    pub file: u32,
    /// The declaration.
    pub span: Span,
}

impl Csp {
    /// Stands for a source that only the running application knows.
    pub const DYNAMIC: &'static str = "{dynamic}";

    /// The sources of a directive, by its own name only.
    pub fn directive(&self, name: &str) -> Option<&[String]> {
        self.directives.iter().find(|(n, _)| n == name).map(|(_, sources)| sources.as_slice())
    }

    /// The sources of a fetch directive: its own, else those of `default-src`.
    pub fn sources(&self, name: &str) -> Option<&[String]> {
        self.directive(name).or_else(|| self.directive("default-src"))
    }

    /// Where the sources of a fetch directive stand: its own, else those of `default-src`, else the
    /// whole declaration.
    pub fn place(&self, name: &str) -> Span {
        let of = |name: &str| self.places.iter().rfind(|(n, _)| n == name).map(|(_, span)| *span);
        of(name).or_else(|| of("default-src")).unwrap_or(self.span)
    }

    fn set(&mut self, name: &str, sources: Vec<String>, extend: bool) {
        let name = name.replace('_', "-");
        match self.directives.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) if extend => {
                for source in sources {
                    if !old.contains(&source) {
                        old.push(source);
                    }
                }
            }
            Some((_, old)) => *old = sources,
            None => self.directives.push((name, sources)),
        }
    }
}

/// `config.content_security_policy do |policy| … end`; `None` for a block without a parameter.
pub(super) fn from_block(
    call: &Call,
    file: u32,
    span: Span,
    literals: &Literals,
    at: &Conditions,
) -> Option<Csp> {
    let block = call.block.as_ref()?;
    let policy = block.params.first()?.name;
    let mut csp = Csp {
        environment: at.environment.clone(),
        conditional: at.conditional,
        file,
        span,
        ..Csp::default()
    };
    let inner = Conditions { conditional: false, ..at.clone() };
    statements(&mut csp, policy.as_str(), &block.body, literals, &inner, 0);
    Some(csp)
}

fn statements(csp: &mut Csp, policy: &str, node: &Node, literals: &Literals, at: &Conditions, depth: u32) {
    if depth > 24 {
        return;
    }
    match &node.kind {
        Kind::Seq(nodes) => {
            nodes.iter().for_each(|n| statements(csp, policy, n, literals, at, depth + 1));
        }
        Kind::If(branch) => {
            let (then, otherwise) = branches(literals, &branch.cond, at);
            for (body, at) in [(&branch.then, then), (&branch.otherwise, otherwise)] {
                // What does not run in production does not count, unless the whole policy is
                // another environment's.
                let counts = |at: &Conditions| {
                    at.environment
                        .as_deref()
                        .is_none_or(|e| e == csp.environment.as_deref().unwrap_or("production"))
                };
                if let Some(at) = at.filter(counts) {
                    statements(csp, policy, body, literals, &at, depth + 1);
                }
            }
        }
        Kind::Begin(begin) => statements(csp, policy, &begin.body, literals, at, depth + 1),
        Kind::Call(call) if call.recv.as_ref().is_some_and(|r| is_name(r, policy)) => {
            let mut sources = Vec::new();
            for argument in &call.args {
                let value = match &argument.kind {
                    Kind::Splat(inner) => literals.of(inner),
                    _ => literals.of(argument),
                };
                value.items().iter().for_each(|v| sources.push(source(v)));
            }
            // `policy.object_src false` takes the directive out.
            if matches!(call.args.first().map(|a| &a.kind), Some(Kind::False | Kind::Nil)) {
                let name = call.name.replace('_', "-");
                csp.directives.retain(|(n, _)| *n != name);
                csp.places.retain(|(n, _)| *n != name);
            } else {
                csp.places.push((call.name.replace('_', "-"), node.span));
                csp.set(&call.name, sources, at.conditional);
            }
        }
        _ => {}
    }
}

/// A source as Rails writes it into the header.
fn source(value: &SettingValue) -> String {
    match value {
        SettingValue::Sym(name) => match name.as_str() {
            "self" => "'self'".to_owned(),
            "none" => "'none'".to_owned(),
            "unsafe_eval" => "'unsafe-eval'".to_owned(),
            "unsafe_inline" => "'unsafe-inline'".to_owned(),
            "unsafe_hashes" => "'unsafe-hashes'".to_owned(),
            "wasm_unsafe_eval" => "'wasm-unsafe-eval'".to_owned(),
            "strict_dynamic" => "'strict-dynamic'".to_owned(),
            "report_sample" => "'report-sample'".to_owned(),
            "script" => "'script'".to_owned(),
            "allow_duplicates" => "'allow-duplicates'".to_owned(),
            "http" | "https" | "data" | "mediastream" | "blob" | "filesystem" | "ws" | "wss" => {
                format!("{name}:")
            }
            other => other.to_owned(),
        },
        SettingValue::Str(text) => text.clone(),
        SettingValue::Env { default: Some(default), .. } => source(default),
        _ => Csp::DYNAMIC.to_owned(),
    }
}

/// Adds the policies of `secure_headers` and what stands beside a policy: report-only and nonces.
pub(super) fn finish(config: &mut Config) {
    let mut found = Vec::new();
    for setting in &config.settings {
        let report_only = match setting.key.as_str() {
            "secure_headers.csp" => false,
            "secure_headers.csp_report_only" => true,
            _ => continue,
        };
        let SettingValue::Hash(pairs) = &setting.value else { continue };
        let mut csp = Csp {
            report_only: report_only
                || matches!(setting.value.get("report_only"), Some(SettingValue::Bool(true))),
            environment: setting.environment.clone(),
            conditional: setting.conditional,
            file: setting.file,
            span: setting.span,
            ..Csp::default()
        };
        for (name, value) in pairs {
            let directive = name.ends_with("_src")
                || name.ends_with("-src")
                || matches!(
                    name.as_str(),
                    "base_uri"
                        | "form_action"
                        | "frame_ancestors"
                        | "plugin_types"
                        | "sandbox"
                        | "report_uri"
                        | "upgrade_insecure_requests"
                );
            if directive {
                csp.set(name, value.items().iter().map(source).collect(), false);
            }
        }
        found.push(csp);
    }
    config.policies.extend(found);
    let on = |config: &Config, key: &str| config.last(key).is_some_and(|s| s.value.as_bool() != Some(false));
    let certain = |config: &Config, key: &str| {
        config.last(key).is_some_and(|s| !s.conditional && s.stage <= Stage::Late)
    };
    let report_only = on(config, "content_security_policy_report_only")
        && certain(config, "content_security_policy_report_only");
    let nonce = on(config, "content_security_policy_nonce_generator");
    for policy in &mut config.policies {
        policy.report_only |= report_only;
        policy.nonce |= nonce;
    }
}
