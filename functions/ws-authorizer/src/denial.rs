//! Why a connection is denied, for the log. The texts are constant, so that no part of a token is
//! logged.

use jsonwebtoken::errors::{Error, ErrorKind};

/// The reason of a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error("there is no token")]
    NoToken,
    #[error("the token cannot be read")]
    Malformed,
    #[error("the token is not signed with RS256")]
    OtherAlgorithm,
    #[error("the token requires unsupported extensions")]
    Critical,
    #[error("the token names no key")]
    NoKeyId,
    #[error("the issuer publishes no such key")]
    UnknownKey,
    #[error("the signature is not valid for that key")]
    BadSignature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    TooEarly,
    #[error("the token has another issuer")]
    OtherIssuer,
    #[error("the token is for another audience")]
    OtherAudience,
    #[error("a claim is missing")]
    NoClaim,
}

impl From<Error> for Denial {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Self::OtherAlgorithm,
            ErrorKind::InvalidSignature | ErrorKind::InvalidRsaKey(_) => Self::BadSignature,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::TooEarly,
            ErrorKind::InvalidIssuer => Self::OtherIssuer,
            ErrorKind::InvalidAudience => Self::OtherAudience,
            ErrorKind::MissingRequiredClaim(_) => Self::NoClaim,
            _ => Self::Malformed,
        }
    }
}
