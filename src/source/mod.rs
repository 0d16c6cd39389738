//! The source of the bytes. It is chosen here; later stages do not know it.

mod blobs;
mod changes;
mod error;
mod files;
mod listing;
mod overlay;
mod path;
mod renames;
mod snapshot;
mod state;
mod view;
pub mod worktree;

pub use changes::SETTINGS_NAME;
pub use error::SourceError;
pub use files::Files;
pub use listing::{Listed, Listing};
pub use overlay::Overlay;
pub use path::normal;
pub use snapshot::Snapshot;
pub use state::Source;
pub use view::View;
pub use worktree::{WorkTree, config_above};
