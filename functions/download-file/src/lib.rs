//! `GET /api/files/download`: a file of one of the caller's sessions, to be saved.

mod operation;

use documents::Artifacts;
use lambda_kit::http::HttpReply;
use lambda_kit::{App, Problem, Request, now};
use run_files::{ANSWER, find, find_answer};

pub use operation::operation;

/// Redirects to a link of the file that `?path` names, for 15 minutes. The answer of a run, which
/// is in no bucket, is the reply itself.
///
/// # Errors
/// `file_not_found`, `invalid_query`, `unavailable`.
pub async fn handle(
    app: &App,
    artifacts: &Artifacts,
    request: Request,
) -> Result<HttpReply, Problem> {
    let file = find(app, artifacts, &request).await?;
    let exists = file.files.exists(&file.path.key).await;
    if !exists.map_err(Problem::unavailable)? {
        let answer = find_answer(app, &file).await?;
        return Ok(HttpReply::markdown_file(ANSWER, answer.text));
    }
    let link = file.files.link(&file.path.key, now()).await;
    Ok(HttpReply::redirect(link.map_err(Problem::unavailable)?))
}

#[cfg(test)]
mod tests {
    use documents::testing::Bucket;
    use lambda_kit::Code;
    use lambda_kit::testing::{ID, Wire, expect, get};
    use run_files::testing::replies;

    use super::*;

    fn asks(path: &str) -> Request {
        get(&format!("path={path}"))
    }

    fn heads(status: u16) -> Bucket {
        Bucket::new(move |_, _| (status, "text/plain", String::new()))
    }

    /// What the table answers when a completed run's answer is asked for: the owner is read first.
    fn wire() -> Wire {
        let [locator, state, row, log] = replies(true);
        Wire::new([state.clone(), locator, state, row, log])
    }

    #[tokio::test]
    async fn a_file_of_the_bucket_is_a_redirect_to_its_link() {
        let (wire, bucket) = (wire(), heads(200));
        let path = format!("{ID}/uploads/a%20b.pdf");
        let reply = handle(&wire.app(), &bucket.artifacts, asks(&path)).await;
        let reply = reply.unwrap();
        assert_eq!((reply.status(), reply.json()), (302, ""));
        let link = reply.header("location").unwrap();
        assert!(
            link.contains(&format!("/{ID}/uploads/a%20b.pdf?")),
            "{link}"
        );
        assert!(link.contains("X-Amz-Expires=900"), "{link}");
        assert_eq!(wire.asked(), ["Query"]);
        assert_eq!(bucket.asked().len(), 1, "{:?}", bucket.asked());
    }

    #[tokio::test]
    async fn the_answer_of_a_run_is_the_reply_itself() {
        let path = format!("{ID}/{ID}/answer.md");
        let reply = handle(&wire().app(), &heads(404).artifacts, asks(&path)).await;
        let reply = reply.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(
            reply.header("content-disposition").unwrap(),
            "attachment; filename=\"answer.md\""
        );
        assert_eq!(reply.json(), "An answer.\n\nFile: `step_1_a.py`\n");
        let own = handle(&wire().app(), &heads(200).artifacts, asks(&path)).await;
        assert_eq!(own.unwrap().status(), 302, "the run's own artifact");
    }

    #[tokio::test]
    async fn no_link_leads_to_a_file_that_does_not_exist() {
        let refused = async |bucket: Bucket, path: String| {
            let reply = handle(&wire().app(), &bucket.artifacts, asks(&path)).await;
            reply.unwrap_err().code()
        };
        let upload = || format!("{ID}/uploads/answer.md");
        assert_eq!(refused(heads(404), upload()).await, Code::FileNotFound);
        let other = format!("{ID}/{ID}/other.md");
        assert_eq!(refused(heads(404), other).await, Code::FileNotFound);
        assert_eq!(refused(heads(403), upload()).await, Code::Unavailable);
    }

    #[tokio::test]
    async fn what_is_no_path_reaches_neither_table_nor_bucket() {
        let (wire, bucket) = (Wire::default(), heads(200));
        let app = wire.app();
        let handle = |request| handle(&app, &bucket.artifacts, request);
        let climbing = format!("path={ID}/uploads/..%2Fa");
        let cases = [
            (get(""), Code::InvalidQuery),
            (asks("x"), Code::FileNotFound),
            (get(&climbing), Code::FileNotFound),
        ];
        expect(handle, cases).await;
        assert!(wire.asked().is_empty() && bucket.asked().is_empty());
    }
}
