//! OpenVEX 0.0.1 to 0.2.0: statements on whether products are affected.

use serde_json::Value;
use wardroom_model::{Package, Severity};

use super::{Format, Likeness};
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Report, Reported, Shape, Standing, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct OpenVex;

impl Format for OpenVex {
    fn name(&self) -> &'static str {
        "openvex"
    }

    fn title(&self) -> &'static str {
        "OpenVEX"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        let statements = json.at("statements").is_some_and(Value::is_array);
        match json.text("@context").contains("openvex") {
            true => Likeness::Sure,
            false if statements && json.has("statements.0.vulnerability") => Likeness::Maybe,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        report.tool(&first([json.text("tooling"), json.text("author")]), "");
        for (at, one) in json.list("statements").iter().enumerate() {
            if !one.is_object() {
                report.problem(&format!("statements[{at}]"), "a statement is an object");
                continue;
            }
            let products: Vec<Product> = one.list("products").iter().flat_map(products).collect();
            if products.is_empty() {
                report.found(of_statement(one, json, &Product::default()));
            }
            for product in &products {
                report.found(of_statement(one, json, product));
            }
        }
    }
}

/// What a statement is about.
#[derive(Default)]
struct Product {
    id: String,
    package: Option<Package>,
}

/// A product and its parts that the statement names; a product is a text in the oldest version.
fn products(product: &Value) -> Vec<Product> {
    let parts = product.list("subcomponents");
    let whole = of_product(product);
    if parts.is_empty() {
        return vec![whole];
    }
    parts
        .iter()
        .map(|part| {
            let part = of_product(part);
            Product { id: format!("{}#{}", whole.id, part.id), package: part.package }
        })
        .collect()
}

fn of_product(product: &Value) -> Product {
    let id = first([product.text("@id"), product.as_str().unwrap_or_default().to_owned()]);
    let purl = first([product.text("identifiers.purl"), id.clone()]);
    let package = package::of_purl(&purl).or_else(|| package::package("", &id, ""));
    Product { id: first([id, purl]), package }
}

fn of_statement(one: &Value, document: &Value, product: &Product) -> Reported {
    let vulnerability = one.at("vulnerability").unwrap_or(&Value::Null);
    let name = first([
        vulnerability.text("name"),
        vulnerability.as_str().unwrap_or_default().to_owned(),
        vulnerability.text("@id"),
    ]);
    let others = vulnerability.texts("aliases");
    let mut ids = identifier::published(&format!("{name} {}", others.join(" ")));
    ids.extend(
        std::iter::once(name.clone())
            .chain(others)
            .filter(|id| identifier::published(id).is_empty() && !id.contains("://")),
    );
    let status = one.text("status");
    let said = match status.as_str() {
        "not_affected" => "is not affected",
        "affected" => "is affected",
        "fixed" => "is mended",
        "under_investigation" => "is being looked into",
        other => other,
    };
    let on = product.package.as_ref().map(|p| format!("{} {}", p.name, p.version));
    let on = on.map(|o| o.trim().to_owned()).unwrap_or_default();
    let action = one.text("action_statement");
    Reported {
        rule: name.clone(),
        title: format!("{name} {}", if on.is_empty() { String::new() } else { format!("in {on}") }),
        description: paragraphs([
            vulnerability.text("description"),
            format!("{} {said} by {name}.", if on.is_empty() { "The product" } else { &on }),
            one.text("impact_statement"),
            labelled("Reason", &one.text("justification").replace('_', " ")),
            one.text("status_notes"),
        ]),
        remedy: action,
        // A statement gives no severity: what affects somebody is worth looking at, the rest is news.
        severity: Some(if status == "affected" { Severity::Medium } else { Severity::Info }),
        ids,
        tool_id: format!("{}|{name}", product.id),
        package: product.package.clone(),
        references: vec![vulnerability.text("@id")].into_iter().filter(|r| r.contains("://")).collect(),
        standing: match status.as_str() {
            "not_affected" => Standing::FalsePositive,
            "fixed" => Standing::Fixed,
            _ => Standing::Open,
        },
        found: first([one.text("timestamp"), document.text("timestamp")]),
        ..Reported::default()
    }
}
