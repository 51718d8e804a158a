//! The projection of what is asked of the cloud: rows of the outbox, registrations, and
//! what follows from them for their units.

use rusqlite::{OptionalExtension, params};

use crate::domain::ids::{CertificateSn, Fingerprint, Serial};
use crate::domain::outbox::{
    ActivationAsked, Answer, Answered, CloudChosen, Contradicted, Contradiction, Found, Operation,
    RegisteredByHand, Sent, Shipped,
};
use crate::domain::registration::{CloudInstance, CloudStatus};
use crate::error::LedgerError;
use crate::tables::counts;
use crate::tables::sql::stored;
use crate::tables::states::{OutboxState, RegistrationState, open_row};
use crate::tables::unit_row;

use super::context::Context;
use super::queue::{Cloud, cloud_of, current, current_id, queue, read_cloud};
use super::row::change;
use crate::say;

pub(super) fn sent(context: &Context<'_>, sent: &Sent) -> Result<(), LedgerError> {
    let cloud = cloud_of(context, sent.row)?;
    let sql = "UPDATE outbox SET state = 'claimed', tries = tries + 1, sent_us = ?2 WHERE id = ?1";
    context.connection.prepare_cached(sql)?.execute(params![stored(sent.row), context.wall])?;
    if sent.operation == Operation::Register {
        let sql = "INSERT INTO registrations (certificate_sn, site, region, instance, station,
                state, tries) VALUES (?1, ?2, ?3, ?4, ?5, 'unclear', 1)
            ON CONFLICT DO UPDATE SET state = 'unclear', tries = tries + 1";
        let CloudInstance { site, region, instance } = &cloud.name;
        context.connection.prepare_cached(sql)?.execute(params![
            sent.certificate_sn,
            site,
            region,
            instance,
            context.station
        ])?;
    }
    Ok(())
}

pub(super) fn answered(context: &Context<'_>, answered: &Answered) -> Result<(), LedgerError> {
    let Answered { row, certificate_sn: cert, operation, ref answer } = *answered;
    let cloud = cloud_of(context, row)?;
    let wanted = operation == Operation::Revoke || is_proven(context, cert)?;
    let (state, code, message) = match answer {
        Answer::Done { .. } => (OutboxState::Done, None, None),
        Answer::Nothing if operation == Operation::Register => (OutboxState::Withdrawn, None, None),
        Answer::Nothing => (OutboxState::Done, None, None),
        Answer::Unclear { code, message } => {
            (OutboxState::Claimed, Some(code.as_str()), Some(message))
        }
        // What was superseded or voided meanwhile is not tried again.
        Answer::NotDone { code, message } => {
            let again = if wanted { OutboxState::Waiting } else { OutboxState::Withdrawn };
            (again, Some(code.as_str()), Some(message))
        }
        Answer::Conflict { .. } | Answer::Rejected { .. } if !wanted => {
            (OutboxState::Withdrawn, None, None)
        }
        Answer::Conflict { message } => {
            (OutboxState::Parked, Some("E-CLOUD-CONFLICT"), Some(message))
        }
        Answer::Rejected { code, message } => {
            (OutboxState::Parked, Some(code.as_str()), Some(message))
        }
    };
    let sql = "UPDATE outbox SET state = ?2, last_code = ?3, last_error = ?4 WHERE id = ?1";
    context.connection.prepare_cached(sql)?.execute(params![stored(row), state, code, message])?;
    match (operation, answer) {
        (Operation::Register, Answer::Done { status, sn }) => {
            registered(context, cert, &cloud, *status, sn.as_deref()).map(drop)
        }
        (Operation::Register, _) => {
            let state = match (answer, state) {
                (_, OutboxState::Withdrawn) => RegistrationState::Withdrawn,
                (Answer::Unclear { .. }, _) => RegistrationState::Unclear,
                (Answer::Conflict { .. }, _) => RegistrationState::Conflict,
                (Answer::Rejected { .. }, _) => RegistrationState::Rejected,
                _ => RegistrationState::Deferred,
            };
            mark(context, cert, &cloud.name, state, code, message.map(String::as_str))
        }
        (_, Answer::Done { status, .. }) => moved(context, cert, &cloud.name, operation, *status),
        (Operation::Revoke, Answer::Nothing) => {
            mark(context, cert, &cloud.name, RegistrationState::Withdrawn, None, None)
        }
        _ => blame(context, cert, &cloud.name, code, message.map(String::as_str)),
    }
}

/// Notes why the status of a certificate could not be changed; where it stands is as before.
fn blame(
    context: &Context<'_>,
    cert: CertificateSn,
    cloud: &CloudInstance,
    code: Option<&str>,
    message: Option<&str>,
) -> Result<(), LedgerError> {
    let sql = "UPDATE registrations SET last_code = ?5, last_error = ?6
        WHERE certificate_sn = ?1 AND site = ?2 AND region = ?3 AND instance = ?4";
    let CloudInstance { site, region, instance } = cloud;
    let values = params![cert, site, region, instance, code, message];
    context.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn is_proven(context: &Context<'_>, cert: CertificateSn) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM certificates WHERE sn = ?1 AND state = 'proven'";
    context.connection.prepare_cached(sql)?.exists([cert])
}

/// Whether nobody may use a certificate any more.
fn is_retired(context: &Context<'_>, cert: CertificateSn) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM certificates WHERE sn = ?1 AND state IN ('void', 'superseded')";
    context.connection.prepare_cached(sql)?.exists([cert])
}

/// Notes where a registration stands that did not come about.
fn mark(
    context: &Context<'_>,
    cert: CertificateSn,
    cloud: &CloudInstance,
    state: RegistrationState,
    code: Option<&str>,
    message: Option<&str>,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO registrations (certificate_sn, site, region, instance, station, state,
            last_code, last_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT DO UPDATE SET state = ?6, last_code = ?7, last_error = ?8";
    context.connection.prepare_cached(sql)?.execute(params![
        cert,
        cloud.site,
        cloud.region,
        cloud.instance,
        context.station,
        state,
        code,
        message
    ])?;
    Ok(())
}

/// Notes that a certificate stands in the cloud, and counts it for its CA; gives its unit.
fn registered(
    context: &Context<'_>,
    cert: CertificateSn,
    cloud: &Cloud,
    status: Option<CloudStatus>,
    cloud_sn: Option<&str>,
) -> Result<Serial, LedgerError> {
    let sql = "INSERT INTO registrations (certificate_sn, site, region, instance, station, state,
            status, registered_us, cloud_sn)
        VALUES (?1, ?2, ?3, ?4, ?5, 'registered', ?6, ?7, ?8)
        ON CONFLICT DO UPDATE SET state = 'registered', status = coalesce(?6, status), last_code = NULL,
            last_error = NULL, registered_us = coalesce(registered_us, ?7),
            cloud_sn = coalesce(?8, cloud_sn)";
    let CloudInstance { site, region, instance } = &cloud.name;
    context.connection.prepare_cached(sql)?.execute(params![
        cert,
        site,
        region,
        instance,
        context.station,
        status,
        context.wall,
        cloud_sn
    ])?;
    let sql = "SELECT c.serial, c.issuer, coalesce(a.product, ''), c.state = 'proven'
        FROM certificates c LEFT JOIN attempts a ON a.serial = c.serial AND a.attempt = c.attempt
        WHERE c.sn = ?1";
    let mut statement = context.connection.prepare_cached(sql)?;
    let (serial, issuer, product, is_proven): (Serial, Fingerprint, String, bool) = statement
        .query_row([cert], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let accepted = counts::accepted(&issuer, &cloud.name, &product);
    context.count(counts::ACCEPTED, &accepted, 1)?;
    if is_proven && current_id(context)? == Some(cloud.id) {
        change(context, &serial, |unit| unit.registered = true)?;
    }
    Ok(serial)
}

/// Notes that a certificate's status changed.
fn moved(
    context: &Context<'_>,
    cert: CertificateSn,
    cloud: &CloudInstance,
    operation: Operation,
    status: Option<CloudStatus>,
) -> Result<(), LedgerError> {
    let state = match operation {
        Operation::Revoke => RegistrationState::Revoked,
        _ => RegistrationState::Registered,
    };
    let sql =
        "UPDATE registrations SET state = ?5, status = ?6, last_code = NULL, last_error = NULL
        WHERE certificate_sn = ?1 AND site = ?2 AND region = ?3 AND instance = ?4";
    let CloudInstance { site, region, instance } = cloud;
    let values = params![cert, site, region, instance, state, status];
    context.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Ends a row that waits for what is done already.
fn settle(context: &Context<'_>, cert: CertificateSn, cloud: i64) -> rusqlite::Result<()> {
    // Found first: SQLite makes a temporary table for an update of the index by which it finds rows.
    let sql = concat!(
        "SELECT id FROM outbox
        WHERE certificate_sn = ?1 AND operation = 'register' AND ifnull(cloud, ?2) = ?2 AND ",
        open_row!("")
    );
    let mut statement = context.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![cert, cloud], |row| row.get(0))?;
    let rows: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let sql = "UPDATE outbox SET state = 'done', cloud = ?2, last_code = NULL, last_error = NULL
        WHERE id = ?1";
    let mut statement = context.connection.prepare_cached(sql)?;
    rows.iter().try_for_each(|row| statement.execute(params![row, cloud]).map(drop))?;
    Ok(())
}

pub(super) fn found(context: &Context<'_>, found: &Found) -> Result<(), LedgerError> {
    let nowhere = || {
        LedgerError::Nonsense(say!(
            "a certificate was found in no instance",
            "发现了一张不属于任何实例的证书"
        ))
    };
    let cloud = current(context)?.ok_or_else(nowhere)?;
    let cert = found.certificate_sn;
    if found.status == Some(CloudStatus::Revoked) {
        mark(context, cert, &cloud.name, RegistrationState::Revoked, None, None)?;
        if is_proven(context, cert)? {
            change(context, &serial_of(context, cert)?, |unit| unit.registered = false)?;
        }
        return moved(context, cert, &cloud.name, Operation::Revoke, found.status);
    }
    settle(context, cert, cloud.id)?;
    registered(context, cert, &cloud, found.status, Some(&found.sn))?;
    if found.revoke && is_retired(context, cert)? {
        queue(context, cert, Operation::Revoke, Some(cloud.id))?;
    }
    Ok(())
}

/// What is missing waits to be registered again; what differs needs a person, and is looked
/// up by each sync. Neither counts as registered.
pub(super) fn contradicted(
    context: &Context<'_>,
    contradicted: &Contradicted,
) -> Result<(), LedgerError> {
    let nowhere =
        || LedgerError::Nonsense(say!("no instance contradicts the ledger", "没有实例与账本矛盾"));
    let cloud = current(context)?.ok_or_else(nowhere)?;
    let Contradicted { certificate_sn: cert, contradiction, ref message } = *contradicted;
    let (registration, row) = match contradiction {
        Contradiction::Missing => (RegistrationState::Waiting, OutboxState::Waiting),
        Contradiction::Differs => (RegistrationState::Conflict, OutboxState::Parked),
    };
    let code = Some(contradiction.code().as_str());
    mark(context, cert, &cloud.name, registration, code, Some(message))?;
    let sql = "UPDATE registrations SET status = NULL
        WHERE certificate_sn = ?1 AND site = ?2 AND region = ?3 AND instance = ?4";
    let CloudInstance { site, region, instance } = &cloud.name;
    context.connection.prepare_cached(sql)?.execute(params![cert, site, region, instance])?;
    queue(context, cert, Operation::Register, Some(cloud.id))?;
    let sql = "UPDATE outbox SET state = ?3, last_code = ?4, last_error = ?5
        WHERE certificate_sn = ?1 AND cloud = ?2 AND operation = 'register' AND state = 'waiting'";
    let values = params![cert, cloud.id, row, code, message];
    context.connection.prepare_cached(sql)?.execute(values)?;
    change(context, &serial_of(context, cert)?, |unit| unit.registered = false).map(drop)
}

pub(super) fn registered_by_hand(
    context: &Context<'_>,
    by_hand: &RegisteredByHand,
) -> Result<(), LedgerError> {
    let cert = by_hand.certificate_sn;
    let cloud = known(context, &by_hand.cloud)?;
    settle(context, cert, cloud.id)?;
    let serial = registered(context, cert, &cloud, None, None)?;
    let CloudInstance { site, region, instance } = &cloud.name;
    let sql = "UPDATE registrations SET by_hand = 1
        WHERE certificate_sn = ?1 AND site = ?2 AND region = ?3 AND instance = ?4";
    context.connection.prepare_cached(sql)?.execute(params![cert, site, region, instance])?;
    Ok(context.act("registered-by-hand", Some(&serial), None, None, &by_hand.by)?)
}

fn serial_of(context: &Context<'_>, cert: CertificateSn) -> rusqlite::Result<Serial> {
    let sql = "SELECT serial FROM certificates WHERE sn = ?1";
    context.connection.prepare_cached(sql)?.query_row([cert], |row| row.get(0))
}

/// An instance's row; the first instance that is named becomes the current one.
fn known(context: &Context<'_>, name: &CloudInstance) -> rusqlite::Result<Cloud> {
    if let Some(cloud) = named(context, name)? {
        return Ok(cloud);
    }
    let sql = "INSERT INTO clouds (station, site, region, instance, current, chosen_us, chosen_seq)
        SELECT ?1, ?2, ?3, ?4, NOT EXISTS (SELECT 1 FROM clouds), ?5, ?6";
    let CloudInstance { site, region, instance } = name;
    context.connection.prepare_cached(sql)?.execute(params![
        context.station,
        site,
        region,
        instance,
        context.wall,
        stored(context.seq)
    ])?;
    named(context, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn named(context: &Context<'_>, name: &CloudInstance) -> rusqlite::Result<Option<Cloud>> {
    let sql = "SELECT id, site, region, instance FROM clouds
        WHERE site = ?1 AND region = ?2 AND instance = ?3";
    let CloudInstance { site, region, instance } = name;
    let mut statement = context.connection.prepare_cached(sql)?;
    statement.query_row(params![site, region, instance], read_cloud).optional()
}

/// Moves everything that waits to the chosen instance: rows that were sent elsewhere stay
/// where they are, and what is proven and not registered there is queued.
pub(super) fn chosen(context: &Context<'_>, chosen: &CloudChosen) -> Result<(), LedgerError> {
    let cloud = known(context, &chosen.cloud)?;
    let run = |sql: &str| context.connection.execute(sql, [cloud.id]);
    run("UPDATE clouds SET current = 0 WHERE current = 1 AND id <> ?1")?;
    let sql = "UPDATE clouds SET current = 1, chosen_us = ?2, chosen_seq = ?3 WHERE id = ?1";
    context.connection.execute(sql, params![cloud.id, context.wall, stored(context.seq)])?;
    run(concat!("UPDATE outbox SET cloud = ?1 WHERE cloud IS NULL AND ", open_row!("")))?;
    run("UPDATE outbox SET state = 'withdrawn' WHERE cloud <> ?1
        AND operation IN ('register', 'activate') AND state IN ('waiting', 'parked')")?;
    let sql = "INSERT INTO outbox (station, certificate_sn, client_id, operation, state, cloud,
            queued_us, queued_seq)
        SELECT ?2, sn, client_id, 'register', 'waiting', ?1, ?3, ?4 FROM certificates
        WHERE state = 'proven' AND NOT EXISTS (SELECT 1 FROM registrations r
            JOIN clouds USING (site, region, instance)
            WHERE r.certificate_sn = sn AND id = ?1 AND r.state IN ('registered', 'revoked'))
        ORDER BY issued_seq ON CONFLICT DO NOTHING";
    let seq = stored(context.seq);
    context.connection.execute(sql, params![cloud.id, context.station, context.wall, seq])?;
    let what = Some(chosen.cloud.to_string());
    context.act("cloud-chosen", None, None, what.as_deref(), &chosen.by)?;
    recount_registered(context, cloud.id)
}

/// A unit is registered where its proven certificate stands in the current instance.
fn recount_registered(context: &Context<'_>, cloud: i64) -> Result<(), LedgerError> {
    context.held.write(context.connection)?;
    let columns = unit_row::COLUMNS;
    let stands =
        "EXISTS (SELECT 1 FROM registrations r JOIN clouds c USING (site, region, instance)
        WHERE c.id = ?1 AND r.certificate_sn = proven_sn AND r.state = 'registered')";
    let sql = format!(
        "SELECT {columns} FROM units WHERE proven_sn IS NOT NULL AND registered <> {stands}"
    );
    let mut statement = context.connection.prepare(&sql)?;
    let units: Vec<_> =
        statement.query_map([cloud], unit_row::from_row)?.collect::<Result<_, _>>()?;
    for before in units {
        let registered = !before.registered;
        change(context, &before.serial, |unit| unit.registered = registered)?;
    }
    Ok(())
}

pub(super) fn activation_asked(
    context: &Context<'_>,
    asked: &ActivationAsked,
) -> Result<(), LedgerError> {
    let cloud = current_id(context)?;
    queue(context, asked.certificate_sn, Operation::Activate, cloud)?;
    Ok(context.act("activation-asked", Some(&asked.serial), None, None, &asked.by)?)
}

pub(super) fn shipped(context: &Context<'_>, shipped: &Shipped) -> Result<(), LedgerError> {
    change(context, &shipped.serial, |unit| unit.shipped = true)?;
    Ok(context.act("unit-shipped", Some(&shipped.serial), None, None, &shipped.by)?)
}
