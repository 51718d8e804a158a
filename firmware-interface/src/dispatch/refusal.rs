//! How a request is refused: the code and the number that say why.

use super::traits::{SignerError, StorageError};
use crate::ids::{ErrorCode, RequestType};
use crate::message::{BodyError, ErrorReply};
use crate::version;

pub(super) const fn refuse(code: ErrorCode) -> ErrorReply {
    ErrorReply::new(code, 0)
}

pub(super) const fn unsupported(request: RequestType) -> ErrorReply {
    ErrorReply::new(ErrorCode::Unsupported, request.to_wire() as u32)
}

pub(super) const fn bad_version() -> ErrorReply {
    let range = version::MIN as u32 | (version::CURRENT as u32) << 8;
    ErrorReply::new(ErrorCode::BadVersion, range)
}

pub(super) fn bad_length(length: usize) -> ErrorReply {
    ErrorReply::new(ErrorCode::BadLength, u32::try_from(length).unwrap_or(u32::MAX))
}

pub(super) fn bad_body(error: BodyError, length: usize) -> ErrorReply {
    match error {
        BodyError::Length { .. } => bad_length(length),
        BodyError::Value { offset } => bad_value(offset),
    }
}

pub(super) fn bad_value(offset: usize) -> ErrorReply {
    ErrorReply::new(ErrorCode::BadValue, u32::try_from(offset).unwrap_or(u32::MAX))
}

impl From<StorageError> for ErrorReply {
    fn from(error: StorageError) -> Self {
        Self::new(ErrorCode::Storage, error.0)
    }
}

impl From<SignerError> for ErrorReply {
    fn from(error: SignerError) -> Self {
        Self::new(ErrorCode::Signer, error.0)
    }
}
