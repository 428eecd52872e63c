//! `db/schema.rb`, a migration and `db/structure.sql` to tables: each reads the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_fuzz::{on_scanner_stack, ruby};
use wardroom_rails::Schema;

fuzz_target!(|data: &[u8]| on_scanner_stack(|| {
    Schema::from_sql(&String::from_utf8_lossy(data));
    let parsed = ruby(data);
    for path in ["db/schema.rb", "db/migrate/20240101000000_change.rb"] {
        Schema::read(&[(0, path, &parsed.body)], &[]);
    }
}));
