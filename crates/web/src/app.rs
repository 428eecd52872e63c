//! The application: what every page holds on to, and the way from a request to a page.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use wardroom_model::Rule;
use wardroom_service::Desk;

use crate::{api, assets, error, guard, pages};

/// Largest body of a request that is no scan and no file, in bytes.
const BODY: usize = 1 << 20;

/// Where the desk can be reached, as people and browsers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub String);

impl Origin {
    /// Browsers reach it over TLS: cookies are for that alone.
    pub fn secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

/// What a server is made of.
pub struct Settings {
    /// The desk.
    pub desk: Arc<Desk>,
    /// Every rule that this program knows, by id.
    pub rules: Vec<&'static Rule>,
    /// Where it can be reached.
    pub origin: Origin,
    /// Public half of the key that signs checkpoints, for audits.
    pub public_key: Vec<u8>,
}

/// What every page holds on to.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// What stands behind every clone of an [`App`].
#[doc(hidden)]
pub struct Inner {
    pub(crate) desk: Arc<Desk>,
    pub(crate) rules: Vec<&'static Rule>,
    pub(crate) origin: Origin,
    pub(crate) public_key: Vec<u8>,
    pub(crate) throttle: guard::Throttle,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// Puts it together.
    pub fn new(settings: Settings) -> App {
        let Settings { desk, mut rules, origin, public_key } = settings;
        rules.sort_by_key(|r| r.id);
        let throttle = guard::Throttle::default();
        App { inner: Arc::new(Inner { desk, rules, origin, public_key, throttle }) }
    }

    /// A rule by its id.
    pub(crate) fn rule(&self, id: &str) -> Option<&'static Rule> {
        self.rules.binary_search_by(|r| r.id.cmp(id)).ok().map(|at| self.rules[at])
    }

    /// Every way in.
    pub fn router(self) -> Router {
        Router::new()
            .merge(pages::router())
            .nest("/api/v1", api::router(&self))
            .merge(assets::router())
            .fallback(error::nothing_here)
            .layer(DefaultBodyLimit::max(BODY))
            .layer(middleware::from_fn_with_state(self.clone(), guard::guard))
            .layer(CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest))
            .with_state(self)
    }
}

/// Serves until `stop` is done; requests under way are finished.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = app.router().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}
