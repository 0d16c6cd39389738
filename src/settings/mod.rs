//! Arguments, environment and the settings file: resolved once, never changed.
//!
//! [`Options`] are one for a run, [`Settings`] one for each tree that it judges. The command line
//! overrides the file.

pub mod baseline;
pub mod file;
mod options;
mod reader;
mod selection;
mod tree;

pub use baseline::Baseline;
pub use file::{Ignore, SETTINGS_NAME, SettingsFile, Verify};
pub use options::{BaselineChoice, ConfigChoice, Options, Target, style};
pub use reader::Problem;
pub use selection::{Selected, Selection};
pub use tree::{Settings, SettingsError};
