//! Rails' spelling rules: `admin/user_groups` ↔ `Admin::UserGroups`, and English plurals the way its
//! inflector makes them.

/// Words that are their own plural.
const UNCOUNTABLE: [&str; 10] =
    ["equipment", "information", "rice", "money", "species", "series", "fish", "sheep", "jeans", "police"];

/// Singular and plural that no rule makes; also at the end of a longer word (`salesperson`).
const IRREGULAR: [(&str, &str); 7] = [
    ("person", "people"),
    ("man", "men"),
    ("child", "children"),
    ("sex", "sexes"),
    ("move", "moves"),
    ("zombie", "zombies"),
    ("movie", "movies"),
];

/// The same for whole words only.
const WHOLE: [(&str, &str); 2] = [("ox", "oxen"), ("axis", "axes")];

/// Ending and what takes its place, first match wins; the ending is written with the letters that
/// must stand in front of it, which stay.
const SINGULAR: [(&str, &str); 49] = [
    ("databases", "database"),
    ("quizzes", "quiz"),
    ("matrices", "matrix"),
    ("vertices", "vertex"),
    ("indices", "index"),
    ("aliases", "alias"),
    ("alias", "alias"),
    ("statuses", "status"),
    ("status", "status"),
    ("octopi", "octopus"),
    ("octopus", "octopus"),
    ("viri", "virus"),
    ("virus", "virus"),
    ("crises", "crisis"),
    ("crisis", "crisis"),
    ("testes", "testis"),
    ("testis", "testis"),
    ("shoes", "shoe"),
    ("oes", "o"),
    ("buses", "bus"),
    ("bus", "bus"),
    ("mice", "mouse"),
    ("lice", "louse"),
    ("xes", "x"),
    ("ches", "ch"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("quies", "quy"),
    ("lves", "lf"),
    ("rves", "rf"),
    ("tives", "tive"),
    ("hives", "hive"),
    ("analyses", "analysis"),
    ("bases", "basis"),
    ("diagnoses", "diagnosis"),
    ("parentheses", "parenthesis"),
    ("prognoses", "prognosis"),
    ("synopses", "synopsis"),
    ("theses", "thesis"),
    ("analysis", "analysis"),
    ("basis", "basis"),
    ("diagnosis", "diagnosis"),
    ("parenthesis", "parenthesis"),
    ("prognosis", "prognosis"),
    ("synopsis", "synopsis"),
    ("thesis", "thesis"),
    ("ta", "tum"),
    ("ia", "ium"),
    ("news", "news"),
];

/// The same for plurals.
const PLURAL: [(&str, &str); 38] = [
    ("quiz", "quizzes"),
    ("oxen", "oxen"),
    ("mice", "mice"),
    ("lice", "lice"),
    ("mouse", "mice"),
    ("louse", "lice"),
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("index", "indices"),
    ("x", "xes"),
    ("ch", "ches"),
    ("ss", "sses"),
    ("sh", "shes"),
    ("quy", "quies"),
    ("hive", "hives"),
    ("lf", "lves"),
    ("rf", "rves"),
    ("sis", "ses"),
    ("ta", "ta"),
    ("ia", "ia"),
    ("tum", "ta"),
    ("ium", "ia"),
    ("buffalo", "buffaloes"),
    ("tomato", "tomatoes"),
    ("bus", "buses"),
    ("alias", "aliases"),
    ("status", "statuses"),
    ("octopi", "octopi"),
    ("viri", "viri"),
    ("octopus", "octopi"),
    ("virus", "viri"),
    ("axis", "axes"),
    ("testis", "testes"),
    ("ffe", "ffes"),
    ("fe", "ves"),
    ("people", "people"),
    ("children", "children"),
    ("s", "s"),
];

/// `user` for `users`; of `admin_people` only the last word counts.
pub fn singular(word: &str) -> String {
    let (head, last) = split(word);
    if uncountable(last) {
        return word.to_owned();
    }
    if let Some((one, _)) = WHOLE.iter().find(|(one, many)| *many == last || *one == last) {
        return format!("{head}{one}");
    }
    if let Some((one, many)) = IRREGULAR.iter().find(|(_, many)| last.ends_with(many)) {
        return format!("{head}{}{one}", &last[..last.len() - many.len()]);
    }
    if let Some((ending, other)) = SINGULAR.iter().find(|(ending, _)| last.ends_with(ending)) {
        return format!("{head}{}{other}", &last[..last.len() - ending.len()]);
    }
    let before = |ending: &str| last.strip_suffix(ending).and_then(|stem| stem.chars().next_back());
    if before("ies").is_some_and(|c| !"aeiouy".contains(c)) {
        return format!("{head}{}y", &last[..last.len() - 3]);
    }
    if before("ves").is_some_and(|c| c != 'f') {
        return format!("{head}{}fe", &last[..last.len() - 3]);
    }
    match last.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.is_empty() => format!("{head}{stem}"),
        _ => word.to_owned(),
    }
}

/// `users` for `user`.
pub fn plural(word: &str) -> String {
    let (head, last) = split(word);
    if uncountable(last) || last.is_empty() {
        return word.to_owned();
    }
    if let Some((_, many)) = WHOLE.iter().find(|(one, many)| *one == last || *many == last) {
        return format!("{head}{many}");
    }
    if IRREGULAR.iter().any(|(_, many)| last.ends_with(many)) {
        return word.to_owned();
    }
    if let Some((one, many)) = IRREGULAR.iter().find(|(one, _)| last.ends_with(one)) {
        return format!("{head}{}{many}", &last[..last.len() - one.len()]);
    }
    if let Some((ending, other)) = PLURAL.iter().find(|(ending, _)| last.ends_with(ending)) {
        return format!("{head}{}{other}", &last[..last.len() - ending.len()]);
    }
    let before = last.strip_suffix('y').and_then(|stem| stem.chars().next_back());
    if before.is_some_and(|c| !"aeiouy".contains(c)) {
        return format!("{head}{}ies", &last[..last.len() - 1]);
    }
    format!("{word}s")
}

/// `admin/user_groups` for `Admin::UserGroups`.
pub fn underscore(name: &str) -> String {
    let name = name.trim_start_matches("::").replace("::", "/");
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        let before = if i > 0 { chars[i - 1] } else { '/' };
        let after_lower = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        let starts_word =
            before.is_lowercase() || before.is_ascii_digit() || (before.is_uppercase() && after_lower);
        if c.is_uppercase() && starts_word {
            out.push('_');
        }
        out.extend(if c == '-' { '_' } else { c }.to_lowercase());
    }
    out
}

fn split(word: &str) -> (&str, &str) {
    word.rfind(['_', '/', '-']).map_or(("", word), |at| word.split_at(at + 1))
}

fn uncountable(last: &str) -> bool {
    UNCOUNTABLE.contains(&last)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_real_routes() {
        for (one, many) in [
            ("user", "users"),
            ("admin_person", "admin_people"),
            ("category", "categories"),
            ("address", "addresses"),
            ("status", "statuses"),
            ("box", "boxes"),
            ("medium", "media"),
            ("news", "news"),
            ("issue", "issues"),
            ("reply", "replies"),
            ("day", "days"),
            ("response", "responses"),
            ("series", "series"),
            ("shelf", "shelves"),
        ] {
            assert_eq!(plural(one), many);
            assert_eq!(singular(many), one);
        }
        for (one, many) in [("salesperson", "salespeople"), ("woman", "women"), ("analysis", "analyses")] {
            assert_eq!((plural(one).as_str(), singular(many).as_str()), (many, one));
        }
        assert_eq!((singular("analysis").as_str(), singular("axes").as_str()), ("analysis", "axis"));
        assert_eq!((plural("box").as_str(), plural("feedback").as_str()), ("boxes", "feedbacks"));
        assert_eq!(singular("status"), "status");
        assert_eq!(singular("access"), "access");
        assert_eq!(singular("caches"), "cach", "as Rails has it");
        assert_eq!(underscore("Admin::UserGroups"), "admin/user_groups");
        assert_eq!(underscore("HTMLPage"), "html_page");
    }
}
