//! Reads the image of a page by Tesseract, Amazon Textract, or a model with vision.

use std::path::Path;
use std::time::Duration;

use agents::{Agents, ModelSettings};
use documents::DocumentSettings;
use documents::ocr::{OcrChoice, OcrEngine, OcrError, Tesseract, TesseractConfig, Textract};
use documents::reader::{DocumentError, Limits, PageImage, Reader, RenderError};
use executor::{Deadline, failure, was_not_called};
use lambda_kit::Aws;
use tokio::sync::OnceCell;
use workflow::{AgentRequest, StageFailure, Usage};

use crate::local_file::sweep_leftovers;

/// The resolution at which Tesseract was measured. More makes the image larger and the text hardly
/// better.
const DPI: u32 = 200;

/// The resolution of an image that would be too large for a model.
const COARSE_DPI: u32 = 110;

/// The largest image that every model provider accepts, in bytes.
const MAX_MODEL_IMAGE: usize = 3_750_000;

/// Reads documents and images of their pages.
#[derive(Debug)]
pub struct PageReader {
    /// Gives text layers and images.
    pub reader: Reader,
    /// The largest document that is accepted, in bytes.
    pub max_bytes: u64,
    engine: OcrBackend,
    margin: Duration,
    /// A page that takes too long with less than this left has not failed. Another invocation
    /// tries it, and reads a paper.
    pub(super) fair_time: Duration,
}

#[derive(Debug)]
enum OcrBackend {
    /// Found when the first page needs it: most runs never do.
    Tesseract(Box<(TesseractConfig, OnceCell<Tesseract>)>),
    /// And what it asks for a page, in US dollars.
    Textract(Textract, f64),
    /// The model of the run, or the default one.
    Model,
}

/// The result of reading an image.
pub(super) enum PageReading {
    /// The text, and the engine or model that read it.
    Text {
        text: String,
        by: String,
        usages: Vec<Usage>,
    },
    /// It was not read. The duration is the pause that the service asked for.
    Failed(StageFailure, Duration),
    /// The time was too short to try.
    NoTime,
}

impl PageReader {
    /// By `OCR_ENGINE` and `OCR_LANGUAGES`. Documents are read by a child process of this program,
    /// whose `main` begins with [`serve_if_child`](documents::reader::serve_if_child). Removes the
    /// documents that a killed worker left on the disk.
    ///
    /// # Errors
    /// If the path of this program is unknown.
    pub fn new(
        documents: &DocumentSettings,
        models: &ModelSettings,
        aws: &Aws,
    ) -> Result<Self, DocumentError> {
        sweep_leftovers();
        let engine = match documents.ocr_engine {
            OcrChoice::Tesseract => {
                OcrBackend::Tesseract(Box::new((documents.tesseract(), OnceCell::new())))
            }
            OcrChoice::Textract => OcrBackend::Textract(
                Textract::in_region_of(aws.shared()),
                documents.textract_usd_per_page.0,
            ),
            OcrChoice::Model => OcrBackend::Model,
        };
        let limits = Limits::of_machine(documents.memory());
        Ok(Self {
            reader: Reader::this_program(limits)?,
            max_bytes: limits.bytes,
            engine,
            margin: models.step_margin.0,
            fair_time: models.function_timeout.0 / 2,
        })
    }

    /// A page as an image for the engine.
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
    ) -> PageReading {
        let read = match &self.engine {
            OcrBackend::Model => return by_model(image, agents, request, deadline).await,
            OcrBackend::Textract(textract, usd_per_page) => {
                let usage = Usage {
                    model: textract.name().to_owned(),
                    input_tokens: 0,
                    output_tokens: 0,
                    cost_usd: Some(*usd_per_page),
                    estimated: false,
                };
                self.by_engine(textract, image, deadline, Some(usage)).await
            }
            OcrBackend::Tesseract(tesseract) => {
                let (config, found) = tesseract.as_ref();
                let find = || Tesseract::find(&self.reader, config.clone());
                match found.get_or_try_init(find).await {
                    Ok(tesseract) => self.by_engine(tesseract, image, deadline, None).await,
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
            PageReading::Failed(failed, Duration::ZERO)
        })
    }

    async fn by_engine(
        &self,
        engine: &dyn OcrEngine,
        image: &PageImage,
        deadline: Deadline,
        usage: Option<Usage>,
    ) -> Result<PageReading, OcrError> {
        let is_fair = deadline.leaves(self.fair_time);
        let text = match engine.read(image, deadline.before(self.margin)).await {
            Err(OcrError::TookTooLong) if !is_fair => return Ok(PageReading::NoTime),
            read => read?,
        };
        Ok(PageReading::Text {
            text,
            by: engine.name().to_owned(),
            usages: usage.into_iter().collect(),
        })
    }
}

async fn by_model(
    image: &PageImage,
    agents: &Agents,
    request: &AgentRequest,
    deadline: Deadline,
) -> PageReading {
    let asked = agents.read_page(&image.png, request, deadline.instant());
    match asked.await {
        Ok(page) => PageReading::Text {
            text: page.text,
            by: page.model,
            usages: page.usages,
        },
        Err(error) if was_not_called(&error) => PageReading::NoTime,
        Err(error) => {
            let retry_after = error.retry_after().unwrap_or_default();
            PageReading::Failed(error.into(), retry_after)
        }
    }
}

#[cfg(test)]
mod tests {
    use agents::ModelConfig;
    use aws_sdk_textract::config::{BehaviorVersion, Credentials, Region};
    use workflow::Brief;

    use super::*;

    /// Textract with this status, at a tenth of a cent a page.
    fn textract(status: u16) -> PageReader {
        let reply = move |_| {
            let body =
                r#"{"Blocks": [{"BlockType": "LINE", "Id": "l", "Text": "The moon pulls."}]}"#;
            http::Response::builder().status(status).body(body).unwrap()
        };
        let config = aws_sdk_textract::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(stub_http::stub_client(reply));
        let client = aws_sdk_textract::Client::from_conf(config.build());
        let limits = Limits::default();
        PageReader {
            reader: Reader::this_program(limits).unwrap(),
            max_bytes: limits.bytes,
            engine: OcrBackend::Textract(Textract::new(client), 0.001),
            margin: Duration::from_secs(1),
            fair_time: Duration::from_secs(1),
        }
    }

    async fn read(reader: &PageReader) -> PageReading {
        let image = PageImage {
            png: b"pixels".to_vec(),
            width: 1,
            height: 1,
            damage: None,
        };
        let request = AgentRequest {
            agent: "reader".into(),
            model: None,
            max_attempts: 1,
            earlier_calls: 0,
            max_cost_usd: None,
            node: "extraction".into(),
            brief: Brief::default(),
        };
        let agents = Agents::new(ModelConfig::default()).unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        reader.read(&image, &agents, &request, deadline).await
    }

    #[tokio::test]
    async fn a_page_that_textract_reads_is_in_the_ledger_at_its_price() {
        let PageReading::Text { text, by, usages } = read(&textract(200)).await else {
            panic!("the page is read");
        };
        assert_eq!(
            (text.as_str(), by.as_str()),
            ("The moon pulls.", "textract")
        );
        let [usage] = &usages[..] else {
            panic!("one page: {usages:?}");
        };
        assert_eq!(
            (usage.model.as_str(), usage.cost_usd),
            ("textract", Some(0.001))
        );
        assert_eq!((usage.input_tokens, usage.output_tokens), (0, 0));
    }

    #[tokio::test]
    async fn a_page_that_textract_refuses_costs_nothing() {
        let PageReading::Failed(failed, _) = read(&textract(400)).await else {
            panic!("the page is not read");
        };
        assert!(failed.usages.is_empty());
    }
}
