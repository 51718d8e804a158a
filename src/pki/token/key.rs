//! A key in a token by its names: how it is found, and how it is made.

use std::path::PathBuf;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::error::Trouble;
use crate::domain::ids::{PublicKey, to_hex};
use crate::domain::say::Say;
use crate::say;

/// `secp256r1`, as DER of its object identifier (RFC 5480, section 2.1.1.1).
const P256_OID: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Which key of which token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// The PKCS#11 module, a shared library.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// Its serial number, where several have that label.
    pub serial: Option<String>,
    /// The label of the key (`CKA_LABEL`).
    pub label: Option<String>,
    /// The id of the key (`CKA_ID`).
    pub id: Option<Vec<u8>>,
}

impl TokenKey {
    /// Its name for people.
    pub(super) fn name(&self) -> Say {
        match (&self.label, &self.id) {
            (Some(label), None) => Say::same(format!("{label:?}")),
            (Some(label), Some(id)) => {
                let id = to_hex(id);
                say!("{label:?} with id {id}", "{label:?}（id {id}）")
            }
            (None, Some(id)) => {
                let id = to_hex(id);
                say!("with id {id}", "（id {id}）")
            }
            (None, None) => say!("without a name", "（没有名称）"),
        }
    }

    pub(super) fn attributes(&self, class: ObjectClass) -> Vec<Attribute> {
        let mut all = vec![Attribute::Class(class), Attribute::KeyType(KeyType::EC)];
        all.extend(self.names());
        all
    }

    /// What names it, each for itself: a label, an id, or both.
    fn names(&self) -> Vec<Attribute> {
        let label = self.label.as_ref().map(|label| Attribute::Label(label.clone().into_bytes()));
        let id = self.id.clone().map(Attribute::Id);
        label.into_iter().chain(id).collect()
    }
}

/// The one key of this name and half.
pub(super) fn find(
    session: &Session,
    key: &TokenKey,
    class: ObjectClass,
) -> Result<ObjectHandle, Trouble> {
    let found = session.find_objects(&key.attributes(class))?;
    let Say { english: name, chinese: named } = key.name();
    let (kind, what) = match class {
        ObjectClass::PUBLIC_KEY => ("public EC key", "EC 公钥"),
        _ => ("private EC key", "EC 私钥"),
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Trouble::Key(say!("has no {kind} {name}", "没有 {what} {named}"))),
        several => {
            let (way, how) = match (&key.label, &key.id) {
                (Some(_), Some(_)) => ("remove one with the maker's tool", "用厂商的工具删除一个"),
                (None, Some(_)) => ("name one by its label too", "再用标签指定一个"),
                _ => ("name one by its id", "用 id 指定一个"),
            };
            let count = several.len();
            Err(Trouble::Key(say!(
                "has {count} {kind}s {name}: {way}",
                "有 {count} 个 {what} {named}：{how}"
            )))
        }
    }
}

/// What already has one of the names of `key`, in words; each name is looked for alone, since
/// some tokens keep their objects by label and some by id, and would overwrite a stranger's.
pub(super) fn taken(session: &Session, key: &TokenKey) -> Result<Option<String>, Trouble> {
    for name in key.names() {
        let text = match &name {
            Attribute::Id(id) => format!("the id {}", to_hex(id)),
            _ => format!("the label {:?}", key.label.as_deref().unwrap_or_default()),
        };
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            if !session.find_objects(&[Attribute::Class(class), name.clone()])?.is_empty() {
                return Ok(Some(format!("a key with {text}")));
            }
        }
    }
    Ok(None)
}

/// Makes a key that can do nothing but sign, and that nobody can take out.
///
/// Nothing is said of the public half's use: a TPM refuses CKA_VERIFY beside a private half
/// that may not decrypt, and every token allows it where nothing is said.
pub(super) fn make(session: &Session, key: &TokenKey) -> Result<(), Trouble> {
    let mut public = vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::EcParams(P256_OID.to_vec()),
    ];
    let mut private = vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        // Some modules allow these where nothing is said.
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ];
    public.extend(key.names());
    private.extend(key.names());
    session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
    Ok(())
}

/// The point of a `CKA_EC_POINT`: a DER OCTET STRING by the standard, bare in some modules.
pub(super) fn point_in(attribute: &[u8]) -> Option<PublicKey> {
    let bare = match attribute {
        [0x04, 0x41, point @ ..] if point.len() == 65 => point,
        bare => bare,
    };
    PublicKey::from_bytes(bare).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_wrapped_and_bare() {
        let mut bare = vec![0x04; 65];
        bare[1..].fill(7);
        let wrapped: Vec<u8> = [0x04, 0x41].into_iter().chain(bare.iter().copied()).collect();
        assert!(point_in(&bare).is_some());
        assert_eq!(point_in(&wrapped), point_in(&bare));
        assert!(point_in(&bare[..64]).is_none());
    }
}
