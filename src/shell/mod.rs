//! Commands for people: a help names them as values, and each reader gets them for the own directory.

mod advice;
mod command;
mod reader;

pub use advice::Advice;
pub use command::Command;
pub use reader::Reader;
