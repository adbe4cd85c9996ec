//! Walks that need a stack of their own: `infra/local` starts it and runs the walk's module alone.
//!
//! `authorisation` and `smoke` run against the template as it is deployed: every binary under its own role, the table in
//! MiniStack, no `OWNER`. There every client of the tests has a token of the [`issuer`](tests::issuer).

mod authorisation;
mod restart;
mod smoke;

use tests::canary::logged;

/// No function was denied anything, nor has it logged another error. A dead letter is an error in itself, and one is
/// sent on purpose.
async fn assert_no_errors_logged() {
    let logged = logged().await;
    let errors: Vec<&str> = logged
        .lines()
        .filter(|line| line.contains("ERROR") && !line.contains("dead letter"))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
