use std::time::Duration;

use documents::arxiv::{ArxivError, Found, MAX_IDS, PaperMetadata};

use crate::server::{Piece, Reply, Server, feed, html, reply};
use crate::{id, in_a_moment, soon};

const SEVERAL: &str = include_str!("feeds/several.xml");
const MISSING: &str = include_str!("feeds/missing.xml");
const NONE: &str = include_str!("feeds/none.xml");
const ERROR: &str = include_str!("feeds/error.xml");

/// The result of requesting one paper.
async fn ask(reply: Reply) -> Result<Vec<Found>, ArxivError> {
    let server = Server::start(reply).await;
    server.arxiv.metadata(&[id("2101.00001")], soon()).await
}

async fn refusal(reply: Reply) -> ArxivError {
    ask(reply).await.unwrap_err()
}

fn paper(found: &Found) -> &PaperMetadata {
    match found {
        Found::Paper(paper) => paper,
        Found::NotFound(id) => panic!("{id} was not found"),
    }
}

#[tokio::test]
async fn several_papers_come_in_request_order_by_one_request() {
    let server = Server::start(feed(SEVERAL)).await;
    let ids = ["1706.03762", "hep-ex/0307015", "9912.00001"].map(id);
    let found = server.arxiv.metadata(&ids, soon()).await.unwrap();
    let [attention, electrons, withdrawn] = [0, 1, 2].map(|index| paper(&found[index]));

    assert_eq!(attention.id, ids[0]);
    assert_eq!(attention.title, "Attention Is All You Need");
    assert_eq!(attention.authors.len(), 8);
    assert_eq!(attention.authors[5], "Aidan N. Gomez");
    assert_eq!(
        attention.published.unwrap().to_string(),
        "2017-06-12T17:57:34Z"
    );
    assert_eq!(attention.categories, ["cs.CL", "cs.LG"]);
    assert_eq!(
        attention.pdf_url.as_deref(),
        Some("http://arxiv.org/pdf/1706.03762v7")
    );
    assert!(
        attention
            .abstract_text
            .starts_with("The dominant sequence transduction models are based")
    );
    assert!(!attention.withdrawn);

    assert_eq!(electrons.id, ids[1]);
    assert_eq!(
        electrons.title,
        "Multi-Electron Production at High Transverse Momenta in ep Collisions at HERA"
    );
    assert_eq!(electrons.authors, ["H1 Collaboration"]);
    assert_eq!(
        electrons.published.unwrap().to_string(),
        "2003-07-07T17:46:39Z"
    );

    assert_eq!(withdrawn.title, "Signs & errors <of an example>");
    assert!(withdrawn.withdrawn);
    assert_eq!(withdrawn.pdf_url, None);

    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/api/query");
    assert!(asked[0].user_agent.starts_with("intermission/"));
    let query = [
        ("id_list", "1706.03762,hep-ex/0307015,9912.00001"),
        ("max_results", "3"),
    ];
    assert_eq!(
        asked[0].query,
        query.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn a_version_has_the_metadata_of_that_version() {
    let entry = |version: &str, title: &str| {
        format!(
            "<entry><id>http://arxiv.org/abs/2401.12345{version}</id><title>{title}</title></entry>"
        )
    };
    let entries = [entry("v3", "Third"), entry("v1", "First")].concat();
    let several = NONE.replace("</feed>", &format!("{entries}</feed>"));
    let server = Server::start(feed(several.leak())).await;
    let ids = ["2401.12345v1", "2401.12345", "2401.12345v2"].map(id);
    let found = server.arxiv.metadata(&ids, soon()).await.unwrap();
    for (index, version, title) in [(0, 1, "First"), (1, 3, "Third")] {
        let paper = paper(&found[index]);
        assert_eq!((&paper.id, paper.version), (&ids[index], Some(version)));
        assert_eq!(paper.title, title);
    }
    assert_eq!(found[2], Found::NotFound(ids[2].clone()));
    let list = (
        "id_list".to_owned(),
        "2401.12345v1,2401.12345,2401.12345v2".to_owned(),
    );
    assert!(server.asked()[0].query.contains(&list));
}

#[tokio::test]
async fn a_paper_without_a_complete_entry_is_not_found() {
    let server = Server::start(feed(MISSING)).await;
    let ids = ["2201.13453", "1706.03762", "2201.13454"].map(id);
    let found = server.arxiv.metadata(&ids, soon()).await.unwrap();
    assert_eq!(found[0], Found::NotFound(ids[0].clone()));
    assert_eq!(paper(&found[1]).id, ids[1]);
    assert_eq!(found[2], Found::NotFound(ids[2].clone()));
}

#[tokio::test]
async fn an_empty_feed_means_that_no_paper_was_found() {
    assert_eq!(
        ask(feed(NONE)).await.unwrap(),
        [Found::NotFound(id("2101.00001"))]
    );
}

#[tokio::test]
async fn a_feed_with_fewer_entries_than_it_counts_is_garbled() {
    let counted = NONE.replace("totalResults>0<", "totalResults>1<").leak();
    assert!(matches!(refusal(feed(counted)).await, ArxivError::Garbled));
}

#[tokio::test]
async fn a_refused_id_is_named_under_status_200_and_400() {
    for status in [200, 400] {
        let error = refusal(reply(status, "application/atom+xml", ERROR)).await;
        assert!(
            matches!(&error, ArxivError::Refused(Some(refused)) if *refused == id("2101.00001"))
        );
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_paper_survives_a_json_round_trip() {
    let server = Server::start(feed(SEVERAL)).await;
    let found = server
        .arxiv
        .metadata(&[id("1706.03762")], soon())
        .await
        .unwrap();
    let json = serde_json::to_value(paper(&found[0])).unwrap();
    assert_eq!(json["id"], "1706.03762");
    assert_eq!(json["published"], "2017-06-12T17:57:34Z");
    assert!(json["abstract"].is_string());
    assert_eq!(
        &serde_json::from_value::<PaperMetadata>(json).unwrap(),
        paper(&found[0])
    );
}

#[tokio::test]
async fn no_ids_and_too_many_ids_make_no_request() {
    let server = Server::start(feed(NONE)).await;
    assert_eq!(server.arxiv.metadata(&[], soon()).await.unwrap(), []);
    let many: Vec<_> = (1..=101)
        .map(|number| id(&format!("2101.{number:05}")))
        .collect();
    let error = server.arxiv.metadata(&many, soon()).await.unwrap_err();
    assert!(matches!(error, ArxivError::TooManyIds));
    assert!(server.asked().is_empty());
    assert_eq!(
        server
            .arxiv
            .metadata(&many[..MAX_IDS], soon())
            .await
            .unwrap()
            .len(),
        100
    );
}

#[tokio::test]
async fn a_busy_reply_carries_its_retry_after() {
    for (status, retry_after, expected) in [
        (503, Some("5"), Some(Duration::from_secs(5))),
        (
            429,
            Some("Sun, 22 Nov 2020 10:00:00 GMT"),
            Some(Duration::ZERO),
        ),
        (429, None, None),
        (503, Some("later"), None),
    ] {
        let retry_after = retry_after.map(|value| ("retry-after", value.to_owned()));
        let body = vec![Piece::Bytes("Rate exceeded.".into())];
        let error = refusal(Reply::Http(status, retry_after.into_iter().collect(), body)).await;
        assert!(matches!(error, ArxivError::Busy { .. }), "{status}");
        assert_eq!(error.retry_after(), expected);
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn other_statuses_are_transient_or_permanent() {
    for (status, transient) in [(403, false), (404, false), (500, true), (502, true)] {
        let error = refusal(html(status, "oops")).await;
        assert!(matches!(error, ArxivError::Status(said) if said == status));
        assert_eq!(error.is_transient(), transient, "{status}");
    }
}

#[tokio::test]
async fn a_response_that_is_no_feed_is_garbled() {
    let cut = &SEVERAL[..SEVERAL.len() / 2];
    for body in ["", "not XML", "{}", "<rss><channel/></rss>", cut] {
        let error = refusal(reply(200, "application/atom+xml", body)).await;
        assert!(matches!(error, ArxivError::Garbled), "{body}");
        assert!(error.is_transient());
    }
    for busy in [
        html(200, "Rate exceeded."),
        reply(200, "text/plain", "Rate exceeded."),
    ] {
        assert!(matches!(refusal(busy).await, ArxivError::Busy { .. }));
    }
    let latin = reply(
        200,
        "application/atom+xml",
        &b"<feed><title>Poincar\xe9</title></feed>"[..],
    );
    assert!(matches!(refusal(latin).await, ArxivError::Garbled));
}

#[tokio::test]
async fn a_closed_connection_is_a_connection_error() {
    let broken = vec![Piece::Bytes(SEVERAL[..400].into()), Piece::Close];
    for reply in [Reply::Close, Reply::Http(200, vec![], broken)] {
        let error = refusal(reply).await;
        assert!(matches!(error, ArxivError::Connection(_)), "{error:?}");
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn the_deadline_ends_a_request_that_hangs() {
    let begun = vec![Piece::Bytes(SEVERAL[..400].into()), Piece::Hang];
    for reply in [Reply::Hang, Reply::Http(200, vec![], begun)] {
        let server = Server::start(reply).await;
        let error = server
            .arxiv
            .metadata(&[id("2101.00001")], in_a_moment())
            .await;
        assert!(matches!(error, Err(ArxivError::Timeout)));
    }
}
