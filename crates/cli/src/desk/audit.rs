//! `wardroom audit`.

use std::fs;

use anyhow::Context;
use wardroom_desk::RecordId;
use wardroom_store::audit::{self, Trust};
use wardroom_store::ledger::{PublicKey, from_hex, to_hex};
use wardroom_store::{check_proof, export_proof};

use crate::args::{AuditArgs, AuditCommand};
use crate::desk::block_on;
use crate::desk::place::StorePlace;
use crate::failure::{CLEAN, FINDINGS, usage};
use crate::output::{self, Console};

/// Runs it; the exit code.
pub fn run(options: &AuditArgs) -> anyhow::Result<u8> {
    match &options.command {
        AuditCommand::Verify { store, key } => verify(store, key),
        AuditCommand::Key { store } => block_on(async {
            let key = to_hex(&store.reading().await?.public_key);
            Console::stdout(|out| Ok(writeln!(out, "{key}")?))?;
            Ok(CLEAN)
        }),
        AuditCommand::Prove { record, store, output } => {
            let id: RecordId = record.parse().map_err(|e: wardroom_desk::NoId| usage(e.to_string()))?;
            let proof = block_on(async {
                let opened = store.reading().await?;
                let found = opened.store.record(id.no).await?.filter(|r| r.id == id);
                if found.is_none() {
                    return Err(usage(format!("there is no record {id}")));
                }
                Ok(export_proof(&*opened.store, id.no, &opened.public_key).await?)
            })?;
            match output {
                Some(path) => output::write_whole(path, proof.as_bytes())?,
                None => Console::stdout(|out| Ok(writeln!(out, "{proof}")?))?,
            }
            Ok(CLEAN)
        }
        AuditCommand::Check { proof, key } => {
            let text = fs::read_to_string(proof).with_context(|| proof.display().to_string())?;
            match check_proof(&text, &trusted(key)?) {
                Ok(proven) => {
                    Console::stdout(|out| {
                        writeln!(
                            out,
                            "{}: {} events are in the log of {} that was signed",
                            proven.record,
                            proven.events.len(),
                            proven.size
                        )?;
                        Ok(())
                    })?;
                    Ok(CLEAN)
                }
                Err(why) => {
                    Console::stderr(&format!("wardroom: {}: {why}", proof.display()));
                    Ok(FINDINGS)
                }
            }
        }
    }
}

fn trusted(text: &str) -> anyhow::Result<PublicKey> {
    from_hex(text.trim()).ok_or_else(|| usage("--key: 64 hexadecimal digits are needed"))
}

fn verify(place: &StorePlace, keys: &[String]) -> anyhow::Result<u8> {
    let keys = keys.iter().map(|key| trusted(key)).collect::<anyhow::Result<Vec<PublicKey>>>()?;
    let report = block_on(async {
        let opened = place.reading().await?;
        let mut trust = Trust::key(opened.public_key);
        if !keys.is_empty() {
            trust.keys.clone_from(&keys);
        }
        let mut told = 0;
        let mut progress = |p: wardroom_store::Progress| {
            let percent = p.done * 100 / p.of.max(1);
            if percent >= told + 10 {
                told = percent;
                Console::stderr(&format!("wardroom: {percent} % of {} events", p.of));
            }
        };
        Ok(audit::verify(&*opened.store, &trust, true, &mut progress).await?)
    })?;
    Console::stdout(|out| {
        for problem in report.problems.iter().chain(&report.notes) {
            writeln!(out, "{problem}")?;
        }
        if report.unnamed > 0 {
            writeln!(out, "and {} more", report.unnamed)?;
        }
        if report.is_clean() {
            writeln!(
                out,
                "{} events, {} records and {} checkpoints: nothing was changed, removed or inserted",
                report.events, report.records, report.checkpoints
            )?;
            writeln!(out, "root {}", report.root)?;
            if keys.is_empty() {
                writeln!(
                    out,
                    "checked with the store's own key: note it down elsewhere, and give it with --key"
                )?;
            }
        }
        Ok(())
    })?;
    Ok(if report.is_clean() { CLEAN } else { FINDINGS })
}
