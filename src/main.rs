//! The door: everything stands in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    provisioning_station::command::main(std::env::args_os())
}
