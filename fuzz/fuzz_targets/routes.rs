//! `config/routes.rb` to routes. The first byte says for which Rails.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{on_scanner_stack, ruby};
use wardroom_rails::routes::{RouteFile, Settings, read};

fuzz_target!(|data: &[u8]| on_scanner_stack(|| {
    let Some((setup, source)) = data.split_first() else { return };
    let parsed = ruby(source);
    let rails = [(8, 1), (2, 3), (3, 2), (4, 2), (5, 2), (6, 1), (7, 0), (7, 2)][usize::from(setup % 8)];
    let settings = Settings { rails, api_only: setup & 8 != 0, ..Settings::default() };
    let files = [RouteFile { index: 0, path: "config/routes.rb", body: &parsed.body }];
    let routes = read(&files, &settings, None);
    assert!(routes.routes.len() <= 1_000 + 100 * source.len(), "routes out of proportion");
}));
