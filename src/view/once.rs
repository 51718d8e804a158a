//! One page for a server that is not the view's own: the same rules of who may look.

use hyper::Request;

use super::content::{Asked, Page};
use super::door::{self, Outside};

/// The page of a request, by whoever makes it; a refusal where the request may not come in.
pub fn once<B>(
    request: &Request<B>,
    token: Option<&[u8]>,
    make: impl FnOnce(&Asked) -> Page,
) -> Page {
    let (status, text) = match door::admit(request, token) {
        Ok(asked) => return make(&asked),
        Err(Outside::Method) => (405, "nothing can be changed here: GET and HEAD alone"),
        Err(Outside::Host) => (421, "call this page by localhost or 127.0.0.1"),
        Err(Outside::Address) => (400, "this is no address"),
        Err(Outside::Token) => (401, "the token is wanted"),
    };
    let body = format!("{text}\n").into_bytes();
    Page { status, content_type: "text/plain; charset=utf-8", body }
}
