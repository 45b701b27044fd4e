//! Writes the access log: what shards hand over in batches, through the control thread's ring.
//!
//! A shard never waits for a disk. It fills a batch, puts it on the [`LogQueue`], and drops (and
//! counts) what does not fit. The writer looks every 100 ms, so that a shard need not call it; a queue that
//! is a quarter full does. A batch that cannot be written is dropped, counted and told once a
//! minute: a full disk costs log lines, never requests.
//!
//! In: batches of whole lines, and [`LogCommand`]s. Out: bytes appended to a file or standard output.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio_uring::buf::{BoundedBuf, Slice};
use tokio_uring::fs::File;

use crate::telemetry::LogQueue;

/// Time between two looks at the queue. A look takes a core some 50 us away from a shard that it shares it
/// with, nearly all of it waiting for code and data that the shard has driven from the caches.
const POLL: Duration = Duration::from_millis(100);
/// Batches that one operation writes at most. Each is a wake-up of a kernel's thread and one of ours, so
/// one for all that came since the last look costs a tenth of one for each.
const BATCHES_AT_ONCE: usize = 64;
/// Between two messages about a log that cannot be written.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// A non-blocking pipe or terminal that is full is tried again after this time, so many times.
const RETRY_DELAY: Duration = Duration::from_millis(10);
const RETRY_COUNT_MAX: u32 = 500;
/// io_uring's "at the file's own position", which pipes need and appending files ignore.
const CURRENT_POSITION: u64 = u64::MAX;

/// Where the access log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDestination {
    /// Standard output.
    Stdout,
    /// Appended to this file, which is made if need be.
    File(PathBuf),
}

impl fmt::Display for LogDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What a running writer can be told.
#[derive(Debug)]
pub enum LogCommand {
    /// Open the file anew: logrotate has renamed it.
    Reopen,
    /// Write all that is queued, then answer.
    Flush(oneshot::Sender<()>),
}

/// What became of the log, for `/metrics`.
#[derive(Debug, Default)]
pub struct LogWriterCells {
    /// Bytes written.
    pub bytes_written: AtomicU64,
    /// Lines of batches that could not be written whole.
    pub lines_failed: AtomicU64,
}

/// The writer's own state.
pub struct LogWriter {
    queue: Arc<LogQueue>,
    destination: LogDestination,
    file: File,
    cells: Arc<LogWriterCells>,
    /// The last write stopped within a line: the next one begins a new line.
    torn: bool,
    reported_at: Option<Instant>,
    failed_since_report: u64,
}

impl LogWriter {
    /// Opens the destination.
    ///
    /// # Errors
    /// A sentence that names the file and why it cannot be opened.
    pub fn open(
        destination: LogDestination,
        queue: Arc<LogQueue>,
        cells: Arc<LogWriterCells>,
    ) -> Result<Self, String> {
        let file = open(&destination)
            .map_err(|error| format!("the access log {destination} cannot be opened: {error}"))?;
        Ok(Self {
            queue,
            destination,
            file,
            cells,
            torn: false,
            reported_at: None,
            failed_since_report: 0,
        })
    }

    /// Writes until every sender of `commands` is gone. Must run in the tokio-uring runtime.
    pub async fn run(mut self, mut commands: mpsc::Receiver<LogCommand>) {
        let queue = Arc::clone(&self.queue);
        loop {
            self.write_queued().await;
            let command = tokio::select! {
                command = commands.recv() => command,
                () = queue.crowded() => continue,
                () = tokio::time::sleep(POLL) => continue,
            };
            match command {
                Some(LogCommand::Reopen) => self.reopen().await,
                Some(LogCommand::Flush(done)) => {
                    self.write_queued().await;
                    // Nobody waits any more: nothing to tell.
                    let _ = done.send(());
                }
                None => {
                    self.write_queued().await;
                    return;
                }
            }
        }
    }

    /// Writes all batches that are queued now; how many there were.
    async fn write_queued(&mut self) -> usize {
        let mut count = 0;
        loop {
            let queued = std::iter::from_fn(|| self.queue.pop()).take(BATCHES_AT_ONCE);
            let (batches, lines): (Vec<_>, VecDeque<_>) =
                queued.map(|(batch, lines)| (batch.slice_full(), lines)).unzip();
            if batches.is_empty() {
                return count;
            }
            count += batches.len();
            self.write_all(batches, lines).await;
        }
    }

    /// Writes batches, each of so many lines, with one operation for as many of them as the file takes. One
    /// that an error stops is dropped, and the next one tried.
    async fn write_all(&mut self, mut batches: Vec<Slice<Vec<u8>>>, mut lines: VecDeque<u32>) {
        let mut retries = 0;
        self.begin_line(&mut batches);
        while !batches.is_empty() {
            let result;
            (result, batches) = self.file.writev_at(batches, CURRENT_POSITION).await;
            let error = match result {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    self.go_on(&mut batches, &mut lines, count);
                    retries = 0;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock && retries < RETRY_COUNT_MAX =>
                {
                    retries += 1;
                    tokio::time::sleep(RETRY_DELAY).await;
                    continue;
                }
                Err(error) => error,
            };
            self.queue.give_back(batches.remove(0).into_inner());
            let lost = u64::from(lines.pop_front().unwrap_or_default());
            self.cells.lines_failed.fetch_add(lost, Ordering::Relaxed);
            self.failed_since_report += lost;
            self.report(&error);
            self.begin_line(&mut batches);
            retries = 0;
        }
    }

    /// Takes so many written bytes, and the batches that are whole with them, off the front.
    fn go_on(
        &mut self,
        batches: &mut Vec<Slice<Vec<u8>>>,
        lines: &mut VecDeque<u32>,
        written: usize,
    ) {
        self.cells.bytes_written.fetch_add(written as u64, Ordering::Relaxed);
        let mut rest = written;
        while rest > 0 && !batches.is_empty() {
            let length = batches[0].bytes_init();
            let taken = rest.min(length);
            self.torn = batches[0][..taken].last().map_or(self.torn, |&last| last != b'\n');
            rest -= taken;
            let batch = batches.remove(0);
            if taken < length {
                let begin = batch.begin() + taken;
                batches.insert(0, batch.into_inner().slice(begin..));
            } else {
                lines.pop_front();
                self.queue.give_back(batch.into_inner());
            }
        }
    }

    /// Has the next batch begin a line, should the last one have been cut off within one.
    fn begin_line(&self, batches: &mut [Slice<Vec<u8>>]) {
        if self.torn
            && let Some(next) = batches.first_mut()
        {
            let mut batch = std::mem::replace(next, Vec::new().slice_full()).into_inner();
            batch.insert(0, b'\n');
            *next = batch.slice_full();
        }
    }

    async fn reopen(&mut self) {
        if self.destination == LogDestination::Stdout {
            return;
        }
        match open(&self.destination) {
            Ok(file) => {
                let old = std::mem::replace(&mut self.file, file);
                self.torn = false;
                if let Err(error) = old.close().await {
                    self.report(&error);
                }
                tracing::info!("access log {} reopened", self.destination);
            }
            Err(error) => tracing::error!(
                "the access log {} cannot be reopened, the old file is written on: {error}",
                self.destination
            ),
        }
    }

    fn report(&mut self, error: &io::Error) {
        if self.reported_at.is_some_and(|at| at.elapsed() < REPORT_EVERY) {
            return;
        }
        tracing::error!(
            "the access log {} cannot be written, {} lines are lost: {error}",
            self.destination,
            self.failed_since_report
        );
        self.reported_at = Some(Instant::now());
        self.failed_since_report = 0;
    }
}

fn open(destination: &LogDestination) -> io::Result<File> {
    let file = match destination {
        LogDestination::Stdout => std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?),
        LogDestination::File(path) => {
            std::fs::OpenOptions::new().append(true).create(true).open(path)?
        }
    };
    Ok(File::from_std(file))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Rig {
        dir: PathBuf,
        queue: Arc<LogQueue>,
        cells: Arc<LogWriterCells>,
    }

    impl Rig {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("ringway-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self { dir, queue: Arc::new(LogQueue::new()), cells: Arc::default() }
        }

        fn writer(&self, path: PathBuf) -> LogWriter {
            let destination = LogDestination::File(path);
            LogWriter::open(destination, self.queue.clone(), self.cells.clone()).unwrap()
        }

        fn push(&self, text: &str) {
            let lines = u32::try_from(text.lines().count()).unwrap();
            self.queue.push(text.as_bytes().to_vec(), lines).unwrap();
        }
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }

    async fn flush(commands: &mpsc::Sender<LogCommand>) {
        let (done, flushed) = oneshot::channel();
        commands.send(LogCommand::Flush(done)).await.unwrap();
        flushed.await.unwrap();
    }

    #[test]
    fn batches_are_appended_in_order_and_rotation_loses_none() {
        tokio_uring::start(async {
            let rig = Rig::new("log-rotate");
            let path = rig.dir.join("access.log");
            fs::write(&path, "before\n").unwrap();
            let (commands, receiver) = mpsc::channel(8);
            let running = tokio_uring::spawn(rig.writer(path.clone()).run(receiver));
            rig.push("one\n");
            rig.push("two\nthree\n");
            flush(&commands).await;
            assert_eq!(fs::read_to_string(&path).unwrap(), "before\none\ntwo\nthree\n");

            fs::rename(&path, rig.dir.join("access.log.1")).unwrap();
            rig.push("four\n");
            flush(&commands).await;
            commands.send(LogCommand::Reopen).await.unwrap();
            flush(&commands).await;
            rig.push("five\n");
            drop(commands);
            running.await.unwrap();
            let old = fs::read_to_string(rig.dir.join("access.log.1")).unwrap();
            assert_eq!(old, "before\none\ntwo\nthree\nfour\n");
            assert_eq!(fs::read_to_string(&path).unwrap(), "five\n");
            assert_eq!(rig.cells.bytes_written.load(Ordering::Relaxed), 24);
        });
    }

    #[test]
    fn a_full_disk_costs_lines_and_is_counted() {
        tokio_uring::start(async {
            let rig = Rig::new("log-full");
            let mut writer = rig.writer(PathBuf::from("/dev/full"));
            rig.push("one\n");
            rig.push("two\n");
            assert_eq!(writer.write_queued().await, 2);
            assert_eq!(rig.cells.lines_failed.load(Ordering::Relaxed), 2);
            assert_eq!(writer.failed_since_report, 1, "the second was not told");
        });
    }

    #[test]
    fn what_takes_only_parts_gets_every_batch_in_order() {
        tokio_uring::start(async {
            let rig = Rig::new("log-parts");
            let mut writer = rig.writer(rig.dir.join("unused.log"));
            let (mut reader, pipe) = io::pipe().unwrap();
            rustix::io::ioctl_fionbio(&pipe, true).unwrap();
            writer.file = File::from_std(fs::File::from(std::os::fd::OwnedFd::from(pipe)));
            // Neither lines nor batches end where a pipe, which holds 64 KiB, is full.
            let batches: Vec<String> =
                (0..100).map(|batch| format!("line of batch {batch}\n").repeat(1_000)).collect();
            let wanted = batches.concat();
            let text = std::thread::spawn(move || {
                let mut text = String::new();
                io::Read::read_to_string(&mut reader, &mut text).map(|_| text)
            });
            batches.iter().for_each(|batch| rig.push(batch));
            assert_eq!(writer.write_queued().await, batches.len());
            writer.file.close().await.unwrap();
            assert!(text.join().unwrap().unwrap() == wanted);
            assert_eq!(rig.cells.bytes_written.load(Ordering::Relaxed), wanted.len() as u64);
            assert_eq!(rig.cells.lines_failed.load(Ordering::Relaxed), 0);
        });
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_spoil_the_next() {
        tokio_uring::start(async {
            let rig = Rig::new("log-torn");
            let path = rig.dir.join("access.log");
            let mut writer = rig.writer(path.clone());
            rig.push("half a li");
            writer.write_queued().await;
            rig.push("whole\n");
            rig.push("next\n");
            writer.write_queued().await;
            assert_eq!(fs::read_to_string(&path).unwrap(), "half a li\nwhole\nnext\n");
        });
    }

    #[test]
    fn a_pipe_is_written_and_a_directory_is_refused() {
        tokio_uring::start(async {
            let rig = Rig::new("log-pipe");
            let (reader, pipe) = io::pipe().unwrap();
            let mut writer = rig.writer(rig.dir.join("unused.log"));
            writer.file = File::from_std(fs::File::from(std::os::fd::OwnedFd::from(pipe)));
            rig.push("through a pipe\n");
            writer.write_queued().await;
            writer.file.close().await.unwrap();
            let text = io::read_to_string(reader).unwrap();
            assert_eq!(text, "through a pipe\n");

            let refused = LogWriter::open(
                LogDestination::File(rig.dir.clone()),
                rig.queue.clone(),
                rig.cells.clone(),
            );
            let error = refused.err().unwrap();
            assert!(error.contains("cannot be opened: Is a directory"), "{error}");
        });
    }
}
