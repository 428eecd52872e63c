//! The CVSS calculator: the base metrics of versions 3.1 and 4.0 as choices.

/// One metric with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub label: &'static str,
    pub values: Vec<Value>,
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub code: &'static str,
    pub label: &'static str,
    pub chosen: bool,
}

/// A version with its metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calculator {
    pub version: &'static str,
    pub metrics: Vec<Metric>,
    /// The vector, where it is of this version.
    pub vector: String,
    /// It is the one shown first.
    pub current: bool,
}

type Table = &'static [(&'static str, &'static str, &'static [(&'static str, &'static str)])];

const NONE_LOW_HIGH: &[(&str, &str)] = &[("N", "None"), ("L", "Low"), ("H", "High")];
const VECTOR: &[(&str, &str)] = &[("N", "Network"), ("A", "Adjacent"), ("L", "Local"), ("P", "Physical")];
const COMPLEXITY: &[(&str, &str)] = &[("L", "Low"), ("H", "High")];

/// Base metrics of version 3.1, in the order of the specification.
const THREE: Table = &[
    ("AV", "Attack vector", VECTOR),
    ("AC", "Attack complexity", COMPLEXITY),
    ("PR", "Privileges required", NONE_LOW_HIGH),
    ("UI", "User interaction", &[("N", "None"), ("R", "Required")]),
    ("S", "Scope", &[("U", "Unchanged"), ("C", "Changed")]),
    ("C", "Confidentiality", NONE_LOW_HIGH),
    ("I", "Integrity", NONE_LOW_HIGH),
    ("A", "Availability", NONE_LOW_HIGH),
];

/// Base metrics of version 4.0, in the order of the specification.
const FOUR: Table = &[
    ("AV", "Attack vector", VECTOR),
    ("AC", "Attack complexity", COMPLEXITY),
    ("AT", "Attack requirements", &[("N", "None"), ("P", "Present")]),
    ("PR", "Privileges required", NONE_LOW_HIGH),
    ("UI", "User interaction", &[("N", "None"), ("P", "Passive"), ("A", "Active")]),
    ("VC", "Confidentiality here", NONE_LOW_HIGH),
    ("VI", "Integrity here", NONE_LOW_HIGH),
    ("VA", "Availability here", NONE_LOW_HIGH),
    ("SC", "Confidentiality beyond", NONE_LOW_HIGH),
    ("SI", "Integrity beyond", NONE_LOW_HIGH),
    ("SA", "Availability beyond", NONE_LOW_HIGH),
];

/// Both calculators, with what a vector chooses.
pub fn calculators(vector: &str) -> Vec<Calculator> {
    let of = |version: &'static str, table: Table| {
        let ours = vector.starts_with(&format!("CVSS:{version}/"))
            || (version == "3.1" && vector.starts_with("CVSS:3.0/"));
        let chosen = |name: &str, code: &str| {
            ours && vector.split('/').any(|part| part.split_once(':') == Some((name, code)))
        };
        Calculator {
            version,
            metrics: table
                .iter()
                .map(|(name, label, values)| Metric {
                    name,
                    label,
                    values: values
                        .iter()
                        .map(|(code, label)| Value { code, label, chosen: chosen(name, code) })
                        .collect(),
                })
                .collect(),
            vector: if ours { vector.to_owned() } else { String::new() },
            current: ours,
        }
    };
    let mut both = vec![of("3.1", THREE), of("4.0", FOUR)];
    if both.iter().all(|c| !c.current) {
        both[0].current = true;
    }
    both
}

/// The vector that choices make; none where one is missing.
pub fn composed(version: &str, chosen: &dyn Fn(&str) -> String) -> Option<String> {
    let table = match version {
        "3.1" => THREE,
        "4.0" => FOUR,
        _ => return None,
    };
    let mut vector = format!("CVSS:{version}");
    for (name, _, values) in table {
        let value = chosen(name);
        let (code, _) = values.iter().find(|(code, _)| *code == value)?;
        vector.push_str(&format!("/{name}:{code}"));
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_and_vectors_say_the_same() {
        for vector in [
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ] {
            let calculators = calculators(vector);
            let current = calculators.iter().find(|c| c.current).unwrap();
            let chosen = |name: &str| {
                let metric = current.metrics.iter().find(|m| m.name == name).unwrap();
                metric.values.iter().find(|v| v.chosen).unwrap().code.to_owned()
            };
            assert_eq!(composed(current.version, &chosen).as_deref(), Some(vector));
            assert!(vector.parse::<wardroom_desk::Cvss>().is_ok());
        }
        assert_eq!(composed("3.1", &|_| String::new()), None);
    }
}
