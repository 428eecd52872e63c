//! What Python's formats share: names as PEP 503 writes them, requirements as PEP 508 does.

use crate::{Dependency, Origin};

/// The one way in which a package's name is written: lower case, `-` for every run of `-`, `_` and `.`.
pub fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// Reads `name[extra] >=1, <2 ; marker` or `name @ address`; none where no name stands there.
pub fn requirement(words: &str, span: (u32, u32)) -> Option<Dependency> {
    let words = words.trim();
    let end = words
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(words.len());
    let name = &words[..end];
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let mut rest = words[end..].trim_start();
    if rest.starts_with('[') {
        rest = rest.split_once(']')?.1.trim_start();
    }
    if let Some(address) = rest.strip_prefix('@') {
        let address = address.trim().split(" ;").next().unwrap_or("").trim();
        let mut dependency = Dependency::new(normal(name), "", span);
        dependency.origin = origin(address);
        return Some(dependency);
    }
    let range = rest.split(';').next().unwrap_or("").trim();
    let range = range.strip_prefix('(').and_then(|r| r.strip_suffix(')')).unwrap_or(range);
    if !range.is_empty() && !range.starts_with(['=', '<', '>', '!', '~']) {
        return None;
    }
    Some(Dependency::new(normal(name), range.split_whitespace().collect::<String>(), span))
}

/// The version that a range leaves as the only one; none for any other range.
pub fn pinned(range: &str) -> Option<&str> {
    let version = range.strip_prefix("===").or_else(|| range.strip_prefix("=="))?.trim();
    (!version.is_empty() && !version.contains(['*', ',', '<', '>', '!', '~', '='])).then_some(version)
}

/// What an address stands for: a repository, a folder or a file.
pub fn origin(address: &str) -> Origin {
    let (base, fragment) = address.split_once('#').unwrap_or((address, ""));
    if let Some(url) = base.strip_prefix("git+").or_else(|| base.starts_with("git://").then_some(base)) {
        let host = url.find("://").map_or(0, |i| i + 3);
        // An `@` in front of the path belongs to the user's name.
        let path = url[host..].find('/').map_or(host, |i| host + i);
        let (url, reference) = match url[path..].rfind('@') {
            Some(at) => (&url[..path + at], &url[path + at + 1..]),
            None => (url, ""),
        };
        let commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
        let (revision, reference) = if commit { (reference, "") } else { ("", reference) };
        return Origin::Git {
            url: url.to_owned(),
            revision: revision.to_owned(),
            reference: reference.to_owned(),
        };
    }
    match base.starts_with("http://") || base.starts_with("https://") {
        true if fragment.is_empty() => Origin::Url(base.to_owned()),
        true => Origin::Url(address.to_owned()),
        false => Origin::Path(base.trim_start_matches("file://").to_owned()),
    }
}

/// A registry; empty for the ecosystem's own.
pub fn registry(url: &str) -> Origin {
    match url.trim_end_matches('/') {
        "https://pypi.org/simple" | "https://pypi.python.org/simple" | "https://pypi.org" => {
            Origin::Registry(String::new())
        }
        _ => Origin::Registry(url.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements() {
        let read = |words| requirement(words, (0, 0)).map(|d| (d.requirement.name, d.requirement.range));
        let some = |name: &str, range: &str| Some((name.to_owned(), range.to_owned()));
        assert_eq!(
            read("Foo_Bar.baz[x,y] >= 1.0, <2 ; python_version < '3'"),
            some("foo-bar-baz", ">=1.0,<2")
        );
        assert_eq!(read("foo (==1.0)"), some("foo", "==1.0"));
        assert_eq!(read("foo"), some("foo", ""));
        assert_eq!(read("./foo"), None);
        assert_eq!(read("foo bar"), None);
        let git = requirement("foo @ git+https://u@x.test/foo.git@v1#egg=foo", (0, 0)).unwrap();
        assert_eq!(
            git.origin,
            Origin::Git {
                url: "https://u@x.test/foo.git".into(),
                revision: String::new(),
                reference: "v1".into()
            }
        );
        assert_eq!(pinned("==1.0"), Some("1.0"));
        assert_eq!(pinned("==1.*"), None);
        assert_eq!(pinned("==1.0,!=1.1"), None);
    }
}
