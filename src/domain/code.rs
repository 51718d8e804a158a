//! The stable error codes. Each is explained in `docs/errors.md`; none is ever reused.
//!
//! What a code means for the exit status, and what a person should do about it, stands
//! in `report`; here is only the list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// One stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as people and programs see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// What it means, in one English sentence: what its documentation says here.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),*).trim(),)* }
            }
        }
    };
}

codes! {
    /// A bug in the station.
    Bug = "E-BUG",
    /// The machine has too little memory, or too many processes, for what was to be done.
    Shortage = "E-SHORTAGE",
    /// Root works on files that belong to another user.
    RunAsRoot = "E-RUN-AS-ROOT",
    /// The console has not the letters that the screen is written in.
    ConsoleLetters = "E-CONSOLE-LETTERS",
    /// The command line is wrong.
    Usage = "E-USAGE",
    /// Standard output or a named output file can't be written.
    Output = "E-OUTPUT",
    /// An input file that the command line names can't be read.
    Input = "E-INPUT",
    /// The station was told to stop.
    Stopped = "E-STOPPED",

    /// station.toml is not there or can't be read.
    ConfigMissing = "E-CONFIG-MISSING",
    /// station.toml is not TOML, or a value has the wrong type.
    ConfigSyntax = "E-CONFIG-SYNTAX",
    /// station.toml has a key that the station does not know.
    ConfigKey = "E-CONFIG-KEY",
    /// A value in station.toml is not allowed.
    ConfigValue = "E-CONFIG-VALUE",
    /// A pattern in station.toml or a work order does not compile.
    ConfigPattern = "E-CONFIG-PATTERN",
    /// Two slots, or a slot and the scanner, share a port or a name.
    ConfigPortTwice = "E-CONFIG-PORT-TWICE",
    /// A secret is needed and was not given.
    SecretMissing = "E-SECRET-MISSING",
    /// A file that holds a secret can be read by others.
    SecretMode = "E-SECRET-MODE",

    /// The ledger can't be opened or read.
    LedgerOpen = "E-LEDGER-OPEN",
    /// A ledger that could not be used was set aside, and none was restored in its place.
    LedgerSetAside = "E-LEDGER-SET-ASIDE",
    /// A ledger was restored, and nobody accepted yet what the restore lost.
    LedgerGap = "E-LEDGER-GAP",
    /// The ledger was not backed up.
    LedgerBackup = "E-LEDGER-BACKUP",
    /// A segment of the journal is missing, torn, foreign or changed.
    LedgerSegment = "E-LEDGER-SEGMENT",
    /// The ledger was written by a newer program.
    LedgerNewer = "E-LEDGER-NEWER",
    /// The ledger belongs to another station.
    LedgerStation = "E-LEDGER-STATION",
    /// The data directory lies on a file system that can't hold a ledger.
    LedgerFileSystem = "E-LEDGER-FILESYSTEM",
    /// Too little room is left for the ledger.
    LedgerDiskFull = "E-LEDGER-DISK-FULL",
    /// A write to the ledger failed; the line stops.
    LedgerWrite = "E-LEDGER-WRITE",
    /// The ledger's file is damaged.
    LedgerCorrupt = "E-LEDGER-CORRUPT",
    /// The journal does not verify.
    LedgerJournal = "E-LEDGER-JOURNAL",
    /// The ledger has tables, indices or triggers that are not this program's own.
    LedgerSchema = "E-LEDGER-SCHEMA",
    /// The ledger ends before the head that was noted outside it.
    LedgerCut = "E-LEDGER-CUT",
    /// The ledger is an older copy of itself.
    LedgerRolledBack = "E-LEDGER-ROLLED-BACK",
    /// A note of the journal's head does not carry the signature that it should.
    LedgerNote = "E-LEDGER-NOTE",
    /// A ledger is already where one was to be made or restored.
    LedgerExists = "E-LEDGER-EXISTS",
    /// The journal key can't be used.
    LedgerKey = "E-LEDGER-KEY",
    /// Nothing outside the ledger says that it is this station's own.
    LedgerUnvouched = "E-LEDGER-UNVOUCHED",
    /// Others can read or change a file of the ledger.
    LedgerMode = "E-LEDGER-MODE",
    /// Another line process works on this ledger.
    LedgerBusy = "E-LEDGER-BUSY",

    /// A serial port does not exist.
    PortMissing = "E-PORT-MISSING",
    /// A serial port is in use by another program.
    PortBusy = "E-PORT-BUSY",
    /// A serial port can't be opened or set up.
    PortOpen = "E-PORT-OPEN",
    /// A serial port says yes to its settings and does not take them.
    PortSettings = "E-PORT-SETTINGS",
    /// A modem manager looks at the line's adapters.
    PortModem = "E-PORT-MODEM",
    /// An adapter holds back what it received.
    PortLatency = "E-PORT-LATENCY",
    /// The scanner can't be used.
    ScannerOpen = "E-SCANNER-OPEN",

    /// The CA certificate or key is not where station.toml points.
    CaMissing = "E-CA-MISSING",
    /// The CA is already there.
    CaExists = "E-CA-EXISTS",
    /// The CA key can't be decrypted with the passphrase given.
    CaPassphrase = "E-CA-PASSPHRASE",
    /// The CA key can't be read.
    CaKey = "E-CA-KEY",
    /// The CA certificate is not one that may issue client certificates.
    CaProfile = "E-CA-PROFILE",
    /// The CA's key and certificate do not belong together.
    CaMismatch = "E-CA-MISMATCH",
    /// The CA is not valid at this time.
    CaExpired = "E-CA-EXPIRED",
    /// The certificate profile reaches beyond the CA's end.
    CaTooShort = "E-CA-TOO-SHORT",
    /// Signing or checking a certificate failed.
    CaIssue = "E-CA-ISSUE",
    /// The newest list of revoked certificates ends soon, or has ended.
    CaList = "E-CA-LIST",
    /// The PKCS#11 module can't be loaded or started.
    HsmModule = "E-HSM-MODULE",
    /// The token is not there.
    HsmToken = "E-HSM-TOKEN",
    /// The token does not take the PIN.
    HsmPin = "E-HSM-PIN",
    /// The token has no such key.
    HsmKey = "E-HSM-KEY",
    /// The token failed.
    HsmFailed = "E-HSM-FAILED",
    /// The clock disagrees with the journal.
    ClockGap = "E-CLOCK-GAP",
    /// Nothing sets the machine's clock.
    ClockUnsynced = "E-CLOCK-UNSYNCED",
    /// Memory for keys can't be locked.
    VaultLock = "E-VAULT-LOCK",

    /// The cloud's API can't be reached, or gave no answer in time.
    CloudUnreachable = "E-CLOUD-UNREACHABLE",
    /// What answered for the cloud's API did not answer as it does.
    CloudAnswer = "E-CLOUD-ANSWER",
    /// The cloud refuses calls because there are too many.
    CloudThrottled = "E-CLOUD-THROTTLED",
    /// The cloud does not accept the station's credentials, or there are none.
    CloudCredentials = "E-CLOUD-CREDENTIALS",
    /// The cloud does not allow this account to do what was asked.
    CloudPermission = "E-CLOUD-PERMISSION",
    /// The station's clock differs too much from the cloud's.
    CloudClock = "E-CLOUD-CLOCK",
    /// The cloud's API does not know what was asked.
    CloudAction = "E-CLOUD-ACTION",
    /// The instance is not where station.toml says.
    CloudInstance = "E-CLOUD-INSTANCE",
    /// The instance is not running.
    CloudNotReady = "E-CLOUD-NOT-READY",
    /// The instance is set up in another way than station.toml says.
    CloudMode = "E-CLOUD-MODE",
    /// A CA is not usable in the cloud: unknown there, inactive, or it ends too early.
    CloudAuthority = "E-CLOUD-CA",
    /// The cloud could not verify a certificate that it was given.
    CloudVerification = "E-CLOUD-VERIFICATION",
    /// A quota of the cloud is used up.
    CloudQuota = "E-CLOUD-QUOTA",
    /// The cloud will never take this certificate.
    CloudRejected = "E-CLOUD-REJECTED",
    /// There is no root certificate under which the cloud could be verified.
    CloudRoots = "E-CLOUD-ROOTS",
    /// Devices could not connect with what `[broker]` gives them.
    CloudBroker = "E-CLOUD-BROKER",
    /// The cloud has accepted no certificate of this CA and product yet.
    CloudFirstArticle = "E-CLOUD-FIRST-ARTICLE",

    /// The fleet cannot be reached, or does not answer as one.
    FleetUnreachable = "E-FLEET-UNREACHABLE",
    /// The fleet does not know this station, or lets it in no more.
    FleetStation = "E-FLEET-STATION",
    /// The fleet refuses a segment of the journal.
    FleetSegment = "E-FLEET-SEGMENT",
    /// Two machines went on from one ledger.
    FleetFork = "E-FLEET-FORK",
    /// Another station holds this client id as proven.
    FleetClaimed = "E-FLEET-CLAIMED",
    /// The fleet's database cannot be used.
    FleetDatabase = "E-FLEET-DATABASE",
    /// What the fleet's database holds is not what its segments say.
    FleetVerify = "E-FLEET-VERIFY",

    /// No such work order.
    WorkOrderUnknown = "E-WORK-ORDER-UNKNOWN",
    /// The work order exists already.
    WorkOrderExists = "E-WORK-ORDER-EXISTS",
    /// The work order is closed.
    WorkOrderClosed = "E-WORK-ORDER-CLOSED",
    /// The work order's quantity is reached.
    WorkOrderFull = "E-WORK-ORDER-FULL",
    /// Several work orders are open and none was named.
    WorkOrderAmbiguous = "E-WORK-ORDER-AMBIGUOUS",
    /// Units of another work order are still under way.
    WorkOrderBusy = "E-WORK-ORDER-BUSY",
    /// The product profile changed since the work order was made.
    WorkOrderProfile = "E-WORK-ORDER-PROFILE",
    /// Units need a grant, and there is none.
    GrantNeeded = "E-GRANT-NEEDED",
    /// All units that were granted are used up or under way.
    GrantUsedUp = "E-GRANT-USED-UP",
    /// No grant is for this serial.
    GrantSerial = "E-GRANT-SERIAL",
    /// A grant's time is over.
    GrantExpired = "E-GRANT-EXPIRED",
    /// A grant, or what was given back, does not carry the signature of what it says.
    GrantChanged = "E-GRANT-CHANGED",
    /// A grant is for another station, or its order key is none that this station trusts.
    GrantForeign = "E-GRANT-FOREIGN",
    /// A grant of this number was taken before.
    GrantTaken = "E-GRANT-TAKEN",
    /// The order key or its certificate can't be used.
    OrderKey = "E-ORDER-KEY",

    /// Nobody is known under this id.
    OperatorUnknown = "E-OPERATOR-UNKNOWN",
    /// Somebody is known under this id already.
    OperatorExists = "E-OPERATOR-EXISTS",
    /// This person may do nothing any more.
    OperatorDisabled = "E-OPERATOR-DISABLED",
    /// Without this person nobody could approve anything.
    OperatorLast = "E-OPERATOR-LAST",
    /// Nobody is signed in at the screen.
    OperatorAbsent = "E-OPERATOR-ABSENT",
    /// The act needs a supervisor.
    SupervisorNeeded = "E-SUPERVISOR-NEEDED",
    /// The PIN is wrong.
    PinWrong = "E-PIN-WRONG",
    /// The PIN was wrong too often and is locked for a time.
    PinLocked = "E-PIN-LOCKED",
    /// A text can't be a PIN.
    PinWeak = "E-PIN-WEAK",

    /// A scan is not a serial at all.
    ScanCharacters = "E-SCAN-CHARACTERS",
    /// A scan held control or function keys.
    ScanKeys = "E-SCAN-KEYS",
    /// A scan does not match the product's or work order's pattern.
    ScanPattern = "E-SCAN-PATTERN",
    /// A scan's check character is wrong.
    ScanCheck = "E-SCAN-CHECK",
    /// A scan lies outside the serial range of the station or work order.
    ScanRange = "E-SCAN-RANGE",
    /// A scan makes no valid client id.
    ScanClientId = "E-SCAN-CLIENT-ID",
    /// No rule of station.toml reads the label.
    ScanLabel = "E-SCAN-LABEL",
    /// A scan says several serials.
    ScanAmbiguous = "E-SCAN-AMBIGUOUS",
    /// A label belongs to another product.
    ScanOtherProduct = "E-SCAN-OTHER-PRODUCT",
    /// A label names another device than the one that answers.
    ScanOtherDevice = "E-SCAN-OTHER-DEVICE",
    /// The separators of a GS1 text are missing.
    ScanSeparators = "E-SCAN-SEPARATORS",
    /// One pull of the trigger gave several lines.
    ScanLines = "E-SCAN-LINES",
    /// One scan is longer than any label.
    ScanTooLong = "E-SCAN-TOO-LONG",
    /// The scanner's data bits and parity are not the port's.
    ScanParity = "E-SCAN-PARITY",
    /// The scanner says that it read nothing.
    ScanNoRead = "E-SCAN-NO-READ",
    /// The scanner sends nothing behind a scan.
    ScanNoEnd = "E-SCAN-NO-END",
    /// The unit is being worked on at this moment.
    ScanDuplicate = "E-SCAN-DUPLICATE",
    /// The scan names a slot that does not exist or can't be used.
    ScanSlot = "E-SCAN-SLOT",
    /// The scanner is too far ahead of the slots.
    ScanAhead = "E-SCAN-AHEAD",
    /// Two devices came for one scan.
    ScanTwoDevices = "E-SCAN-TWO-DEVICES",
    /// No device came for the scan.
    ScanNoDevice = "E-SCAN-NO-DEVICE",

    /// The ledger knows no such unit.
    UnitUnknown = "E-UNIT-UNKNOWN",
    /// The unit is proven already.
    UnitProven = "E-UNIT-PROVEN",
    /// The unit is proven, and this is another device or holds something else.
    UnitOtherDevice = "E-UNIT-OTHER-DEVICE",
    /// The unit's own device may hold its certificate, and is another or is not here.
    UnitElsewhere = "E-UNIT-ELSEWHERE",
    /// Units are uncertain: nobody knows what their devices hold.
    UnitsUncertain = "E-UNITS-UNCERTAIN",
    /// The unit can't go where it was to go from where it stands.
    UnitState = "E-UNIT-STATE",
    /// The unit was scrapped.
    UnitScrapped = "E-UNIT-SCRAPPED",
    /// The attempt was cut off before it ended.
    UnitInterrupted = "E-UNIT-INTERRUPTED",
    /// The unit did not end within its deadline.
    UnitDeadline = "E-UNIT-DEADLINE",

    /// A device did not answer in time.
    DevTimeout = "E-DEV-TIMEOUT",
    /// A device sends, but nothing that can be read.
    DevNoise = "E-DEV-NOISE",
    /// The line gives back what is sent, and nobody answers.
    DevEcho = "E-DEV-ECHO",
    /// The port vanished in mid-work.
    DevUnplugged = "E-DEV-UNPLUGGED",
    /// A device answered a request with an error.
    DevRefused = "E-DEV-REFUSED",
    /// A device's answer is a sound frame and makes no sense.
    DevMalformed = "E-DEV-MALFORMED",
    /// A device and the station share no protocol version.
    DevVersion = "E-DEV-VERSION",
    /// A device is of another model than the product.
    DevModel = "E-DEV-MODEL",
    /// An identity does not fit into the device.
    DevCapacity = "E-DEV-CAPACITY",
    /// A device's hardware id can't be one.
    DevHardwareId = "E-DEV-HARDWARE-ID",
    /// One hardware id answers in two slots.
    DevTwice = "E-DEV-TWICE",
    /// The device or what it holds belongs to another unit.
    DevOtherLabel = "E-DEV-OTHER-LABEL",
    /// The device's factory serial is not the label's.
    DevFactorySerial = "E-DEV-FACTORY-SERIAL",
    /// The device holds a certificate that the ledger does not know.
    DevUnknownIdentity = "E-DEV-UNKNOWN-IDENTITY",
    /// The device is locked and takes no identity.
    DevLocked = "E-DEV-LOCKED",
    /// The device holds an identity, and a self-test would erase it.
    DevHoldsIdentity = "E-DEV-HOLDS-IDENTITY",
    /// The device lacks a protection that the product requires.
    DevSecurity = "E-DEV-SECURITY",
    /// The product's devices make their own keys, and this one can't.
    DevNoKeygen = "E-DEV-NO-KEYGEN",
    /// The device does not take a private key in the form that the product asks for.
    DevKeyFormat = "E-DEV-KEY-FORMAT",
    /// The device's signing request does not verify, or is not its own.
    DevCsr = "E-DEV-CSR",
    /// The device says that it stored the identity and did not.
    DevNotStored = "E-DEV-NOT-STORED",
    /// The device says that it restarted and did not.
    DevNotRestarted = "E-DEV-NOT-RESTARTED",
    /// Another device answers than the one that was worked on.
    DevSwapped = "E-DEV-SWAPPED",
    /// The device's proof does not verify.
    DevProof = "E-DEV-PROOF",
    /// The device did not connect to the station's own broker.
    DevConnect = "E-DEV-CONNECT",
    /// The unit's own device no longer holds what was proven on it.
    DevLostIdentity = "E-DEV-LOST-IDENTITY",
    /// A device denies what it proved, or what it said before.
    DevContradiction = "E-DEV-CONTRADICTION",
    /// The Espressif chip is another one than station.toml names.
    EspChip = "E-ESP-CHIP",
    /// The Espressif chip is in secure download mode.
    EspSecureDownload = "E-ESP-SECURE-DOWNLOAD",
    /// The Espressif chip's flash is encrypted.
    EspEncrypted = "E-ESP-ENCRYPTED",
    /// The Espressif chip's loader is needed and does not answer.
    EspLoader = "E-ESP-LOADER",
    /// The Espressif chip has no such partition, or another one than station.toml says.
    EspPartition = "E-ESP-PARTITION",
    /// The Espressif chip's partition holds something else than an identity.
    EspInUse = "E-ESP-IN-USE",
    /// The proof that was reached is weaker than the product requires.
    ProofTooWeak = "E-PROOF-TOO-WEAK",
    /// Two certificates would carry one public key.
    KeyDuplicate = "E-KEY-DUPLICATE",
    /// The program that plays the broker is not installed.
    BrokerMissing = "E-BROKER-MISSING",
    /// A broker of the station's own does not start.
    BrokerStart = "E-BROKER-START",

    /// station.toml names another cloud instance than the ledger's.
    CloudInstanceChanged = "E-CLOUD-INSTANCE-CHANGED",
    /// A row of a returned hand-off is not what the ledger has.
    HandoffMismatch = "E-HANDOFF-MISMATCH",
    /// Another certificate stands in the cloud under one of the station's serial numbers.
    CloudConflict = "E-CLOUD-CONFLICT",
    /// A certificate that should be in use is revoked in the cloud.
    CloudRevoked = "E-CLOUD-REVOKED",
    /// A certificate that should stand in the cloud does not.
    CloudAbsent = "E-CLOUD-ABSENT",
    /// Nobody knows yet whether a call was carried out.
    CloudUnclear = "E-CLOUD-UNCLEAR",
    /// Certificates wait to be revoked, and the credentials for it were not given.
    CloudRevoker = "E-CLOUD-REVOKER",
    /// A proof has waited too long to be registered.
    CloudBacklog = "E-CLOUD-BACKLOG",
    /// A unit may not leave: its certificate is not active in the cloud.
    ShipNotActive = "E-SHIP-NOT-ACTIVE",

    /// The label printer can't be used; nothing was sent to it.
    LabelPrinter = "E-LABEL-PRINTER",
    /// Nobody knows whether a label came out.
    LabelUnclear = "E-LABEL-UNCLEAR",
    /// A label was sent for the unit already.
    LabelSent = "E-LABEL-SENT",
    /// A reprint would not be the label that was sent before.
    LabelDiffers = "E-LABEL-DIFFERS",
    /// The unit is void or scrapped and gets no label.
    LabelVoid = "E-LABEL-VOID",
    /// A label from before a rework may still be on the unit.
    LabelStale = "E-LABEL-STALE",
    /// A label that was scanned back says something else than was sent.
    LabelWrong = "E-LABEL-WRONG",
    /// The unit's label is not done.
    LabelOpen = "E-LABEL-OPEN",
    /// The unit's values can't stand on its label, or could not be read from it.
    LabelValue = "E-LABEL-VALUE",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no code of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no error code of this program")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let found = Code::ALL.iter().find(|code| code.as_str() == text);
        found.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_none_stands_twice() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.as_str().starts_with("E-"));
        }
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
