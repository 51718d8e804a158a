//! Every number on the wire, in hexadecimal, each set with all its members.
//!
//! A number once used keeps its meaning for ever; see [`crate::version`] for the rule.
//! Nothing here knows a layout.

/// Makes an enum whose members are numbers on the wire.
macro_rules! wire_numbers {
    (
        $(#[$doc:meta])* $name:ident: $repr:ty {
            $($(#[$member_doc:meta])* $member:ident = $value:literal, $text:literal;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$member_doc])* $member,)+ }

        impl $name {
            /// Every member, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The number on the wire.
            pub const fn to_wire(self) -> $repr {
                match self { $(Self::$member => $value,)+ }
            }

            /// The member with that number, if there is one.
            pub const fn from_wire(number: $repr) -> Option<Self> {
                match number { $($value => Some(Self::$member),)+ _ => None }
            }

            /// Its name in `docs/protocol.md`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$member => $text,)+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use wire_numbers;

/// Set in the type of every reply and in no request.
pub const REPLY_BIT: u8 = 0x80;

/// The type of an `ERROR` reply. The request type 0x7f is therefore never given out.
pub const ERROR_TYPE: u8 = 0xff;

wire_numbers! {
    /// What a station asks.
    RequestType: u8 {
        /// Who are you, and what do you hold? Opens a session.
        Identify = 0x01, "IDENTIFY";
        /// Announces an image and erases the staging area.
        Begin = 0x02, "BEGIN";
        /// Carries a piece of the announced image.
        Chunk = 0x03, "CHUNK";
        /// Makes the staged image the active one, whole or not at all.
        Commit = 0x04, "COMMIT";
        /// Restarts the device.
        Restart = 0x05, "RESTART";
        /// Asks for a signature with the key as it stands in storage.
        Prove = 0x06, "PROVE";
        /// Ends the attempt: wipes the spare slot, may lock.
        Finish = 0x07, "FINISH";
        /// Drops and wipes what is staged.
        Abort = 0x08, "ABORT";
        /// Wipes the identity.
        Erase = 0x09, "ERASE";
        /// Returns part of a public object of the active image. Optional.
        Read = 0x0a, "READ";
        /// Makes a key on the device. Optional.
        Keygen = 0x0b, "KEYGEN";
        /// Returns part of the signing request for the key made on the device. Optional.
        Csr = 0x0c, "CSR";
    }
}

impl RequestType {
    /// The type of the reply that is not an `ERROR`.
    pub const fn reply_type(self) -> u8 {
        self.to_wire() | REPLY_BIT
    }
}

wire_numbers! {
    /// Why a device refuses a request.
    ErrorCode: u16 {
        /// No common version. Detail: lowest | highest << 8.
        BadVersion = 0x0001, "BAD_VERSION";
        /// The type has no meaning in this version. Detail: the type.
        UnknownType = 0x0002, "UNKNOWN_TYPE";
        /// The type is known, this device does not offer it. Detail: the type.
        Unsupported = 0x0003, "UNSUPPORTED";
        /// The body is longer or shorter than its layout. Detail: its length.
        BadLength = 0x0004, "BAD_LENGTH";
        /// A field has a value that is not allowed. Detail: the field's offset in the body.
        BadValue = 0x0005, "BAD_VALUE";
        /// The frame's session is not the open one. Detail: 0.
        NoSession = 0x0006, "NO_SESSION";
        /// The device is locked. Detail: 0.
        Locked = 0x0007, "LOCKED";
        /// The image does not fit. Detail: the capacity.
        TooLarge = 0x0008, "TOO_LARGE";
        /// Nothing was begun, or it was dropped. Detail: 0.
        NoTransfer = 0x0009, "NO_TRANSFER";
        /// Not every byte has arrived. Detail: the next offset.
        Incomplete = 0x000a, "INCOMPLETE";
        /// `COMMIT` names another image than `BEGIN` announced. Detail: 0.
        WrongDigest = 0x000b, "WRONG_DIGEST";
        /// What is read back from storage is not what was announced. Detail: 0.
        Corrupt = 0x000c, "CORRUPT";
        /// No identity is active. Detail: 0.
        NoIdentity = 0x000d, "NO_IDENTITY";
        /// The active image has no such object. Detail: the kind.
        NoObject = 0x000e, "NO_OBJECT";
        /// The object is never returned. Detail: the kind.
        Secret = 0x000f, "SECRET";
        /// Storage failed. Detail: the device's own number for it.
        Storage = 0x0010, "STORAGE";
        /// Signing or making a key failed. Detail: the device's own number for it.
        Signer = 0x0011, "SIGNER";
        /// No key was made in this session. Detail: 0.
        NoKey = 0x0012, "NO_KEY";
    }
}

wire_numbers! {
    /// What an object of an image is. The key comes first, of whichever kind; the others
    /// stand in the image in this order.
    ObjectKind: u8 {
        /// The private key: a P-256 scalar, 32 bytes, big-endian.
        Key = 0x01, "key";
        /// In its place, the public key that `KEYGEN` answered: `04 ‖ x ‖ y`, 65 bytes.
        MadeKey = 0x02, "made key";
        /// The client certificate, DER.
        ClientCertificate = 0x03, "client certificate";
        /// The CA certificates above it, DER, one after the other, the issuer first.
        CaChain = 0x04, "ca chain";
        /// The roots by which the device knows its server, DER, one after the other.
        ServerRoots = 0x05, "server roots";
        /// Connection settings, see [`crate::image::Settings`].
        Settings = 0x06, "settings";
        /// In the place of the key: the same scalar in a PKCS #8 document that has the public
        /// key too, see [`crate::image::PKCS8_LENGTH`]. Only for a device that says so.
        Pkcs8Key = 0x07, "pkcs8 key";
    }
}

wire_numbers! {
    /// How far a device has come.
    Lifecycle: u8 {
        /// No identity, nothing staged.
        Blank = 0x00, "blank";
        /// A transfer is open in this session.
        Staged = 0x01, "staged";
        /// An identity is active.
        Provisioned = 0x02, "provisioned";
        /// Accepts no further identity, whatever it holds.
        Locked = 0x03, "locked";
    }
}

wire_numbers! {
    /// The algorithm of a key made on the device.
    KeyAlgorithm: u8 {
        /// ECDSA on NIST P-256.
        P256 = 0x01, "P-256";
    }
}

/// Makes a set of bits in which a reader ignores those that it does not know.
macro_rules! wire_bits {
    (
        $(#[$doc:meta])* $name:ident: $repr:ty {
            $($(#[$member_doc:meta])* $member:ident = $value:literal;)+
        }
    ) => {
        $(#[$doc])*
        ///
        /// Bits that this version does not know are kept and mean nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(pub $repr);

        impl $name {
            /// None of them.
            pub const NONE: Self = Self(0);
            $($(#[$member_doc])* pub const $member: Self = Self($value);)+

            /// Whether every bit of `other` is set here.
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The bits of both.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
    };
}

wire_bits! {
    /// What a device can do beyond what all must.
    Capabilities: u32 {
        /// It answers `PROVE`.
        PROVE = 0x0000_0001;
        /// It answers `READ`.
        READ = 0x0000_0002;
        /// `FINISH` can lock it.
        LOCK = 0x0000_0004;
        /// It answers `KEYGEN` and `CSR` and takes the object *made key*.
        KEYGEN = 0x0000_0008;
        /// It takes the object *pkcs8 key*.
        PKCS8 = 0x0000_0010;
    }
}

wire_bits! {
    /// Protections that a device reports about itself.
    SecurityFlags: u8 {
        /// Only signed firmware boots.
        SECURE_BOOT = 0x01;
        /// A debugger can't read the flash.
        READOUT_PROTECTION = 0x02;
        /// The flash is encrypted at rest.
        FLASH_ENCRYPTION = 0x04;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! every_number_comes_back {
        ($test:ident, $name:ident, $repr:ty) => {
            #[test]
            fn $test() {
                for number in 0..=<$repr>::MAX {
                    if let Some(member) = $name::from_wire(number) {
                        assert_eq!(member.to_wire(), number);
                        assert!($name::ALL.contains(&member));
                    }
                }
                assert!($name::ALL.is_sorted_by_key(|member| member.to_wire()));
                assert!($name::ALL.iter().all(|m| $name::from_wire(m.to_wire()) == Some(*m)));
            }
        };
    }

    every_number_comes_back!(request_types_come_back, RequestType, u8);
    every_number_comes_back!(error_codes_come_back, ErrorCode, u16);
    every_number_comes_back!(object_kinds_come_back, ObjectKind, u8);
    every_number_comes_back!(lifecycles_come_back, Lifecycle, u8);
    every_number_comes_back!(key_algorithms_come_back, KeyAlgorithm, u8);

    #[test]
    fn a_request_type_never_has_the_reply_bit_nor_the_reply_of_error() {
        for request in RequestType::ALL {
            assert_eq!(request.to_wire() & REPLY_BIT, 0);
            assert_ne!(request.reply_type(), ERROR_TYPE);
        }
    }

    #[test]
    fn unknown_bits_are_kept() {
        let newer = Capabilities(0x8000_0001);
        assert!(newer.has(Capabilities::PROVE));
        assert!(!newer.has(Capabilities::READ));
        assert_eq!(newer.with(Capabilities::READ).0, 0x8000_0003);
    }
}
