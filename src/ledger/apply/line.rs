//! The projection of a line's own records: its start, its CA, its work orders.

use rusqlite::params;

use crate::domain::ids::hex_pairs;
use crate::domain::record::{AuthoritySeen, LineStarted, WorkOrderAct, WorkOrderCreated};
use crate::domain::registration::AuthorityRegistered;
use crate::error::LedgerError;
use crate::tables::sql::stored;

use super::context::Context;
use crate::say;

impl Context<'_> {
    pub(super) fn line_started(&self, line: &LineStarted) -> rusqlite::Result<()> {
        self.connection.execute(
            "INSERT INTO line_sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                stored(self.seq),
                self.station,
                self.wall,
                line.version,
                line.config,
                line.authority,
                line.work_order,
                line.operator,
                line.journal_certificate,
            ],
        )?;
        Ok(())
    }

    pub(super) fn authority_seen(&self, authority: &AuthoritySeen) -> Result<(), LedgerError> {
        let der = hex_pairs(&authority.der)
            .ok_or_else(|| LedgerError::Nonsense(say!("a CA certificate", "CA 证书无效")))?;
        self.connection.execute(
            "INSERT INTO authorities VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![authority.fingerprint, self.station, der, self.wall, stored(self.seq)],
        )?;
        Ok(())
    }

    /// The newest word counts; a number that was known stays where none is said.
    pub(super) fn authority_registered(
        &self,
        registered: &AuthorityRegistered,
    ) -> rusqlite::Result<()> {
        let AuthorityRegistered { authority, cloud, ca_sn, by, .. } = registered;
        let ca_sn = ca_sn.as_ref().map(|sn| &sn.0);
        self.connection.execute(
            "INSERT INTO cloud_authorities VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET ca_sn = coalesce(excluded.ca_sn, ca_sn),
                changed_us = excluded.changed_us",
            params![
                authority,
                cloud.site,
                cloud.region,
                cloud.instance,
                self.station,
                ca_sn,
                self.wall
            ],
        )?;
        let what = format!("{authority} in {cloud}");
        self.act("ca-registered", None, None, Some(&what), by)
    }

    pub(super) fn work_order_created(&self, created: &WorkOrderCreated) -> rusqlite::Result<()> {
        let order = &created.work_order;
        self.connection.execute(
            "INSERT INTO work_orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, 0, 0)",
            params![
                order.id,
                self.station,
                order.product,
                order.quantity,
                order.serial_pattern,
                order.serial_range.as_ref().map(ToString::to_string),
                order.check_character.as_str(),
                order.profile,
                order.hardware_ids.is_empty(),
                self.wall,
            ],
        )?;
        let sql = "INSERT INTO work_order_devices VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (place, hardware) in (0_i64..).zip(&order.hardware_ids) {
            statement.execute(params![order.id, hardware, place])?;
        }
        self.act("work-order-created", None, Some(&order.id), None, &created.by)
    }

    pub(super) fn work_order_closed(&self, closed: &WorkOrderAct) -> rusqlite::Result<()> {
        let sql = "UPDATE work_orders SET closed = 1 WHERE id = ?1";
        self.connection.execute(sql, [&closed.work_order])?;
        self.act("work-order-closed", None, Some(&closed.work_order), None, &closed.by)
    }
}
