//! One run over one or more trees: options, clock, threads and keys, and the result of judging.
//!
//! [`Session::examine`] is the way that every command takes: list the files, load their policy, judge
//! them in parallel, judge the repository, and put findings, levels and ignores together.

mod conclude;
mod examine;
mod history;
mod keyring;
mod progress;
mod run;
mod same_key;
mod stored;

pub use examine::{Examined, Finished};
pub use run::Session;
