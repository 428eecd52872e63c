//! Who owns a file, by the repository's CODEOWNERS: the last line whose pattern matches.

/// A CODEOWNERS file that was read. Lines that make no sense are passed over, as the forges do.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    rules: Vec<(Vec<String>, bool, Vec<String>)>,
}

impl Owners {
    /// Reads it: patterns as in `.gitignore`, and sections (`[Name] @owner`) whose owners are taken
    /// by patterns without any.
    pub fn read(text: &str) -> Owners {
        let mut rules = Vec::new();
        let mut of_section: Vec<String> = Vec::new();
        for line in text.lines().take(20_000) {
            let line = line.split(" #").next().unwrap_or(line).trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((_, rest)) =
                line.trim_start_matches('^').strip_prefix('[').and_then(|l| l.split_once(']'))
            {
                // A number in brackets after the name tells approvals, which do not matter here.
                of_section = owners(rest);
                continue;
            }
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next() else { continue };
            let named = owners(line.get(pattern.len()..).unwrap_or_default());
            let named = if named.is_empty() { of_section.clone() } else { named };
            let anchored = pattern.trim_end_matches('/').contains('/');
            let deep = pattern.ends_with('/');
            let mut parts: Vec<String> =
                pattern.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect();
            if !anchored {
                parts.insert(0, "**".to_owned());
            }
            if deep {
                parts.push("**".to_owned());
            }
            rules.push((parts, deep, named));
        }
        Owners { rules }
    }

    /// The owners of a file, as the file names them: `@ana`, `@harbour/payments`.
    pub fn of(&self, path: &str) -> &[String] {
        let path: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let rule = self.rules.iter().rev().find(|(pattern, ..)| matches(pattern, &path));
        rule.map_or(&[], |(_, _, owners)| owners)
    }
}

fn owners(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|w| w.len() > 1 && w.contains('@')).map(str::to_owned).collect()
}

/// Whether a pattern matches a path or a folder above it: a table of which parts of the pattern are
/// used up after each part of the path, so that no pattern costs more than its length times the path's.
fn matches(pattern: &[String], path: &[&str]) -> bool {
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    for (at, part) in path.iter().enumerate() {
        for i in 0..pattern.len() {
            // `**` may stand for nothing, except at the end, where it stands for what is in a folder.
            if reached[i] && pattern[i] == "**" && i + 1 < pattern.len() {
                reached[i + 1] = true;
            }
        }
        let mut next = vec![false; pattern.len() + 1];
        for i in (0..pattern.len()).filter(|i| reached[*i]) {
            if pattern[i] == "**" {
                next[i] = true;
                next[i + 1] |= i + 1 == pattern.len();
            } else if glob(pattern[i].as_bytes(), part.as_bytes()) {
                next[i + 1] = true;
            }
        }
        if next[pattern.len()] {
            return true;
        }
        reached = next;
        if at > 4096 {
            break;
        }
    }
    false
}

/// `*` and `?` within one part of a path.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
            }
            Some(c) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, at)) => {
                    star = Some((after, at + 1));
                    p = after;
                    t = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_match_owns() {
        let owners = Owners::read(
            "# owners\n* @all\n*.rb @ruby\n/app/models/ @models # data\napp/**/pay*.rb @pay\n[Docs][2] @docs\n*.md\n/docs/ @writers\n",
        );
        for (path, owner) in [
            ("README", "@all"),
            ("lib/x.rb", "@ruby"),
            ("app/models/berth.rb", "@models"),
            ("app/models/deep/er.rb", "@models"),
            ("app/a/b/payment.rb", "@pay"),
            ("app/payment.rb", "@pay"),
            ("x/README.md", "@docs"),
            ("docs/a/b.md", "@writers"),
            ("x/docs/a", "@all"),
        ] {
            assert_eq!(owners.of(path), [owner], "{path}");
        }
        assert!(Owners::read("").of("x").is_empty());
        let hostile = format!("{}b @x", "**/a/".repeat(60));
        assert!(Owners::read(&hostile).of(&"a/".repeat(2000)).is_empty());
    }
}
