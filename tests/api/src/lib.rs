//! The documents of the API: [`openapi`] for HTTP, [`asyncapi`] for the WebSocket.
//!
//! Both are generated from the code: schemas from the handlers' response types, codes from the
//! common table, limits from the validated constants, descriptions from the handlers' doc comments.
//! A test compares the result with `infra/openapi.json` and `infra/asyncapi.json`, and writes these
//! files if `UPDATE_API=1` is set.

mod asyncapi;
mod console_form;
mod openapi;
mod pages;
mod schemas;
mod sources;

use agents::ModelSettings;
use console::ConsoleSettings;
use documents::DocumentSettings;
use environment::Variable;
use lambda_kit::EdgeSettings;
use lambda_kit::api::Operation;

pub use asyncapi::{OVER_SOCKET_ALONE, asyncapi};
pub use console_form::console_form;
pub use openapi::openapi;
pub use pages::{api_page, configuration_page};
pub use sources::{Documented, documented, root};

/// Every operation of the HTTP API, in the README's order.
pub fn operations() -> Vec<Operation> {
    vec![
        health::operation(),
        list_modes::operation(),
        get_credentials_status::operation(),
        get_models_config::operation(),
        create_session::operation(),
        list_sessions::operation(),
        get_session::operation(),
        rename_session::operation(),
        delete_session::operation(),
        get_history::operation(),
        list_events::operation(),
        suspend_session::operation(),
        resume_session::operation(),
        start_run::operation(),
        list_runs::operation(),
        get_run_costs::operation(),
        cancel_run::operation(),
        get_run_history::operation(),
        get_run_dag::operation(),
        get_console_log::operation(),
        get_run_costs_by_id::operation(),
        list_node_events::operation(),
        list_approvals::operation(),
        resolve_approval::operation(),
        create_upload::operation(),
        list_artifacts::operation(),
        list_run_files::operation(),
        list_node_files::operation(),
        get_file_content::operation(),
        download_file::operation(),
    ]
}

/// Every environment variable that a function reads.
pub fn variables() -> impl Iterator<Item = &'static Variable> {
    let edge = EdgeSettings::VARIABLES.iter();
    edge.chain(ModelSettings::VARIABLES)
        .chain(DocumentSettings::VARIABLES)
        .chain(ConsoleSettings::VARIABLES)
}
