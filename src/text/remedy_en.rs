//! What to do now, one sentence for each code, in English.

use crate::domain::code::Code;

/// What a person should do about `code`; `docs/errors.md` says more.
pub(super) const fn remedy(code: Code) -> &'static str {
    use Code::*;
    match code {
        Bug => "keep this output and report it, then start again: what was recorded is safe",
        Shortage => "end other programs, or raise their limits, then start again",
        RunAsRoot => "run it as the line's user: `runuser -u station -- station doctor`",
        ConsoleLetters => "`apt-get install kmscon fonts-noto-cjk`; docs/install.md says how",
        Usage => "run the same command with --help",
        Output => "make room, or choose another place for the output, and run it again",
        Input => "check the path, and that this user may read the file",
        Stopped => "start the same command again; what was under way is resolved first",

        ConfigMissing => "name the file with --config FILE, or try `station demo`",
        ConfigSyntax => "correct that line of station.toml and run `station config check`",
        ConfigKey => "correct or remove that key and run `station config check`",
        ConfigValue => "correct that value and run `station config check`",
        ConfigPattern => "correct the pattern and run `station config check`",
        ConfigPortTwice => "give each slot, and the scanner, a name and a port of its own",
        SecretMissing => "give the secret by environment, file or systemd credential",
        SecretMode => "run `chmod 600` on that file, and think about who may have read it",

        LedgerOpen => "check the data directory's path, owner and permissions",
        LedgerSetAside => "restore the newest backup: `station ledger restore --newest`",
        LedgerGap => "run `station sync --full`, or `station ledger accept-gap --reason …`",
        LedgerSegment => "take that segment from another medium; those before the gap still count",
        LedgerBackup => "look at the backup directory: is its medium there, and has it room?",
        LedgerNewer => "run the program that wrote this ledger, or a newer one; never an older",
        LedgerStation => "correct `[station] id` or `data_dir`: a ledger belongs to one station",
        LedgerFileSystem => "move `[station] data_dir` to a local file system such as ext4 or xfs",
        LedgerDiskFull => "free disk space in the data directory, then start again",
        LedgerWrite => "leave the devices where they are, check the disk, then start again",
        LedgerCorrupt => "stop the line, copy the data directory aside, restore a backup",
        LedgerJournal => "stop the line and copy the data directory aside: it is evidence",
        LedgerSchema => {
            "stop the line and run `station ledger verify`; lost indices: `ledger reindex`"
        }
        LedgerCut => "stop the line, copy the data directory aside, find the missing entries",
        LedgerRolledBack => "stop the line and find the newer ledger; do not work on this copy",
        LedgerNote => {
            "keep that note, and find out who could write it; then `station ledger verify`"
        }
        LedgerExists => {
            "choose another file, or an empty data directory; nothing is ever overwritten"
        }
        LedgerKey => "bring back the journal.key and journal secret that this ledger was made with",
        LedgerUnvouched => {
            "see whose ledger it is with `station ledger verify`; if yours: `station ledger vouch`"
        }
        LedgerMode => "take the others' rights: `chmod -R go= DIR`, and think about who had them",
        LedgerBusy => "wait for that process to end, or stop it with SIGTERM",

        PortMissing => "plug the adapter in and compare the path with `station ports`",
        PortBusy => "close the program that holds the port; `fuser PORT` names it",
        PortOpen => "where it says permission: `usermod -aG dialout USER`, then log in anew",
        PortSettings => "set `baud` to a rate that this adapter and the device both make",
        PortModem => "install the package's udev rules, or `systemctl disable --now ModemManager`",
        PortLatency => "install the package's udev rules and plug the adapter in again",
        ScannerOpen => "plug the scanner in and compare `[scanner] port` with `station ports`",

        CaMissing => "check the paths in `[authority]`, or make a CA with `station authority init`",
        CaExists => "nothing was overwritten; point `[authority]` elsewhere to make another CA",
        CaPassphrase => "give the passphrase that the CA key was encrypted with",
        CaKey => "check that `[authority] key` is an encrypted PKCS#8 key on P-256",
        CaProfile => "use a CA with CA:TRUE, keyCertSign, P-256, in a chain that verifiers take",
        CaMismatch => "point `[authority] certificate` and `key` to files that were made together",
        CaExpired => "check the clock first; if it is right, a new CA is needed",
        CaTooShort => "shorten `[certificate] valid_for`, or use a CA that is valid for longer",
        CaIssue => "put the unit aside, run `station doctor`, and report it if it comes again",
        CaList => "make the next one with `station authority crl`, give it to each broker",
        HsmModule => "check `[authority] module`: the HSM maker's PKCS#11 library for this machine",
        HsmToken => "plug the token in or start its service, and compare `[authority] token_label`",
        HsmPin => "give the token's PIN, try no others; if locked, wait (TPM) or have it unlocked",
        HsmKey => {
            "check `[authority] key_label` and `key_id`, or make the key with `station authority init`"
        }
        HsmFailed => "look at the HSM and its log; the station opens its session anew by itself",
        DevConnect => {
            "check the fixture's network, and that the broker's name leads to the station"
        }
        BrokerMissing => "install mosquitto (`apt-get install mosquitto`) and run the test again",
        BrokerStart => {
            "the message says what is at fault: a file, an address in use, or the end of its log"
        }
        ClockGap => "set the clock; if it is right, run `station clock accept --reason …`",
        ClockUnsynced => "`timedatectl set-ntp true`; name your server in timesyncd.conf",
        VaultLock => "raise the limit for locked memory (`ulimit -l`, systemd LimitMEMLOCK)",

        CloudUnreachable => {
            "check network, name resolution and `[cloud]`; nothing is lost, run it again"
        }
        CloudAnswer => {
            "check `[cloud] endpoint` and what stands between: a proxy, a portal, a filter"
        }
        CloudThrottled => {
            "wait and run it again; lower `[cloud] rate_per_second` if others use the quota"
        }
        CloudCredentials => {
            "give a secret id and key that are valid: by environment, file or credential"
        }
        CloudPermission => {
            "give the account the policy for this in docs/administrator.md, or allow its address"
        }
        CloudClock => "set the station's clock, best by NTP; the cloud allows five minutes",
        CloudAction => "use the site that has it, or `station export` and the cloud's console",
        CloudInstance => "correct `[cloud] endpoint`, `region` and `instance_id`",
        CloudNotReady => {
            "look at the instance in the cloud's console, and run it again when it is running"
        }
        CloudMode => "change the instance in the console as the message says, or correct `[cloud]`",
        CloudAuthority => {
            "run `station authority register`, or activate the CA in the cloud's console"
        }
        CloudVerification => {
            "run it again; if it stays, register the CA in the console as the manual says"
        }
        CloudQuota => "remove what is no longer needed in the console, or ask for a larger quota",
        CloudRejected => {
            "look at the unit with `station unit show`; the message names what the cloud refused"
        }
        CloudRoots => {
            "install the system's roots (package ca-certificates), or name one in `[cloud] root`"
        }
        CloudBroker => {
            "correct `[broker]`, or change the instance in the console as the message says"
        }
        CloudFirstArticle => {
            "run `station sync --limit 1` and let one device connect before you make more"
        }

        FleetUnreachable => {
            "check the network and `[fleet] url`; the line works on, and nothing is lost"
        }
        FleetStation => {
            "ask who runs the fleet for a code, then `station fleet enrol URL --code …`"
        }
        FleetSegment => "run `station ledger verify`; update the fleet if the station is newer",
        FleetFork => {
            "find the other machine that works on this ledger; `station fleet settle` decides"
        }
        FleetClaimed => "compare both devices, then `station fleet settle`; until then it waits",
        FleetDatabase => {
            "check that PostgreSQL runs, `--database` and its password; stations keep what they have"
        }
        FleetVerify => "keep the database as it is: it is evidence; find out who could change it",

        WorkOrderUnknown => "list the work orders with `station work-order list`",
        WorkOrderExists => "choose another id, or use the one that is there",
        WorkOrderClosed => "use an open work order, or make a new one",
        WorkOrderFull => "the lot is complete: close the work order and go on with the next",
        WorkOrderBusy => {
            "let them end, or take waiting scans back with Ctrl-X; then choose it again"
        }
        WorkOrderAmbiguous => "choose one: Ctrl-O on the screen, elsewhere --work-order ID",
        WorkOrderProfile => "go back to that profile, or let a supervisor accept the changed one",
        GrantNeeded => "take the grant of who ordered the units: `station work-order take FILE`",
        GrantUsedUp => "ask who ordered the units for a further grant, and take it",
        GrantSerial => "check label and work order; `station work-order show ID` has the blocks",
        GrantExpired => "ask who ordered the units for a further grant",
        GrantChanged => "fetch the file anew; if it is still so, tell who signed it",
        GrantForeign => "give it to the station that it names, or check `[work_orders] root`",
        GrantTaken => "nothing is to be done: `station work-order show ID` has it",
        OrderKey => "put right what the error names; `station work-order key show` shows it",

        OperatorUnknown => "check the id; `station operator list` shows everybody who is known",
        OperatorExists => "choose another id, or use `station operator reset-pin`",
        OperatorDisabled => "let another person do it; a disabled id is never used again",
        OperatorLast => "add another supervisor first, then disable this one",
        OperatorAbsent => "scan your badge, or press Ctrl-P and type your id",
        SupervisorNeeded => "ask a supervisor: their id (`--by ID`) and their PIN are needed",
        PinWrong => "type it again with care; after five wrong ones the PIN is locked for a time",
        PinLocked => {
            "wait until the time in the message, or let another supervisor approve it or set a new PIN"
        }
        PinWeak => "choose a PIN of 4 to 64 characters that nobody guesses",

        ScanCharacters => "scan the unit's own label again; clean or replace it if it stays",
        ScanKeys => {
            "scan the unit's own label; if it stays, set the scanner to send text and Enter alone"
        }
        ScanPattern => "check that this is the unit's serial, and a label of this product",
        ScanCheck => "scan it again; a label that stays wrong is misprinted or damaged",
        ScanRange => "check that the label belongs to this station and work order",
        ScanClientId => "check the label and `[product] client_id`",
        ScanLabel => {
            "see which rule of `[[scanner.label]]` the label should fit; `station scan` shows it"
        }
        ScanAmbiguous => "scan the one symbol that has this unit's serial; cover the others",
        ScanOtherProduct => "take the label of this product; this one belongs to another",
        ScanOtherDevice => "find the device that the label names; label and device were mixed up",
        ScanSeparators => {
            "set the scanner to send FNC1 as the group separator 0x1D, then scan again"
        }
        ScanLines => "scan one symbol with one label's text; nothing was burned",
        ScanTooLong => "scan the unit's own label; this symbol says more than a label does",
        ScanParity => {
            "set `[scanner] data_bits` and `parity` as the scanner is set, or the scanner to 8N1"
        }
        ScanNoRead => "scan again: nearer, straight, in good light; clean or replace the label",
        ScanNoEnd => "set the scanner to end each scan with CR, or set `[scanner] ends`",
        ScanDuplicate => "wait for the unit that is under way; it was scanned twice",
        ScanSlot => "name a slot of station.toml that is in service",
        ScanAhead => "wait for a slot to become free, then scan this label again",
        ScanTwoDevices => "take both devices out, then scan one label and put its own device in",
        ScanNoDevice => "put the device in, check its power and its contacts, scan it again",

        UnitUnknown => "check the serial; `station unit list` shows those that are known",
        UnitProven => "put it to the finished ones; to burn it again, allow a rework first",
        UnitOtherDevice => "find the label's own device; for a repair, allow a rework first",
        UnitsUncertain => {
            "keep these units, put each back into any slot; a lost one is voided by a supervisor"
        }
        UnitElsewhere => "put the unit's own device in, or void it if that device is lost",
        UnitState => "look at the unit with `station unit show` before anything else",
        UnitScrapped => "take the unit off the line: it was scrapped",
        UnitDeadline => "scan the unit again; if it is late again, look at its device",
        UnitInterrupted => "scan the unit again: what its device holds is asked of it first",

        DevTimeout => "check contacts, power and baud rate, then scan it again",
        DevNoise => "check the baud rate and the wiring, then scan it again",
        DevEcho => "look whether RX and TX touch, or an adapter echoes, and who is behind it",
        DevUnplugged => "put the device in firmly and scan it again",
        DevRefused => "scan it again; put the device aside if it refuses again",
        DevMalformed => "check the device's firmware version and put it aside",
        DevVersion => "update the station or the device's firmware",
        DevModel => "take it out: it is another model, or `[product] model` is wrong",
        DevCapacity => "check the firmware's partition size for the identity",
        DevHardwareId => "put the device aside: its id was never programmed",
        DevTwice => "take both devices out and look at them: one id may exist only once",
        DevOtherLabel => "find the label of that unit; label and device were mixed up",
        DevFactorySerial => "find the device's own label; label and device were mixed up",
        DevUnknownIdentity => "put the device aside: this ledger does not know its certificate",
        DevLocked => "put the device aside: a locked device takes no identity",
        DevHoldsIdentity => "look at what it holds; where that may be lost, add --overwrite",
        DevSecurity => "put the device aside: it lacks a protection that the product requires",
        DevNoKeygen => "update its firmware, or let the station make keys (`key_origin`)",
        DevKeyFormat => "update its firmware, or set `key_format = \"scalar\"`",
        DevCsr => "put the device aside: it asks for a certificate that is not its own",
        DevNotStored => "put the device aside: it did not keep what it said it kept",
        DevNotRestarted => "cut its power by hand and scan it again",
        EspChip => "put the chip aside, or correct `[esp] chip`",
        EspSecureDownload => "write the identity before that eFuse is burned; see docs/esp32.md",
        EspEncrypted => "write the identity before flash encryption is on; see docs/esp32.md",
        EspLoader => "hold BOOT (GPIO0 or 9), press reset and scan again; see docs/esp32.md",
        EspPartition => "flash the product's partition table first, or correct `[esp]`",
        EspInUse => "look at what is there; where it may be lost, erase the partition",
        DevSwapped => "leave a device in its slot until the slot shows its result",
        DevProof => "put the device aside: it can't sign with the key it was given",
        DevLostIdentity => "where it was reset on purpose, allow a rework and scan it again",
        DevContradiction => "put the device aside and tell a supervisor: it denies its own word",
        ProofTooWeak => "check `[product] required_proof` and what this firmware can do",
        KeyDuplicate => "stop the line and report it: two devices, or two attempts, have one key",

        CloudInstanceChanged => "correct `[cloud]`, or move to it with `station sync --migrate`",
        HandoffMismatch => "compare the row with `station unit show`, correct it, import it again",
        CloudConflict => "look at both certificates in the console; remove the foreign one there",
        CloudRevoked => "rework or scrap the unit: a revoked certificate never works again",
        CloudAbsent => "run `station sync --full` to compare the cloud with the ledger",
        CloudUnclear => "run `station sync` again: it looks up what came of the call first",
        CloudRevoker => "give the revoker's credentials and run `station sync` again",
        CloudBacklog => "run `station sync`, and find out why the nightly one did not",
        ShipNotActive => "finish the unit on the line, run `station sync`, then ship it",

        LabelPrinter => {
            "switch the printer on, look at paper and cable, and compare `[label] printer`"
        }
        LabelUnclear => {
            "look whether the label is there: scan it back, or `station label reprint --reason`"
        }
        LabelSent => "find the label; another one needs a reason: `station label reprint --reason`",
        LabelDiffers => {
            "put `[label] template` and `qr` back as they were when the first one was sent"
        }
        LabelVoid => "keep the unit apart; take its label off, if it has one",
        LabelStale => "take the older label off the unit and destroy it; the new one is its label",
        LabelWrong => {
            "keep the unit; take the label off, then scan the right one or print it again"
        }
        LabelOpen => "scan the unit's label back, or print it: `station label print`",
        LabelValue => "change `[label] template` or `qr`, or the rules of `[[scanner.label]]`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_one_line_of_its_own() {
        let mut all: Vec<&str> = Code::ALL.iter().map(|code| remedy(*code)).collect();
        assert!(all.iter().all(|text| (20..=90).contains(&text.len()) && !text.ends_with('.')));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Code::ALL.len());
    }
}
