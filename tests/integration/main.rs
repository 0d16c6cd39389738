//! Behaviour through the binary. One test program: it builds once.

#![expect(clippy::disallowed_methods, reason = "tests make files, run programs and read the world")]

mod action;
mod adopting;
mod baseline;
mod canary;
mod cli;
mod completions;
mod consumers;
mod corpus;
mod depends_on;
mod differential;
mod docs;
mod fix;
mod git;
mod gpg;
mod helps;
mod history;
mod hooks;
mod hostile;
mod inputs;
mod key_search;
mod keyring;
mod layering;
mod limits;
mod neighbours;
mod oracle;
mod peers;
mod private_keys;
mod reports;
mod rules;
mod same_key;
mod schemas;
mod settings;
mod support;
mod terminal;
mod vectors;
mod verifying;
