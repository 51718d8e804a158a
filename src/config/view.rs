//! `[view]`: the page for a wall screen or an office.

use crate::say;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::kinds::under;
use super::raw;
use super::refusal::Refusal;

/// `[view]`
#[derive(Debug, Clone)]
pub struct ViewSettings {
    /// Where it listens, unless the command line says it.
    pub listen: Option<SocketAddr>,
    /// The file that holds the token of those who may look.
    pub token_file: Option<PathBuf>,
    /// Its certificate and what stands above it, PEM.
    pub certificate: Option<PathBuf>,
    /// The file that holds its key, PEM.
    pub key: Option<PathBuf>,
}

pub(super) fn view(raw: raw::View, dir: &Path) -> Result<ViewSettings, Refusal> {
    let listen = raw.listen.map(|listen| {
        let address = listen.value().parse();
        address.map_err(|_| {
            listen.refuse(say!(
                "is no address and port: write for example \"0.0.0.0:8090\"",
                "不是地址加端口：例如写 \"0.0.0.0:8090\""
            ))
        })
    });
    Ok(ViewSettings {
        listen: listen.transpose()?,
        token_file: under(raw.token_file, dir),
        certificate: under(raw.certificate, dir),
        key: under(raw.key, dir),
    })
}
