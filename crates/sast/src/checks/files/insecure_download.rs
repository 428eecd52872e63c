//! Code that is fetched and run without a check.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Form, Kind, Node, Span};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A script or program is fetched over the network and run: `curl … | sh`, `eval(URI.open(…).read)`,
    /// `curl -k`, or an `http://` download of code.
    ///
    /// ## Why it is bad
    ///
    /// Whoever controls the other end, or sits on the way, runs code in the application's name.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// system("curl http://example.com/install.sh | sh")
    /// eval(URI.open("https://example.com/setup.rb").read)
    /// ```
    ///
    /// ## Use instead
    ///
    /// Ship the code with the application, or compare its digest with one that the code holds before it runs.
    ///
    /// ## References
    ///
    /// - CWE-494: Download of Code Without Integrity Check
    rule: "insecure-download", "Fetched code is run without a check", FilesAndNetwork, 494, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at command lines and at what is evaluated.
pub fn run(context: &Context<'_, '_>) {
    let mut found: Vec<(FileId, Span, String)> = Vec::new();
    for (file, tree) in context.files_with(&["curl ", "wget ", "open(", "Net::HTTP"]) {
        if tree.is_template() || place::is_test(&tree.path) {
            continue;
        }
        walk::each(&tree.parsed.body, &mut |node| {
            match &node.kind {
                Kind::Interp(interp) if interp.form == Form::Command => {
                    if let Some(why) = command(node) {
                        found.push((file, node.span, why.to_owned()));
                    }
                }
                Kind::Call(call) => match call.name.as_str() {
                    "system" | "exec" | "spawn" | "sh" | "popen" | "capture2" | "capture2e" | "capture3"
                    | "run" => {
                        if let Some(why) = call.args.first().and_then(command) {
                            found.push((file, node.span, why.to_owned()));
                        }
                    }
                    "eval" | "instance_eval" | "class_eval" | "module_eval"
                        if call.args.first().is_some_and(fetches) =>
                    {
                        found.push((
                            file,
                            node.span,
                            format!("What the network answers is run by `{}`", call.name),
                        ));
                    }
                    _ => {}
                },
                _ => {}
            }
            true
        });
    }
    for (file, span, message) in found {
        let confidence =
            if place::is_tooling(&context.file(file).path) { Confidence::Low } else { Confidence::Medium };
        context
            .finding(rule(), file, span, message)
            .confidence(confidence)
            .severity(Severity::Medium)
            .remedy(
                "Fetch over https, and compare the digest with one that the code holds before anything runs.",
            )
            .report();
    }
}

fn text_of(node: &Node) -> String {
    let mut out = String::new();
    walk::each(node, &mut |n| {
        if let Kind::Str(text) = &n.kind {
            out.push_str(text);
            out.push(' ');
        }
        true
    });
    out
}

fn command(node: &Node) -> Option<&'static str> {
    let text = text_of(node);
    let fetch = text.contains("curl ") || text.contains("wget ");
    if !fetch {
        return None;
    }
    let piped = text.split('|').skip(1).any(|part| {
        let program = part.split_whitespace().find(|w| *w != "sudo").unwrap_or_default();
        matches!(program, "sh" | "bash" | "zsh" | "ruby" | "python" | "python3" | "perl")
    });
    if piped {
        return Some("What is fetched goes straight to an interpreter");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.contains(&"--insecure")
        || words.contains(&"--no-check-certificate")
        || text.contains("curl ") && words.contains(&"-k")
    {
        return Some("The certificate is not checked while fetching");
    }
    None
}

fn fetches(node: &Node) -> bool {
    place::any(node, |n| {
        let Kind::Call(call) = &n.kind else { return false };
        let recv = call.recv.as_ref().and_then(place::constant);
        match (call.name.as_str(), recv.as_deref()) {
            ("get" | "get_response", Some("Net::HTTP" | "HTTParty" | "RestClient" | "Faraday" | "HTTP")) => {
                true
            }
            ("open", Some("URI" | "OpenURI")) => true,
            ("open", None) if call.recv.is_none() => {
                call.args.first().and_then(place::known_start).is_some_and(|t| t.starts_with("http"))
            }
            _ => false,
        }
    })
}
