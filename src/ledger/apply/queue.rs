//! The rows of the outbox, as other projections queue and withdraw them.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::ids::CertificateSn;
use crate::domain::outbox::Operation;
use crate::domain::registration::CloudInstance;
use crate::error::LedgerError;
use crate::tables::sql::stored;

use super::context::Context;
use crate::say;

/// A cloud instance by the id of its row.
#[derive(Debug, Clone)]
pub(super) struct Cloud {
    pub(super) id: i64,
    pub(super) name: CloudInstance,
}

/// Reads a row of `clouds`: id, site, region, instance.
pub(super) fn read_cloud(row: &Row<'_>) -> rusqlite::Result<Cloud> {
    let name = CloudInstance { site: row.get(1)?, region: row.get(2)?, instance: row.get(3)? };
    Ok(Cloud { id: row.get(0)?, name })
}

/// The instance in which certificates are registered now.
pub(super) fn current(context: &Context<'_>) -> rusqlite::Result<Option<Cloud>> {
    let sql = "SELECT id, site, region, instance FROM clouds WHERE current = 1";
    context.connection.prepare_cached(sql)?.query_row([], read_cloud).optional()
}

/// The same, by the id of its row alone.
pub(super) fn current_id(context: &Context<'_>) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM clouds WHERE current = 1";
    context.connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
}

/// The instance to which a row of the outbox was sent.
pub(super) fn cloud_of(context: &Context<'_>, row: u64) -> Result<Cloud, LedgerError> {
    let sql = "SELECT c.id, c.site, c.region, c.instance FROM outbox o JOIN clouds c
        ON c.id = o.cloud WHERE o.id = ?1";
    let mut statement = context.connection.prepare_cached(sql)?;
    let found = statement.query_row([stored(row)], read_cloud).optional()?;
    found.ok_or_else(|| {
        let what = say!("row {row} of the outbox has no instance", "待发队列的行 {row} 没有实例");
        LedgerError::Nonsense(what)
    })
}

/// Queues an operation, unless the same one waits already.
pub(super) fn queue(
    context: &Context<'_>,
    cert: CertificateSn,
    operation: Operation,
    cloud: Option<i64>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO outbox (station, certificate_sn, client_id, operation, state, cloud,
            queued_us, queued_seq)
        SELECT ?1, sn, client_id, ?3, 'waiting', ?4, ?5, ?6 FROM certificates WHERE sn = ?2
        ON CONFLICT DO NOTHING";
    context.connection.prepare_cached(sql)?.execute(params![
        context.station,
        cert,
        operation,
        cloud,
        context.wall,
        stored(context.seq),
    ])?;
    Ok(())
}

/// Takes back whatever waits for a certificate, and queues its revoke wherever it was sent.
pub(super) fn retire(context: &Context<'_>, cert: CertificateSn) -> Result<(), LedgerError> {
    let sql = "UPDATE outbox SET state = 'withdrawn'
        WHERE certificate_sn = ?1 AND state IN ('waiting', 'parked') AND operation <> 'revoke'";
    context.connection.prepare_cached(sql)?.execute([cert])?;
    let sql = "UPDATE registrations SET state = 'withdrawn'
        WHERE certificate_sn = ?1 AND (state = 'waiting' OR state = 'deferred'
            OR state = 'conflict' OR state = 'rejected')";
    context.connection.prepare_cached(sql)?.execute([cert])?;
    for cloud in sent_to(context, cert)? {
        queue(context, cert, Operation::Revoke, Some(cloud))?;
    }
    Ok(())
}

/// Keeps the registered certificate of a unit that comes back for rework from being used.
pub(super) fn hold(context: &Context<'_>, cert: CertificateSn) -> Result<(), LedgerError> {
    let sql = "UPDATE outbox SET state = 'withdrawn'
        WHERE certificate_sn = ?1 AND state = 'waiting' AND operation = 'activate'";
    context.connection.prepare_cached(sql)?.execute([cert])?;
    for cloud in sent_to(context, cert)? {
        queue(context, cert, Operation::Deactivate, Some(cloud))?;
    }
    Ok(())
}

/// The instances in which a certificate stands or may stand, and is not revoked.
fn sent_to(context: &Context<'_>, cert: CertificateSn) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT c.id FROM registrations r JOIN clouds c USING (site, region, instance)
        WHERE r.certificate_sn = ?1 AND r.state IN ('registered', 'unclear') ORDER BY c.id";
    let mut statement = context.connection.prepare_cached(sql)?;
    let ids = statement.query_map([cert], |row| row.get(0))?;
    ids.collect()
}

/// Whether a certificate stands in the current instance. A cloud that registers at the first
/// connection may know a device before its proof is recorded.
pub(super) fn is_registered(context: &Context<'_>, cert: CertificateSn) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM registrations r JOIN clouds c USING (site, region, instance)
        WHERE r.certificate_sn = ?1 AND r.state = 'registered' AND c.current = 1";
    context.connection.prepare_cached(sql)?.exists([cert])
}
