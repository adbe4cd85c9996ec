//! The cursor of the list: the last file of a page, for one session's list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use documents::ArtifactKey;
use lambda_kit::{Code, Problem};
use session::SessionId;

/// The cursor after a file.
pub(crate) fn behind(session: SessionId, place: &ArtifactKey) -> String {
    URL_SAFE_NO_PAD.encode(format!("{session} {place}"))
}

/// The file before a cursor.
///
/// # Errors
/// `bad_cursor`, also for a cursor of another session's list.
pub(crate) fn read(session: SessionId, cursor: &str) -> Result<ArtifactKey, Problem> {
    let place = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (of, place) = text.split_once(' ')?;
        let place = place.parse().ok().filter(|_| of == session.to_string())?;
        (!matches!(place, ArtifactKey::Draft(..))).then_some(place)
    };
    let bad = || Problem::new(Code::BadCursor, "The cursor is none of this list.");
    place().ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::ID;

    use super::*;

    #[test]
    fn a_cursor_is_read_back_in_its_own_list_alone() {
        let session = ID.parse().unwrap();
        let other = "00000000-0000-0000-0000-000000000000".parse().unwrap();
        for key in [format!("{ID}/a b.md"), "uploads/ü.pdf".to_owned()] {
            let place: ArtifactKey = key.parse().unwrap();
            let cursor = behind(session, &place);
            assert_eq!(read(session, &cursor).unwrap(), place);
            assert_eq!(read(other, &cursor).unwrap_err().code(), Code::BadCursor);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let session = ID.parse().unwrap();
        let draft: ArtifactKey = format!("drafts/{ID}/a").parse().unwrap();
        let climbing = URL_SAFE_NO_PAD.encode(format!("{ID} ../uploads/a"));
        for cursor in ["", "x", "%", &behind(session, &draft), &climbing] {
            assert_eq!(
                read(session, cursor).unwrap_err().code(),
                Code::BadCursor,
                "{cursor}"
            );
        }
    }
}
