//! Tests that need a stack of their own. `infra/local` starts it and runs one module.
//!
//! `authorisation` and `smoke` run against the deployed template: every binary with its own role,
//! the table in MiniStack, no `OWNER`. There every client of the tests has a token of the
//! [`issuer`](tests::issuer).

mod authorisation;
mod chaos;
mod restart;
mod smoke;

use tests::canary::logged;

/// Asserts that no function was denied access or logged another error. A dead letter is itself an
/// error, and one test sends one on purpose.
async fn assert_no_errors_logged() {
    let logged = logged().await;
    let errors: Vec<&str> = logged
        .lines()
        .filter(|line| line.contains("ERROR") && !line.contains("dead letter"))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
