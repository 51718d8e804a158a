//! A station's way to its fleet. Everything here may take its time, and nothing here is asked
//! by a line that works.

mod http;
mod identity;

pub use http::{Client, ClientSettings};
