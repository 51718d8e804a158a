//! The signed heads of a journal whose chain holds.

use rusqlite::Connection;

use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::PublicKey;
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::error::LedgerError;
use crate::journal::entry::{Entry, Fact, Hash, InstanceId};
use crate::journal::head::{Head, SignedHead};
use crate::say;
use crate::tables::sql::{counted, stored};

/// What the newest head is held against.
pub(super) struct Heads<'a> {
    pub(super) connection: &'a Connection,
    pub(super) instance: &'a InstanceId,
    pub(super) verifier: &'a dyn HeadVerifier,
    /// Those up to this entry were checked before.
    pub(super) after: u64,
}

impl Heads<'_> {
    /// The newest head must be the expected key's and verify; since the chain holds, that
    /// proves every entry. Where it does not, the first older one that does not is found.
    /// `first_bad` is what was found of the older ones that were looked at.
    pub(super) fn check(
        &self,
        expected: Option<PublicKey>,
        first_bad: Option<u64>,
        remarks: &mut Vec<Say>,
    ) -> Result<(), LedgerError> {
        let newest = SignedHead::newest(self.connection)?;
        let newest = newest.ok_or_else(|| LedgerError::Journal {
            entry: 1,
            why: say!("no signed head covers it", "没有签名的头覆盖它"),
        })?;
        if let Some(wanted) = expected.filter(|key| *key != newest.public_key) {
            let Some(seq) = began_with_a_restore(self.connection, &newest.public_key)? else {
                let (found, wanted) = (Box::new(newest.public_key), Box::new(wanted));
                return Err(LedgerError::Key { found, wanted });
            };
            remarks.push(say!(
                "entry {seq} restored the ledger under a new journal key, which the CA certifies \
                 at the next line start",
                "第 {seq} 条用新的日志密钥恢复了账本，CA 在下次开线时为它签发证书"
            ));
        }
        let sound = newest.holds(self.instance, self.verifier);
        match (sound, first_bad) {
            (true, None) => Ok(()),
            (true, Some(seq)) => Err(self.bad(seq)?),
            (false, _) => Err(self.bad(self.first_bad()?.unwrap_or(newest.head.seq))?),
        }
    }

    /// The first head that does not verify, of all there are.
    fn first_bad(&self) -> Result<Option<u64>, LedgerError> {
        let sql = "SELECT heads.seq, hash, public_key, signature FROM heads
            JOIN journal ON journal.seq = heads.seq JOIN journal_keys ON journal_keys.id = heads.key
            WHERE heads.seq > ?1 ORDER BY heads.seq";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([stored(self.after)])?;
        while let Some(row) = rows.next()? {
            let head = Head { seq: counted(row.get(0)?), hash: Hash(row.get(1)?) };
            let signed = SignedHead { head, public_key: row.get(2)?, signature: row.get(3)? };
            if !signed.holds(self.instance, self.verifier) {
                return Ok(Some(head.seq));
            }
        }
        Ok(None)
    }

    /// The entries behind the head before a bad one are those that it would have covered.
    fn bad(&self, seq: u64) -> Result<LedgerError, LedgerError> {
        let sql = "SELECT max(seq) FROM heads WHERE seq < ?1";
        let good: Option<i64> = self.connection.query_row(sql, [stored(seq)], |row| row.get(0))?;
        let good = good.map_or(0, counted).max(self.after);
        let why = say!(
            "the signature of the head at entry {seq} does not verify",
            "第 {seq} 条处的头签名核对不通过"
        );
        Ok(LedgerError::Journal { entry: good + 1, why })
    }
}

/// The entry with which a journal key came into use, if that entry is a restore.
fn began_with_a_restore(
    connection: &Connection,
    key: &PublicKey,
) -> Result<Option<u64>, LedgerError> {
    let sql = "SELECT journal.seq, entry FROM journal WHERE journal.seq = (
        SELECT min(heads.seq) FROM heads JOIN journal_keys ON journal_keys.id = heads.key
        WHERE public_key = ?1)";
    let mut statement = connection.prepare(sql)?;
    let first =
        statement.query_row([key], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let (seq, bytes) = first?;
    let restored = Entry::decode(&bytes)
        .is_ok_and(|entry| matches!(entry.fact, Fact::Record(Record::Restored(_), _)));
    Ok(u64::try_from(seq).ok().filter(|_| restored))
}
