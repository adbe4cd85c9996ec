//! Lists that exist in several places must agree: folders, template, router table, events, the
//! workflow crate's tables. Runs without the stack.

use std::path::Path;

use agents::ModelSettings;
use console::ConsoleSettings;
use documents::DocumentSettings;
use environment::Variable;
use lambda_kit::EdgeSettings;
use serde_json::Value;
use session::{MODES, Mode};
use tests::stack::root;
use workflow::{Checkpoint, RunSettings};

use crate::template::{Names, functions, read, routes};

/// The names in a folder, without extensions.
fn entries(folder: &str) -> Names {
    let names = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    names
        .map(|name| {
            Path::new(&name)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// Every function of the template, and `METHOD /path function` for every HTTP route.
fn template() -> (Names, Names) {
    let routes = routes().into_iter();
    let http = routes.filter(|route| !route.key.starts_with('$'));
    (
        functions(),
        http.map(|route| format!("{} {}", route.key, route.function))
            .collect(),
    )
}

fn router_table() -> Names {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let mut routes = Names::new();
    for (path, targets) in router.as_table().unwrap() {
        for target in targets.as_array().unwrap() {
            let text = |key: &str| target[key].as_str().unwrap();
            routes.insert(format!("{} {path} {}", text("method"), text("function")));
        }
    }
    routes
}

/// The rows of a table in the workflow crate's README, as cells without backticks.
fn table_of_workflow(heading: &str) -> Vec<Vec<String>> {
    let text = read("shared/workflow/README.md");
    let (_, section) = text
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("there is no {heading}"));
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    };
    rows.skip(2).map(cells).collect()
}

#[test]
fn folders_template_and_events_have_the_same_functions() {
    let (functions, _) = template();
    assert_eq!(
        entries("functions"),
        functions,
        "functions/ and infra/template.yaml"
    );
    assert_eq!(
        entries("events"),
        functions,
        "events/ and infra/template.yaml"
    );
}

#[test]
fn template_and_router_table_have_the_same_routes() {
    let (_, routes) = template();
    assert_eq!(router_table(), routes);
}

#[test]
fn every_route_but_those_of_open_connections_and_of_the_page_has_an_authorizer() {
    for route in routes() {
        let (kind, has_authorizer) = match route.key.as_str() {
            "$disconnect" | "$default" => ("NONE", false),
            "$connect" => ("CUSTOM", true),
            "GET /" | "GET /console/{version}/{file}" => ("NONE", false),
            _ => ("JWT", true),
        };
        let found = (route.authorization.as_str(), route.has_authorizer);
        assert_eq!(found, (kind, has_authorizer), "{}", route.key);
    }
}

/// The keys in a cell of the table of modes. A group of keys is written as its name.
fn keys_in(cell: &str) -> Names {
    let keys = cell.split(',').map(str::trim).filter(|key| !key.is_empty());
    let expanded = keys.flat_map(|key| match key {
        "plan keys" => PLAN_KEYS.to_vec(),
        "approval keys" => APPROVAL_KEYS.to_vec(),
        key => vec![key],
    });
    expanded.map(str::to_owned).collect()
}

const PLAN_KEYS: [&str; 5] = [
    "plannerModel",
    "planReviewerModel",
    "maxPlanSteps",
    "nPlanReviews",
    "planInstructions",
];

const APPROVAL_KEYS: [&str; 4] = [
    "maxHumanIterations",
    "allowPlanModification",
    "allowStepSkip",
    "allowStepRetry",
];

#[test]
fn the_table_of_modes_has_every_phase_checkpoint_and_key() {
    let of_all: Names = RunSettings::keys(Mode::Arxiv)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let rows = table_of_workflow("# Modes");
    assert_eq!(rows.len(), MODES.len());
    for (row, info) in rows.iter().zip(MODES) {
        let path = workflow::ModeSpec::of(info.id);
        let phases: Vec<&str> = path.phases.iter().map(|phase| phase.as_str()).collect();
        let checkpoints = path.checkpoints.iter();
        let checkpoints: Vec<&str> = checkpoints.map(|kind| kind.as_str()).collect();
        let keys = RunSettings::keys(info.id).into_iter().map(str::to_owned);
        let own: Names = keys.filter(|key| !of_all.contains(key)).collect();
        assert_eq!(row[0], info.id.id());
        assert_eq!(row[1], phases.join(" → "), "{}", info.id);
        assert_eq!(row[2], checkpoints.join(", "), "{}", info.id);
        assert_eq!(keys_in(&row[3]), own, "{}", info.id);
    }
}

#[test]
fn the_table_of_checkpoints_has_every_checkpoint() {
    let rows = table_of_workflow("# Checkpoints");
    let explained: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(explained, Checkpoint::ALL.map(Checkpoint::as_str));
}

/// The variables that any function reads.
fn variables() -> impl Iterator<Item = &'static Variable> {
    let edge = EdgeSettings::VARIABLES.iter();
    edge.chain(ModelSettings::VARIABLES)
        .chain(DocumentSettings::VARIABLES)
        .chain(ConsoleSettings::VARIABLES)
}

#[test]
fn no_variable_is_defined_twice() {
    let mut names: Vec<&str> = variables().map(|variable| variable.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_template_sets_only_variables_that_are_read_and_not_the_owner() {
    let text = read("infra/template.yaml");
    let shouted = |line: &str| {
        let name = line.trim().split_once(':')?.0.to_owned();
        (name.contains('_') && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
            .then_some(name)
    };
    let known: Names = variables()
        .map(|variable| variable.name.to_owned())
        .collect();
    let set: Names = text.lines().filter_map(shouted).collect();
    assert!(set.contains("TABLE_NAME"), "{set:?}");
    assert!(set.is_subset(&known), "{:?}", set.difference(&known));
    assert!(!set.contains("OWNER"));
}

#[test]
fn every_event_has_the_form_of_its_functions_trigger() {
    let (functions, routes) = template();
    for function in &functions {
        let event: Value = serde_json::from_str(&read(&format!("events/{function}.json"))).unwrap();
        let route = routes
            .iter()
            .find(|route| route.ends_with(&format!(" {function}")));
        match (route, function.as_str()) {
            (Some(route), _) => assert_eq!(
                format!("{} {function}", event["routeKey"].as_str().unwrap()),
                *route
            ),
            (None, "sweeper") => assert_eq!(event["source"], "aws.events"),
            (None, "executor" | "document-executor" | "dead-letters") => {
                assert!(event["Records"][0]["body"].is_string());
            }
            (None, _) => assert!(
                event["requestContext"]["connectionId"].is_string(),
                "{function}"
            ),
        }
    }
}
