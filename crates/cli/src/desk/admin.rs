//! `wardroom admin`.

use std::path::Path;
use std::sync::Arc;

use wardroom_desk::Actor;
use wardroom_service::SystemClock;
use wardroom_store::{Store, rebuild};
use wardroom_store_sqlite::restore;

use crate::args::{AdminArgs, AdminCommand};
use crate::desk::{block_on, desk_over, existing};
use crate::failure::CLEAN;
use crate::output::Console;

/// Runs it; the exit code.
pub fn run(options: &AdminArgs) -> anyhow::Result<u8> {
    match &options.command {
        AdminCommand::Rebuild { store } => block_on(rebuilt(store)),
        AdminCommand::Backup { store, to, with_key } => block_on(async {
            let store = existing(store).await?;
            store.backup_with(to, *with_key).await?;
            let head = store.head().await?;
            Console::stderr(&format!("wardroom: {} holds {} events, verified", to.display(), head.seq));
            Ok(CLEAN)
        }),
        AdminCommand::Restore { from, store, overwrite } => block_on(async {
            let copied = restore(from, store, *overwrite).await?;
            Console::stderr(&format!(
                "wardroom: {} holds {} events, root {}",
                store.display(),
                copied.head.seq,
                copied.root
            ));
            Ok(CLEAN)
        }),
        AdminCommand::Token { store, name, days } => block_on(async {
            let desk = desk_over(Arc::new(existing(store).await?), Arc::new(SystemClock)).await?;
            let token = wardroom_web::make_token(
                &desk,
                name,
                "engineer",
                &["deliver", "read"],
                *days,
                &Actor::Operator,
            )
            .await?;
            Console::stdout(|out| Ok(writeln!(out, "{token}")?))?;
            Ok(CLEAN)
        }),
        AdminCommand::Recover { store, login, origin } => block_on(async {
            let desk = desk_over(Arc::new(existing(store).await?), Arc::new(SystemClock)).await?;
            let origin = wardroom_web::Origin(origin.trim_end_matches('/').to_owned());
            let link = wardroom_web::recovery_link(&desk, &origin, login).await?;
            Console::stdout(|out| Ok(writeln!(out, "{link}")?))?;
            Ok(CLEAN)
        }),
    }
}

async fn rebuilt(path: &Path) -> anyhow::Result<u8> {
    let store = existing(path).await?;
    let mut told = 0;
    let mut progress = |p: wardroom_store::Progress| {
        let percent = p.done * 100 / p.of.max(1);
        if percent >= told + 10 {
            told = percent;
            Console::stderr(&format!("wardroom: {percent} % of {} events", p.of));
        }
    };
    let events = rebuild(&store, &mut progress).await?;
    Console::stderr(&format!("wardroom: every record is built again from {events} events"));
    Ok(CLEAN)
}
