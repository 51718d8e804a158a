//! Opens what station.toml names: the ledger, the authority, the product's rules.

use std::sync::Arc;

use crate::broker::{self, WitnessSettings};
use crate::config::{
    self, AuthorityKey, AuthoritySettings, Config, ConnectSettings, ParityBit, Presence, Product,
    Restart, Scanner, Slot, ValidFor,
};
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::evidence::{HeadSigner, Witness};
use crate::domain::identity::{KeyFormat, KeyOrigin};
use crate::domain::ids::{PublicKey, StationId, WorkOrderId};
use crate::domain::label::{LabelRule, SerialPattern};
use crate::domain::long_work;
use crate::domain::work_order::WorkOrder;
use crate::engine::{Broker, SlotSettings};
use crate::flow::Policy;
use crate::ledger::{self, BackupRule, Backups, Ledger, Reader};
use crate::link::settings::{
    CharacterBits, LineParity, PortSettings, PresenceBy, RestartBy, SlotLink, SmpFiles,
};
use crate::pki::{
    self, Authority, AuthorityPlace, JournalKey, KeyPlace, Passphrase, Profile, TokenKey,
};
use crate::say;
use crate::secret::{self, IfAbsent, Process, Secret, Wanted};
use crate::shell::{self, Failure, Progress};
use crate::text::Language;

use super::aside;
use super::patience::patiently;

/// The journal key's file in the data directory.
pub const JOURNAL_KEY_FILE: &str = "journal.key";

/// The file that keeps the journal secret where none is configured.
pub const JOURNAL_SECRET_FILE: &str = "journal.secret";

/// What the ledger must know of station.toml.
pub fn ledger_settings(config: &Config) -> ledger::Settings {
    ledger::Settings {
        data_dir: config.station.data_dir.clone(),
        station: config.station.id.clone(),
        anchor: config.ledger.anchor.clone(),
        reserve_bytes: config.ledger.reserve,
        max_clock_gap: config.station.max_clock_gap,
        require_grant: config.work_orders.require_grant,
    }
}

/// The backups that a line makes by itself.
pub fn backups(config: &Config) -> Backups {
    let rule = BackupRule {
        dir: config.ledger.backup_dir.clone(),
        every: config.ledger.backup_every,
        after: config.ledger.backup_after.into(),
        keep: usize::try_from(config.ledger.backup_keep).unwrap_or(usize::MAX),
    };
    Backups::new(&ledger_settings(config), rule)
}

/// A secret as the text that a key file is encrypted with.
pub fn passphrase(secret: &Secret) -> Result<Passphrase, Failure> {
    let text = std::str::from_utf8(secret.as_bytes()).map_err(|_| {
        Failure::said(
            Code::SecretMissing,
            say!("the passphrase is not UTF-8 text", "口令不是 UTF-8 文本"),
        )
    })?;
    Ok(Passphrase::new(text.to_owned())?)
}

/// Opens the ledger for writing; makes it, and the journal key, at first.
pub fn open_ledger(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<(Ledger, PublicKey), Failure> {
    let settings = ledger_settings(config);
    ledger::make_data_dir(&settings.data_dir)?;
    let key = journal_key(config)?;
    let public_key = key.public_key();
    let data_dir = settings.data_dir.clone();
    let opened = watching(|| Ledger::open(settings, Arc::new(key), Arc::clone(clock)));
    let ledger = opened.map_err(|error| aside::told(&data_dir, error.into(), clock.now().wall))?;
    Ok((ledger, public_key))
}

/// Opens the ledger for writing where there is one.
pub fn open_existing_ledger(config: &Config, clock: &Arc<dyn Clock>) -> Result<Ledger, Failure> {
    let settings = ledger_settings(config);
    if !settings.data_dir.join(ledger::LEDGER_FILE).exists() {
        return Err(ledger::absent(&settings.data_dir).into());
    }
    let key = journal_key(config)?;
    let data_dir = settings.data_dir.clone();
    let opened = watching(|| Ledger::open_existing(settings, Arc::new(key), Arc::clone(clock)));
    opened.map_err(|error| aside::told(&data_dir, error.into(), clock.now().wall))
}

/// Opens a ledger, and shows how far it is where an older one is brought up, which takes
/// minutes for a large one.
fn watching<R>(open: impl FnOnce() -> R) -> R {
    let mut progress = Progress::on_terminal(shell::is_watched());
    let note = match shell::language() {
        Language::English => "the ledger is brought up to this program",
        Language::Chinese => "正在升级账本",
    };
    let ear = move |done, total| progress.at(done, Some(total), note);
    long_work::hear(Box::new(ear), open)
}

/// The key that signs the journal; made, with its secret, where there is none.
pub fn journal_key(config: &Config) -> Result<JournalKey, Failure> {
    let data_dir = &config.station.data_dir;
    let path = data_dir.join(JOURNAL_KEY_FILE);
    let has_ledger = data_dir.join(ledger::LEDGER_FILE).exists();
    if has_ledger && !path.exists() {
        let what =
            say!("the ledger's journal key {} is missing", "缺少账本的日志密钥 {}", path.display());
        return Err(Failure::said(Code::LedgerKey, what).with_help(say!(
            "put journal.key back, or restore a backup into an empty directory",
            "把 journal.key 放回原处，或把备份恢复到空目录"
        )));
    }
    let absent = if path.exists() { IfAbsent::Refuse } else { IfAbsent::Make };
    let wanted = secret::journal_secret(config.ledger.journal_secret_file.as_deref());
    let secret = wanted.read_or_keep(&Process, &data_dir.join(JOURNAL_SECRET_FILE), absent)?;
    Ok(JournalKey::load_or_create(&path, &passphrase(&secret)?)?)
}

/// The journal keys that one of these CAs (DER) certified for the station in its ledger, the
/// newest first.
pub fn certified_keys(
    reader: &Reader,
    authorities: &[Vec<u8>],
    station: &StationId,
) -> Result<Vec<PublicKey>, Failure> {
    let certificates = reader.journal_certificates()?;
    let keys = certificates.iter().filter_map(|hex| {
        let der = bytes_of(hex)?;
        authorities.iter().find_map(|ca| pki::journal_key_of(&der, ca).ok())
    });
    let own = keys.filter(|found| found.station == *station);
    Ok(own.map(|found| found.public_key).collect())
}

/// The journal keys that the CA of station.toml certified for the station; none where its
/// certificate or the ledger can't be read, which others tell.
pub fn certified_by_own_ca(config: &Config) -> Option<Vec<PublicKey>> {
    let authorities = pki::read_certificates(&config.authority.certificate).ok()?;
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id)).ok()?;
    Some(certified_keys(&reader, &authorities, &config.station.id).unwrap_or_default())
}

/// The bytes that hexadecimal digits write.
pub(in crate::app) fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = (0..hex.len()).step_by(2).map(|at| hex.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// Where the authority is, in the pki's words.
pub fn authority_place(authority: &AuthoritySettings) -> AuthorityPlace {
    AuthorityPlace {
        certificate: authority.certificate.clone(),
        key: match &authority.key {
            AuthorityKey::File { path, .. } => KeyPlace::File(path.clone()),
            AuthorityKey::Pkcs11 {
                module, token_label, token_serial, key_label, key_id, ..
            } => KeyPlace::Token(TokenKey {
                module: module.clone(),
                token: token_label.clone(),
                serial: token_serial.clone(),
                label: key_label.clone(),
                id: key_id.clone(),
            }),
        },
        chain: authority.chain.clone(),
    }
}

/// The secret that opens the authority's key: a passphrase or a PIN.
pub fn authority_secret(authority: &AuthoritySettings) -> Wanted<'_> {
    match &authority.key {
        AuthorityKey::File { passphrase_file, .. } => {
            secret::authority_passphrase(passphrase_file.as_deref())
        }
        AuthorityKey::Pkcs11 { pin_file, .. } => secret::token_pin(pin_file.as_deref()),
    }
}

/// Opens the authority.
pub fn authority(config: &Config) -> Result<Authority, Failure> {
    let place = authority_place(&config.authority);
    // Whoever has no CA yet has no passphrase either: the CA is told first.
    Authority::check_there(&place)?;
    let secret = authority_secret(&config.authority).read(&Process)?;
    let secret = passphrase(&secret)?;
    Ok(patiently(&place.key, || Authority::load(&place, &secret))?)
}

/// How long certificates are valid, in the pki's words.
pub fn valid_for(valid_for: ValidFor) -> pki::ValidFor {
    match valid_for {
        ValidFor::Years(years) => pki::ValidFor::Years(years.into()),
        ValidFor::Days(days) => pki::ValidFor::Days(days),
        ValidFor::NoExpiry => pki::ValidFor::NoExpiry,
    }
}

/// What certificates look like.
pub fn profile(config: &Config) -> Result<Profile, Failure> {
    let certificate = &config.certificate;
    Ok(Profile::new(
        certificate.organization.clone(),
        certificate.organizational_unit.clone(),
        valid_for(certificate.valid_for),
        certificate.backdate,
    )?)
}

/// What the product demands of devices.
pub fn policy(config: &Config) -> Policy {
    Policy {
        model: config.product.model.clone(),
        require: config.product.require,
        required_proof: config.product.required_proof,
        key_origin: match config.product.key_origin {
            config::KeyOrigin::Station => KeyOrigin::Station,
            config::KeyOrigin::Device => KeyOrigin::Device,
        },
        lock: config.product.lock,
        connects: config.connect.is_some(),
    }
}

/// The secret that opens the key of the station's own broker.
pub fn broker_secret(connect: &ConnectSettings) -> Wanted<'_> {
    secret::broker_passphrase(connect.passphrase_file.as_deref())
}

/// Starts the station's own broker, where there is one.
pub fn witness(
    config: &Config,
    authority: &Authority,
) -> Result<Option<Arc<dyn Witness>>, Failure> {
    let Some(connect) = &config.connect else { return Ok(None) };
    let secret = passphrase(&broker_secret(connect).read(&Process)?)?;
    let settings = WitnessSettings {
        listen: connect.listen,
        certificates: pki::read_certificates(&connect.certificate)?,
        key: pki::read_server_key(&connect.key, &secret)?,
        authority: authority.certificate_der().to_vec(),
        tls_min: config.broker.tls_min,
        tls_max: config.broker.tls_max,
        patience: connect.within,
    };
    Ok(Some(Arc::new(broker::Witness::start(settings)?)))
}

/// Where devices connect, and what they must trust.
pub fn broker_settings(config: &Config) -> Result<Broker, Failure> {
    let broker = &config.broker;
    Ok(Broker {
        host: broker.host.clone(),
        port: broker.port,
        tls_min: broker.tls_min,
        tls_max: broker.tls_max,
        server_root: pki::server_roots(&broker.server_root)?,
    })
}

/// What a label must meet: the product's rule, and the work order's where there is one.
pub fn label_rule(config: &Config, work_order: Option<&WorkOrder>) -> Result<LabelRule, Failure> {
    let mut patterns = vec![config.product.serial_pattern.clone()];
    let mut ranges: Vec<_> = config.station.serial_range.clone().into_iter().collect();
    let mut check = config.product.check_character;
    if let Some(order) = work_order {
        if let Some(pattern) = &order.serial_pattern {
            let pattern = SerialPattern::new(pattern)
                .map_err(|error| Failure::told(Code::ConfigPattern, &error))?;
            patterns.push(pattern);
        }
        ranges.extend(order.serial_range.clone());
        if order.check_character != crate::domain::label::CheckCharacter::None {
            check = order.check_character;
        }
    }
    let check_part = config.product.check_part.clone();
    let client_id = config.product.client_id.clone();
    Ok(LabelRule { patterns, ranges, check, check_part, client_id })
}

/// The lot to work on: the one named, or the only one that is open.
pub fn work_order(
    config: &Config,
    reader: &Reader,
    named: Option<&WorkOrderId>,
) -> Result<Option<WorkOrder>, Failure> {
    let Some(id) = named.cloned().map_or_else(|| only_open(reader), |id| Ok(Some(id)))? else {
        return match config.work_orders.require_grant {
            false => Ok(None),
            true => {
                let what = say!(
                    "units need a grant, and no work order is open",
                    "单元需要授权，而没有打开的工单"
                );
                Err(Failure::said(Code::GrantNeeded, what))
            }
        };
    };
    let Some(row) = reader.work_order(&id)? else {
        return Err(Failure::said(
            Code::WorkOrderUnknown,
            say!("there is no work order {id}", "没有工单 {id}"),
        ));
    };
    if row.closed {
        return Err(Failure::said(
            Code::WorkOrderClosed,
            say!("work order {id} is closed", "工单 {id} 已关闭"),
        ));
    }
    if row.work_order.profile != config.profile_digest()? {
        let what = say!(
            "the product profile changed since work order {id} was made",
            "工单 {id} 建立之后，产品配置有变化"
        );
        return Err(Failure::said(Code::WorkOrderProfile, what));
    }
    if config.work_orders.require_grant && reader.grants(&id)?.is_empty() {
        let what = say!(
            "units need a grant, and none was taken for work order {id}",
            "单元需要授权，而工单 {id} 没有收到授权"
        );
        return Err(Failure::said(Code::GrantNeeded, what));
    }
    Ok(Some(row.work_order))
}

fn only_open(reader: &Reader) -> Result<Option<WorkOrderId>, Failure> {
    let mut open = reader.open_work_orders()?;
    if open.len() > 1 {
        let ids: Vec<_> = open.iter().map(WorkOrderId::as_str).collect();
        let what = say!("several work orders are open: {}", "有几个工单打开着：{}", ids.join(", "));
        return Err(Failure::said(Code::WorkOrderAmbiguous, what));
    }
    Ok(open.pop())
}

/// The scanner's port in the link's words; at another port where one is named.
pub fn scanner_port(scanner: &Scanner, port: &str) -> PortSettings {
    PortSettings {
        bits: match scanner.has_seven_bits {
            true => CharacterBits::Seven,
            false => CharacterBits::Eight,
        },
        parity: match scanner.parity {
            ParityBit::None => LineParity::None,
            ParityBit::Even => LineParity::Even,
            ParityBit::Odd => LineParity::Odd,
            ParityBit::Mark => LineParity::Mark,
            ParityBit::Space => LineParity::Space,
        },
        ..PortSettings::new(port, scanner.baud)
    }
}

/// The slots in the link's words.
pub fn slots(config: &Config) -> Vec<SlotSettings> {
    config.slots.iter().map(|slot| self::slot(slot, config)).collect()
}

/// In which form devices get private keys that the station made.
pub fn key_format(product: &Product) -> KeyFormat {
    match product.key_format {
        config::KeyFormat::Scalar => KeyFormat::Scalar,
        config::KeyFormat::Pkcs8 => KeyFormat::Pkcs8,
    }
}

fn smp_files(slot: &Slot, product: &Product) -> SmpFiles {
    let usual = SmpFiles::default();
    SmpFiles {
        directory: slot.directory.clone().unwrap_or(usual.directory),
        key_name: product.key_file.clone(),
        key_is_pem: product.key_encoding == config::KeyEncoding::Pem,
    }
}

fn slot(slot: &Slot, config: &Config) -> SlotSettings {
    let port = PortSettings {
        dtr: slot.dtr,
        rts: slot.rts,
        ..PortSettings::new(slot.port.to_string(), slot.baud)
    };
    let link = SlotLink {
        speaks: slot.driver,
        restart: match slot.restart {
            Restart::Command => RestartBy::Command,
            Restart::Dtr => RestartBy::Dtr,
            Restart::Rts => RestartBy::Rts,
        },
        presence: match slot.presence {
            Presence::Port => PresenceBy::Port,
            Presence::Poll => PresenceBy::Poll,
            Presence::Cts => PresenceBy::Cts,
            Presence::Dsr => PresenceBy::Dsr,
            Presence::Dcd => PresenceBy::Dcd,
        },
        modem: slot.modem,
        sec_tag: slot.sec_tag,
        esp: config.esp.clone(),
        smp: smp_files(slot, &config.product),
        ..SlotLink::new(port)
    };
    SlotSettings { name: slot.name.clone(), link }
}
