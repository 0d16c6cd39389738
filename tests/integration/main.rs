//! Behaviour through the binary. One test program: it builds once.

#![expect(clippy::disallowed_methods, reason = "tests make files, run programs and read the world")]

mod cli;
mod corpus;
mod layering;
mod support;
mod vectors;
