//! The page for a wall screen or an office.

use std::net::SocketAddr;

use clap::Args;

pub(super) const VIEW_EXAMPLES: &str = "\
Without a token it listens on this machine alone. For others write [view] with listen,
token_file, certificate and key into station.toml; a browser then asks for the token as the
password of any name.

Examples:
  station view
  station view --listen 127.0.0.1:9000
  curl -H 'Authorization: Bearer …' https://line-1.example:8090/metrics";

/// `station view`
#[derive(Debug, Clone, Args)]
pub struct View {
    /// Where it listens; 127.0.0.1:8090, unless `[view]` says otherwise. Port 0 is any free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
}
