//! What goes back to a browser: a whole page, or events as they come.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use tokio::sync::mpsc::Receiver;

use super::content::Page;

/// What every answer says to the browser: no scripts, styles or frames but the view's own, no
/// guessing, no copy kept, no word to others about where a link was.
pub const RULES: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// The body of an answer.
pub(super) enum Answer {
    /// All of it.
    Whole(Full<Bytes>),
    /// Piece by piece, until the other end of the channel is gone.
    Live(Receiver<Bytes>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Answer::Whole(whole) => Pin::new(whole).poll_frame(context),
            Answer::Live(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    // A page says how long it is, so that it is no stream of chunks.
    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(whole) => whole.size_hint(),
            Answer::Live(_) => SizeHint::default(),
        }
    }
}

/// A page as an answer.
pub(super) fn whole(page: Page) -> Response<Answer> {
    respond(page.status, page.content_type, Answer::Whole(Full::new(page.body.into())))
}

/// A few words as an answer.
pub(super) fn words(status: u16, text: &str) -> Response<Answer> {
    let (content_type, body) = ("text/plain; charset=utf-8", format!("{text}\n").into_bytes());
    whole(Page { status, content_type, body })
}

/// Events as an answer.
pub(super) fn events(pieces: Receiver<Bytes>) -> Response<Answer> {
    respond(200, "text/event-stream", Answer::Live(pieces))
}

fn respond(status: u16, content_type: &'static str, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in RULES.iter().copied().chain([("content-type", content_type)]) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
