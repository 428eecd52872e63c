//! Haml to Ruby, and the Ruby to a tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{on_scanner_stack, template};
use wardroom_ruby::template::Engine;

fuzz_target!(|data: &[u8]| on_scanner_stack(|| template(Engine::Haml, data)));
