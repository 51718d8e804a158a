//! The emulation behind its door: what it answers, keeps and refuses.

mod client;
mod doors;
mod instance;
mod pages;
mod registration;
mod wrong;
