//! The typed query of a request. An error names the value.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::{Request, RequestExt as _};

use session::Seq;

use crate::{Code, Problem};

/// The query string's values. A repeated name is refused before the handler is called.
#[derive(Debug)]
pub struct Query(QueryMap);

impl Query {
    /// The query of a request.
    pub fn of(request: &Request) -> Self {
        Self(request.query_string_parameters())
    }

    /// A value as it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.first(name)
    }

    /// A whole number within a range, if there is one.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let must = format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.word(name, &must)?;
        if number.is_none_or(|number| range.contains(&number)) {
            Ok(number)
        } else {
            Err(invalid(name, &must))
        }
    }

    /// `limit`, from 1 to `max`.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn limit(&self, max: u16, default: u16) -> Result<usize, Problem> {
        self.count("limit", max, default)
    }

    /// A number of something, from 1 to `max`.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn count(&self, name: &str, max: u16, default: u16) -> Result<usize, Problem> {
        let count = self.number(name, 1..=max.into())?;
        Ok(count
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(default.into()))
    }

    /// A place in a session's record, from `first` on.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn seq(&self, name: &str, first: u64) -> Result<Option<Seq>, Problem> {
        Ok(self.number(name, first..=Seq::MAX.0)?.map(Seq))
    }

    /// A value of a closed list: a mode, a status.
    ///
    /// # Errors
    /// `invalid_query`; `must` says what it must be.
    pub fn word<T: FromStr>(&self, name: &str, must: impl Display) -> Result<Option<T>, Problem> {
        let parse = |text: &str| text.parse().map_err(|_| invalid(name, &must));
        self.text(name).map(parse).transpose()
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn required<T: FromStr>(&self, name: &str, must: impl Display) -> Result<T, Problem> {
        self.word(name, &must)?.ok_or_else(|| invalid(name, must))
    }
}

/// Checks that no name is repeated, known or not.
///
/// # Errors
/// `invalid_query`.
pub(super) fn check_once(request: &Request) -> Result<(), Problem> {
    let query = request.query_string_parameters();
    let is_repeated = |name: &&str| query.all(name).is_some_and(|values| values.len() > 1);
    match query.iter().map(|(name, _)| name).find(is_repeated) {
        Some(name) => Err(invalid(name, "given once")),
        None => Ok(()),
    }
}

fn invalid(name: &str, must: impl Display) -> Problem {
    Problem::new(Code::InvalidQuery, format!("`{name}` must be {must}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use proptest::prelude::*;
    use session::SessionStatus;

    fn query(text: &str) -> Query {
        let map: QueryMap = text.parse().unwrap();
        Query::of(&Request::new(Body::Empty).with_query_string_parameters(map))
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_named(
            text in "(limit|after|status|cursor)?=?-?[0-9]{0,25}(&(limit|after|status|%[0-9a-zA-Z]{2}|\\PC){0,3}=\\PC{0,8}){0,4}",
        ) {
            let map: QueryMap = text.parse().unwrap();
            let query = Query::of(&Request::new(Body::Empty).with_query_string_parameters(map));
            match query.limit(200, 50) {
                Ok(limit) => prop_assert!((1..=200).contains(&limit)),
                Err(problem) => prop_assert_eq!(problem.code(), Code::InvalidQuery),
            }
            match query.seq("after", 0) {
                Ok(after) => prop_assert!(after.unwrap_or_default() <= Seq::MAX),
                Err(problem) => prop_assert_eq!(problem.code(), Code::InvalidQuery),
            }
            let status = query.word::<SessionStatus>("status", "a status");
            prop_assert!(status.is_ok() || status.unwrap_err().code() == Code::InvalidQuery);
        }
    }

    #[test]
    fn a_limit_is_a_default_or_lies_in_its_range() {
        for (text, expected) in [("", 50), ("limit=1", 1), ("limit=200", 200)] {
            assert_eq!(query(text).limit(200, 50).unwrap(), expected, "{text}");
        }
        for text in [
            "0",
            "201",
            "-1",
            "ten",
            "",
            "1.5",
            "1e2",
            "18446744073709551616",
        ] {
            let problem = query(&format!("limit={text}")).limit(200, 50).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidQuery, "{text}");
            assert_eq!(
                problem.to_string(),
                "`limit` must be a whole number from 1 to 200."
            );
        }
    }

    #[test]
    fn a_place_is_one_that_a_record_can_have() {
        assert_eq!(query("").seq("after", 0).unwrap(), None);
        assert_eq!(query("after=0").seq("after", 0).unwrap(), Some(Seq(0)));
        for text in ["after=-1", "after=1000000000000", "after=x"] {
            assert_eq!(
                query(text).seq("after", 0).unwrap_err().status(),
                422,
                "{text}"
            );
        }
        assert!(query("before=0").seq("before", 1).is_err());
    }

    #[test]
    fn a_required_value_must_be_there() {
        let step = |text| query(text).required::<u8>("step", "a number");
        assert_eq!(step("step=7").unwrap(), 7);
        for text in ["", "step=", "step=x"] {
            let problem = step(text).unwrap_err();
            assert_eq!(problem.to_string(), "`step` must be a number.", "{text}");
        }
    }

    #[test]
    fn a_word_is_one_of_its_kind() {
        let status = |text| query(text).word::<SessionStatus>("status", "a status");
        assert_eq!(status("").unwrap(), None);
        assert_eq!(
            status("status=active").unwrap(),
            Some(SessionStatus::Active)
        );
        for text in ["status=", "status=Active", "status=gone"] {
            assert_eq!(status(text).unwrap_err().status(), 422, "{text}");
        }
    }
}
