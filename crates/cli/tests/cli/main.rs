//! The real binary, run over small applications.

mod changes;
mod ignores;
mod import;
mod libraries;
mod robust;
mod scan;
mod secrets;
mod support;
mod surface;
