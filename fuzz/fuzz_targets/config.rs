//! Settings: the same bytes as `config/application.rb`, an environment and an initializer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{on_scanner_stack, ruby};
use wardroom_rails::config::Config;
use wardroom_rails::gems::Gems;

fuzz_target!(|data: &[u8]| on_scanner_stack(|| {
    let parsed = ruby(data);
    let paths = ["config/application.rb", "config/environments/production.rb", "config/initializers/all.rb"];
    let files: Vec<_> = (0..).zip(paths).map(|(number, path)| (number, path, &parsed.body)).collect();
    let config = Config::read(&files, &Gems::default());
    let mut keys: Vec<&str> = config.settings.iter().map(|s| s.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        config.effective(key);
    }
    config.force_ssl();
    config.filter_parameters();
    config.hosts();
    config.response_headers();
    config.csp();
    config.session();
    config.secrets();
}));
