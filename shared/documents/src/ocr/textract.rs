//! Amazon Textract: one request per page, with the image in the request.
//!
//! `DetectDocumentText` accepts a PNG of up to 5 MB and 10,000 pixels per side. A [`PageImage`] is
//! always smaller (<https://docs.aws.amazon.com/textract/latest/dg/API_Document.html>,
//! <https://docs.aws.amazon.com/textract/latest/dg/limits-document.html>).

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_textract::Client;
use aws_sdk_textract::error::SdkError;
use aws_sdk_textract::operation::detect_document_text::DetectDocumentTextError as Refusal;
use aws_sdk_textract::primitives::Blob;
use aws_sdk_textract::types::{Block, BlockType, Document};
use futures::future::BoxFuture;

use super::{OcrEngine, OcrError};
use crate::reader::PageImage;

/// The time limit per page with all retries. Textract takes seconds per page.
const PAGE_TIME: Duration = Duration::from_secs(30);

/// Amazon Textract in the region of its client.
#[derive(Debug, Clone)]
pub struct Textract {
    client: Client,
}

impl Textract {
    /// Uses this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Uses the region, the credentials and the connect timeout of `aws`, with a timeout that fits
    /// a page.
    pub fn in_region_of(aws: &SdkConfig) -> Self {
        let timeouts = aws.timeout_config().map(|shared| shared.to_builder());
        let timeouts = timeouts.unwrap_or_default().operation_timeout(PAGE_TIME);
        let config = aws_sdk_textract::config::Builder::from(aws).timeout_config(timeouts.build());
        Self::new(Client::from_conf(config.build()))
    }

    async fn detect(&self, page: &PageImage) -> Result<String, OcrError> {
        let document = Document::builder()
            .bytes(Blob::new(page.png.clone()))
            .build();
        let request = self.client.detect_document_text().document(document);
        let reply = request.send().await.map_err(refused)?;
        Ok(lines(reply.blocks()))
    }
}

impl OcrEngine for Textract {
    fn name(&self) -> &str {
        "textract"
    }

    fn read<'a>(
        &'a self,
        page: &'a PageImage,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<String, OcrError>> {
        Box::pin(async move {
            let reply = tokio::time::timeout_at(deadline.into(), self.detect(page)).await;
            reply.unwrap_or(Err(OcrError::TookTooLong))
        })
    }
}

/// The lines of the page in Textract's order. `WORD` blocks are skipped because they repeat the
/// lines.
fn lines(blocks: &[Block]) -> String {
    let lines = blocks
        .iter()
        .filter(|block| block.block_type() == Some(&BlockType::Line));
    let lines: Vec<&str> = lines.filter_map(Block::text).collect();
    lines.join("\n")
}

fn refused<R>(error: SdkError<Refusal, R>) -> OcrError
where
    SdkError<Refusal, R>: std::error::Error + Send + Sync + 'static,
{
    match error.as_service_error() {
        Some(
            Refusal::ThrottlingException(_) | Refusal::ProvisionedThroughputExceededException(_),
        ) => OcrError::Busy,
        Some(
            Refusal::BadDocumentException(_)
            | Refusal::DocumentTooLargeException(_)
            | Refusal::UnsupportedDocumentException(_)
            | Refusal::InvalidParameterException(_),
        ) => OcrError::BadImage,
        Some(Refusal::AccessDeniedException(_)) => OcrError::Unavailable(
            "Amazon Textract refuses this role: allow textract:DetectDocumentText".to_owned(),
        ),
        _ => OcrError::failed(error),
    }
}
