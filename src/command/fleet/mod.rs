//! `station fleet …`

mod demo;
mod opened;
mod server;
mod station;
mod stored;

use super::context::Context;
use crate::app::fleet::Opened;
use crate::cli::FleetCommand;
use crate::shell::{Exit, Failure};

/// Does what `station fleet …` says.
pub(super) fn run(command: FleetCommand, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        FleetCommand::Serve(serve) => server::serve(&serve, context),
        FleetCommand::Code(code) => server::code(&code, context),
        FleetCommand::Revoke(revoke) => server::revoke(&revoke, context),
        FleetCommand::Enrol(enrol) => station::enrol(&enrol, context),
        FleetCommand::Push => station::push(context),
        FleetCommand::Status(database) => match &database.database {
            Some(url) => {
                let ca = database.roots.database_ca.as_deref();
                stored::status(Opened { url, ca }, context)
            }
            None => station::status(context),
        },
        FleetCommand::Find(find) => match &find.database.database {
            Some(url) => {
                let ca = find.database.roots.database_ca.as_deref();
                stored::find(Opened { url, ca }, &find.text, context)
            }
            None => station::find(&find.text, context),
        },
        FleetCommand::Verify(verify) => stored::verify(&verify, context),
        FleetCommand::Grant(grant) => stored::grant(&grant, context),
        FleetCommand::Settle(settle) => stored::settle(&settle, context),
        FleetCommand::Demo(asked) => demo::run(&asked, context),
        FleetCommand::Report(report) => stored::report(&report, context),
    }
}
