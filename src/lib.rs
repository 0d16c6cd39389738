//! sops-lint: finds what is wrong with SOPS-encrypted files.
//!
//! ```text
//! main -> commands::scan -> source::worktree  which files
//!                        -> policy            which creation rule governs each
//!                        -> inspect           traces, document, sops, kubernetes, rules
//!                        -> report            findings, sorted, redacted
//! ```
//!
//! The modules below stand in their order: each imports only what stands above it, and a test
//! holds them to it. The library exists for tests, benches and fuzz targets; its API is not
//! stable.

pub mod text;

pub mod pattern;

pub mod path;

pub mod secret;

pub mod private_key;

pub mod host;

pub mod input;

pub mod document;

pub mod keys;

pub mod sops;

pub mod traces;

pub mod policy;

pub mod kubernetes;

pub mod redact;

pub mod finding;

pub mod rules;

pub mod inspect;

pub mod git;

pub mod source;

pub mod fix;

pub mod report;

pub mod cli;

pub mod settings;

pub mod commands;
