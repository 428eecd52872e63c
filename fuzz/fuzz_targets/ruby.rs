//! Ruby to a tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{on_scanner_stack, ruby};

fuzz_target!(|data: &[u8]| on_scanner_stack(|| drop(ruby(data))));
