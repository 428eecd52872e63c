//! Rails' spelling rules: `admin/user_groups` ↔ `Admin::UserGroups`.

/// `admin/user_groups` → `Admin::UserGroups`
pub fn camelize(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 4);
    let mut upper = true;
    for c in path.chars() {
        match c {
            '/' => {
                out.push_str("::");
                upper = true;
            }
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// `Admin::UserGroups` → `admin/user_groups`, `HTMLPage` → `html_page`
pub fn underscore(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let chars: Vec<char> = name.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        if *c == ':' {
            if out.ends_with('/') || out.is_empty() {
                continue;
            }
            out.push('/');
            continue;
        }
        if c.is_uppercase() {
            let before = i.checked_sub(1).map(|p| chars[p]);
            let after_lower = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
            let boundary = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit() || (b.is_uppercase() && after_lower));
            if boundary {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        } else {
            out.push(*c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (path, name) in [("admin/user_groups", "Admin::UserGroups"), ("users", "Users"), ("a/b/c_d", "A::B::CD")] {
            assert_eq!(camelize(path), name);
        }
        assert_eq!(underscore("Admin::HTMLPage"), "admin/html_page");
        assert_eq!(underscore("OAuth2Controller"), "o_auth2_controller");
    }
}
