//! Putting texts of a report together.

/// The first text that says something.
pub(crate) fn first<const N: usize>(texts: [String; N]) -> String {
    texts.into_iter().find(|t| !t.trim().is_empty()).unwrap_or_default()
}

/// The texts that say something, each its own paragraph; one that repeats another is left out.
pub(crate) fn paragraphs<const N: usize>(texts: [String; N]) -> String {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let text = text.trim();
        if !text.is_empty() && !kept.iter().any(|k| k == text) {
            kept.push(text.to_owned());
        }
    }
    kept.join("\n\n")
}

/// `**Label**: text`; nothing where the text says nothing.
pub(crate) fn labelled(label: &str, text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("**{label}**: {text}") }
}

/// The first sentence of a text, for a title; cut at a word where it is long.
pub(crate) fn headline(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.trim().lines().next().unwrap_or_default().trim().trim_start_matches(['#', '*', ' ']);
    let sentence = line.find(". ").map_or(line, |at| &line[..at]).trim_end_matches('.');
    if sentence.len() <= LONGEST {
        return sentence.to_owned();
    }
    let cut = sentence.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last().unwrap_or(0);
    let word = sentence[..cut].rfind(' ').unwrap_or(cut);
    format!("{}…", &sentence[..word])
}

/// A title that names the package it is about, once.
pub(crate) fn titled(package: &str, title: &str) -> String {
    let title = title.trim();
    if package.is_empty() || title.starts_with(package) {
        return title.to_owned();
    }
    format!("{package}: {title}")
}

/// The addresses of the web in a text, in its order.
pub(crate) fn links(text: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    text.split(ends)
        .filter_map(|word| {
            let at = word.find("http://").or_else(|| word.find("https://"))?;
            let link = word[at..].trim_end_matches([',', ';', '.', ')', ']']);
            // A closing bracket that the address itself opened belongs to it.
            let whole = word[at..].trim_end_matches([',', ';', '.']);
            let link = if link.contains('(') && whole.ends_with(')') { whole } else { link };
            (link.len() > "https://".len()).then(|| link.to_owned())
        })
        .collect()
}

/// `host:port`, `scheme://host:port`; the port left out where it is none or 0.
pub(crate) fn host_and_port(host: &str, port: &str) -> String {
    let (host, port) = (host.trim(), port.trim());
    // An address of version 6 stands in brackets before a port.
    let host = if host.matches(':').count() > 1 && !host.starts_with('[') && !host.contains("//") {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    if host.is_empty() || port.is_empty() || port == "0" { host } else { format!("{host}:{port}") }
}

/// A path joined to the address it belongs to.
pub(crate) fn joined(base: &str, path: &str) -> String {
    let (base, path) = (base.trim().trim_end_matches('/'), path.trim());
    match path {
        "" => base.to_owned(),
        _ if path.contains("://") || base.is_empty() => path.to_owned(),
        _ => format!("{base}/{}", path.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_where_a_reader_would_end_them() {
        let text = "See (https://a.example/b). Also <https://c.example/d_(e)>, and http://.";
        assert_eq!(links(text), ["https://a.example/b", "https://c.example/d_(e)"]);
    }

    #[test]
    fn hosts_and_ports() {
        assert_eq!(host_and_port("a.example", "443"), "a.example:443");
        assert_eq!(host_and_port("a.example", "0"), "a.example");
        assert_eq!(host_and_port("2001:db8::1", "22"), "[2001:db8::1]:22");
        assert_eq!(joined("https://a.example/", "/b"), "https://a.example/b");
        assert_eq!(joined("https://a.example", "https://b.example/c"), "https://b.example/c");
    }
}
