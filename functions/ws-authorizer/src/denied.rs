//! Why a client is not let in, for our own log: constant words, so that no part of a token stands among them.

use jsonwebtoken::errors::{Error, ErrorKind};

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("there is no token")]
    NoToken,
    #[error("the token cannot be read")]
    Malformed,
    #[error("the token is not signed with RS256")]
    OtherAlgorithm,
    #[error("the token demands extensions that nobody here knows")]
    Critical,
    #[error("the token names no key")]
    NoKeyId,
    #[error("the issuer publishes no such key")]
    UnknownKey,
    #[error("the signature is not that key's")]
    BadSignature,
    #[error("the token is over")]
    Expired,
    #[error("the token is not valid yet")]
    TooEarly,
    #[error("the token is another issuer's")]
    OtherIssuer,
    #[error("the token is for another audience")]
    OtherAudience,
    #[error("a claim is missing")]
    NoClaim,
}

impl From<Error> for Denied {
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
