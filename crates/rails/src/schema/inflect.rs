//! English plurals and singulars as Active Support makes them, enough for names of tables,
//! associations and resources.

/// Words that are the same in both numbers.
const UNCOUNTABLE: &[&str] = &[
    "equipment",
    "information",
    "rice",
    "money",
    "species",
    "series",
    "fish",
    "sheep",
    "jeans",
    "police",
    "news",
    "metadata",
    "feedback",
    "staff",
];

/// Singular and plural of words that follow no rule.
const IRREGULAR: &[(&str, &str)] = &[
    ("person", "people"),
    ("man", "men"),
    ("woman", "women"),
    ("child", "children"),
    ("sex", "sexes"),
    ("move", "moves"),
    ("zombie", "zombies"),
    ("mouse", "mice"),
    ("louse", "lice"),
    ("ox", "oxen"),
    ("quiz", "quizzes"),
    ("octopus", "octopi"),
    ("virus", "viri"),
    ("movie", "movies"),
    ("shoe", "shoes"),
    ("hive", "hives"),
    ("database", "databases"),
    ("cookie", "cookies"),
    ("axis", "axes"),
    ("testis", "testes"),
    ("crisis", "crises"),
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("index", "indices"),
    ("bus", "buses"),
    ("tomato", "tomatoes"),
    ("buffalo", "buffaloes"),
];

/// The stems of words in `-sis`.
const SIS: &[&str] = &["analy", "ba", "diagno", "parenthe", "progno", "synop", "the", "empha", "hypothe"];

/// The last word of a snake-case or path-like name, and what stands before it.
fn split(name: &str) -> (&str, &str) {
    let at = name.rfind(['_', '/', '.', '-', ' ']).map_or(0, |i| i + 1);
    name.split_at(at)
}

fn consonant(word: &str) -> bool {
    word.ends_with(|c: char| c.is_ascii_alphanumeric() && !"aeiou".contains(c)) || word.ends_with("qu")
}

/// `user_group` → `user_groups`; a plural stays one.
pub fn plural(name: &str) -> String {
    let (head, word) = split(name);
    format!("{head}{}", plural_word(word))
}

fn plural_word(word: &str) -> String {
    if word.is_empty() || UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    for (one, many) in IRREGULAR {
        if word == *one || word == *many {
            return (*many).to_owned();
        }
    }
    // `salesperson`, `grandchild`, `fireman`.
    for (one, many) in &IRREGULAR[..4] {
        if let Some(stem) = word.strip_suffix(one) {
            // `human`, `german`
            if *one != "man" || !matches!(stem, "hu" | "ger" | "ro" | "talis" | "sha") {
                return format!("{stem}{many}");
            }
        }
        if word.ends_with(many) {
            return word.to_owned();
        }
    }
    for ending in ["alias", "status"] {
        if word.ends_with(ending) {
            return format!("{word}es");
        }
    }
    if let Some(stem) = word.strip_suffix("um").filter(|s| s.ends_with(['t', 'i'])) {
        return format!("{stem}a");
    }
    if word.ends_with("ta") || word.ends_with("ia") {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("sis") {
        return format!("{stem}ses");
    }
    if let Some(stem) = word.strip_suffix("fe").filter(|s| !s.ends_with('f')) {
        return format!("{stem}ves");
    }
    if let Some(stem) = word.strip_suffix('f').filter(|s| s.ends_with(['l', 'r'])) {
        return format!("{stem}ves");
    }
    if let Some(stem) = word.strip_suffix('y').filter(|s| consonant(s) && !s.ends_with('y')) {
        return format!("{stem}ies");
    }
    if ["x", "ch", "ss", "sh"].iter().any(|e| word.ends_with(e)) {
        return format!("{word}es");
    }
    if word.ends_with('s') {
        return word.to_owned();
    }
    format!("{word}s")
}

/// `user_groups` → `user_group`; a singular stays one.
pub fn singular(name: &str) -> String {
    let (head, word) = split(name);
    format!("{head}{}", singular_word(word))
}

fn singular_word(word: &str) -> String {
    if UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    for (one, many) in IRREGULAR {
        if word == *many || word == *one {
            return (*one).to_owned();
        }
    }
    for (one, many) in &IRREGULAR[..4] {
        if let Some(stem) = word.strip_suffix(many) {
            return format!("{stem}{one}");
        }
    }
    for ending in ["alias", "status", "bus", "virus"] {
        if word.ends_with(ending) {
            return word.to_owned();
        }
        if let Some(stem) = word.strip_suffix("es").filter(|s| s.ends_with(ending)) {
            return stem.to_owned();
        }
    }
    if let Some(stem) = word.strip_suffix("ses").filter(|s| SIS.iter().any(|e| s.ends_with(e)))
        // `bases`, `databases`, `cases`: the word in `-se` is the common one.
        && !stem.ends_with("ba")
    {
        return format!("{stem}sis");
    }
    if word.ends_with("ss") || word.ends_with("sis") || word.ends_with("us") {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix('a').filter(|s| s.ends_with(['t', 'i'])) {
        return format!("{stem}um");
    }
    if let Some(stem) = word.strip_suffix("ves") {
        return match stem {
            // `wives`, `knives`, `lives`
            _ if stem.ends_with('i') && stem.len() <= 3 => format!("{stem}fe"),
            // `halves`, `shelves`, `wolves`, `scarves`; but `valves`, `curves`, `nerves`
            _ if stem.ends_with(['l', 'r']) && !matches!(stem, "val" | "cur" | "ner" | "ser" | "car") => {
                format!("{stem}f")
            }
            _ => format!("{stem}ve"),
        };
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|s| consonant(s) && s.len() > 1) {
        return format!("{stem}y");
    }
    // Active Support makes `cach` of `caches`; a class of that name is not what anyone wrote.
    if ["caches", "aches", "niches"].contains(&word) {
        return word[..word.len() - 1].to_owned();
    }
    for ending in ["xes", "ches", "sses", "shes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    if let Some(stem) = word.strip_suffix("oes") {
        return format!("{stem}o");
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}
