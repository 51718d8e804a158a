//! What the process says to its caller.

use std::process::ExitCode;

use crate::domain::code::Code;

/// An exit status. The numbers are a contract with shift scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// All that was asked was done.
    Done = 0,
    /// It ran to the end, but not all that was asked is done.
    NotAll = 1,
    /// Wrong usage.
    Usage = 2,
    /// station.toml is wrong or missing.
    Config = 3,
    /// The ledger cannot be used, or does not verify.
    Ledger = 4,
    /// A serial port or the scanner cannot be used.
    Port = 5,
    /// The cloud refused or could not be reached.
    Cloud = 6,
    /// The issuing authority cannot be used.
    Authority = 7,
    /// Another line process works on this ledger.
    Busy = 8,
    /// A bug in the station.
    Bug = 70,
    /// Stopped by a signal.
    Stopped = 130,
}

/// From the one that a caller must hear of first to the one that may stay unsaid.
/// Busy, Config and Usage end a command before another could occur.
const BY_WEIGHT: [Exit; 11] = [
    Exit::Bug,
    Exit::Ledger,
    Exit::Stopped,
    Exit::Busy,
    Exit::Config,
    Exit::Usage,
    Exit::Authority,
    Exit::Port,
    Exit::Cloud,
    Exit::NotAll,
    Exit::Done,
];

impl Exit {
    /// The number.
    pub const fn status(self) -> u8 {
        self as u8
    }

    /// The status of a process that ends because of `code`.
    pub const fn of(code: Code) -> Exit {
        use Code::*;
        match code {
            Bug => Exit::Bug,
            Usage | Input | WorkOrderAmbiguous => Exit::Usage,
            Stopped => Exit::Stopped,
            ConfigMissing | ConfigSyntax | ConfigKey | ConfigValue | ConfigPattern
            | ConfigPortTwice => Exit::Config,
            LedgerSchema | LedgerNote | LedgerUnvouched | LedgerMode | LedgerOpen | LedgerNewer
            | LedgerStation | LedgerFileSystem | LedgerDiskFull | LedgerWrite | LedgerCorrupt
            | LedgerJournal | LedgerCut | LedgerRolledBack | LedgerExists | LedgerKey
            | LedgerSetAside | LedgerGap | LedgerBackup | LedgerSegment | FleetVerify
            | FleetFork => Exit::Ledger,
            LedgerBusy => Exit::Busy,
            PortMissing | PortBusy | PortOpen | PortSettings | ScannerOpen | PortModem
            | PortLatency => Exit::Port,
            SecretMissing | SecretMode | CaMissing | CaExists | CaPassphrase | CaKey
            | CaProfile | CaMismatch | CaExpired | CaTooShort | CaIssue | HsmModule | HsmToken
            | HsmPin | HsmKey | HsmFailed | ClockGap | VaultLock | OrderKey | ClockUnsynced
            | CaList => Exit::Authority,
            CloudUnreachable | CloudAnswer | CloudUnclear | CloudThrottled | CloudCredentials
            | CloudPermission | CloudClock | CloudAction | CloudInstance | CloudNotReady
            | CloudMode | CloudAuthority | CloudVerification | CloudQuota | CloudRejected
            | CloudRoots | CloudBroker | CloudFirstArticle | CloudInstanceChanged
            | FleetUnreachable | FleetStation | FleetSegment | FleetDatabase => Exit::Cloud,
            FleetClaimed | CloudConflict | CloudRevoked | CloudAbsent | CloudRevoker
            | CloudBacklog | ShipNotActive | HandoffMismatch | LabelPrinter | LabelUnclear
            | LabelSent | LabelDiffers | LabelVoid | LabelStale | LabelWrong | LabelOpen
            | LabelValue => Exit::NotAll,
            Shortage | DevConnect | BrokerMissing | BrokerStart | Output | WorkOrderUnknown
            | WorkOrderExists | WorkOrderClosed | WorkOrderFull | WorkOrderBusy
            | WorkOrderProfile | GrantNeeded | GrantUsedUp | GrantSerial | GrantExpired
            | GrantChanged | GrantForeign | GrantTaken | OperatorUnknown | OperatorExists
            | OperatorDisabled | OperatorLast | OperatorAbsent | SupervisorNeeded | PinWrong
            | PinLocked | PinWeak | ScanCharacters | ScanKeys | ScanPattern | ScanCheck
            | ScanRange | ScanClientId | ScanLabel | ScanAmbiguous | ScanOtherProduct
            | ScanOtherDevice | ScanSeparators | ScanLines | ScanTooLong | ScanParity
            | ScanNoRead | ScanNoEnd | ScanDuplicate | ScanSlot | ScanAhead | ScanTwoDevices
            | ScanNoDevice | UnitUnknown | UnitProven | UnitOtherDevice | UnitElsewhere
            | UnitsUncertain | UnitState | UnitScrapped | UnitDeadline | UnitInterrupted
            | DevTimeout | DevNoise | DevEcho | DevLostIdentity | DevUnplugged | DevRefused
            | DevMalformed | DevVersion | DevModel | DevCapacity | DevHardwareId
            | DevHoldsIdentity | DevTwice | DevOtherLabel | DevFactorySerial
            | DevUnknownIdentity | DevLocked | DevSecurity | DevNoKeygen | DevCsr
            | DevNotStored | DevNotRestarted | DevSwapped | DevProof | DevContradiction
            | EspChip | EspSecureDownload | EspEncrypted | EspLoader | EspPartition | EspInUse
            | ProofTooWeak | KeyDuplicate | RunAsRoot | ConsoleLetters | DevKeyFormat => {
                Exit::NotAll
            }
        }
    }

    /// The one of two that a caller must hear of.
    #[must_use]
    pub fn and(self, other: Exit) -> Exit {
        let first = BY_WEIGHT.iter().find(|exit| **exit == self || **exit == other);
        first.copied().unwrap_or(self)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_several_hold_the_heaviest_is_said() {
        let order = [70, 4, 130, 7, 5, 6, 1, 0];
        let exits: Vec<Exit> = order
            .iter()
            .filter_map(|status| BY_WEIGHT.iter().find(|exit| exit.status() == *status))
            .copied()
            .collect();
        assert_eq!(exits.len(), order.len());
        for (index, heavy) in exits.iter().enumerate() {
            for light in &exits[index..] {
                assert_eq!(heavy.and(*light), *heavy);
                assert_eq!(light.and(*heavy), *heavy);
            }
        }
    }

    #[test]
    fn the_families_of_codes_have_the_statuses_of_the_contract() {
        for code in Code::ALL {
            let status = Exit::of(*code).status();
            let family = code.as_str().split('-').nth(1).unwrap();
            let wanted: &[u8] = match family {
                "BUG" => &[70],
                "USAGE" | "INPUT" => &[2],
                "STOPPED" => &[130],
                "CONFIG" => &[3],
                "LEDGER" => &[4, 8],
                "PORT" | "SCANNER" => &[5],
                "CLOUD" => &[1, 6],
                "FLEET" => &[1, 4, 6],
                "CA" | "HSM" | "SECRET" | "ORDER" | "CLOCK" | "VAULT" => &[7],
                "WORK" => &[1, 2],
                _ => &[1],
            };
            assert!(wanted.contains(&status), "{code} exits with {status}");
        }
    }
}
