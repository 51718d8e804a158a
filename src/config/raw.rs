//! What may stand in station.toml, key by key, before it is checked.
//!
//! These structs are the one list of keys: serde reads the file into them and refuses every
//! other key, and the JSON Schema is made of them. The lines of documentation are what an
//! editor shows, `default` is what the commented example shows, and the first of `examples`
//! is what an error offers where the key is missing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kinds::{Ends, FilePath, Parsed, Placed, Section, Size, Time, Whole, Word};
use super::values::{Endpoint, Hex, ValidFor};
use super::words::{
    AuthorityKind, Binding, CloudKind, Confirm, InitialStatus, KeyEncoding, KeyFormat, KeyOrigin,
    LabelForm, Language, ParityBit, Presence, PrintVerify, PrintWhen, Protection, RegistrationMode,
    Restart, ScannerKind,
};
use crate::domain::certificate::Proof;
use crate::domain::esp::{CHIP_WORDS, EspApplication, EspForm};
use crate::domain::family::Speaks;
use crate::domain::identity::TlsVersion;
use crate::domain::ids::{SlotName, StationId};
use crate::domain::label::{CheckCharacter, ClientIdTemplate, SerialRange};
use crate::domain::local::{TimeOfDay, Zone};
use crate::domain::modem::{HIGHEST_TAG, Modem, USUAL_TAG};
use crate::domain::print::Language as PrintLanguage;
use crate::domain::scan::LetterCase;

/// The configuration of one provisioning station. Paths are relative to the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "station.toml")]
pub(super) struct File {
    pub(super) station: Section<Station>,
    pub(super) product: Section<Product>,
    pub(super) certificate: Section<Certificate>,
    pub(super) authority: Section<Authority>,
    pub(super) broker: Section<Broker>,
    pub(super) connect: Option<Section<Connect>>,
    pub(super) shifts: Option<Vec<Section<Shift>>>,
    pub(super) slots: Placed<Vec<Section<Slot>>>,
    pub(super) esp: Option<Section<Esp>>,
    pub(super) scanner: Option<Section<Scanner>>,
    pub(super) ledger: Option<Section<Ledger>>,
    pub(super) work_orders: Option<Section<WorkOrders>>,
    pub(super) label: Option<Section<Printing>>,
    pub(super) cloud: Option<Section<Cloud>>,
    pub(super) view: Option<Section<View>>,
    pub(super) fleet: Option<Section<Fleet>>,
}

/// This machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Station {
    /// Who this station is. Its ledger belongs to this id for good.
    #[schemars(extend("examples" = ["line-1"]))]
    pub(super) id: Parsed<StationId>,
    /// The language of the screens.
    #[schemars(extend("default" = "en"))]
    pub(super) language: Option<Word<Language>>,
    /// The factory's time zone by its IANA name. Without it: the system's.
    #[schemars(extend("examples" = ["Asia/Shanghai"]))]
    pub(super) timezone: Option<Parsed<Zone>>,
    /// The ledger's directory: on a local file system, with room, and backed up.
    #[schemars(extend("examples" = ["/var/lib/station"]))]
    pub(super) data_dir: FilePath,
    /// The serials that this station may provision: FIRST..LAST. Without it: any.
    #[schemars(extend("examples" = ["TH200-00000001..TH200-00999999"]))]
    pub(super) serial_range: Option<Parsed<SerialRange>>,
    /// How far the clock may be ahead of the journal before nothing is issued any more.
    #[schemars(extend("default" = "30d"))]
    pub(super) max_clock_gap: Option<Time>,
    /// How long one unit may take.
    #[schemars(extend("default" = "120s"))]
    pub(super) unit_deadline: Option<Time>,
    /// How long a scan of a batch waits for a device.
    #[schemars(extend("default" = "10m"))]
    pub(super) device_wait: Option<Time>,
    /// After how long without a key or a scan the screen signs its person out.
    #[schemars(extend("default" = "10m"))]
    pub(super) idle_lock: Option<Time>,
    /// What a badge's text begins with, before the person's id.
    #[schemars(extend("default" = "OP:", "pattern" = "^[!-~]{1,16}$"))]
    pub(super) badge_prefix: Option<Placed<String>>,
    /// The PIN with which acts on the command line are approved, in a file of mode 0600.
    pub(super) operator_pin_file: Option<FilePath>,
}

/// What is made here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    /// Its name.
    #[schemars(extend("examples" = ["TH200"], "minLength" = 1, "maxLength" = 64))]
    pub(super) name: Placed<String>,
    /// What a serial looks like, a regular expression; all of a serial must match.
    #[schemars(extend("examples" = ["TH200-[0-9]{8}"]))]
    pub(super) serial_pattern: Placed<String>,
    /// The MQTT client id, made of the serial; also the certificate's CN.
    #[schemars(extend("examples" = ["{serial}"]))]
    pub(super) client_id: Parsed<ClientIdTemplate>,
    /// How the last character of a label guards the others.
    #[schemars(extend("default" = "none", "enum" = CheckCharacter::ALL))]
    pub(super) check_character: Option<Parsed<CheckCharacter>>,
    /// The end of a serial that the check character guards, a regular expression. Without it:
    /// all of the serial.
    #[schemars(extend("examples" = ["[0-9]{8}"]))]
    pub(super) check_part: Option<Placed<String>>,
    /// Where the private key is made; for "device" its firmware must offer KEYGEN.
    #[schemars(extend("default" = "station"))]
    pub(super) key_origin: Option<Word<KeyOrigin>>,
    /// In which form a device gets a key that the station made; for "pkcs8" a framed device's
    /// firmware must offer that.
    #[schemars(extend("default" = "scalar"))]
    pub(super) key_format: Option<Placed<Word<KeyFormat>>>,
    /// The key's file on a device that speaks SMP.
    #[schemars(extend("default" = "client.key", "pattern" = "^[A-Za-z0-9._-]{1,32}$"))]
    pub(super) key_file: Option<Placed<String>>,
    /// How that file is written.
    #[schemars(extend("default" = "der"))]
    pub(super) key_encoding: Option<Word<KeyEncoding>>,
    /// The model that a device must report. Without it: any.
    #[schemars(extend("examples" = ["TH200"], "pattern" = "^[ -~]{1,32}$"))]
    pub(super) model: Option<Placed<String>>,
    /// What a device must show before it is PASS.
    #[schemars(extend("default" = "possession"))]
    pub(super) required_proof: Option<Word<Proof>>,
    /// Whether a device is locked when it is finished. This can't be undone.
    #[schemars(extend("default" = false))]
    pub(super) lock: Option<bool>,
    /// Protections that a device must report.
    #[schemars(extend("default" = []))]
    pub(super) require: Option<Vec<Word<Protection>>>,
}

/// The profile of a device certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    /// O of the subject. Without it: left out.
    #[schemars(extend("examples" = ["ExampleDevices"], "minLength" = 1, "maxLength" = 64))]
    pub(super) organization: Option<Placed<String>>,
    /// OU of the subject. Without it: left out.
    #[schemars(extend("examples" = ["TH200"], "minLength" = 1, "maxLength" = 64))]
    pub(super) organizational_unit: Option<Placed<String>>,
    /// How long it is valid: years, days or "no-expiry". The CA must be valid as long.
    #[schemars(extend("examples" = ["20y", "825d", "no-expiry"]))]
    #[schemars(extend("pattern" = "^([0-9]+[yd]|no-expiry)$"))]
    pub(super) valid_for: Parsed<ValidFor>,
    /// How far before its issue it begins, for devices whose clocks are behind.
    #[schemars(extend("default" = "24h"))]
    pub(super) backdate: Option<Time>,
}

/// The issuing CA. `station authority init` makes one where these keys point.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Authority {
    /// Where its key is: in a file, or in a token behind PKCS#11.
    #[schemars(extend("default" = "file"))]
    pub(super) kind: Option<Word<AuthorityKind>>,
    /// Its certificate, PEM.
    #[schemars(extend("examples" = ["ca.pem"]))]
    pub(super) certificate: FilePath,
    /// Its key, encrypted PKCS#8, PEM; for kind "file".
    #[schemars(extend("examples" = ["ca.key"]))]
    pub(super) key: Option<FilePath>,
    /// What stands above the CA, its own issuer first. Without it: the CA stands alone.
    #[schemars(extend("examples" = ["ca-chain.pem"]))]
    pub(super) chain: Option<FilePath>,
    /// The passphrase of the key, in a file of mode 0600; for kind "file".
    #[schemars(extend("examples" = ["ca.passphrase"]))]
    pub(super) passphrase_file: Option<Placed<FilePath>>,
    /// Whether this CA issues for this station alone.
    #[schemars(extend("default" = false))]
    pub(super) exclusive: Option<bool>,
    /// The PKCS#11 library; for kind "pkcs11".
    #[schemars(extend("examples" = ["/usr/lib/softhsm/libsofthsm2.so"]))]
    pub(super) module: Option<Placed<FilePath>>,
    /// The token by its label; for kind "pkcs11".
    #[schemars(extend("examples" = ["line-1"]))]
    pub(super) token_label: Option<Placed<String>>,
    /// The token's serial number, where several have that label; for kind "pkcs11".
    #[schemars(extend("examples" = ["2a6b03f1c4d58e97"]))]
    pub(super) token_serial: Option<Placed<String>>,
    /// The key by its label; for kind "pkcs11".
    #[schemars(extend("examples" = ["line-1-ca"]))]
    pub(super) key_label: Option<Placed<String>>,
    /// The key by its id, hexadecimal; for kind "pkcs11".
    #[schemars(extend("examples" = ["0a1b"], "pattern" = "^([0-9A-Fa-f]{2})*$"))]
    pub(super) key_id: Option<Placed<Parsed<Hex>>>,
    /// The user PIN of the token, in a file of mode 0600; for kind "pkcs11".
    #[schemars(extend("examples" = ["token.pin"]))]
    pub(super) pin_file: Option<Placed<FilePath>>,
}

/// What the device is told: where it connects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Broker {
    /// The broker's host, without scheme or port.
    #[schemars(extend("examples" = ["mqtt.example.com"], "pattern" = "^[A-Za-z0-9.:-]{1,253}$"))]
    pub(super) host: Placed<String>,
    /// Its TLS port.
    #[schemars(extend("default" = 8883))]
    pub(super) port: Option<Whole<1, 65_535>>,
    /// The roots that its certificate must chain to, PEM.
    #[schemars(extend("examples" = ["server-root.pem"]))]
    pub(super) server_root: FilePath,
    /// The oldest TLS version that the device may use.
    #[schemars(extend("default" = "1.2"))]
    pub(super) tls_min: Option<Placed<Word<TlsVersion>>>,
    /// The newest TLS version that the device may use.
    #[schemars(extend("default" = "1.3"))]
    pub(super) tls_max: Option<Placed<Word<TlsVersion>>>,
}

/// A broker of the station's own, to which devices connect as the last proof.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Connect {
    /// Where it listens: an address and a port.
    #[schemars(extend("examples" = ["0.0.0.0:8883"]))]
    pub(super) listen: Placed<String>,
    /// Its certificate and what stands above it, PEM.
    #[schemars(extend("examples" = ["broker.pem"]))]
    pub(super) certificate: FilePath,
    /// Its key, encrypted PKCS#8, PEM.
    #[schemars(extend("examples" = ["broker.key"]))]
    pub(super) key: FilePath,
    /// The passphrase of the key, in a file of mode 0600.
    #[schemars(extend("examples" = ["broker.passphrase"]))]
    pub(super) passphrase_file: Option<FilePath>,
    /// How long a device is waited for after its restart.
    #[schemars(extend("default" = "30s"))]
    pub(super) within: Option<Time>,
}

/// A shift, in the factory's own time. It may last over midnight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shift {
    /// What people call it.
    #[schemars(extend("examples" = ["early"], "minLength" = 1, "maxLength" = 32))]
    pub(super) name: Placed<String>,
    /// When it begins.
    #[schemars(extend("examples" = ["06:00"], "pattern" = "^[0-9]{2}:[0-9]{2}$"))]
    pub(super) from: Placed<Parsed<TimeOfDay>>,
    /// When it ends: on the next day where that is no later than it began.
    #[schemars(extend("examples" = ["14:00"], "pattern" = "^[0-9]{2}:[0-9]{2}$"))]
    pub(super) to: Placed<Parsed<TimeOfDay>>,
    /// How many units it is to make; reports hold its hours against that. No default: no plan.
    #[schemars(extend("examples" = [480]))]
    pub(super) plan: Option<Whole<1, 1_000_000>>,
}

/// The page for a wall screen or an office. It changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    /// Where it listens: an address and a port. Elsewhere than on this machine it wants
    /// token_file, certificate and key.
    #[schemars(extend("default" = "127.0.0.1:8090", "examples" = ["0.0.0.0:8090"]))]
    pub(super) listen: Option<Placed<String>>,
    /// The token of those who may look, in a file of mode 0600: the password that a browser asks
    /// for.
    #[schemars(extend("examples" = ["view.token"]))]
    pub(super) token_file: Option<FilePath>,
    /// Its certificate and what stands above it, PEM.
    #[schemars(extend("examples" = ["view.pem"]))]
    pub(super) certificate: Option<FilePath>,
    /// Its key, PEM, in a file of mode 0600.
    #[schemars(extend("examples" = ["view.key"]))]
    pub(super) key: Option<FilePath>,
}

/// The fleet that this station belongs to, once it enrolled with `station fleet enrol`. The line
/// never waits for it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fleet {
    /// Where it is. Without it: where the station enrolled.
    #[schemars(extend("examples" = ["https://fleet.example:8443"]))]
    pub(super) url: Option<Parsed<Endpoint>>,
    /// The CA of its certificate, PEM. Without it: what the station enrolled with, or the
    /// system's.
    #[schemars(extend("examples" = ["fleet-root.pem"]))]
    pub(super) ca: Option<FilePath>,
    /// How often the line sends what is new.
    #[schemars(extend("default" = "5s"))]
    pub(super) push_every: Option<Time>,
    /// After how long without a word from it `station doctor` warns.
    #[schemars(extend("default" = "24h"))]
    pub(super) max_silence: Option<Time>,
}

/// Rates that a UART is driven at; the system refuses those that a port can't do.
pub(super) type Baud = Whole<1_200, 12_000_000>;

/// A fixture position.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Slot {
    /// Its name.
    #[schemars(extend("examples" = ["A"]))]
    pub(super) name: Placed<Parsed<SlotName>>,
    /// Its port: a path, or a physical place as `station ports` prints it ("usb:1-2.3").
    #[schemars(extend("examples" = ["/dev/ttyUSB0", "usb:1-2.3"]))]
    pub(super) port: Placed<String>,
    /// Bits a second.
    #[schemars(extend("default" = 115_200))]
    pub(super) baud: Option<Baud>,
    /// What its devices speak; "auto" takes whichever answers.
    #[schemars(extend("default" = "framed"))]
    pub(super) driver: Option<Word<Speaks>>,
    /// The directory of the device's file system for its identity; for "smp" and "auto".
    #[schemars(extend("examples" = ["/lfs1"]))]
    pub(super) directory: Option<Placed<String>>,
    /// Whose modems come to it; for "at" and "auto". "auto" takes whichever answers.
    #[schemars(extend("default" = "auto"))]
    pub(super) modem: Option<Placed<Word<Option<Modem>>>>,
    /// The tag under which an nRF91 keeps its identity; for "at" and "auto".
    #[schemars(extend("default" = USUAL_TAG))]
    pub(super) sec_tag: Option<Placed<Whole<0, { HIGHEST_TAG }>>>,
    /// How a device is seen to come and go: its port, its answers, or a line of the fixture.
    #[schemars(extend("default" = "port"))]
    pub(super) presence: Option<Word<Presence>>,
    /// Who restarts a device: it does on command, or the fixture with a pulse.
    #[schemars(extend("default" = "command"))]
    pub(super) restart: Option<Word<Restart>>,
    /// The level of DTR after opening. Without it: as the system sets it.
    pub(super) dtr: Option<bool>,
    /// The level of RTS after opening. Without it: as the system sets it.
    pub(super) rts: Option<bool>,
}

/// Where an Espressif chip keeps its identity; for slots with driver "esp" or "auto".
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Esp {
    /// The one chip that is taken. Without it: any of the family.
    #[schemars(extend("examples" = ["esp32c3"], "enum" = CHIP_WORDS))]
    pub(super) chip: Option<Placed<String>>,
    /// The partition, by its name in the chip's own table; "fctry" where the format is "nvs".
    #[schemars(extend("default" = "esp_secure_cert", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) partition: Option<Placed<String>>,
    /// Where the partition must lie. Without it: where the table says.
    #[schemars(extend("examples" = [0xd000], "multipleOf" = 4096))]
    pub(super) offset: Option<Placed<u32>>,
    /// How long the partition must be. Without it: as long as the table says.
    #[schemars(extend("examples" = [0x2000], "multipleOf" = 4096))]
    pub(super) size: Option<Placed<u32>>,
    /// How the identity is written: the entries of esp_secure_cert_mgr, or keys of NVS.
    #[schemars(extend("default" = "tlv"))]
    pub(super) format: Option<Word<EspForm>>,
    /// The namespace; for format "nvs".
    #[schemars(extend("default" = "identity", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) namespace: Option<Placed<String>>,
    /// What the keys of the namespace are called; for format "nvs".
    pub(super) keys: Option<Section<EspKeys>>,
    /// Bits a second for the loader's work; what a slot's `baud` says is for the rest.
    #[schemars(extend("default" = 460_800))]
    pub(super) baud: Option<Baud>,
    /// What the application says after the restart: the framed protocol, or nothing.
    #[schemars(extend("default" = "framed"))]
    pub(super) application: Option<Placed<Word<EspApplication>>>,
}

/// What the keys of an NVS namespace are called.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EspKeys {
    /// The client certificate and what stands above it, a string in PEM.
    #[schemars(extend("default" = "client_cert", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) certificate: Option<Placed<String>>,
    /// The private key, a blob in DER.
    #[schemars(extend("default" = "client_key", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) key: Option<Placed<String>>,
    /// What the broker's certificate must chain to, a string in PEM.
    #[schemars(extend("default" = "ca_cert", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) ca: Option<Placed<String>>,
    /// Where to connect, a string: mqtts://HOST:PORT.
    #[schemars(extend("default" = "mqtt_uri", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) uri: Option<Placed<String>>,
    /// The MQTT client id, a string.
    #[schemars(extend("default" = "client_id", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) client_id: Option<Placed<String>>,
    /// What the station writes for itself, a blob.
    #[schemars(extend("default" = "record", "pattern" = "^[!-~]{1,15}$"))]
    pub(super) record: Option<Placed<String>>,
}

/// What reads labels.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scanner {
    /// It types like a keyboard, or is on a serial port.
    #[schemars(extend("default" = "keyboard"))]
    pub(super) kind: Option<Word<ScannerKind>>,
    /// Its port; for kind "serial".
    #[schemars(extend("examples" = ["/dev/ttyACM0"]))]
    pub(super) port: Option<Placed<String>>,
    /// Bits a second; for kind "serial".
    #[schemars(extend("default" = 115_200))]
    pub(super) baud: Option<Baud>,
    /// Which slot a scan is meant for. Without it: "insert" at the screen, "any" in a batch.
    pub(super) binding: Option<Word<Binding>>,
    /// What ends a scan at a serial port: "cr", "lf", "tab", "etx", "eot" or "silence".
    #[schemars(extend("default" = ["cr", "lf"]))]
    pub(super) ends: Option<Ends>,
    /// What becomes of letters: CapsLock turns what a keyboard scanner sends.
    #[schemars(extend("default" = "keep"))]
    pub(super) case: Option<Word<LetterCase>>,
    /// Bits of a character; for kind "serial".
    #[schemars(extend("default" = 8))]
    pub(super) data_bits: Option<Whole<7, 8>>,
    /// The bit behind them; for kind "serial".
    #[schemars(extend("default" = "none"))]
    pub(super) parity: Option<Word<ParityBit>>,
    /// How labels are written; tried in this order. Without any: a serial and nothing else.
    pub(super) label: Option<Vec<Section<Label>>>,
}

/// How labels are written, and where on them the serial stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    /// A GS1 element string, a URL, a JSON object, or a text with places.
    #[schemars(extend("examples" = ["gs1"]))]
    pub(super) form: Word<LabelForm>,
    /// Where the serial stands: an application identifier, or a member of the object.
    #[schemars(extend("examples" = ["21", "SN"]))]
    pub(super) serial: Option<Placed<String>>,
    /// The parameter of the URL that is the serial; for form "link".
    #[schemars(extend("examples" = ["sn"]))]
    pub(super) query: Option<Placed<String>>,
    /// Where the device's hardware id stands. The device must report that one.
    #[schemars(extend("examples" = ["MAC"]))]
    pub(super) hardware_id: Option<Placed<String>>,
    /// Fields with one value on each label of this product.
    #[schemars(extend("examples" = [{ "01": "09506000134352" }]))]
    pub(super) require: Option<Placed<BTreeMap<String, String>>>,
    /// The text, with {serial} where the serial stands; for form "text".
    #[schemars(extend("examples" = ["SN:{serial};MAC:{hardware_id}"]))]
    pub(super) text: Option<Placed<String>>,
}

/// What is printed for a finished unit, and where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Printing {
    /// The printer: tcp:HOST:9100, cups:QUEUE, a device, or a directory.
    #[schemars(extend("examples" = ["tcp:192.168.1.20:9100", "cups:office", "/dev/usb/lp0"]))]
    pub(super) printer: Placed<String>,
    /// The label with its places, {serial} {client_id} {fingerprint:8} {work_order} {date}
    /// {qr}; or the file that holds it.
    #[schemars(extend("examples" = ["label.zpl"]))]
    pub(super) template: Placed<String>,
    /// What it is written in. Without it: what the file's ending or its beginning says.
    #[schemars(extend("examples" = ["zpl"]))]
    pub(super) language: Option<Word<PrintLanguage>>,
    /// What the code on the label says.
    #[schemars(extend("default" = "{serial}"))]
    pub(super) qr: Option<Placed<String>>,
    /// Whether a label is printed when a unit passes, or for commands alone.
    #[schemars(extend("default" = "never"))]
    pub(super) when: Option<Word<PrintWhen>>,
    /// Whether a unit is done only once its label was scanned back.
    #[schemars(extend("default" = "none"))]
    pub(super) verify: Option<Word<PrintVerify>>,
}

/// How evidence is kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    /// Where the journal's head is written too: a path on another medium.
    #[schemars(extend("examples" = ["/mnt/anchor/line-1.head"]))]
    pub(super) anchor: Option<FilePath>,
    /// Free disk below which no new unit starts.
    #[schemars(extend("default" = "256MiB"))]
    pub(super) reserve: Option<Size>,
    /// Where the line's own backups go. Without it: `backups` in the data directory.
    #[schemars(extend("examples" = ["/mnt/backup/line-1"]))]
    pub(super) backup_dir: Option<FilePath>,
    /// A backup is made when the newest is older and something was recorded since.
    #[schemars(extend("default" = "1h"))]
    pub(super) backup_every: Option<Time>,
    /// A backup is made when so many entries are in none.
    #[schemars(extend("default" = 50_000))]
    pub(super) backup_after: Option<Whole<1, { u32::MAX }>>,
    /// How many whole copies of an older program stay beside the segments, which always do; 0
    /// makes no backups.
    #[schemars(extend("default" = 8))]
    pub(super) backup_keep: Option<Whole<0, 1_000>>,
    /// The secret that encrypts the journal key, in a file of mode 0600.
    #[schemars(extend("examples" = ["journal.secret"]))]
    pub(super) journal_secret_file: Option<FilePath>,
}

/// How many units who ordered them lets this station make; and where orders are made, the key
/// that says so.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkOrders {
    /// Whether a unit begins only under a grant of who ordered it.
    #[schemars(extend("default" = false))]
    pub(super) require_grant: Option<bool>,
    /// The CAs or roots that certify order keys, PEM. Without it: the station's own CA and what
    /// stands above it.
    #[schemars(extend("examples" = ["orders-root.pem"]))]
    pub(super) root: Option<FilePath>,
    /// Where orders are made: the order key, encrypted.
    #[schemars(extend("default" = "orders.key"))]
    pub(super) key: Option<FilePath>,
    /// Its certificate.
    #[schemars(extend("default" = "orders.pem"))]
    pub(super) certificate: Option<FilePath>,
    /// The passphrase of the order key, in a file of mode 0600.
    #[schemars(extend("examples" = ["orders.passphrase"]))]
    pub(super) passphrase_file: Option<FilePath>,
}

/// Registrations a second, to an emulation.
type Rate = Whole<1, 100_000>;

/// The cloud in which `station sync` registers proven certificates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cloud {
    /// Which cloud.
    #[schemars(extend("default" = "tdmq"))]
    pub(super) kind: Option<Word<CloudKind>>,
    /// The address of its API. http:// is accepted for this machine alone.
    #[schemars(extend("examples" = ["https://mqtt.tencentcloudapi.com"]))]
    pub(super) endpoint: Parsed<Endpoint>,
    /// The region of the instance.
    #[schemars(extend("examples" = ["ap-guangzhou"], "pattern" = "^[A-Za-z0-9_-]{1,64}$"))]
    pub(super) region: Placed<String>,
    /// The instance.
    #[schemars(extend("examples" = ["mqtt-xxxxxxxx"], "pattern" = "^[A-Za-z0-9_-]{1,64}$"))]
    pub(super) instance_id: Placed<String>,
    /// How the instance is set: each certificate is uploaded, or registers itself.
    #[schemars(extend("default" = "manual"))]
    pub(super) registration: Option<Word<RegistrationMode>>,
    /// Registrations a second: at most 15, more only for an emulation on this machine.
    #[schemars(with = "Option<Rate>", extend("default" = 10))]
    pub(super) rate_per_second: Option<Placed<i64>>,
    /// The longest that one call takes: "2s" to "5m".
    #[schemars(extend("default" = "30s"))]
    pub(super) call_limit: Option<Placed<Time>>,
    /// Whether a device may connect at once, or when it is shipped.
    #[schemars(extend("default" = "ACTIVE"))]
    pub(super) initial_status: Option<Word<InitialStatus>>,
    /// Which registrations are looked up again before they count: each, one of twenty, none.
    #[schemars(extend("default" = "sample"))]
    pub(super) confirm: Option<Word<Confirm>>,
    /// How long a proof may wait to be registered before a sync and `doctor` are red.
    #[schemars(extend("default" = "72h"))]
    pub(super) max_backlog: Option<Time>,
    /// Whether `[broker] host` is a name of your own that leads to the instance.
    #[schemars(extend("default" = false))]
    pub(super) own_broker_name: Option<bool>,
    /// The roots that the API's certificate must chain to. Without it: those of the system.
    #[schemars(extend("examples" = ["cloud-root.pem"]))]
    pub(super) root: Option<FilePath>,
    /// A proxy for the API, http://host:port. Without it: none.
    #[schemars(extend("examples" = ["http://proxy.example:3128"]))]
    pub(super) proxy: Option<Placed<String>>,
    /// The secret id, in a file of mode 0600.
    #[schemars(extend("examples" = ["secret-id"]))]
    pub(super) secret_id_file: Option<FilePath>,
    /// The secret key, in a file of mode 0600.
    #[schemars(extend("examples" = ["secret-key"]))]
    pub(super) secret_key_file: Option<FilePath>,
    /// The token of temporary credentials, in a file of mode 0600.
    #[schemars(extend("examples" = ["token"]))]
    pub(super) token_file: Option<FilePath>,
    /// The secret id of who may deactivate and revoke, in a file of mode 0600.
    #[schemars(extend("examples" = ["revoker-secret-id"]))]
    pub(super) revoker_secret_id_file: Option<FilePath>,
    /// That one's secret key, in a file of mode 0600.
    #[schemars(extend("examples" = ["revoker-secret-key"]))]
    pub(super) revoker_secret_key_file: Option<FilePath>,
}
