//! A run's configuration: the keys that a client may give, and the settings of one mode derived
//! from them.

mod checkpoint_settings;
mod field_error;
mod fields;
mod keys;
mod ocr;
mod run_config;
mod run_settings;

pub use checkpoint_settings::CheckpointSettings;
pub use field_error::FieldError;
pub use fields::{
    Amount, ApprovalMode, CheckpointChoice, HitlVariant, ModelName, OneShotAgent, Whole,
};
pub use keys::{ConfigKey, config_keys};
pub use ocr::{DocumentName, OcrSettings};
pub use run_config::RunConfig;
pub use run_settings::{CostCaps, RunSettings, RunSettingsError};
