//! Reads functions and routes from `infra/template.yaml`, line by line.

use std::collections::BTreeSet;

use tests::stack::root;

pub type Names = BTreeSet<String>;

/// A route of the HTTP API or of the WebSocket API.
#[derive(Default)]
pub struct Route {
    /// `METHOD /path`, or `$connect`.
    pub key: String,
    pub function: String,
    pub authorization: String,
    pub has_authorizer: bool,
    /// The partitions that the function's policy allows, if it limits them.
    pub leading_keys: Vec<String>,
}

/// A file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn function(line: &str) -> Option<&str> {
    line.strip_prefix("FunctionName: !Sub ${AWS::StackName}-")
}

/// The name of every function.
pub fn functions() -> Names {
    let text = read("infra/template.yaml");
    let names = text.lines().filter_map(|line| function(line.trim()));
    names.map(str::to_owned).collect()
}

/// Every route. A function precedes its routes.
pub fn routes() -> Vec<Route> {
    let text = read("infra/template.yaml");
    let mut routes = Vec::new();
    let (mut current, mut leading_keys) = (String::new(), Vec::new());
    let mut open: Option<Route> = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = function(line) {
            (current, leading_keys) = (name.to_owned(), Vec::new());
        }
        if let Some(list) = line.strip_prefix("dynamodb:LeadingKeys: ") {
            leading_keys.extend(serde_json::from_str::<Vec<String>>(list).unwrap());
        }
        if let Some(key) = line.strip_prefix("RouteKey: ") {
            open = Some(Route {
                key: key.to_owned(),
                function: current.clone(),
                leading_keys: leading_keys.clone(),
                ..Route::default()
            });
        }
        let Some(route) = &mut open else { continue };
        if let Some(kind) = line.strip_prefix("AuthorizationType: ") {
            kind.clone_into(&mut route.authorization);
        }
        route.has_authorizer |= line.starts_with("AuthorizerId: ");
        if let Some(target) = line.strip_prefix("Target: ") {
            let integration = format!("{}Integration", logical_id(&current));
            assert!(
                target.contains(&integration),
                "{} goes to {target}",
                route.key
            );
            routes.extend(open.take());
        }
    }
    routes
}

/// `create-session` is `CreateSession` in the template.
fn logical_id(function: &str) -> String {
    function
        .split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}
