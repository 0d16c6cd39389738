//! sops-lint: finds what is wrong with SOPS-encrypted files.
//!
//! ```text
//! main -> commands -> session   one run: options, clock, threads, keys
//!                  -> settings  the settings of a tree, read once
//!                  -> source    which files, and their bytes
//!                  -> policy    which creation rule governs each file
//!                  -> judge     bytes -> documents -> rules -> findings, in parallel
//!                  -> report    findings, sorted and redacted -> exit code
//! ```
//!
//! The modules below are in order: each imports only modules above it. A test checks that. The
//! library exists for tests, benches and fuzz targets. Its API is not stable.

pub mod text;

pub mod pattern;

pub mod path;

pub mod shell;

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

pub mod tree;

pub mod redact;

pub mod finding;

pub mod rules;

pub mod judge;

pub mod git;

pub mod source;

pub mod fix;

pub mod report;

pub mod cli;

pub mod settings;

pub mod session;

pub mod commands;
