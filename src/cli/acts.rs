//! The commands about what is kept: CA, work orders, units, ledger, configuration, clock.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::grants::{GiveBack, NewGrant, OrderKeyCommand};
use crate::domain::cause::Told;
use crate::domain::ids::{AnyName, OperatorId, Serial, SlotName, WorkOrderId};
use crate::domain::label::{CheckCharacter, SerialPattern, SerialRange, UnknownCheck};
use crate::domain::operators::Role;
use crate::domain::say::Say;

/// `station authority …`
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// Makes a CA where station.toml points: key encrypted, certificate; never overwrites
    ///
    /// With `[authority] kind = "pkcs11"` the key is made inside the token and never leaves it.
    #[command(after_help = "\
The passphrase comes from STATION_AUTHORITY_PASSPHRASE, from `[authority] passphrase_file`
(mode 0600), from the systemd credential station_authority_passphrase, or from the keyboard.
A token's PIN comes from STATION_PKCS11_PIN, `pin_file` or station_pkcs11_pin in the same way.

Example:
  station authority init --common-name 'Example line 1 CA'")]
    Init {
        /// The name that the CA's certificate carries
        #[arg(long, value_name = "CN")]
        common_name: Option<String>,
        /// How many days it is valid; by default long enough for `[certificate] valid_for`
        #[arg(long, value_name = "N")]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=3_650_000))]
        days: Option<u32>,
        /// Take the key that is in the token or file already, instead of making one
        #[arg(long)]
        existing_key: bool,
    },
    /// Signs a request for a CA below an offline root; makes the key where there is none
    #[command(after_help = "\
One station, one CA: give each a name of its own. The root signs the request with CA:TRUE,
path length 0 and keyCertSign; then `station authority import` takes what it gave.

Example:
  station authority request --out line-1.csr --common-name 'Example line 1 CA'")]
    Request {
        /// Write the request to this file, PEM; never over another
        #[arg(long, value_name = "CSR")]
        out: PathBuf,
        /// The name that the CA is to have
        #[arg(long, value_name = "CN")]
        common_name: Option<String>,
    },
    /// Takes the certificate that a root signed for this CA, with what stands above it
    ///
    /// Everything is checked first: each signature, path lengths, dates, and that the key is
    /// this station's. Then it is written where `[authority] certificate` and `chain` point.
    #[command(after_help = "\
The CA's own certificate comes first, then its issuer, and so on; PEM or DER. Devices carry
what is imported: leave out the root where whoever verifies them has it anyway.

Example:
  cat line-1.pem factory-ca.pem > chain.pem && station authority import chain.pem")]
    Import {
        /// The certificates
        #[arg(value_name = "CHAIN")]
        chain: PathBuf,
    },
    /// Shows the CA's certificate
    Show,
    /// Checks that key and certificate belong together, are valid and may issue
    Check,
    /// Signs a list of the certificates that are not to be used any more (CRL)
    ///
    /// Names what is void, superseded, or revoked in the cloud. Its number comes from the
    /// journal, and grows with each list. `doctor` and `sync` warn before the newest one ends.
    #[command(after_help = "\
Example:
  station authority crl --out ca.crl")]
    Crl {
        /// Write to this file, PEM; an older list there is replaced
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// After how many days the list ends; make the next one before: most verifiers refuse
        /// every device from then on
        #[arg(long, value_name = "N", default_value_t = 30)]
        #[arg(value_parser = clap::value_parser!(u16).range(1..=3650))]
        next_days: u16,
        /// Who makes it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Registers the CA in the cloud of station.toml and waits until it is active
    ///
    /// A CA that is there already is recognised by its certificate; nothing is changed then.
    #[command(after_help = "\
Where the API can't be reached, make the files for the console and upload them there, with
the registration code that the console shows:
  station authority register --code CODE --out DIR")]
    Register {
        /// The registration code that the console shows; the cloud is not called
        #[arg(long, requires = "out")]
        code: Option<String>,
        /// The directory for the files to upload; made if missing
        #[arg(long, value_name = "DIR", requires = "code")]
        out: Option<PathBuf>,
        /// Who registers it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Writes the CA's certificate as PEM: for the cloud's console, or with its path for a broker
    ///
    /// The cloud's console takes the CA alone. A broker of your own, and whatever else verifies
    /// devices, wants the CA and everything above it up to the root: without the root many refuse
    /// every device.
    Export {
        /// With everything above it, for a broker
        #[arg(long)]
        chain: bool,
        /// Write to this file; without it, to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `station work-order …`
#[derive(Debug, Subcommand)]
pub enum WorkOrderCommand {
    /// Makes a work order; it freezes the product profile of station.toml
    #[command(after_help = "\
Example:
  station work-order create WO-1042 --quantity 500 --serial-range TH200-00001000..TH200-00001499")]
    Create(Box<NewWorkOrder>),
    /// Lists work orders with their counts
    List,
    /// Shows one work order
    Show {
        /// The work order
        #[arg(value_name = "ID")]
        id: WorkOrderId,
    },
    /// Accepts the product profile as it is now for a work order that was made under another
    #[command(after_help = "\
Units of one lot should be alike, so a changed profile is refused until a supervisor accepts it.

Example:
  station work-order accept-profile WO-1042 --reason 'broker renamed, ECO 311' --by s04")]
    AcceptProfile {
        /// The work order
        #[arg(value_name = "ID")]
        id: WorkOrderId,
        /// Why; kept in the journal
        #[arg(long, value_name = "R")]
        reason: String,
        /// Who accepts it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// The key with which who orders units grants them to stations
    #[command(subcommand)]
    Key(OrderKeyCommand),
    /// Signs a grant: so many units of a work order that one station may make
    #[command(after_help = "\
The file goes to the station, on a stick if need be, which takes it with `station work-order
take`. It needs no network, and no ledger here.

Example:
  station work-order sign WO-1042 --station line-1 --quantity 300 --order-quantity 500 \\
      --serials TH200-00001000..TH200-00001299 --valid-for 30d --out wo-1042-line-1.grant")]
    Sign(Box<NewGrant>),
    /// Takes a grant: verifies it offline and lets the station make so many units
    #[command(after_help = "\
Where the station has no such work order, it is made. With `[work_orders] require_grant = true`
no unit begins without a grant.

Example:
  station work-order take wo-1042-line-1.grant --by s04
  station work-order take --fleet --by s04")]
    Take {
        /// The grant
        #[arg(value_name = "FILE", required_unless_present = "fleet", conflicts_with = "fleet")]
        file: Option<PathBuf>,
        /// Take all that the fleet has for this station and that it did not take before
        #[arg(long)]
        fleet: bool,
        /// Who takes it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Gives back what is not needed of a work order's grants, and writes that down, signed
    #[command(after_help = "\
Units that are proven or under way stay. The file says how each grant stands, signed with the
station's journal key. Where nothing is left it is written all the same.

Example:
  station work-order give-back WO-1042 --out wo-1042-line-1.back --by s04")]
    GiveBack(Box<GiveBack>),
    /// Verifies a grant, or what was given back, without a ledger; takes nothing
    Verify {
        /// The grant, or what was given back
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The CAs or roots to verify under, PEM; by default those that this station trusts
        #[arg(long, value_name = "PEM")]
        ca: Option<PathBuf>,
    },
    /// Closes a work order: it takes no further units
    Close {
        /// The work order
        #[arg(value_name = "ID")]
        id: WorkOrderId,
        /// Who closes it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
}

/// `station work-order create`
#[derive(Debug, Clone, Args)]
pub struct NewWorkOrder {
    /// Its id
    #[arg(value_name = "ID")]
    pub id: WorkOrderId,
    /// How many distinct units it wants
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub quantity: u32,
    /// A pattern that its serials must match, besides the product's
    #[arg(long, value_name = "RE", value_parser = SerialPattern::new)]
    pub serial_pattern: Option<SerialPattern>,
    /// The range of its serials, both ends included
    #[arg(long, value_name = "A..B")]
    pub serial_range: Option<SerialRange>,
    /// The check character of its labels; by default the product's
    #[arg(long, value_name = "KIND", value_parser = check_character)]
    pub check_character: Option<CheckCharacter>,
    /// A file of the only hardware ids that it accepts, one a line in hexadecimal
    #[arg(long, value_name = "FILE")]
    pub hardware_ids: Option<PathBuf>,
    /// Who makes it: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}

fn check_character(text: &str) -> Result<CheckCharacter, Say> {
    text.parse().map_err(|error: UnknownCheck| error.sentence())
}

/// `station operator …`
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Makes a person known; from the first supervisor on, acts need a supervisor's PIN
    #[command(after_help = "\
The new PIN comes from --pin-file (mode 0600), STATION_OPERATOR_NEW_PIN or the keyboard. The PIN
of whoever approves (--by) comes from STATION_OPERATOR_PIN, from `[station] operator_pin_file`,
from the systemd credential station_operator_pin, or from the keyboard. No PIN stands in the
journal, and neither does a name.

Examples:
  station operator add s04 --role supervisor --name 'Li Wei'
  station operator add p117 --role operator --by s04")]
    Add(NewOperator),
    /// Lists everybody who is known
    List,
    /// Disables a person for good: they may neither sign in nor approve
    Disable {
        /// The person
        #[arg(value_name = "ID")]
        id: OperatorId,
        /// Erase their name too; also of one who is disabled already
        #[arg(long)]
        erase_name: bool,
        /// Who decides it: a supervisor's id
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Gives a person another PIN
    ResetPin {
        /// The person
        #[arg(value_name = "ID")]
        id: OperatorId,
        /// The file that holds the new PIN, mode 0600
        #[arg(long, value_name = "FILE")]
        pin_file: Option<PathBuf>,
        /// The CA's passphrase in place of a supervisor: where none knows their PIN any more
        #[arg(long, conflicts_with = "by")]
        with_authority: bool,
        /// Who decides it: a supervisor's id
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
}

/// `station operator add`
#[derive(Debug, Clone, Args)]
pub struct NewOperator {
    /// Their id: what the journal names them by, and what their badge carries
    #[arg(value_name = "ID")]
    pub id: OperatorId,
    /// What they may do: operator or supervisor
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// Their name, for the screen; it stands outside the journal and can be erased
    #[arg(long, value_name = "N")]
    pub name: Option<String>,
    /// The file that holds their PIN, mode 0600
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    /// Who adds them: a supervisor's id
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}

/// `station unit …`
#[derive(Debug, Subcommand)]
pub enum UnitCommand {
    /// Shows one unit's whole story
    #[command(after_help = "\
Examples:
  station unit show TH200-00000001
  station unit show 1f3c09              (the beginning of a certificate's number, or of any other)
  station unit show A1:B2:C3:D4         (of a fingerprint, as openssl prints it)
  station unit show --partition --slot A        (what the chip in the slot holds, but its key)")]
    Show {
        /// Its serial, client id, certificate number, fingerprint or hardware id, or the
        /// beginning of one; of a number at least four digits
        #[arg(value_name = "ANY", required_unless_present = "partition")]
        any: Option<AnyName>,
        /// Show the public part of an identity as it lies in the chip in a slot; with ANY, only
        /// where it is that unit's
        #[arg(long, requires = "slot")]
        partition: bool,
        /// The slot with the chip
        #[arg(long, value_name = "NAME", requires = "partition")]
        slot: Option<SlotName>,
    },
    /// Lists units
    #[command(after_help = "\
Examples:
  station unit list --state failed --from 2026-01-05 --to 2026-01-06
  station unit list --slot B --code E-DEV-TIMEOUT --from 2026-01-05T22:00
  station unit list 1f3c --json")]
    List(UnitList),
    /// Voids a unit's certificate, for good: its device is lost, or must not be used
    Void(UnitAct),
    /// Allows a proven unit to be burned again; the old identity holds until the new one does
    Rework {
        /// The unit, the reason and the person.
        #[command(flatten)]
        act: UnitAct,
        /// The unit gets another device
        #[arg(long)]
        new_device: bool,
    },
    /// Scraps a unit: it is never provisioned again
    Scrap(UnitAct),
    /// Sends units out of the house: the gate that only active certificates pass
    ///
    /// What is registered and inactive is activated at once where the cloud can be reached. A
    /// unit whose newest certificate was not finished on its device, or is not active in the
    /// cloud or registered by hand, stays, and the exit status is 1.
    #[command(after_help = super::sync::SHIP_EXAMPLES)]
    Ship(super::sync::Ship),
    /// Enters a device whose identity the ledger lost, as its certificate and its key prove it
    ///
    /// After a restore, devices made in the gap hold certificates of this station's CA that
    /// the ledger does not know. This reads the certificate from the device in a slot, checks
    /// that it was issued here and makes sense for the product, restarts the device and has it
    /// sign a challenge; then the unit is proven, and says that it was adopted. The line must
    /// stand still.
    #[command(after_help = "\
Example:
  station unit adopt --slot A --reason 'made in the gap of 25 November' --by s04")]
    Adopt {
        /// The slot that the device is in
        #[arg(long, value_name = "SLOT")]
        slot: SlotName,
        /// Why; kept in the journal
        #[arg(long, value_name = "R")]
        reason: String,
        /// Who decides it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
}

/// A person's act on a unit.
#[derive(Debug, Clone, Args)]
pub struct UnitAct {
    /// The unit's serial
    pub serial: Serial,
    /// Why; kept in the journal
    #[arg(long, value_name = "R")]
    pub reason: String,
    /// Who decides it: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}

/// The states of a unit: the furthest point that it reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnitState {
    /// An attempt is open, nothing was signed
    Reserved,
    /// A certificate was signed, its commit was never asked
    Issued,
    /// Its device may hold its certificate and did not say so
    Uncertain,
    /// Its last attempt failed
    Failed,
    /// Its device proved that it holds its certificate
    Proven,
    /// Its certificate is registered
    Registered,
    /// It left the factory
    Shipped,
    /// It may be burned again
    Rework,
    /// Its certificate is void
    Void,
    /// It was scrapped
    Scrapped,
}

/// `station ledger …`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Verifies the ledger: the journal, its newest signature, the tables, and the head noted
    /// outside
    ///
    /// Exits with 4 where it does not hold, and names the first bad entry. The newest signed
    /// head covers every entry; of the older ones samples are checked, or with `--every-head`
    /// all.
    Verify {
        /// Only the entries since the last verify that held; without the tables
        #[arg(long)]
        new: bool,
        /// The signature of every older head too; a long one takes a while
        #[arg(long)]
        every_head: bool,
        /// The CA certificate, PEM, under which the journal key is certified, in place of
        /// the one that station.toml names
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// A head that was noted on another medium, in place of `[ledger] anchor`
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
    },
    /// Counts units and attempts, by state, code and slot
    #[command(after_help = "\
Examples:
  station ledger stats
  station ledger stats --day today
  station ledger stats --shift night            (the last one that has begun)
  station ledger stats --shift night --day 2026-01-05")]
    Stats(StatsOf),
    /// Checks the ledger's file for damage
    Check,
    /// Copies the ledger to a file while the line runs
    Backup {
        /// The file to make; it must not be there yet
        file: PathBuf,
    },
    /// Restores a backup where there is no ledger, or where it was set aside
    ///
    /// The backup is audited first. What was recorded after it is lost to the station: the
    /// journal says so, and no unit begins until the gap is accepted, by `station sync
    /// --full` or by `station ledger accept-gap`.
    #[command(after_help = "\
Examples:
  station ledger restore --newest --by s04
  station ledger restore /mnt/backup/line-1.db --by s04")]
    Restore {
        /// The backup
        #[arg(required_unless_present = "newest", conflicts_with = "newest")]
        file: Option<PathBuf>,
        /// The newest backup of `[ledger] backup_dir` that holds
        #[arg(long)]
        newest: bool,
        /// Who restores it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Accepts what a restore lost, so that the line may go on
    ///
    /// Devices made in the gap hold certificates that the ledger lacks; they are refused
    /// until `station unit adopt` enters them. Say in the reason what is known of them.
    #[command(after_help = "\
Example:
  station ledger accept-gap --reason 'units 1200 to 1207 are in tray 9, to be adopted' --by s04")]
    AcceptGap(LedgerAct),
    /// Sets a ledger that can't be used aside, under another name; deletes nothing
    ///
    /// A ledger whose file is damaged is set aside by the line itself. This is for one that
    /// does not verify, was cut or was rolled back, when its backup is to take its place.
    SetAside(LedgerAct),
    /// Makes indices anew that were lost, or are not this program's own, and records it
    ///
    /// Tried on a copy first: where the ledger would not hold then, nothing is changed. No
    /// line and no sync may run. Find out first who could write the file.
    #[command(after_help = "\
Example:
  station ledger reindex --reason 'an index was dropped by hand' --by s04")]
    Reindex(LedgerAct),
    /// Says that this ledger is the station's own: the CA certifies its key, on record
    ///
    /// For a ledger of which neither the CA nor a note knows (`E-LEDGER-UNVOUCHED`): its notes
    /// were lost, or the CA is a new one. Look first whose it is: `station ledger verify`.
    #[command(after_help = "\
Example:
  station ledger vouch --reason 'new CA, notes lost with the old disk' --by s04")]
    Vouch(LedgerAct),
    /// Reads segments of the journal, without a ledger
    Segments {
        /// What
        #[command(subcommand)]
        act: SegmentsCommand,
    },
}

/// `station ledger segments …`
#[derive(Debug, Subcommand)]
pub enum SegmentsCommand {
    /// Says what each is, without reading its entries
    List {
        /// Segments, or directories of them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Prints the entries of one, each held against the chain
    Show {
        /// The segment
        file: PathBuf,
    },
    /// Verifies that they follow each other from the first entry on, and whose they are
    ///
    /// Every byte, every link of the chain and each signature at an end is checked, and that
    /// the CA certified the key. Exits with 4 and names the first that does not hold.
    #[command(after_help = "\
Examples:
  station ledger segments verify /mnt/backup/line-1 --ca ca.pem
  station ledger segments verify --part line-1-20261125T224100Z-0000008193-0000016384.segment")]
    Verify {
        /// Segments, or directories of them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The CA certificate, PEM; else the one that station.toml names
        #[arg(long, value_name = "PEM")]
        ca: Option<PathBuf>,
        /// They need not begin with the first entry
        #[arg(long)]
        part: bool,
    },
}

/// A person's act on the ledger.
#[derive(Debug, Clone, Args)]
pub struct LedgerAct {
    /// Why; kept
    #[arg(long, value_name = "R")]
    pub reason: String,
    /// Who decides it: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}

/// `station unit list`
#[derive(Debug, Clone, Args)]
pub struct UnitList {
    /// Only those that this names: as for `unit show`
    #[arg(value_name = "ANY")]
    pub any: Option<AnyName>,
    /// What narrows the list.
    #[command(flatten)]
    pub filters: Filters,
}

/// What narrows a list of units or attempts; all of it must hold.
#[derive(Debug, Clone, Default, Args)]
pub struct Filters {
    /// Only units in this state
    #[arg(long, value_name = "S", value_enum)]
    pub state: Option<UnitState>,
    /// Only those of this work order
    #[arg(long, value_name = "ID")]
    pub work_order: Option<WorkOrderId>,
    /// Only those with an attempt that began from then on: a date or a time of the factory
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only those with an attempt that began by then; a date is meant with its whole day
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only those with an attempt of this person
    #[arg(long, value_name = "ID")]
    pub operator: Option<OperatorId>,
    /// Only those with an attempt in this slot
    #[arg(long, value_name = "NAME")]
    pub slot: Option<SlotName>,
    /// Only those with an attempt that ended with this code
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Only those with an attempt on this device: its hardware id or the beginning of it
    #[arg(long, value_name = "ID")]
    pub device: Option<String>,
}

/// `station ledger stats`
#[derive(Debug, Clone, Args)]
pub struct StatsOf {
    /// Only the attempts that began on this day of the factory: 2026-01-05, today, yesterday
    #[arg(long, value_name = "DATE")]
    pub day: Option<String>,
    /// Only those of this shift of station.toml, which belongs to the day on which it begins
    #[arg(long, value_name = "NAME")]
    pub shift: Option<String>,
}

/// `station config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Checks station.toml and prints what it means
    Check(ConfigCheck),
    /// Prints the JSON Schema of station.toml, with which an editor completes and checks it
    Schema,
}

/// `station config check`
#[derive(Debug, Clone, Args)]
pub struct ConfigCheck {
    /// Take this text as one scan, and print what it is, as `station scan` does
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub label: Option<OsString>,
}

/// `station clock …`
#[derive(Debug, Subcommand)]
pub enum ClockCommand {
    /// Accepts the clock as right although it disagrees with the journal
    #[command(after_help = "\
Example:
  station clock accept --reason 'mainboard battery replaced' --by s04")]
    Accept(ClockAct),
}

/// `station clock accept`
#[derive(Debug, Clone, Args)]
pub struct ClockAct {
    /// Why; kept in the journal
    #[arg(long, value_name = "R")]
    pub reason: String,
    /// Who decides it: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}
