//! A runtime for the network, on the thread that asks.

use std::future::Future;

use crate::domain::code::Code;
use crate::say;
use crate::shell::Failure;

/// Waits for what goes over a network, on this thread alone.
pub fn wait<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::said(Code::Shortage, say!("the network can't be used", "网络无法使用"))
            .caused_by(&error)
    })?;
    Ok(runtime.block_on(work))
}
