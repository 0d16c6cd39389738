//! A progress line on the terminal.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time before the line appears.
const PATIENCE: Duration = Duration::from_millis(300);
/// Time between two updates.
const PERIOD: Duration = Duration::from_millis(100);

/// A counter of files, shown on standard error until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    done: Arc<AtomicUsize>,
    painter: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to count up to `total`; shows nothing if `is_shown` is false.
    pub(super) fn start(total: usize, is_shown: bool) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        let painter = is_shown.then(|| {
            let (stop, stopped) = mpsc::channel();
            let done = Arc::clone(&done);
            (stop, std::thread::spawn(move || paint(&done, total, &stopped)))
        });
        Self { done, painter }
    }

    /// Counts one more file.
    pub(super) fn advance(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

fn paint(done: &AtomicUsize, total: usize, stopped: &mpsc::Receiver<()>) {
    let mut is_painted = false;
    let mut pause = PATIENCE;
    let mut stderr = std::io::stderr();
    while stopped.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
        let done = done.load(Ordering::Relaxed);
        // The run goes on if the terminal is gone.
        let _ = write!(stderr, "\r\x1b[KScanning files: {done} of {total}");
        let _ = stderr.flush();
        is_painted = true;
        pause = PERIOD;
    }
    if is_painted {
        let _ = write!(stderr, "\r\x1b[K");
        let _ = stderr.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, painter)) = self.painter.take() {
            drop(stop);
            let _ = painter.join();
        }
    }
}
