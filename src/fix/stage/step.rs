//! The single writes of a transaction, and who watches them.

use std::io;

/// One write. Each is atomic to a process that is killed, or leaves what recovery cleans up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The journal gets the record of the transaction.
    Record,
    /// A temporary file is created.
    Create,
    /// A temporary file gets its content.
    Fill,
    /// Git stores the new content of staged files.
    Store,
    /// Directories are written to disk, and with them the names of their files.
    Sync,
    /// Git updates its index.
    Index,
    /// The journal gets the mark of a transaction that will be finished.
    Decide,
    /// A temporary file replaces its target.
    Replace,
    /// A file gets a second name.
    Link,
    /// A file loses a name: the old one after a rename, or that of a temporary file.
    Unlink,
    /// The journal is emptied.
    Forget,
}

/// A function that is called before each write; it may be called from several threads.
///
/// Its error ends the transaction at once and undoes nothing, as if the process died. That is how tests
/// inject this fault.
pub type Observer<'o> = &'o (dyn Fn(Step) -> io::Result<()> + Sync);
