//! What a document is to Kubernetes. Knows just what the rules ask for: where the Secrets are,
//! and of what others are made.

pub mod generator;
mod object;
pub mod public;
pub mod reference;
mod secret;

pub use object::{is_manifest, is_object};
pub use secret::{Secret, SecretValue, VALUE_FIELDS, secrets};
