//! What every slot shares: the authority, the vault, the ledger's doors and the product.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::device::{Fault, Held, Seen, ToldBy};
use crate::domain::evidence::Witness;
use crate::domain::identity::{ConnectionSettings, KeyFormat, TlsVersion};
use crate::domain::ids::{ClientId, HardwareId, OperatorId, WorkOrderId};
use crate::domain::person::Person;
use crate::flow::Policy;
use crate::ledger::{Inquiries, Writer};
use crate::pki::{Authority, Profile};
use crate::vault::Vault;

/// Where devices of this product connect, and what they must trust.
#[derive(Debug, Clone)]
pub struct Broker {
    /// The broker's host name.
    pub host: String,
    /// The broker's TLS port.
    pub port: u16,
    /// The oldest TLS version allowed.
    pub tls_min: TlsVersion,
    /// The newest TLS version allowed.
    pub tls_max: TlsVersion,
    /// The roots that the broker's certificate must chain to, DER one behind the other.
    pub server_root: Arc<[u8]>,
}

impl Broker {
    pub(super) fn settings(&self, client_id: &ClientId) -> ConnectionSettings {
        ConnectionSettings {
            client_id: client_id.clone(),
            host: self.host.clone(),
            port: self.port,
            tls_min: self.tls_min,
            tls_max: self.tls_max,
        }
    }
}

/// Who works at the line: the newest person who signed in. A unit that begins has the
/// person of that moment in its record.
#[derive(Debug, Default)]
pub struct SignedIn(Mutex<Option<OperatorId>>);

impl SignedIn {
    /// With this person at the line.
    pub fn of(operator: Option<OperatorId>) -> Self {
        Self(Mutex::new(operator))
    }

    /// Who works at the line at this moment.
    pub fn operator(&self) -> Option<OperatorId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another person does, or nobody.
    pub fn change(&self, operator: Option<OperatorId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = operator;
    }
}

/// The work order that is made at the line; whoever is there may choose another.
#[derive(Debug, Default)]
pub struct Lot(Mutex<Option<WorkOrderId>>);

impl Lot {
    /// With this work order to begin with.
    pub fn of(work_order: Option<WorkOrderId>) -> Self {
        Self(Mutex::new(work_order))
    }

    /// The work order at this moment.
    pub fn work_order(&self) -> Option<WorkOrderId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, work_order: WorkOrderId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(work_order);
    }
}

/// What every slot shares.
pub struct Shared {
    /// Issues certificates.
    pub authority: Authority,
    /// The product's name.
    pub product: String,
    /// What certificates look like.
    pub profile: Profile,
    /// Holds private keys.
    pub vault: Vault,
    /// Makes things durable.
    pub writer: Writer,
    /// Answers what is known.
    pub inquiries: Inquiries,
    /// Both clocks.
    pub clock: Arc<dyn Clock>,
    /// What the product demands of devices.
    pub policy: Policy,
    /// In which form devices get private keys that the station made.
    pub key_format: KeyFormat,
    /// Where devices connect.
    pub broker: Broker,
    /// The station's own broker, where devices connect to one as the last proof.
    pub witness: Option<Arc<dyn Witness>>,
    /// The work order that is made. It changes only while no unit is under way.
    pub lot: Arc<Lot>,
    /// Who works at the line.
    pub signed_in: Arc<SignedIn>,
    /// The numeric id of the system's user whose process this is.
    pub uid: u32,
    /// How long one unit may take, from its scan's start in a slot.
    pub unit_deadline: Duration,
}

impl Shared {
    /// Who answers for what the line finds at this moment.
    pub(super) fn person(&self) -> Person {
        Person { operator: self.signed_in.operator(), uid: self.uid }
    }

    /// What a device is called in the ledger. One that has no hardware id is, while it
    /// holds an identity, the device on which that was burned.
    pub(super) fn known_as(&self, seen: &Seen) -> Result<HardwareId, Fault> {
        let held = seen.holds.filter(|_| seen.told_by == ToldBy::Identity);
        let known = match held {
            Some(Held { certificate, .. }) => {
                self.inquiries.ask(move |reader| reader.device_of(&certificate))??
            }
            None => None,
        };
        Ok(known.unwrap_or_else(|| seen.hardware.clone()))
    }
}
