//! `Gemfile.lock`, and the same bytes as a Gemfile and as a gemspec, to gems and versions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{on_scanner_stack, ruby};
use wardroom_rails::gems::{Gems, compare};

fuzz_target!(|data: &[u8]| on_scanner_stack(|| {
    let text = String::from_utf8_lossy(data);
    let mut gems = Gems::default();
    gems.read_lock(&text);
    let mut versions: Vec<&String> = gems.locked.values().collect();
    // Sorting panics where the order is none.
    versions.sort_by(|a, b| compare(a, b));
    gems.rails_text();
    gems.ruby_version();
    let parsed = ruby(data);
    let mut gems = Gems::default();
    gems.read_gemfile(0, &parsed.body);
    gems.read_gemspec(0, &parsed.body);
    gems.read_environment(0, &parsed.body);
}));
