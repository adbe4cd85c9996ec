//! What the authorizer lets in and what it denies: each test's name is a sentence of its
//! specification.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail like the test"
)]

mod issuer;

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use lambda_kit::EdgeSettings;
use serde_json::{Value, json};
use ws_authorizer::Authorizer;

use issuer::{AUDIENCE, Issuer, Key, in_seconds};

const ARN: &str = "arn:aws:execute-api:eu-central-1:111122223333:f6g7h8i9j0/v1/$connect";
const TTL: u64 = 600;

// Making keys is slow, so the tests share them.
static KEY: LazyLock<Key> = LazyLock::new(|| Key::new("key-1"));
static OTHER_KEY: LazyLock<Key> = LazyLock::new(|| Key::new("key-2"));

struct World {
    issuer: Issuer,
    authorizer: Authorizer,
    now: Cell<SystemTime>,
}

impl World {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&str, &str)]) -> Self {
        let issuer = Issuer::publishing(&[&KEY]).await;
        let mut variables = vec![
            ("JWT_ISSUER", issuer.url.as_str()),
            ("JWT_AUDIENCE", AUDIENCE),
        ];
        variables.extend(more);
        let authorizer = configured(&variables).unwrap();
        Self {
            issuer,
            authorizer,
            now: Cell::new(SystemTime::now()),
        }
    }

    /// The answer to a connection with this token in its header, or why there is none.
    async fn answer(&self, token: &str) -> Result<Value, String> {
        self.asked(
            &json!({"Authorization": format!("Bearer {token}")}),
            &json!(null),
        )
        .await
    }

    async fn asked(&self, headers: &Value, query: &Value) -> Result<Value, String> {
        let mut event: Value =
            serde_json::from_str(include_str!("../../../events/ws-authorizer.json")).unwrap();
        event["methodArn"] = ARN.into();
        event["headers"] = headers.clone();
        event["queryStringParameters"] = query.clone();
        let answer = self
            .authorizer
            .handle(serde_json::from_value(event).unwrap(), self.now.get())
            .await;
        answer
            .map(|answer| serde_json::to_value(answer).unwrap())
            .map_err(|trouble| trouble.to_string())
    }

    /// For the keys so many seconds pass; a token's own times are the system's.
    fn later(&self, seconds: u64) {
        self.now.set(self.now.get() + Duration::from_secs(seconds));
    }

    async fn admits(&self, token: &str) -> bool {
        effect(&self.answer(token).await.unwrap()) == "Allow"
    }

    fn good(&self) -> String {
        KEY.signed(&KEY.header(), &self.issuer.claims())
    }

    /// A token that is good but for these claims; null takes one away.
    fn claiming(&self, changes: &[(&str, Value)]) -> String {
        KEY.signed(&KEY.header(), &changed(self.issuer.claims(), changes))
    }

    /// A token that is good but for these fields of its header.
    fn headed(&self, changes: &[(&str, Value)]) -> String {
        KEY.signed(&changed(KEY.header(), changes), &self.issuer.claims())
    }
}

fn configured(variables: &[(&str, &str)]) -> Result<Authorizer, String> {
    let settings = EdgeSettings::read(|name| {
        let set = variables.iter().find(|(known, _)| *known == name);
        set.map(|(_, value)| (*value).to_owned())
    });
    Authorizer::new(&settings.unwrap()).map_err(|error| error.to_string())
}

fn changed(mut object: Value, changes: &[(&str, Value)]) -> Value {
    let fields = object.as_object_mut().unwrap();
    for (name, value) in changes {
        match value {
            Value::Null => fields.remove(*name),
            value => fields.insert((*name).to_owned(), value.clone()),
        };
    }
    object
}

fn effect(answer: &Value) -> &str {
    answer["policyDocument"]["Statement"][0]["Effect"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn it_allows_this_one_connection_and_says_who_and_until_when() {
    let world = World::new().await;
    let until = in_seconds(60);
    let answer = world
        .answer(&world.claiming(&[("exp", json!(until))]))
        .await;
    let statement = json!([{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN}]);
    assert_eq!(
        answer.unwrap(),
        json!({
            "principalId": "ada",
            "policyDocument": {"Version": "2012-10-17", "Statement": statement},
            "context": {"iss": world.issuer.url, "sub": "ada", "exp": until.to_string()},
        })
    );
}

#[tokio::test]
async fn it_denies_this_one_connection_and_says_nothing_else() {
    let world = World::new().await;
    let statement = json!([{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": ARN}]);
    assert_eq!(
        world.answer("forged").await.unwrap(),
        json!({"principalId": "unnamed", "policyDocument": {"Version": "2012-10-17", "Statement": statement}})
    );
}

#[tokio::test]
async fn it_finds_the_token_in_the_header_or_the_query_and_the_header_goes_first() {
    let world = World::new().await;
    let good = world.good();
    for (headers, query, expected) in [
        (
            json!({"Authorization": format!("Bearer {good}")}),
            json!(null),
            "Allow",
        ),
        (
            json!({"authorization": format!("bearer {good}")}),
            json!({"task_id": "t"}),
            "Allow",
        ),
        (json!({}), json!({"token": good, "task_id": "t"}), "Allow"),
        (
            json!({"Authorization": format!("Bearer {good}")}),
            json!({"token": "forged"}),
            "Allow",
        ),
        (
            json!({"Authorization": "Bearer forged"}),
            json!({"token": good}),
            "Deny",
        ),
        (json!({"Authorization": good}), json!(null), "Deny"),
        (
            json!({"Authorization": format!("Basic {good}")}),
            json!({"token": good}),
            "Deny",
        ),
        (json!({}), json!({"Token": good}), "Deny"),
    ] {
        let answer = world.asked(&headers, &query).await.unwrap();
        assert_eq!(effect(&answer), expected, "{headers} {query}");
    }
}

#[tokio::test]
async fn it_denies_if_there_is_no_token_and_asks_nobody() {
    let world = World::new().await;
    for (headers, query) in [
        (json!(null), json!(null)),
        (json!({}), json!({"task_id": "t"})),
        (json!({"Authorization": ""}), json!(null)),
        (json!({"Authorization": "Bearer "}), json!(null)),
        (json!({}), json!({"token": ""})),
    ] {
        let answer = world.asked(&headers, &query).await.unwrap();
        assert_eq!(effect(&answer), "Deny", "{headers} {query}");
    }
    assert_eq!(world.issuer.says().asked, 0);
}

#[tokio::test]
async fn it_denies_if_the_token_is_no_jwt() {
    let world = World::new().await;
    let good = world.good();
    for token in [
        "forged",
        "a.b.c",
        "..",
        &good[..good.len() / 2],
        &format!("{good}.{good}"),
    ] {
        assert!(!world.admits(token).await, "{token}");
    }
}

#[tokio::test]
async fn it_denies_if_the_algorithm_is_none_whatever_its_spelling() {
    let world = World::new().await;
    for algorithm in ["none", "None", "NONE", ""] {
        assert!(
            !world
                .admits(&world.headed(&[("alg", json!(algorithm))]))
                .await,
            "{algorithm}"
        );
    }
    assert!(!world.admits(&world.headed(&[("alg", json!(null))])).await);
}

#[tokio::test]
async fn it_denies_if_the_token_is_signed_with_the_public_key_as_a_secret() {
    let world = World::new().await;
    assert!(
        !world
            .admits(&world.headed(&[("alg", json!("HS256"))]))
            .await
    );
}

#[tokio::test]
async fn it_denies_if_the_algorithm_is_another_one_also_when_the_signature_is_right() {
    let world = World::new().await;
    for algorithm in ["RS512", "PS256", "ES256", "EdDSA"] {
        assert!(
            !world
                .admits(&world.headed(&[("alg", json!(algorithm))]))
                .await,
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn it_denies_if_the_token_has_no_kid() {
    let world = World::new().await;
    assert!(!world.admits(&world.headed(&[("kid", json!(null))])).await);
    assert_eq!(world.issuer.says().asked, 0);
}

#[tokio::test]
async fn it_denies_if_the_token_demands_what_nobody_here_knows() {
    let world = World::new().await;
    assert!(
        !world
            .admits(&world.headed(&[("crit", json!(["b64"])), ("b64", json!(false))]))
            .await
    );
}

#[tokio::test]
async fn it_denies_if_the_signature_is_another_keys() {
    let world = World::new().await;
    let forged = OTHER_KEY.signed(&KEY.header(), &world.issuer.claims());
    assert!(!world.admits(&forged).await);
}

#[tokio::test]
async fn it_denies_if_a_claim_was_changed_after_signing() {
    let world = World::new().await;
    let (good, other) = (world.good(), world.claiming(&[("sub", json!("eve"))]));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let forged = [&parts(&good)[0], &parts(&other)[1], &parts(&good)[2]]
        .map(String::as_str)
        .join(".");
    assert!(!world.admits(&forged).await);
}

#[tokio::test]
async fn it_denies_if_the_token_is_over_or_never_ends() {
    let world = World::new().await;
    for exp in [
        json!(in_seconds(-1)),
        json!(0),
        json!(null),
        json!("tomorrow"),
        json!(-1),
    ] {
        assert!(
            !world.admits(&world.claiming(&[("exp", exp.clone())])).await,
            "{exp}"
        );
    }
}

#[tokio::test]
async fn it_allows_a_token_from_a_clock_that_is_a_little_ahead_and_denies_one_from_the_future() {
    let world = World::new().await;
    assert!(
        world
            .admits(&world.claiming(&[("nbf", json!(in_seconds(5)))]))
            .await
    );
    assert!(world.admits(&world.claiming(&[("nbf", json!(null))])).await);
    for nbf in [json!(in_seconds(15)), json!("now")] {
        assert!(
            !world.admits(&world.claiming(&[("nbf", nbf.clone())])).await,
            "{nbf}"
        );
    }
}

#[tokio::test]
async fn it_denies_if_the_issuer_is_another_one() {
    let world = World::new().await;
    let url = world.issuer.url.clone();
    for iss in [
        json!("https://evil.example"),
        json!(format!("{url}/")),
        json!([url]),
        json!(null),
    ] {
        assert!(
            !world.admits(&world.claiming(&[("iss", iss.clone())])).await,
            "{iss}"
        );
    }
}

#[tokio::test]
async fn it_denies_if_the_audience_is_another_one() {
    let world = World::new().await;
    for aud in [
        json!("another"),
        json!(["another"]),
        json!([]),
        json!(7),
        json!(null),
        json!(""),
    ] {
        assert!(
            !world.admits(&world.claiming(&[("aud", aud.clone())])).await,
            "{aud}"
        );
    }
    let both = [("aud", json!("another")), ("client_id", json!(AUDIENCE))];
    assert!(!world.admits(&world.claiming(&both)).await);
}

#[tokio::test]
async fn it_allows_one_of_several_audiences_and_a_client_id_where_there_is_no_audience() {
    let world = World::new().await;
    assert!(
        world
            .admits(&world.claiming(&[("aud", json!(["another", AUDIENCE]))]))
            .await
    );
    let client = [("aud", json!(null)), ("client_id", json!(AUDIENCE))];
    assert!(world.admits(&world.claiming(&client)).await);
}

#[tokio::test]
async fn it_denies_if_the_token_has_no_subject() {
    let world = World::new().await;
    for sub in [json!(null), json!(""), json!(7), json!(["ada"])] {
        assert!(
            !world.admits(&world.claiming(&[("sub", sub.clone())])).await,
            "{sub}"
        );
    }
}

#[tokio::test]
async fn it_denies_if_the_key_is_not_for_rs256_signatures_or_too_short() {
    let world = World::new().await;
    for change in [
        ("kty", json!("EC")),
        ("use", json!("enc")),
        ("alg", json!("RS512")),
        ("n", json!("AQAB")),
    ] {
        world.issuer.says().keys = vec![changed(KEY.public(), std::slice::from_ref(&change))];
        world.later(TTL);
        assert!(!world.admits(&world.good()).await, "{change:?}");
    }
}

#[tokio::test]
async fn a_key_of_another_kind_does_not_hide_the_others() {
    let world = World::new().await;
    world.issuer.says().keys.insert(
        0,
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "key-0", "x": "AA"}),
    );
    world.issuer.says().keys.push(json!("nonsense"));
    assert!(world.admits(&world.good()).await);
}

#[tokio::test]
async fn it_asks_the_issuer_once_while_the_keys_are_fresh_and_again_when_their_time_is_over() {
    let world = World::new().await;
    for _ in 0..3 {
        assert!(world.admits(&world.good()).await);
    }
    assert_eq!(world.issuer.says().asked, 1);
    world.later(TTL);
    assert!(world.admits(&world.good()).await);
    assert_eq!(world.issuer.says().asked, 2);
}

#[tokio::test]
async fn it_allows_a_token_by_a_key_that_was_published_a_moment_ago() {
    let world = World::new().await;
    assert!(world.admits(&world.good()).await);
    world.issuer.publishes(&[&KEY, &OTHER_KEY]);
    world.later(31);
    let token = OTHER_KEY.signed(&OTHER_KEY.header(), &world.issuer.claims());
    assert!(world.admits(&token).await);
    assert!(world.admits(&world.good()).await);
    assert_eq!(world.issuer.says().asked, 2);
}

#[tokio::test]
async fn it_denies_a_withdrawn_key_when_the_keys_time_is_over() {
    let world = World::new().await;
    assert!(world.admits(&world.good()).await);
    world.issuer.publishes(&[&OTHER_KEY]);
    assert!(world.admits(&world.good()).await);
    world.later(TTL);
    assert!(!world.admits(&world.good()).await);
}

#[tokio::test]
async fn a_clock_that_is_put_back_keeps_no_key_alive() {
    let world = World::new().await;
    assert!(world.admits(&world.good()).await);
    world.issuer.publishes(&[&OTHER_KEY]);
    world.now.set(SystemTime::UNIX_EPOCH);
    assert!(!world.admits(&world.good()).await);
}

#[tokio::test]
async fn it_denies_an_unknown_key_and_cannot_be_made_to_hammer_the_issuer() {
    let world = World::new().await;
    assert!(world.admits(&world.good()).await);
    for n in 0..20 {
        assert!(
            !world
                .admits(&world.headed(&[("kid", json!(format!("made-up-{n}")))]))
                .await
        );
    }
    assert_eq!(world.issuer.says().asked, 1);
    world.later(31);
    for n in 0..20 {
        assert!(
            !world
                .admits(&world.headed(&[("kid", json!(format!("made-up-{n}")))]))
                .await
        );
    }
    assert_eq!(world.issuer.says().asked, 2);
}

#[tokio::test]
async fn it_lets_nobody_in_while_the_issuer_does_not_answer_and_everybody_once_it_does() {
    let world = World::new().await;
    world.issuer.says().down = true;
    for _ in 0..5 {
        world.answer(&world.good()).await.unwrap_err();
    }
    assert_eq!(world.issuer.says().asked, 1, "it is given a second");
    world.issuer.says().down = false;
    world.later(1);
    assert!(world.admits(&world.good()).await);
}

#[tokio::test]
async fn fresh_keys_are_used_while_the_issuer_does_not_answer_and_old_ones_are_not() {
    let world = World::new().await;
    assert!(world.admits(&world.good()).await);
    world.issuer.says().down = true;
    world.later(31);
    assert!(
        !world
            .admits(&world.headed(&[("kid", json!("made-up"))]))
            .await
    );
    assert!(world.admits(&world.good()).await);
    world.later(TTL);
    world.answer(&world.good()).await.unwrap_err();
}

#[tokio::test]
async fn it_lets_nobody_in_by_the_discovery_document_of_another_issuer() {
    let world = World::new().await;
    world.issuer.says().name = "https://evil.example".into();
    world.answer(&world.good()).await.unwrap_err();
}

#[tokio::test]
async fn it_lets_nobody_in_by_an_answer_that_is_far_too_large() {
    let world = World::new().await;
    world.issuer.says().keys.push(json!("x".repeat(300_000)));
    world.answer(&world.good()).await.unwrap_err();
}

#[tokio::test]
async fn with_an_owner_a_client_without_a_token_comes_in_unnamed_and_a_bad_token_does_not() {
    let world = World::with(&[("OWNER", "local")]).await;
    let answer = world
        .asked(&json!({}), &json!({"task_id": "t"}))
        .await
        .unwrap();
    assert_eq!(effect(&answer), "Allow");
    assert!(answer.get("context").is_none());
    assert!(!world.admits("forged").await);
    assert!(world.admits(&world.good()).await);
}

#[test]
fn a_bad_setting_stops_the_cold_start_and_is_named() {
    let good = [
        ("JWT_ISSUER", "https://issuer.example/pool"),
        ("JWT_AUDIENCE", "a"),
    ];
    configured(&good).unwrap();
    for (issuer, audience, named) in [
        (None, Some("a"), "JWT_ISSUER"),
        (Some("https://issuer.example"), None, "JWT_AUDIENCE"),
        (Some("issuer.example"), Some("a"), "JWT_ISSUER"),
        (Some("http://issuer.example"), Some("a"), "JWT_ISSUER"),
        (
            Some("http://127.0.0.1.evil.example"),
            Some("a"),
            "JWT_ISSUER",
        ),
        (Some("ftp://127.0.0.1"), Some("a"), "JWT_ISSUER"),
        (
            Some("https://issuer.example?tenant=1"),
            Some("a"),
            "JWT_ISSUER",
        ),
    ] {
        let variables = [("JWT_ISSUER", issuer), ("JWT_AUDIENCE", audience)];
        let set: Vec<_> = variables
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)))
            .collect();
        assert!(
            configured(&set).unwrap_err().starts_with(named),
            "{issuer:?} {audience:?}"
        );
    }
}
