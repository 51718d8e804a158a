//! Pages for browsers. What they show and who may look is not known here.

use std::sync::Arc;

use hyper::{HeaderMap, Method, Request};
use tokio::task::spawn_blocking;

use super::asked::{Asked, Given};

/// What a page is.
pub struct Shown {
    /// The status of HTTP.
    pub status: u16,
    /// What it is.
    pub content_type: &'static str,
    /// It.
    pub body: Vec<u8>,
}

/// What a browser asks.
pub type PageRequest = Request<()>;

/// Makes pages, and says who may look. It may block.
pub trait Pages: Send + Sync {
    /// The page of a request.
    fn page(&self, request: &PageRequest) -> Shown;

    /// What every answer says to a browser.
    fn rules(&self) -> &'static [(&'static str, &'static str)];
}

/// The page of a request.
pub(super) async fn answer(pages: &Arc<dyn Pages>, asked: Asked) -> Given {
    let rules = pages.rules();
    let pages = Arc::clone(pages);
    let shown = spawn_blocking(move || {
        let request = request(asked.method, &asked.target, asked.headers)?;
        Some(pages.page(&request))
    });
    let nothing = || Shown { status: 400, content_type: "text/plain", body: Vec::new() };
    let Shown { status, content_type, body } = shown.await.ok().flatten().unwrap_or_else(nothing);
    Given {
        status: hyper::StatusCode::from_u16(status).unwrap_or_default(),
        content_type,
        body,
        rules,
    }
}

fn request(method: Method, target: &str, headers: HeaderMap) -> Option<PageRequest> {
    let mut request = Request::builder().method(method).uri(target).body(()).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}
