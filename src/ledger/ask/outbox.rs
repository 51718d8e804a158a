//! What a sync asks of the ledger: what is open for the cloud, what stands there, and who
//! may leave. Every question about what is open goes by an index of open rows alone, so
//! that it costs nothing where nothing is open, however many are done.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};

pub use crate::decide::cloud::Gate;
use crate::decide::cloud::gate;
use crate::domain::certificate::CertificateState;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{CertificateSn, ClientId, Fingerprint, Serial, WorkOrderId};
use crate::domain::outbox::Operation;
use crate::domain::registration::{CaSn, CloudInstance, CloudStatus};
use crate::error::LedgerError;
use crate::journal::certificate::read_from_entry;
use crate::tables::certificate_row::read_certificate_state;
use crate::tables::counts;
use crate::tables::sql::{counted, stored};
use crate::tables::states::{OutboxState, RegistrationState, open_row};

use super::reader::Reader;

/// One open row of the outbox with all that a decision about it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub id: u64,
    /// The unit.
    pub serial: Serial,
    /// Its client id: rows of one are carried out in order.
    pub client_id: ClientId,
    /// The certificate.
    pub sn: CertificateSn,
    /// SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// Its DER.
    pub der: Arc<[u8]>,
    /// Fingerprint of its issuer.
    pub issuer: Fingerprint,
    /// Where the certificate stands.
    pub certificate: CertificateState,
    /// What is to be done.
    pub operation: Operation,
    /// Waiting, claimed or parked.
    pub state: OutboxState,
    /// Calls so far.
    pub tries: u32,
    /// When the last one was about to be made.
    pub sent: Option<Timestamp>,
    /// What went wrong last: the code and the sentence.
    pub trouble: Option<(String, String)>,
    /// Where its registration stands in the current instance.
    pub registration: RegistrationState,
    /// The status as the cloud said it last.
    pub status: Option<CloudStatus>,
    /// Its serial number as the cloud spells it.
    pub cloud_sn: Option<String>,
}

/// An issuer of what waits to be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenIssuer {
    /// The CA.
    pub issuer: Fingerprint,
    /// How many certificates of it wait.
    pub rows: u64,
    /// The end of the one that is valid for longest.
    pub not_after: Timestamp,
}

/// What the ledger knows of a certificate that was seen in the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The unit.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// The certificate.
    pub sn: CertificateSn,
    /// SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// Where the certificate stands.
    pub certificate: CertificateState,
    /// Where its registration stands in the current instance.
    pub registration: RegistrationState,
    /// The status as the cloud said it last.
    pub status: Option<CloudStatus>,
    /// Whether something is open for it: what differs is about to change.
    pub open: bool,
}

impl Known {
    /// Whether it is taken for registered, with nothing open that is about to change it.
    pub fn counts_as_registered(&self) -> bool {
        self.certificate == CertificateState::Proven
            && self.registration == RegistrationState::Registered
            && !self.open
    }
}

/// A certificate for a list of revoked ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retired {
    /// Its serial number.
    pub sn: CertificateSn,
    /// Whether another one took its place.
    pub superseded: bool,
    /// Since when.
    pub at: Timestamp,
}

const OPEN: &str = concat!(
    open_row!("o."),
    " AND ifnull(o.cloud, 0) = ifnull((SELECT id FROM clouds WHERE current = 1), 0)"
);

/// The columns of [`read_row`] and the tables that they come from.
const ROW: &str = "SELECT o.id, c.serial, o.client_id, c.sn, c.fingerprint, j.entry, c.issuer,
        c.state, o.operation, o.state, o.tries, o.sent_us, o.last_code, o.last_error,
        coalesce(r.state, 'none'), r.status, r.cloud_sn
    FROM outbox o CROSS JOIN certificates c ON c.sn = o.certificate_sn
    CROSS JOIN journal j ON j.seq = c.issued_seq
    LEFT JOIN clouds ON clouds.current = 1
    LEFT JOIN registrations r ON r.certificate_sn = c.sn AND r.site = clouds.site
        AND r.region = clouds.region AND r.instance = clouds.instance";

fn read_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let code: Option<String> = row.get(12)?;
    Ok(OutboxRow {
        id: counted(row.get(0)?),
        serial: row.get(1)?,
        client_id: row.get(2)?,
        sn: row.get(3)?,
        fingerprint: row.get(4)?,
        der: Arc::clone(&read_from_entry(row, 5)?.der),
        issuer: row.get(6)?,
        certificate: read_certificate_state(row, 7)?,
        operation: row.get(8)?,
        state: row.get(9)?,
        tries: row.get(10)?,
        sent: row.get(11)?,
        trouble: code.zip(row.get(13)?),
        registration: row.get(14)?,
        status: row.get(15)?,
        cloud_sn: row.get(16)?,
    })
}

fn page_of_open() -> String {
    let open = open_row!("p.");
    format!(
        "{ROW} WHERE {OPEN} AND o.id > ?1 AND NOT EXISTS (SELECT 1 FROM outbox p
            WHERE p.client_id = o.client_id AND p.id < o.id
                AND {open}
                AND ifnull(p.cloud, 0) = ifnull(o.cloud, 0))
        ORDER BY o.id LIMIT ?2"
    )
}

fn first_of_client() -> String {
    format!("{ROW} WHERE {OPEN} AND o.client_id = ?1 ORDER BY o.id LIMIT 1")
}

fn count_of_open() -> String {
    format!("SELECT operation, count(*) FROM outbox o WHERE {OPEN} GROUP BY operation")
}

fn issuers_of_open() -> String {
    format!(
        "SELECT c.issuer, count(*), max(c.not_after) FROM outbox o
        CROSS JOIN certificates c ON c.sn = o.certificate_sn
        WHERE {OPEN} AND o.operation = 'register' GROUP BY c.issuer"
    )
}

fn oldest_open() -> String {
    format!(
        "SELECT c.serial, coalesce(c.proven_us, o.queued_us) FROM outbox o
        CROSS JOIN certificates c ON c.sn = o.certificate_sn
        WHERE {OPEN} AND o.operation = 'register' ORDER BY o.id LIMIT 1"
    )
}

/// Every question about what is open; each must be answered by the index of open rows.
#[cfg(test)]
pub(crate) fn questions() -> [String; 5] {
    [page_of_open(), first_of_client(), count_of_open(), issuers_of_open(), oldest_open()]
}

/// The columns of [`read_known`] and the tables that they come from.
const KNOWN: &str = concat!(
    "SELECT c.serial, c.client_id, c.sn, c.fingerprint, c.state,
        coalesce(r.state, 'none'), r.status,
        EXISTS (SELECT 1 FROM outbox o WHERE o.certificate_sn = c.sn AND ",
    open_row!("o."),
    ")
    FROM certificates c LEFT JOIN clouds ON clouds.current = 1
    LEFT JOIN registrations r ON r.certificate_sn = c.sn AND r.site = clouds.site
        AND r.region = clouds.region AND r.instance = clouds.instance"
);

fn read_known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        serial: row.get(0)?,
        client_id: row.get(1)?,
        sn: row.get(2)?,
        fingerprint: row.get(3)?,
        certificate: read_certificate_state(row, 4)?,
        registration: row.get(5)?,
        status: row.get(6)?,
        open: row.get(7)?,
    })
}

impl Reader {
    /// The instance in which certificates are registered; none before the first sync.
    pub fn cloud(&self) -> Result<Option<CloudInstance>, LedgerError> {
        let sql = "SELECT site, region, instance FROM clouds WHERE current = 1";
        let found = self.connection.prepare_cached(sql)?.query_row([], |row| {
            Ok(CloudInstance { site: row.get(0)?, region: row.get(1)?, instance: row.get(2)? })
        });
        Ok(found.optional()?)
    }

    /// One page of open rows behind `after`, of each client id only the first one.
    pub fn outbox(&self, after: u64, limit: u32) -> Result<Vec<OutboxRow>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&page_of_open())?;
        let rows = statement.query_map(params![stored(after), limit], read_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first open row of a client id.
    pub fn outbox_of(&self, client_id: &ClientId) -> Result<Option<OutboxRow>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&first_of_client())?;
        Ok(statement.query_row([client_id], read_row).optional()?)
    }

    /// The first open row of a unit's client id.
    pub fn outbox_of_unit(&self, serial: &Serial) -> Result<Option<OutboxRow>, LedgerError> {
        let sql = "SELECT client_id FROM units WHERE serial = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let client_id = statement.query_row([serial], |row| row.get(0)).optional()?;
        client_id.map_or(Ok(None), |client_id| self.outbox_of(&client_id))
    }

    /// What is to be registered for a client id once this row is done.
    pub fn outbox_behind(
        &self,
        id: u64,
        client_id: &ClientId,
    ) -> Result<Vec<OutboxRow>, LedgerError> {
        let sql = format!(
            "{ROW} WHERE {OPEN} AND o.client_id = ?1 AND o.id > ?2 AND o.operation = 'register'
            ORDER BY o.id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![client_id, stored(id)], read_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many rows are open, by what is to be done.
    pub fn outbox_open(&self) -> Result<Vec<(Operation, u64)>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&count_of_open())?;
        let counts = statement.query_map([], |row| Ok((row.get(0)?, counted(row.get(1)?))))?;
        Ok(counts.collect::<Result<_, _>>()?)
    }

    /// How many rows are open for instances that are not the current one any more.
    pub fn outbox_elsewhere(&self) -> Result<u64, LedgerError> {
        let sql = concat!(
            "SELECT count(*) FROM outbox o WHERE ",
            open_row!("o."),
            " AND o.cloud <> (SELECT id FROM clouds WHERE current = 1)"
        );
        Ok(counted(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
    }

    /// The CAs of what waits to be registered.
    pub fn open_issuers(&self) -> Result<Vec<OpenIssuer>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&issuers_of_open())?;
        let issuers = statement.query_map([], |row| {
            let (issuer, rows, not_after) = (row.get(0)?, counted(row.get(1)?), row.get(2)?);
            Ok(OpenIssuer { issuer, rows, not_after })
        })?;
        Ok(issuers.collect::<Result<_, _>>()?)
    }

    /// The unit whose proof has waited longest to be registered, and since when.
    pub fn oldest_unregistered(&self) -> Result<Option<(Serial, Timestamp)>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&oldest_open())?;
        Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// How many certificates of a CA and a product this instance has accepted.
    pub fn accepted(
        &self,
        issuer: &Fingerprint,
        cloud: &CloudInstance,
        product: &str,
    ) -> Result<u64, LedgerError> {
        let sql = "SELECT value FROM counts WHERE what = ?1 AND name = ?2";
        let values = params![counts::ACCEPTED, counts::accepted(issuer, cloud, product)];
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<i64> = statement.query_row(values, |row| row.get(0)).optional()?;
        Ok(found.map_or(0, counted))
    }

    /// What a CA is called in a cloud instance, as it was recorded last.
    pub fn ca_sn(
        &self,
        authority: &Fingerprint,
        cloud: &CloudInstance,
    ) -> Result<Option<CaSn>, LedgerError> {
        let sql = "SELECT ca_sn FROM cloud_authorities
            WHERE authority = ?1 AND site = ?2 AND region = ?3 AND instance = ?4";
        let values = params![authority, cloud.site, cloud.region, cloud.instance];
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<Option<String>> =
            statement.query_row(values, |row| row.get(0)).optional()?;
        Ok(found.flatten().map(CaSn))
    }

    /// The fingerprints of every CA that this station issues or issued with.
    pub fn authorities(&self) -> Result<Vec<Fingerprint>, LedgerError> {
        let sql = "SELECT fingerprint FROM authorities ORDER BY seen_seq, fingerprint";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// What is known of the certificate with this serial number.
    pub fn known(&self, sn: &CertificateSn) -> Result<Option<Known>, LedgerError> {
        let sql = format!("{KNOWN} WHERE c.sn = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([sn], read_known).optional()?)
    }

    /// One page of the certificates that stand in the current instance, by serial number.
    pub fn standing_in_cloud(
        &self,
        after: Option<&CertificateSn>,
        limit: u32,
    ) -> Result<Vec<Known>, LedgerError> {
        let sql = format!(
            "{KNOWN} WHERE r.state IN ('registered', 'revoked') AND c.sn > ?1
            ORDER BY c.sn LIMIT ?2"
        );
        let after: &[u8] = after.map_or(&[], |sn| &sn.as_bytes()[..]);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, limit], read_known)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Open registrations of certificates that the cloud once took, and was found to lack or
    /// to have otherwise.
    pub fn contradicted(&self) -> Result<u64, LedgerError> {
        let sql = concat!(
            "SELECT count(*) FROM outbox o JOIN clouds k ON k.id = o.cloud
            JOIN registrations r ON r.certificate_sn = o.certificate_sn AND r.site = k.site
                AND r.region = k.region AND r.instance = k.instance
            WHERE o.operation = 'register' AND ",
            open_row!("o."),
            " AND r.registered_us IS NOT NULL AND r.state <> 'registered'"
        );
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(counted(statement.query_row([], |row| row.get(0))?))
    }

    /// Whether a unit may leave; none where the ledger has never seen it.
    pub fn gate(&self, serial: &Serial) -> Result<Option<Gate>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        Ok(gate(&self.connection, serial)?)
    }

    /// One page of a work order's units with whether each may leave, by serial.
    pub fn gates(
        &self,
        work_order: &WorkOrderId,
        after: Option<&Serial>,
        limit: u32,
    ) -> Result<Vec<(Serial, Gate)>, LedgerError> {
        let _snapshot = self.connection.unchecked_transaction()?;
        let sql = "SELECT serial FROM units WHERE work_order = ?1 AND serial > ?2
            AND state NOT IN ('failed', 'void', 'scrapped') ORDER BY serial LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let values = params![work_order, after.map_or("", Serial::as_str), limit];
        let serials: Vec<Serial> =
            statement.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut gates = Vec::with_capacity(serials.len());
        for serial in serials {
            if let Some(gate) = gate(&self.connection, &serial)? {
                gates.push((serial, gate));
            }
        }
        Ok(gates)
    }

    /// The certificates of a CA that were issued and are not to be used any more: void,
    /// superseded, or revoked in a cloud. Since when follows from what made them so.
    pub fn retired(&self, issuer: &Fingerprint) -> Result<Vec<Retired>, LedgerError> {
        let sql = "SELECT c.sn, c.state = 'superseded',
                coalesce(
                    iif(c.state = 'superseded', (SELECT min(n.proven_us) FROM certificates n
                        WHERE n.serial = c.serial AND n.attempt > c.attempt), NULL),
                    iif(c.proven_us IS NULL, (SELECT a.ended_us FROM attempts a
                        WHERE a.serial = c.serial AND a.attempt = c.attempt), NULL),
                    (SELECT min(at_us) FROM acts WHERE acts.serial = c.serial
                        AND act IN ('unit-voided', 'unit-scrapped') AND acts.seq > c.issued_seq),
                    c.issued_us)
            FROM certificates c WHERE c.issuer = ?1 AND (c.state IN ('void', 'superseded')
                OR EXISTS (SELECT 1 FROM registrations r
                    WHERE r.certificate_sn = c.sn AND r.state = 'revoked'))
            ORDER BY c.issued_seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([issuer], |row| {
            Ok(Retired { sn: row.get(0)?, superseded: row.get(1)?, at: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
