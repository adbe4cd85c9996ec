//! A run's configuration: the keys that a client may give, and the settings of one mode made from them.

mod checkpoint_settings;
mod fields;
mod ocr;
mod run_settings;

pub use checkpoint_settings::CheckpointSettings;
pub use ocr::{DocumentName, OcrSettings};
pub use run_settings::{RunSettings, RunSettingsError};
