//! `GET /api/files/content`: the beginning of a text file of one of the caller's sessions.

mod operation;

use documents::{ArtifactError, Artifacts};
use lambda_kit::http::{HttpReply, MARKDOWN};
use lambda_kit::{App, Code, Problem, Request};
use run_files::{FoundFile, find, find_answer};
use schemars::JsonSchema;
use serde::Serialize;

pub use operation::operation;

/// The most bytes of a file that are shown.
const CONTENT_BYTES: u64 = 1024 * 1024;

/// The most bytes of a content as JSON, in which a control character takes six: a function's reply
/// has at most 6 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const JSON_BYTES: usize = 4 * 1024 * 1024;

/// The beginning of a text file.
#[derive(Serialize, JsonSchema)]
struct FileContent {
    /// As it was asked for.
    path: String,
    /// UTF-8 text: the whole file, or its first 1 MiB.
    content: String,
    /// The file's media type.
    content_type: String,
    /// The whole file's, in bytes.
    size: u64,
    /// Whether the file goes on behind the content.
    truncated: bool,
}

/// Answers with the first 1 MiB of the text file that `?path` names.
///
/// # Errors
/// `file_not_found`, `not_text`, `invalid_query`, `unavailable`.
pub async fn handle(
    app: &App,
    artifacts: &Artifacts,
    request: Request,
) -> Result<HttpReply, Problem> {
    let file = find(app, artifacts, &request).await?;
    let (content, content_type, size) = read(app, &file).await?;
    let content = fitting(content);
    HttpReply::ok(&FileContent {
        path: file.path.to_string(),
        truncated: size > content.len() as u64,
        content,
        content_type,
        size,
    })
}

/// The beginning of the text, its type and its whole size.
async fn read(app: &App, file: &FoundFile) -> Result<(String, String, u64), Problem> {
    match file
        .files
        .text_beginning(&file.path.key, CONTENT_BYTES)
        .await
    {
        Ok(read) => Ok((read.text, read.content_type, read.size)),
        Err(ArtifactError::NotFound) => {
            let answer = find_answer(app, file).await?;
            let size = answer.text.len() as u64;
            Ok((answer.text, MARKDOWN.to_owned(), size))
        }
        Err(ArtifactError::NotText) => {
            let detail = "The file is no text; it can be downloaded.";
            Err(Problem::new(Code::NotText, detail))
        }
        Err(error) => Err(Problem::unavailable(error)),
    }
}

/// As much of a text as fits into a reply.
fn fitting(mut text: String) -> String {
    let mut bytes = 0;
    let cut = text.char_indices().find(|(_, sign)| {
        bytes += match sign {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            '\0'..'\x20' => 6,
            sign => sign.len_utf8(),
        };
        bytes > JSON_BYTES
    });
    if let Some((at, _)) = cut {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use documents::testing::Bucket;
    use lambda_kit::testing::{ID, Wire, expect, get, success};
    use run_files::testing::replies;
    use serde_json::json;

    use super::*;

    fn asks(path: &str) -> Request {
        get(&format!("path={path}"))
    }

    fn missing() -> (u16, &'static str, String) {
        let error = "<Error><Code>NoSuchKey</Code></Error>";
        (404, "application/xml", error.to_owned())
    }

    /// What the table answers when a completed run's answer is asked for: the owner is read first.
    fn wire() -> Wire {
        let [locator, state, row, log] = replies(true);
        Wire::new([state.clone(), locator, state, row, log])
    }

    #[tokio::test]
    async fn a_text_is_one_read_of_the_table_and_one_of_the_bucket() {
        let bucket = Bucket::new(|_, _| (206, "text/markdown", "# Tides".into()));
        let wire = wire();
        let path = format!("{ID}/{ID}/step_1_a.md");
        let reply = handle(&wire.app(), &bucket.artifacts, asks(&path)).await;
        assert_eq!(
            success(reply),
            json!({
                "path": path, "content": "# Tides", "content_type": "text/markdown", "size": 7,
                "truncated": false,
            })
        );
        assert_eq!(wire.asked(), ["Query"]);
        assert_eq!(bucket.asked().len(), 1);
    }

    #[tokio::test]
    async fn the_answer_is_read_from_the_record_where_no_artifact_has_its_name() {
        let (wire, bucket) = (wire(), Bucket::new(|_, _| missing()));
        let path = format!("{ID}/{ID}/answer.md");
        let reply = success(handle(&wire.app(), &bucket.artifacts, asks(&path)).await);
        assert_eq!(reply["content"], "An answer.\n\nFile: `step_1_a.py`\n");
        assert_eq!(reply["content_type"], MARKDOWN);
        assert_eq!(reply["truncated"], false);

        let bucket = Bucket::new(|_, _| (206, "text/markdown", "its own".into()));
        let wire = super::tests::wire();
        let reply = success(handle(&wire.app(), &bucket.artifacts, asks(&path)).await);
        assert_eq!(reply["content"], "its own");
    }

    #[tokio::test]
    async fn what_is_no_text_is_told_apart_from_what_does_not_exist() {
        let no_text = Bucket::new(|_, _| (206, "application/pdf", "%PDF-1.7".into()));
        let upload = || asks(&format!("{ID}/uploads/a.pdf"));
        let read = async |bucket: &Bucket, request| {
            let refused = handle(&wire().app(), &bucket.artifacts, request).await;
            refused.unwrap_err().code()
        };
        assert_eq!(read(&no_text, upload()).await, Code::NotText);
        let empty = Bucket::new(|_, _| missing());
        assert_eq!(read(&empty, upload()).await, Code::FileNotFound);
        let other = asks(&format!("{ID}/{ID}/other.md"));
        assert_eq!(read(&empty, other).await, Code::FileNotFound);
        assert_eq!(read(&Bucket::silent(), upload()).await, Code::Unavailable);
    }

    #[tokio::test]
    async fn what_is_no_path_reaches_neither_table_nor_bucket() {
        let (wire, bucket) = (Wire::default(), Bucket::silent());
        let app = wire.app();
        let handle = |request| handle(&app, &bucket.artifacts, request);
        let paths = [
            "",
            "/",
            "..",
            "/etc/passwd",
            "file:///etc/passwd",
            "s3%3A%2F%2Fbucket%2Fkey",
            &format!("{ID}/uploads/.."),
            &format!("{ID}/uploads/..%2F..%2Fother"),
            &format!("{ID}/uploads/%2Fa"),
            &format!("{ID}/uploads/a%00"),
            &format!("{ID}/drafts/{ID}/page_1.json"),
            &format!("{ID}/drafts%2F{ID}%2Fpage_1.json"),
            &format!("{ID}/{ID}/..%5Ca"),
            &format!("{ID}/../{ID}/{ID}/a"),
            &format!("owner/{ID}/{ID}/a"),
        ];
        let cases = paths.map(|path| (asks(path), Code::FileNotFound));
        expect(handle, cases).await;
        expect(handle, [(get(""), Code::InvalidQuery)]).await;
        assert!(wire.asked().is_empty() && bucket.asked().is_empty());
    }

    #[test]
    fn a_text_of_control_characters_is_cut_so_that_its_json_fits() {
        assert_eq!(fitting("a\n\"é".into()), "a\n\"é");
        let cut = fitting("\u{1}".repeat(1024 * 1024));
        assert!(cut.len() > 600_000, "{}", cut.len());
        assert!(serde_json::to_string(&cut).unwrap().len() <= JSON_BYTES + 2);
        let cut = fitting("é".repeat(JSON_BYTES));
        assert_eq!(cut.len(), JSON_BYTES);
    }
}
