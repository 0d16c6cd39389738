//! Behaviour through the binary. One test program: it builds once.

#![expect(clippy::disallowed_methods, reason = "tests make files, run programs and read the world")]

mod canary;
mod cli;
mod corpus;
mod docs;
mod hostile;
mod layering;
mod limits;
mod neighbours;
mod rules;
mod schemas;
mod settings;
mod support;
mod vectors;
