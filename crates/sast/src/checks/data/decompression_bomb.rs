//! Archives unpacked without a bound.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::Kind;

use crate::context::Context;

wardroom_model::rule! {
    /// Compressed data from a user is unpacked into memory without a look at its size.
    ///
    /// ## Why it is bad
    ///
    /// A few kilobytes can unpack to gigabytes: one upload fills the memory or the disk.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Zlib::GzipReader.new(params[:file]).read
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// text = Zlib::GzipReader.new(params[:file]).read(LIMIT + 1)
    /// raise "too large" if text.bytesize > LIMIT
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-409: Improper Handling of Highly Compressed Data
    rule: "decompression-bomb", "Compressed data unpacked without a bound", DenialOfService, 409, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"
}

/// Looks at flows into unpackers whose method never asks for a size.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Archive) {
        if matches!(flow.source, SourceKind::Local) {
            continue;
        }
        // A size that is looked at anywhere in the file is taken as the bound.
        let mut asked = false;
        wardroom_ruby::walk::each(&context.file(flow.file).parsed.body, &mut |node| {
            if let Kind::Call(call) = &node.kind {
                asked |= match call.name.as_str() {
                    "size" | "bytesize" | "length" | "max_size" | "total_out" | "avail_out" => {
                        call.recv.is_some()
                    }
                    "read" => !call.args.is_empty(),
                    _ => false,
                };
            }
            !asked
        });
        if asked {
            continue;
        }
        context
            .flow_finding(rule(), flow, format!("`{}` is unpacked by `{}` without a bound on its size", flow.words, flow.method))
            .at_most(if matches!(flow.source, SourceKind::Stored | SourceKind::Remote | SourceKind::Job) { Confidence::Low } else { Confidence::Medium })
            .severity(Severity::Medium)
            .remedy("Read a bounded number of bytes, or add up the entries' sizes and stop when there are too many.")
            .report();
    }
}
