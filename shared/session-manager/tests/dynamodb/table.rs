//! A separate table for each test, in the DynamoDB at `AWS_ENDPOINT_URL_DYNAMODB`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use uuid::Uuid;

/// The attributes that both listing indexes project: those of a summary.
const SHOWN: [&str; 8] = [
    "session_id",
    "name",
    "mode",
    "status",
    "current_phase",
    "current_step",
    "created_at",
    "updated_at",
];

pub fn endpoint() -> String {
    std::env::var("AWS_ENDPOINT_URL_DYNAMODB")
        .expect("AWS_ENDPOINT_URL_DYNAMODB names DynamoDB Local")
}

pub fn client(endpoint: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

/// Creates the template's table under a unique name.
pub async fn create(client: &Client) -> String {
    let name = format!("test-{}", Uuid::new_v4());
    let mut request = client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys("PK", "SK")))
        .global_secondary_indexes(index(
            "by-owner-status",
            "owner_status",
            "updated_key",
            &SHOWN,
        ))
        .global_secondary_indexes(index(
            "by-owner-mode",
            "owner_mode",
            "status_updated_key",
            &SHOWN,
        ))
        .global_secondary_indexes(index("by-due", "due_shard", "due", &[]));
    for name in [
        "PK",
        "SK",
        "owner_status",
        "updated_key",
        "owner_mode",
        "status_updated_key",
        "due_shard",
        "due",
    ] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        request = request.attribute_definitions(attribute.build().unwrap());
    }
    request.send().await.unwrap();
    name
}

fn keys(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(name, kind)| {
            let key = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind);
            key.build().unwrap()
        })
        .into()
}

fn index(name: &str, partition: &str, sort: &str, shown: &[&str]) -> GlobalSecondaryIndex {
    let projection = if shown.is_empty() {
        Projection::builder().projection_type(ProjectionType::KeysOnly)
    } else {
        Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(shown.iter().map(ToString::to_string).collect()))
    };
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys(partition, sort)))
        .projection(projection.build())
        .build()
        .unwrap()
}
