//! A report of another tool. The first byte says as which format it is read; what is past the last format leaves it
//! to the content.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom_import::{formats, read};

fuzz_target!(|data: &[u8]| {
    let Some((first, report)) = data.split_first() else { return };
    let wanted = formats().get(usize::from(*first)).map(|format| format.name());
    if let Ok(imported) = read("report", report, wanted) {
        // Findings are in proportion to the report, and so are their texts.
        assert!(imported.findings.len() <= report.len());
        let texts: usize = imported.findings.iter().map(|f| f.description.len() + f.remedy.len()).sum();
        assert!(texts <= 64 * 1024 * (1 + imported.findings.len()));
    }
});
