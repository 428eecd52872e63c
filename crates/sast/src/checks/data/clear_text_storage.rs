//! Columns that hold what should be encrypted.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::{ColumnType, Model};
use wardroom_ruby::ir::Name;

use super::naming::{self, Secret};
use crate::context::Context;

wardroom_model::rule! {
    /// A column keeps a password, a key, a social security number or a card number as it is.
    ///
    /// ## Why it is bad
    ///
    /// Who gets hold of the database, a backup of it or one row through another weakness has the
    /// secret itself.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// create_table :users do |t|
    ///   t.string :ssn
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// class User < ApplicationRecord
    ///   encrypts :ssn
    ///   has_secure_password
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-312: Cleartext Storage of Sensitive Information
    /// - Rails guide "Active Record Encryption"
    rule: "clear-text-storage", "A secret kept as it is", DataAndCryptography, 312, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at the columns of models, once for each model.
pub fn run(context: &Context<'_, '_>) {
    let mut models: Vec<&Model> = context.app.models.values().filter(|m| !m.columns.is_empty()).collect();
    models.sort_by_key(|m| m.class);
    let mut seen: Vec<Vec<Name>> = Vec::new();
    for model in models {
        let Some(class) = context.app.index.class(model.class) else { continue };
        let Some((file, _, span)) = class
            .places
            .iter()
            .find(|p| context.file(p.0).path.contains("app/models/"))
            .or(class.places.first())
            .copied()
        else {
            continue;
        };
        let macros: Vec<_> = context.app.index.macros(model.class).into_iter().collect();
        let covered = |column: &str| {
            macros.iter().any(|m| {
                let protects = matches!(
                    m.call.name.as_str(),
                    "encrypts"
                        | "attr_encrypted"
                        | "has_encrypted"
                        | "lockbox_encrypts"
                        | "encrypts_attribute"
                        | "attr_vault"
                        | "vault_attribute"
                        | "crypt_keeper"
                        | "encrypt"
                        | "attr_symmetric_encrypted"
                        | "has_secure_token"
                        | "attr_encryptor"
                        | "encrypted_attribute"
                        | "serialize"
                        | "attribute"
                        | "encrypt_column"
                        | "encrypt_columns"
                        | "encrypted"
                );
                protects
                    && m.call.args.iter().any(|a| {
                        wardroom_rails::literal_name(a).is_some_and(|n| n == column)
                            || matches!(m.call.name.as_str(), "encrypt_column" | "encrypt_columns")
                    })
            })
        };
        let mut personal: Vec<Name> = Vec::new();
        let mut others: Vec<Name> = Vec::new();
        for (column, kind) in &model.columns {
            if !matches!(kind, ColumnType::String | ColumnType::Text) || covered(column) {
                continue;
            }
            match naming::secret(column) {
                Some(Secret::Personal) => personal.push(*column),
                Some(Secret::Key) => others.push(*column),
                Some(Secret::Password) if !digests(context, model.class) => others.push(*column),
                _ => {}
            }
        }
        personal.sort();
        others.sort();
        let columns: Vec<Name> = personal.iter().chain(&others).copied().collect();
        // Classes of one table (single table inheritance) are told once.
        if columns.is_empty() || seen.contains(&columns) && model.columns.len() > 3 {
            continue;
        }
        seen.push(columns.clone());
        let names: Vec<String> = columns.iter().map(|c| format!("`{c}`")).collect();
        let (confidence, severity) = if personal.is_empty() {
            (Confidence::Low, Severity::Low)
        } else {
            (Confidence::Medium, Severity::Medium)
        };
        context
            .finding(rule(), file, span, format!("`{}` keeps {} unencrypted", model.class, names.join(", ")))
            .confidence(confidence)
            .severity(severity)
            .remedy("Declare the columns with `encrypts` (Rails 7 and later) or a gem such as Lockbox; keep passwords as digests only, and card numbers not at all.")
            .report();
    }
}

/// Whether the class hashes what it is given as a password.
fn digests(context: &Context<'_, '_>, class: Name) -> bool {
    let writer = Name::from("password=");
    context.app.index.find(class, writer).is_some()
        || context.app.index.macros(class).into_iter().any(|m| {
            matches!(m.call.name.as_str(), "has_secure_password" | "devise" | "acts_as_authentic" | "authenticates_with_sorcery!")
                || matches!(m.call.name.as_str(), "before_save" | "before_create" | "before_validation" if m.call.args.iter().filter_map(wardroom_rails::literal_name).any(|n| n.contains("password") || n.contains("crypt") || n.contains("hash")))
        })
}
