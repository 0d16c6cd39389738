//! Kubernetes objects in documents: Secrets, and the generators that make them.

pub mod generator;
mod object;
pub mod public;
pub mod reading;
pub mod reference;
mod secret;
mod ssh;

pub use object::{is_manifest, is_object};
pub use secret::{Secret, SecretValue, VALUE_FIELDS, secrets};
