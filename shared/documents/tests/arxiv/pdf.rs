use std::time::Duration;

use bytes::Bytes;
use documents::arxiv::{ArxivError, Instead};

use crate::server::{Piece, Reply, Server, html, reply};
use crate::{id, in_a_moment, soon};

const PDF: &[u8] = b"%PDF-1.5\n%\xd0\xd4\xc5\xd8\n1 0 obj\n<<>>\nendobj\n%%EOF\n";

/// The result of requesting a PDF.
async fn ask(reply: Reply) -> Result<Bytes, ArxivError> {
    let server = Server::start(reply).await;
    server.arxiv.pdf(&id("2101.00001"), soon()).await
}

/// A PDF of this size, in pieces.
fn long_pdf(bytes: usize) -> Vec<Piece> {
    let mut rest = bytes - PDF.len();
    let mut pieces = vec![Piece::Bytes(PDF.into())];
    while rest > 0 {
        let length = rest.min(4096);
        pieces.push(Piece::Bytes(vec![b'x'; length].into()));
        rest -= length;
    }
    pieces
}

#[tokio::test]
async fn a_pdf_is_requested_by_an_id_of_either_style() {
    for (paper, path) in [
        ("2101.00001v3", "/pdf/2101.00001v3"),
        ("2101.00001", "/pdf/2101.00001"),
        ("math.GT/0309136", "/pdf/math/0309136"),
    ] {
        let server = Server::start(reply(200, "application/pdf", PDF)).await;
        assert_eq!(server.arxiv.pdf(&id(paper), soon()).await.unwrap(), PDF);
        let asked = server.asked();
        assert_eq!(asked[0].path, path);
        assert!(asked[0].user_agent.starts_with("intermission/"));
    }
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_address_alone() {
    let other = Server::start(reply(200, "application/pdf", PDF)).await;
    let to = |location: String| Reply::Http(302, vec![("location", location)], Vec::new());
    let elsewhere = ask(to(format!("{}/pdf/2101.00001", other.url))).await;
    assert!(matches!(elsewhere, Err(ArxivError::Status(302))));
    assert!(other.asked().is_empty());

    let own = Server::start(to("/pdf/2101.00001v1".into())).await;
    let in_circles = own.arxiv.pdf(&id("2101.00001"), soon()).await;
    assert!(matches!(in_circles, Err(ArxivError::Connection(_))));
    let paths: Vec<_> = own.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths[..2], ["/pdf/2101.00001", "/pdf/2101.00001v1"]);
    assert_eq!(paths.len(), 6);
}

#[tokio::test]
async fn the_bytes_and_not_the_content_type_identify_a_pdf() {
    assert_eq!(
        ask(reply(200, "application/octet-stream", PDF))
            .await
            .unwrap(),
        PDF
    );
    assert_eq!(
        ask(Reply::Http(200, vec![], long_pdf(64 << 10)))
            .await
            .unwrap()
            .len(),
        64 << 10
    );
}

#[tokio::test]
async fn a_missing_pdf_is_not_found() {
    for status in [404, 410] {
        let error = ask(html(status, "PDF unavailable for 2101.00001"))
            .await
            .unwrap_err();
        assert!(matches!(error, ArxivError::NotFound));
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn the_error_names_the_content_sent_instead_of_a_pdf() {
    for (reply, instead) in [
        (
            html(200, "The author has provided no source"),
            Instead::Page,
        ),
        (
            reply(
                200,
                "application/pdf",
                "\n<html><body>Not found</body></html>",
            ),
            Instead::Page,
        ),
        (reply(200, "application/pdf", ""), Instead::Nothing),
        (
            reply(200, "application/pdf", "%!PS-Adobe-2.0"),
            Instead::Other,
        ),
        (
            reply(200, "application/gzip", &b"\x1f\x8b\x08\x00"[..]),
            Instead::Other,
        ),
    ] {
        let error = ask(reply).await.unwrap_err();
        assert!(
            matches!(error, ArxivError::NotPdf(came) if came == instead),
            "{error:?}"
        );
        assert!(!error.is_transient(), "{instead:?}");
    }
}

#[tokio::test]
async fn a_text_that_asks_for_fewer_requests_means_busy_with_any_status() {
    let later = vec![("retry-after", "7".to_owned())];
    for (reply, retry_after) in [
        (reply(200, "text/plain", "Rate exceeded."), None),
        (reply(200, "application/pdf", "Rate exceeded."), None),
        (html(200, "<form>Please solve the reCAPTCHA</form>"), None),
        (html(404, "Too Many Requests"), None),
        (
            Reply::Http(200, later, vec![Piece::Bytes("Rate exceeded.".into())]),
            Some(Duration::from_secs(7)),
        ),
    ] {
        let error = ask(reply).await.unwrap_err();
        assert!(matches!(error, ArxivError::Busy { .. }), "{error:?}");
        assert_eq!(error.retry_after(), retry_after);
        assert!(error.is_transient());
    }
    // In a PDF, the words are the paper's.
    let paper = [PDF, b"A Theory of the CAPTCHA: why papers are withdrawn"].concat();
    assert!(ask(reply(200, "application/pdf", paper)).await.is_ok());
}

#[tokio::test]
async fn a_withdrawn_paper_is_told_from_a_missing_one() {
    for reply in [
        html(404, "withdrawn"),
        html(200, "This submission has been withdrawn by its authors"),
    ] {
        let error = ask(reply).await.unwrap_err();
        assert!(matches!(error, ArxivError::Withdrawn), "{error:?}");
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_pdf_above_the_limit_is_refused_with_any_announced_length() {
    let announced = vec![("content-length", "70000000".to_owned())];
    for reply in [
        Reply::Http(200, announced, vec![Piece::Bytes(PDF.into()), Piece::Hang]),
        Reply::Http(200, vec![], long_pdf((64 << 10) + 1)),
        // The body never ends; the client must stop reading.
        Reply::Http(
            200,
            vec![],
            [long_pdf(80 << 10), vec![Piece::Hang]].concat(),
        ),
    ] {
        let error = ask(reply).await.unwrap_err();
        assert!(
            matches!(error, ArxivError::TooLarge { limit: 65_536 }),
            "{error:?}"
        );
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_truncated_pdf_is_an_error() {
    let length = vec![("content-length", "4096".to_owned())];
    let broken = vec![Piece::Bytes(PDF.into()), Piece::Close];
    for reply in [
        Reply::Http(200, length, broken.clone()),
        Reply::Http(200, vec![], broken),
        Reply::Close,
    ] {
        let error = ask(reply).await.unwrap_err();
        assert!(matches!(error, ArxivError::Connection(_)), "{error:?}");
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn the_deadline_ends_a_hanging_download() {
    for reply in [
        Reply::Hang,
        Reply::Http(200, vec![], vec![Piece::Bytes(PDF.into()), Piece::Hang]),
    ] {
        let server = Server::start(reply).await;
        let error = server
            .arxiv
            .pdf(&id("2101.00001"), in_a_moment())
            .await
            .unwrap_err();
        assert!(matches!(error, ArxivError::Timeout));
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn a_busy_reply_to_a_pdf_request_carries_its_retry_after() {
    let headers = vec![("retry-after", "12".to_owned())];
    let error = ask(Reply::Http(503, headers, vec![])).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(12)));
    assert!(matches!(
        ask(html(403, "denied")).await,
        Err(ArxivError::Status(403))
    ));
}
