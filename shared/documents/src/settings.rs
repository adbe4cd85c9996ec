//! The environment variables of the documents crate: the bucket, arXiv, and the OCR engine.

use std::path::PathBuf;

use aws_config::SdkConfig;
use environment::{EnvironmentError, Milliseconds, required};

use crate::Artifacts;
use crate::arxiv::ArxivConfig;
use crate::ocr::{Languages, OcrChoice, PagePrice, TesseractConfig};

environment::settings! {
    /// The settings of files, papers and pages. The fields have the meaning that
    /// [`VARIABLES`](DocumentSettings::VARIABLES) describes.
    pub struct DocumentSettings;
    "BUCKET_NAME" bucket: String, "The bucket for contents above 32 KiB.";
    "OCR_ENGINE" ocr_engine: OcrChoice = "tesseract",
        "The reader of pages without a text layer: `tesseract`, `textract`, or `model`, the run's own or \
        `MODEL_ID`, which must read images.";
    "OCR_LANGUAGES" ocr_languages: Languages = "eng",
        "What Tesseract reads, with + between: `eng+deu`.";
    "TESSDATA_PREFIX" tessdata: String,
        "The folder of Tesseract's language data; its built-in one when absent.";
    "LD_LIBRARY_PATH" library_path: String,
        "Where Tesseract's libraries are searched before the system's. Lambda sets it, with `/opt/lib` \
        of a layer.";
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" memory_mib: u32 = "1024",
        "The function's memory in MiB, as Lambda sets it. One reader of documents has half of it, one \
        Tesseract three quarters, and never both at once.";
    "TEXTRACT_USD_PER_PAGE" textract_usd_per_page: PagePrice = "0.0015",
        "What a page costs that Textract reads, in US dollars, for ledgers and budgets.";
    "ARXIV_API_URL" arxiv_api_url: String,
        "Where papers' metadata is asked for; arXiv's own query endpoint when absent.";
    "ARXIV_PDF_URL" arxiv_pdf_url: String,
        "What a paper's id is appended to, after `/`, for its PDF; arXiv's own when absent.";
    "ARXIV_INTERVAL_MS" arxiv_interval: Milliseconds = "3000",
        "The least time between two requests to arXiv, of all runs together: arXiv's own rule. Only a \
        server of your own may be asked more often.";
}

impl DocumentSettings {
    /// The artifacts in `BUCKET_NAME`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn artifacts(&self, aws: &SdkConfig) -> Result<Artifacts, EnvironmentError> {
        let config = aws_sdk_s3::config::Builder::from(aws)
            // A bucket in the host name needs a wildcard resolver, which a local stack lacks. In
            // AWS the name belongs there, because clients get links to it
            // (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
            .force_path_style(aws.endpoint_url().is_some())
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        Ok(Artifacts::new(
            client,
            required("BUCKET_NAME", &self.bucket)?,
        ))
    }

    /// The memory of the function, in bytes.
    pub fn memory(&self) -> u64 {
        u64::from(self.memory_mib) << 20
    }

    /// How Tesseract runs on this machine.
    pub fn tesseract(&self) -> TesseractConfig {
        TesseractConfig {
            library_path: self.library_path.clone(),
            data: self.tessdata.as_ref().map(PathBuf::from),
            languages: self.ocr_languages.0.clone(),
            ..TesseractConfig::of_machine(self.memory())
        }
    }

    /// The addresses of arXiv.
    pub fn arxiv(&self) -> ArxivConfig {
        let own = ArxivConfig::default();
        ArxivConfig {
            api_url: self.arxiv_api_url.clone().unwrap_or(own.api_url),
            pdf_url: self.arxiv_pdf_url.clone().unwrap_or(own.pdf_url),
            max_pdf_bytes: own.max_pdf_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Limits;

    #[test]
    fn a_reader_has_half_of_the_functions_memory_and_tesseract_three_quarters() {
        for (told, reader, tesseract) in [(None, 512, 768), (Some("2048"), 1024, 1536)] {
            let get = |name: &str| {
                let told = told.filter(|_| name == "AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
                told.map(str::to_owned)
            };
            let settings = DocumentSettings::read(get).unwrap();
            let limits = Limits::of_machine(settings.memory());
            assert_eq!(limits.memory, reader << 20);
            assert_eq!(settings.tesseract().memory, tesseract << 20);
        }
    }
}
