//! Who reads the image of a page: Tesseract, Amazon Textract, or a model that sees.

use std::path::Path;
use std::time::Duration;

use agents::{Agents, ModelSettings};
use documents::DocumentSettings;
use documents::ocr::{OcrChoice, OcrEngine, OcrError, Tesseract, TesseractConfig, Textract};
use documents::reader::{DocumentError, Limits, PageImage, Reader, RenderError};
use lambda_kit::Aws;
use tokio::sync::OnceCell;
use workflow::{AgentRequest, StageFailure, Usage};

use super::{failure, nothing_was_tried};
use crate::Deadline;

/// Tesseract was measured at this resolution; more is larger, and hardly better.
const DPI: u32 = 200;

/// For an image that is too large for a model.
const COARSE_DPI: u32 = 110;

/// The largest image that every provider of models takes.
const MAX_MODEL_IMAGE: usize = 3_750_000;

/// Reads documents, and images of their pages.
#[derive(Debug)]
pub struct PageReader {
    /// The text layer, and the images.
    pub reader: Reader,
    /// The largest document that is taken, in bytes.
    pub max_bytes: u64,
    engine: OcrBackend,
    margin: Duration,
    /// Less than this is no fair chance: the page is for another invocation, and has not failed.
    fair_time: Duration,
}

#[derive(Debug)]
enum OcrBackend {
    /// Looked for when the first page needs it: most runs never do.
    Tesseract(Box<(TesseractConfig, OnceCell<Tesseract>)>),
    Textract(Textract),
    /// The model of the run, or the deployment's.
    Model,
}

/// What came of an image.
pub(super) enum Seen {
    /// A text, and who read it.
    Text {
        text: String,
        by: String,
        usage: Option<Usage>,
    },
    /// It was not read; and so long the service asked to be left alone.
    Failed(StageFailure, Duration),
    /// There was no time to try.
    NoTime,
}

impl PageReader {
    /// By `OCR_ENGINE` and `OCR_LANGUAGES`. Documents are read by this program itself, whose `main` begins with
    /// [`serve_if_child`](documents::reader::serve_if_child).
    ///
    /// # Errors
    /// When the system does not say which program this is.
    pub fn new(
        documents: &DocumentSettings,
        models: &ModelSettings,
        aws: &Aws,
    ) -> Result<Self, DocumentError> {
        let engine = match documents.ocr_engine {
            OcrChoice::Tesseract => {
                let settings = TesseractConfig {
                    languages: documents.ocr_languages.0.clone(),
                    ..TesseractConfig::default()
                };
                OcrBackend::Tesseract(Box::new((settings, OnceCell::new())))
            }
            OcrChoice::Textract => OcrBackend::Textract(Textract::in_region_of(aws.shared())),
            OcrChoice::Model => OcrBackend::Model,
        };
        let limits = Limits::default();
        Ok(Self {
            reader: Reader::this_program(limits)?,
            max_bytes: limits.bytes,
            engine,
            margin: models.step_margin.0,
            fair_time: models.function_timeout.0 / 2,
        })
    }

    /// A page as the engine takes it.
    pub(super) async fn image(&self, path: &Path, page: u32) -> Result<PageImage, RenderError> {
        let image = self.reader.render(path, page, DPI).await?;
        if matches!(self.engine, OcrBackend::Model) && image.png.len() > MAX_MODEL_IMAGE {
            return self.reader.render(path, page, COARSE_DPI).await;
        }
        Ok(image)
    }

    pub(super) async fn read(
        &self,
        image: &PageImage,
        agents: &Agents,
        request: &AgentRequest,
        deadline: Deadline,
    ) -> Seen {
        let read = match &self.engine {
            OcrBackend::Model => return by_model(image, agents, request, deadline).await,
            OcrBackend::Textract(textract) => self.by_engine(textract, image, deadline).await,
            OcrBackend::Tesseract(tesseract) => {
                let (config, found) = tesseract.as_ref();
                let find = || Tesseract::find(&self.reader, config.clone());
                match found.get_or_try_init(find).await {
                    Ok(tesseract) => self.by_engine(tesseract, image, deadline).await,
                    Err(error) => Err(error),
                }
            }
        };
        read.unwrap_or_else(|error| {
            tracing::warn!(
                code = error.code(),
                causes = lambda_kit::causes(&error),
                "page not read"
            );
            let failed = StageFailure {
                retryable: error.is_transient(),
                ..failure(error.code(), error.to_string())
            };
            Seen::Failed(failed, Duration::ZERO)
        })
    }

    async fn by_engine(
        &self,
        engine: &dyn OcrEngine,
        image: &PageImage,
        deadline: Deadline,
    ) -> Result<Seen, OcrError> {
        let is_fair = deadline.leaves(self.fair_time);
        let text = match engine.read(image, deadline.before(self.margin)).await {
            Err(OcrError::TookTooLong) if !is_fair => return Ok(Seen::NoTime),
            read => read?,
        };
        Ok(Seen::Text {
            text,
            by: engine.name().to_owned(),
            usage: None,
        })
    }
}

async fn by_model(
    image: &PageImage,
    agents: &Agents,
    request: &AgentRequest,
    deadline: Deadline,
) -> Seen {
    let asked = agents.read_page(&image.png, request.model.as_deref(), deadline.instant());
    match asked.await {
        Ok(page) => Seen::Text {
            text: page.text,
            by: page.usage.model.clone(),
            usage: Some(page.usage),
        },
        Err(error) if nothing_was_tried(&error) => Seen::NoTime,
        Err(error) => {
            let retry_after = error.retry_after().unwrap_or_default();
            Seen::Failed(error.into(), retry_after)
        }
    }
}
