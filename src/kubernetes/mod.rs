//! Kubernetes objects in documents: Secrets, and the generators that make them.

pub mod generator;
pub mod literal;
mod object;
pub mod patch;
pub mod placeholder;
pub mod public;
pub mod reading;
pub mod reference;
mod scheme;
mod secret;
mod ssh;
mod template;
mod variable;

pub use object::{field, identity, is_manifest, is_object};
pub use secret::{Secret, SecretValue, VALUE_FIELDS, secrets};
