//! The environment of the edge: the table, the queues, the WebSocket API, the tokens, and the times
//! of the domain's rules.

use std::num::NonZeroU32;

use environment::{Seconds, Usd};
use session::Rules;
use session_manager::OwnerLimits;

environment::settings! {
    /// What the functions around the sessions need. The fields say what
    /// [`VARIABLES`](EdgeSettings::VARIABLES) says.
    pub struct EdgeSettings;
    "TABLE_NAME" table: String, "The DynamoDB table.";
    "QUEUE_URL" queue_url: String, "The queue of `executor`: runs that need a model or a person.";
    "DOCUMENT_QUEUE_URL" document_queue_url: String,
        "The queue of `document-executor`: runs that need a document.";
    "PURGE_QUEUE_URL" purge_queue_url: String,
        "The queue of deleted sessions, for the functions that send or carry out a purge.";
    "WS_CALLBACK_URL" ws_callback_url: String,
        "The `@connections` base URL of the WebSocket API, with its stage.";
    "JWT_ISSUER" jwt_issuer: String, "Issuer of the tokens that open a WebSocket.";
    "JWT_AUDIENCE" jwt_audience: String, "Audience that they must name.";
    "JWKS_TTL_SECONDS" jwks_ttl: Seconds = "600",
        "How long the issuer's keys are kept before they are asked for again.";
    "OWNER" owner: String,
        "Makes every caller without a token this owner; set by the local stack alone, never by the \
        template.";
    "APPROVAL_TTL_SECONDS" approval_ttl: Seconds = "604800",
        "How long a question to a person stays open.";
    "IDLE_TTL_SECONDS" idle_ttl: Seconds = "86400",
        "How long an active session may do nothing before it expires.";
    "REQUEUE_SECONDS" requeue: Seconds = "30",
        "After this long the message of a queued run is sent again; it doubles each time.";
    "PURGE_DELAY_SECONDS" purge_delay: Seconds = "1200",
        "How long after a delete its items are purged: longer than any function lives.";
    "MAX_LIVE_RUNS_PER_OWNER" max_live_runs_per_owner: NonZeroU32 = "20",
        "How many runs of one owner may be queued or running; a further start or resume is refused.";
    "MAX_COST_USD_PER_OWNER_DAY" max_cost_usd_per_owner_day: Usd,
        "What the runs of one owner may cost in a day (UTC), in US dollars; no limit when absent.";
    "MAX_UPLOAD_BYTES_PER_OWNER_DAY" max_upload_bytes_per_owner_day: u64 = "10737418240",
        "How many bytes of uploads are promised to one owner in a day (UTC).";
    "METRICS_NAMESPACE" metrics_namespace: String = "Intermission",
        "The namespace of the metrics; the template sets the stack's name.";
    "RUST_LOG" log: String = "info", "What is logged, as a filter of the tracing crate.";
}

impl EdgeSettings {
    /// The durations that decisions depend on.
    pub const fn rules(&self) -> Rules {
        Rules {
            requeue: self.requeue.0,
            approval_ttl: self.approval_ttl.0,
            idle_ttl: self.idle_ttl.0,
            purge_delay: self.purge_delay.0,
        }
    }

    /// The limits of each owner.
    pub fn owner_limits(&self) -> OwnerLimits {
        OwnerLimits {
            live_runs: Some(self.max_live_runs_per_owner.get()),
            cost_usd_per_day: self.max_cost_usd_per_owner_day.map(|usd| usd.0),
            upload_bytes_per_day: Some(self.max_upload_bytes_per_owner_day),
        }
    }
}

#[cfg(test)]
mod tests {
    use environment::{EnvironmentError, required};

    use super::*;

    #[test]
    fn without_variables_the_rules_are_the_domains() {
        let settings = EdgeSettings::read(|_| None).unwrap();
        assert_eq!(settings.rules(), Rules::default());
        assert_eq!(
            required("TABLE_NAME", &settings.table),
            Err(EnvironmentError::Missing("TABLE_NAME"))
        );
    }

    #[test]
    fn a_bad_value_is_named_and_not_shown() {
        for (name, value) in [
            ("IDLE_TTL_SECONDS", "a day"),
            ("REQUEUE_SECONDS", "-1"),
            ("MAX_LIVE_RUNS_PER_OWNER", "0"),
            ("MAX_COST_USD_PER_OWNER_DAY", "inf"),
        ] {
            let get = |asked: &str| (asked == name).then(|| value.to_owned());
            let error = EdgeSettings::read(get).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
            assert!(!error.contains(value), "{error}");
        }
    }
}
