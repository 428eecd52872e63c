//! A whole small application through model, flows and every check; see `wardroom_fuzz::files` for
//! how it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{files, on_scanner_stack, scan};

fuzz_target!(|data: &[u8]| on_scanner_stack(|| scan(files(data))));
