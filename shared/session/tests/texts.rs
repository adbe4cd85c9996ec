//! Ids, times and modes as clients write them: every text is a value or an error.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use session::{ApprovalId, Mode, RunId, SessionId, Timestamp};
use uuid::Uuid;

/// Valid and almost valid ids.
fn near_ids() -> impl Strategy<Value = String> {
    let id = any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string());
    prop_oneof![
        id.clone(),
        id.clone().prop_map(|id| id.to_uppercase()),
        id.clone().prop_map(|id| id.replace('-', "")),
        (id, 0..36_usize, "\\PC").prop_map(|(id, at, with)| format!(
            "{}{with}{}",
            &id[..at],
            &id[at + 1..]
        )),
        "\\PC{0,40}",
    ]
}

/// Valid and almost valid times.
fn near_times() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{4,6}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-5][0-9])",
        "\\PC{0,40}",
    ]
}

proptest! {
    #[test]
    fn an_accepted_id_is_printed_unchanged(text in near_ids()) {
        if let Ok(id) = text.parse::<SessionId>() {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        prop_assert_eq!(text.parse::<RunId>().is_ok(), text.parse::<SessionId>().is_ok());
        prop_assert_eq!(text.parse::<ApprovalId>().is_ok(), text.parse::<SessionId>().is_ok());
    }

    #[test]
    fn every_printed_id_parses(id in any::<u128>()) {
        let id = SessionId::new(Uuid::from_u128(id));
        prop_assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
    }

    #[test]
    fn an_accepted_time_has_27_characters_and_round_trips(text in near_times()) {
        if let Ok(time) = text.parse::<Timestamp>() {
            prop_assert_eq!(time.to_string().len(), "2026-09-21T14:13:20.000000Z".len());
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }

    #[test]
    fn times_sort_like_their_texts(one in any::<i64>(), other in any::<i64>()) {
        let times = (Timestamp::from_micros(one), Timestamp::from_micros(other));
        if let (Some(one), Some(other)) = times {
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }
    }

    #[test]
    fn an_accepted_mode_is_printed_unchanged(text in "[a-z-]{0,20}") {
        if let Ok(mode) = text.parse::<Mode>() {
            prop_assert_eq!(mode.to_string(), text);
        }
    }
}
