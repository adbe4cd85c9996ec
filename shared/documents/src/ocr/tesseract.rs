//! Runs the program `tesseract` (Debian: tesseract-ocr), one process per page.
//!
//! Tesseract is written in C++ and reads untrusted images, so it runs behind the walls of a reader
//! child: the child confines itself and then executes Tesseract. It uses one thread, because
//! parallel pages would compete for cores.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{OcrEngine, OcrError};
use crate::reader::{self, Death, Limits, PageImage, Reader};

/// The segmentation mode with orientation detection, used when its data is installed.
const WITH_ORIENTATION: &str = "1";
const WITHOUT_ORIENTATION: &str = "3";
/// The least gutter, in heights of letters. By default it is 0.75, less than a space: lines that
/// begin alike are then taken for two columns.
const GUTTER: &str = "textord_tabfind_aligned_gap_fraction=1.5";
/// Tesseract's variable for the folder of the language data.
const DATA: &str = "TESSDATA_PREFIX";
/// The dynamic loader's variable for folders of libraries.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";
/// The "language" that holds the data for orientation detection.
const ORIENTATION: &str = "osd";

/// How Tesseract runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TesseractConfig {
    /// A path, or a name that is searched for in `PATH`.
    pub program: PathBuf,
    /// Where its libraries are searched before the system's, with `:` between: `/opt/lib` for those
    /// of a Lambda layer.
    pub library_path: Option<String>,
    /// The folder of the language data, where it is not the built-in one.
    pub data: Option<PathBuf>,
    /// In Tesseract's notation, e.g. `eng` and `deu`. All are used together.
    pub languages: Vec<String>,
    /// The limit of the address space, in bytes. English takes less than 256 MiB for a page of
    /// 4,000 by 4,000 pixels.
    pub memory: u64,
    /// The time limit per page.
    pub page_time: Duration,
}

impl TesseractConfig {
    /// The defaults, with three quarters of a machine's memory, in bytes. No reader runs meanwhile,
    /// and the parent has the rest.
    pub fn of_machine(memory: u64) -> Self {
        Self {
            memory: memory / 4 * 3,
            ..Self::default()
        }
    }
}

impl Default for TesseractConfig {
    /// `tesseract` from the `PATH`, English, 768 MiB, one minute.
    fn default() -> Self {
        Self {
            program: "tesseract".into(),
            library_path: None,
            data: None,
            languages: vec!["eng".to_owned()],
            memory: 768 << 20,
            page_time: Duration::from_secs(60),
        }
    }
}

/// An installed Tesseract whose languages are known.
#[derive(Debug, Clone)]
pub struct Tesseract {
    reader: Reader,
    program: PathBuf,
    config: TesseractConfig,
    segmentation: &'static str,
}

impl Tesseract {
    /// Finds the program and checks its languages, in the way in which it reads pages. `reader`
    /// supplies the child process, not its limits.
    ///
    /// # Errors
    /// [`OcrError::Unavailable`]; its message says what to install.
    pub async fn find(reader: &Reader, config: TesseractConfig) -> Result<Self, OcrError> {
        let program = in_path(&config.program).ok_or_else(|| not_installed(&config.program))?;
        let mut command = command(reader, &config, &program, &["--list-langs"])?;
        command.stdin(Stdio::null());
        let told = tokio::time::timeout(config.page_time, command.output()).await;
        let told = told.map_err(|_| OcrError::TookTooLong)?;
        let told = told.map_err(|_| not_installed(&config.program))?;
        if !told.status.success() {
            return Err(does_not_start(&program, &told));
        }
        let installed = String::from_utf8_lossy(&told.stdout);
        let is_installed = |language: &str| installed.lines().any(|line| line.trim() == language);
        if let Some(missing) = config.languages.iter().find(|it| !is_installed(it)) {
            return Err(OcrError::Unavailable(format!(
                "Tesseract has no data for the language {missing} (Debian: apt install tesseract-ocr-{missing})"
            )));
        }
        let segmentation = match is_installed(ORIENTATION) {
            true => WITH_ORIENTATION,
            false => WITHOUT_ORIENTATION,
        };
        Ok(Self {
            reader: reader.clone(),
            program,
            config,
            segmentation,
        })
    }

    /// Runs Tesseract under its limits with the image on its standard input.
    async fn run(&self, page: &PageImage) -> Result<Output, OcrError> {
        let languages = self.config.languages.join("+");
        let mode = self.segmentation;
        let arguments = ["-", "-", "-l", &languages, "--psm", mode, "-c", GUTTER];
        let mut command = command(&self.reader, &self.config, &self.program, &arguments)?;
        let mut process = command.spawn().map_err(OcrError::failed)?;
        if let Some(mut input) = process.stdin.take() {
            // Tesseract reads its whole input before it writes. If it ends earlier, its exit status
            // says more than a broken pipe.
            let _ = input.write_all(&page.png).await;
        }
        process.wait_with_output().await.map_err(OcrError::failed)
    }

    fn told(&self, output: &Output) -> Result<String, OcrError> {
        if output.status.success() {
            return Ok(plain(&String::from_utf8_lossy(&output.stdout)));
        }
        let last_words = String::from_utf8_lossy(&output.stderr);
        match Death::of(output.status, &last_words) {
            Death::Time | Death::Processor => Err(OcrError::TookTooLong),
            Death::Memory => Err(OcrError::TooMuchMemory {
                limit: self.config.memory,
            }),
            // Status 1 means that it cannot read the image.
            Death::Document | Death::Reader(_) => Err(OcrError::BadImage),
        }
    }
}

impl OcrEngine for Tesseract {
    fn name(&self) -> &str {
        "tesseract"
    }

    fn read<'a>(
        &'a self,
        page: &'a PageImage,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<String, OcrError>> {
        Box::pin(async move {
            let end = deadline.min(Instant::now() + self.config.page_time);
            let output = tokio::time::timeout_at(end.into(), self.run(page)).await;
            self.told(&output.map_err(|_| OcrError::TookTooLong)??)
        })
    }
}

/// Tesseract behind the walls. It reads its libraries and its language data, wherever they are.
fn command(
    reader: &Reader,
    config: &TesseractConfig,
    program: &Path,
    arguments: &[&str],
) -> Result<Command, OcrError> {
    let limits = Limits {
        memory: config.memory,
        time: config.page_time,
        ..Limits::default()
    };
    let libraries = config.library_path.iter().flat_map(std::env::split_paths);
    let reads = libraries.chain(config.data.clone()).collect();
    let mut command =
        reader::becoming(reader, limits, program, arguments, reads).map_err(OcrError::failed)?;
    command.env("OMP_THREAD_LIMIT", "1");
    command.envs(config.library_path.iter().map(|path| (LIBRARY_PATH, path)));
    command.envs(config.data.iter().map(|folder| (DATA, folder)));
    Ok(command)
}

/// The lines without the form feed that ends a page.
fn plain(text: &str) -> String {
    text.replace('\u{c}', "").trim_end().to_owned()
}

fn not_installed(program: &Path) -> OcrError {
    OcrError::Unavailable(format!(
        "there is no program {} here (Debian: apt install tesseract-ocr)",
        program.display()
    ))
}

/// What the loader or the program says, as of a library that is missing.
fn does_not_start(program: &Path, told: &Output) -> OcrError {
    let last_words = String::from_utf8_lossy(&told.stderr);
    let last_words = last_words.trim();
    OcrError::Unavailable(format!(
        "{} does not start ({}): {last_words}",
        program.display(),
        told.status
    ))
}

/// The absolute path of the program. The child has no `PATH`.
fn in_path(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
