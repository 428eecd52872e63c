//! `wardroom serve`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use wardroom_service::{Desk, SystemClock};
use wardroom_web::{App, Origin, Settings};

use crate::args::ServeArgs;
use crate::desk::place::Opened;
use crate::desk::{block_on, desk_over};
use crate::failure::{CLEAN, usage};
use crate::output::Console;

/// How often dates that have passed are looked for.
const TICK: Duration = Duration::from_secs(30);

/// How long requests under way may take to their end.
const PATIENCE: Duration = Duration::from_secs(4);

/// Runs it; the exit code.
pub fn run(options: &ServeArgs) -> anyhow::Result<u8> {
    log();
    block_on(async {
        let Opened { store, public_key } = options.store.open_or_create().await?;
        let desk = desk_over(store, Arc::new(SystemClock)).await?;
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("{} cannot be listened on", options.listen))?;
        let origin = match &options.origin {
            Some(origin) => checked(origin)?,
            None => format!("http://{}", listener.local_addr()?),
        };
        let origin = Origin(origin);
        if let Some(link) = wardroom_web::setup_link(&desk, &origin).await? {
            Console::stderr(&format!(
                "wardroom: nobody has an account yet; set up the first with\n\n    {link}\n"
            ));
        }
        Console::stderr(&format!("wardroom: serving {} on {}", options.store, origin.0));
        serve(desk, listener, origin, public_key.to_vec()).await?;
        Ok(CLEAN)
    })
}

/// Serves a desk until somebody ends it.
pub async fn serve(
    desk: Arc<Desk>,
    listener: TcpListener,
    origin: Origin,
    public_key: Vec<u8>,
) -> anyhow::Result<()> {
    let ticking = Arc::clone(&desk);
    let ticker = tokio::spawn(async move {
        loop {
            if let Err(error) = ticking.tick().await {
                tracing::error!(%error, "what is due could not be done");
            }
            tokio::time::sleep(TICK).await;
        }
    });
    let following = Arc::clone(&desk);
    let follower = tokio::spawn(async move { following.follow_others().await });
    let rules = crate::rules::all();
    let store = Arc::clone(desk.store());
    let app = App::new(Settings { desk, rules, origin, public_key });
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = wardroom_web::serve(app, listener, async {
        let _ = stopped.await;
    });
    // Requests under way are finished; pages that only listen would listen for ever.
    let ending = async {
        ended().await;
        let _ = stop.send(());
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = serving => served?,
        () = ending => {}
    }
    ticker.abort();
    follower.abort();
    store.tidy().await?;
    Ok(())
}

/// Ctrl-C, or the system's wish.
async fn ended() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// An origin as browsers write it: scheme and host, nothing behind.
fn checked(origin: &str) -> anyhow::Result<String> {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match host.map(|h| h.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']) => {
            Ok(origin.trim_end_matches('/').to_ascii_lowercase())
        }
        _ => Err(usage(format!("--origin {origin}: write scheme and host, such as https://desk.example"))),
    }
}

/// The server's log, on standard error; `WARDROOM_LOG` says how much.
pub fn log() {
    let filter = EnvFilter::try_from_env("WARDROOM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // A second call in one process changes nothing.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
