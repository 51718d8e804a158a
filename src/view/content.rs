//! What is asked of the view, and what it is given to show.

use std::net::SocketAddr;
use std::sync::Arc;

/// Where the view listens, and who may look.
pub struct Settings {
    /// Where.
    pub listen: SocketAddr,
    /// What who looks must know; without it, only this machine may.
    pub token: Option<Vec<u8>>,
    /// Its certificate and key; without them it speaks plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The path's segments, decoded.
    pub path: Vec<String>,
    /// The query's names and values, decoded.
    pub query: Vec<(String, String)>,
}

impl Asked {
    /// A value of the query; an empty one is none.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// What is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status of HTTP.
    pub status: u16,
    /// What it is.
    pub content_type: &'static str,
    /// It.
    pub body: Vec<u8>,
}

impl Page {
    /// A page of HTML.
    pub fn html(status: u16, text: String) -> Self {
        Self { status, content_type: "text/html; charset=utf-8", body: text.into_bytes() }
    }
}

/// What the view shows. Each call may block.
pub trait Content: Send + Sync + 'static {
    /// The page of an address.
    fn page(&self, asked: &Asked) -> Page;

    /// A number that changes with what is shown of the line.
    fn state(&self) -> u64;

    /// What is shown of the line, as a piece of HTML.
    fn line(&self) -> String;
}
