//! The model of a Rails application, read from its tree without running it: files, classes,
//! controllers, models, views, routes, settings, gems and the database's columns.
//!
//! Everything in it is what the code says; whether that is a weakness is for others to judge. This
//! crate never touches the file system.

mod app;
pub mod config;
mod controllers;
mod endpoints;
mod files;
pub mod gems;
mod index;
mod inflect;
mod load;
mod models;
pub mod routes;
pub mod schema;
mod views;

pub use app::{App, Habitat};
pub use controllers::{Condition, Controller, FilterDeclaration, Timing};
pub use files::{File, FileId, Format, Role, role, wanted};
pub use index::{Class, Index, Macro, Method, MethodId, Visibility, join, literal_name, path_name};
pub use inflect::{camelize, plural, singular, underscore};
pub use load::{Loaded, load};
pub use models::{Association, Model};
pub use schema::{ColumnType, Schema};
pub use views::Views;
