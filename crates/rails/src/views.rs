//! Templates by the names under which they are rendered.

use rustc_hash::FxHashMap;
use wardroom_ruby::ir::Name;

use crate::files::{File, FileId, Format, Role};

/// Every template, by logical path: `users/show`, `users/_form` (partials keep their underscore).
#[derive(Debug, Default)]
pub struct Views {
    by_path: FxHashMap<Name, Vec<FileId>>,
}

/// The part of a template's path that names it: after the last `views/` (or the view path of
/// components), without extensions.
pub fn logical_path(path: &str) -> Option<&str> {
    let start = ["app/views/", "/views/", "app/components/", "app/cells/", "app/templates/"]
        .iter()
        .find_map(|root| path.find(root).map(|at| at + root.len()))?;
    let relative = &path[start..];
    let name = relative.rfind('/').map_or(0, |slash| slash + 1);
    let stem = relative[name..].find('.').map_or(relative.len(), |dot| name + dot);
    Some(&relative[..stem])
}

impl Views {
    /// Finds the templates among the files.
    pub fn find(files: &[File]) -> Self {
        let mut views = Views::default();
        for (number, file) in files.iter().enumerate() {
            if let Some(logical) = logical_path(&file.path).filter(|_| file.is_template()) {
                views.by_path.entry(Name::from(logical)).or_default().push(FileId(number as u32));
            }
        }
        // HTML first: it is what a rendering without a format means.
        for list in views.by_path.values_mut() {
            list.sort_by_key(|id| match files[id.0 as usize].role {
                Role::Template { format: Format::Html, .. } => 0,
                Role::Template { format: Format::Script, .. } => 1,
                _ => 2,
            });
        }
        views
    }

    /// The templates of a logical path, one for each format and variant.
    pub fn get(&self, logical: &str) -> &[FileId] {
        self.by_path.get(&Name::from(logical)).map_or(&[], Vec::as_slice)
    }

    /// The templates of a partial as named in `render 'name'` from a template or controller whose
    /// folder is `folder`.
    pub fn partial(&self, name: &str, folder: &str) -> &[FileId] {
        let (dir, base) = name.rsplit_once('/').unwrap_or((folder, name));
        let full = if dir.is_empty() { format!("_{base}") } else { format!("{dir}/_{base}") };
        match self.get(&full) {
            [] if !name.contains('/') => self.get(&format!("application/_{base}")),
            found => found,
        }
    }

    /// Every logical path with its templates.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &[FileId])> {
        self.by_path.iter().map(|(name, files)| (*name, files.as_slice()))
    }
}
