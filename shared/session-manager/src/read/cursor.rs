//! Cursors: positions in a list, opaque to clients.
//!
//! A cursor has a position and the filter of its list, and no owner. A client that sends another
//! client's cursor reads from another position of its own list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use session::{ApprovalId, ApprovalStatus, RunId, Seq, SessionId, Timestamp};

use crate::ReadError;

/// The position of a session in its owner's list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListPosition {
    pub updated_at: Timestamp,
    pub id: SessionId,
}

impl ListPosition {
    /// `filter` identifies the filter of the list.
    pub fn to_cursor(self, filter: &str) -> String {
        let Self { updated_at, id } = self;
        URL_SAFE_NO_PAD.encode(format!("{updated_at} {id} {filter}"))
    }

    pub fn from_cursor(cursor: &str, filter: &str) -> Result<Self, ReadError> {
        let text = decode(cursor)?;
        let mut parts = text.split(' ');
        let mut part = || parts.next().ok_or(ReadError::BadCursor);
        let (updated_at, id, digest) = (part()?, part()?, part()?);
        if digest != filter || parts.next().is_some() {
            return Err(ReadError::BadCursor);
        }
        Ok(Self {
            updated_at: updated_at.parse().map_err(|_| ReadError::BadCursor)?,
            id: id.parse().map_err(|_| ReadError::BadCursor)?,
        })
    }
}

/// The position behind an event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunEventPosition {
    pub seq: Seq,
    /// The node that the events up to here named last.
    pub node: Option<String>,
}

impl RunEventPosition {
    /// `filter` identifies the run and the filter of the list.
    pub fn to_cursor(&self, filter: &str) -> String {
        let node = self.node.as_deref().unwrap_or_default();
        URL_SAFE_NO_PAD.encode(format!("{} {filter} {node}", self.seq.0))
    }

    pub fn from_cursor(cursor: &str, filter: &str) -> Result<Self, ReadError> {
        let text = decode(cursor)?;
        let mut parts = text.splitn(3, ' ');
        let mut part = || parts.next().ok_or(ReadError::BadCursor);
        let (seq, digest, node) = (part()?, part()?, part()?);
        let seq = seq.parse().map(Seq).map_err(|_| ReadError::BadCursor)?;
        if digest != filter || seq > Seq::MAX {
            return Err(ReadError::BadCursor);
        }
        let node = Some(node.to_owned()).filter(|node| !node.is_empty());
        Ok(Self { seq, node })
    }
}

/// The cursor after a run.
pub(crate) fn after_run(run: RunId) -> String {
    URL_SAFE_NO_PAD.encode(run.to_string())
}

/// The run that a cursor follows.
pub(crate) fn run_of(cursor: &str) -> Result<RunId, ReadError> {
    decode(cursor)?.parse().map_err(|_| ReadError::BadCursor)
}

/// The cursor after an approval, in a list of one status or of all.
pub(crate) fn after_approval(approval: ApprovalId, status: Option<ApprovalStatus>) -> String {
    URL_SAFE_NO_PAD.encode(format!("{approval} {}", status_text(status)))
}

/// The approval that a cursor follows.
pub(crate) fn approval_of(
    cursor: &str,
    status: Option<ApprovalStatus>,
) -> Result<ApprovalId, ReadError> {
    let text = decode(cursor)?;
    let (approval, of) = text.split_once(' ').ok_or(ReadError::BadCursor)?;
    if of != status_text(status) {
        return Err(ReadError::BadCursor);
    }
    approval.parse().map_err(|_| ReadError::BadCursor)
}

fn status_text(status: Option<ApprovalStatus>) -> &'static str {
    status.map_or("all", ApprovalStatus::as_str)
}

fn decode(cursor: &str) -> Result<String, ReadError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| ReadError::BadCursor)?;
    String::from_utf8(bytes).map_err(|_| ReadError::BadCursor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use session::{Mode, SessionStatus};
    use uuid::Uuid;

    use super::*;

    fn place() -> ListPosition {
        ListPosition {
            updated_at: Timestamp::from_micros(1_790_000_000_123_456).unwrap(),
            id: SessionId::new(Uuid::from_u128(7)),
        }
    }

    fn filter(status: Option<SessionStatus>, mode: Option<Mode>) -> String {
        crate::Filter { status, mode }.digest()
    }

    #[test]
    fn it_round_trips_with_its_filter() {
        for filter in [
            filter(None, None),
            filter(Some(SessionStatus::Active), None),
            filter(None, Some(Mode::Ocr)),
            filter(Some(SessionStatus::Active), Some(Mode::Ocr)),
        ] {
            let cursor = place().to_cursor(&filter);
            assert_eq!(
                ListPosition::from_cursor(&cursor, &filter).unwrap(),
                place()
            );
        }
    }

    /// A valid cursor of any kind, one with a changed character, or any text.
    fn near_cursors() -> impl Strategy<Value = String> {
        let at =
            (0..253_402_300_799_999_999_i64).prop_map(|at| Timestamp::from_micros(at).unwrap());
        let place = (at, any::<u128>()).prop_map(|(updated_at, id)| ListPosition {
            updated_at,
            id: SessionId::new(Uuid::from_u128(id)),
        });
        let good = place.prop_flat_map(|place| {
            let id = place.id.as_u128();
            prop_oneof![
                Just(place.to_cursor(&filter(None, None))),
                Just(after_run(RunId::new(Uuid::from_u128(id)))),
                Just(after_approval(ApprovalId::new(Uuid::from_u128(id)), None)),
            ]
        });
        let changed =
            (good.clone(), any::<prop::sample::Index>(), "\\PC").prop_map(|(good, at, with)| {
                let at = at.index(good.len());
                format!("{}{with}{}", &good[..at], &good[at + 1..])
            });
        prop_oneof![good, changed, "\\PC*"]
    }

    proptest! {
        #[test]
        fn an_accepted_cursor_encodes_its_own_position(cursor in near_cursors()) {
            let filter = filter(None, None);
            if let Ok(place) = ListPosition::from_cursor(&cursor, &filter) {
                let again = place.to_cursor(&filter);
                prop_assert_eq!(ListPosition::from_cursor(&again, &filter).unwrap(), place);
            }
            if let Ok(run) = run_of(&cursor) {
                prop_assert_eq!(after_run(run), cursor.clone());
            }
            if let Ok(place) = RunEventPosition::from_cursor(&cursor, &filter) {
                let again = place.to_cursor(&filter);
                prop_assert_eq!(RunEventPosition::from_cursor(&again, &filter).unwrap(), place);
            }
            if let Ok(approval) = approval_of(&cursor, None) {
                prop_assert_eq!(after_approval(approval, None), cursor);
            }
        }
    }

    #[test]
    fn a_cursor_of_another_filter_is_refused() {
        let cursor = place().to_cursor(&filter(Some(SessionStatus::Active), None));
        for other in [
            filter(None, None),
            filter(Some(SessionStatus::Expired), None),
            filter(Some(SessionStatus::Active), Some(Mode::Ocr)),
        ] {
            assert!(ListPosition::from_cursor(&cursor, &other).is_err());
        }
    }

    #[test]
    fn an_invalid_cursor_is_refused() {
        let good = filter(None, None);
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in [
            String::new(),
            "%%%".into(),
            "a".into(),
            URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
            encoded("a b c"),
            encoded(&format!("{} x {}", place().updated_at, good)),
            encoded(&format!("x {} {}", place().id, good)),
            format!("{}=", place().to_cursor(&good)),
            encoded(&format!("{} {} {} ", place().updated_at, place().id, good)),
        ] {
            assert!(ListPosition::from_cursor(&bad, &good).is_err(), "{bad}");
            assert!(run_of(&bad).is_err(), "{bad}");
        }
        let run = RunId::new(Uuid::from_u128(1));
        assert_eq!(run_of(&after_run(run)).unwrap(), run);
    }

    #[test]
    fn a_cursor_of_a_runs_events_belongs_to_one_run_and_filter() {
        for node in [None, Some("step_1".to_owned()), Some("a b".to_owned())] {
            let place = RunEventPosition { seq: Seq(7), node };
            let cursor = place.to_cursor("f");
            assert_eq!(RunEventPosition::from_cursor(&cursor, "f").unwrap(), place);
            assert!(RunEventPosition::from_cursor(&cursor, "g").is_err());
        }
        for bad in ["", "7", "7 f", "x f ", "-1 f ", "1000000000000 f "] {
            let cursor = URL_SAFE_NO_PAD.encode(bad);
            assert!(
                RunEventPosition::from_cursor(&cursor, "f").is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_approval_cursor_belongs_to_one_status() {
        let approval = ApprovalId::new(Uuid::from_u128(1));
        let resolved = Some(ApprovalStatus::Resolved);
        for status in [None, resolved] {
            let cursor = after_approval(approval, status);
            assert_eq!(approval_of(&cursor, status).unwrap(), approval);
            let other = approval_of(&cursor, Some(ApprovalStatus::Expired));
            assert!(other.is_err());
        }
        for bad in [
            "",
            "all",
            "x all",
            &format!("{approval}"),
            &format!("{approval} all "),
        ] {
            let cursor = URL_SAFE_NO_PAD.encode(bad);
            assert!(approval_of(&cursor, None).is_err(), "{bad}");
        }
        assert!(approval_of(&after_run(RunId::new(Uuid::from_u128(1))), None).is_err());
    }
}
