//! Batches of access-log lines on their way from the shards to the writer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use tokio::sync::Notify;

use crate::limits::{LOG_BATCH_BYTES, LOG_BATCH_DELAY, LOG_BATCHES_MAX};
use crate::telemetry::{AccessLogFormat, Variables};
use crate::time::Nanos;

/// Room in a batch for the line that fills it, so that the buffer seldom grows, bytes.
const LAST_LINE_BYTES: usize = 4_096;
/// A buffer that a giant line has grown beyond this is not kept, bytes.
const KEPT_BYTES_MAX: usize = 2 * LOG_BATCH_BYTES;
/// Batches that may wait until the writer looks by itself.
const CROWDED: usize = LOG_BATCHES_MAX / 4;

/// Full batches from all shards to one writer, and emptied buffers back.
///
/// Bounded by [`LOG_BATCHES_MAX`] and lock-free: a writer that stands still costs lines, which are
/// counted, and never time. The writer looks now and then; a queue that is a quarter full calls it.
#[derive(Debug)]
pub struct LogQueue {
    full: ArrayQueue<(Vec<u8>, u32)>,
    empty: ArrayQueue<Vec<u8>>,
    crowded: Notify,
    /// Whether the writer has been called and has not come yet.
    is_called: AtomicBool,
    dropped_batches: AtomicU64,
    dropped_lines: AtomicU64,
}

impl Default for LogQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl LogQueue {
    /// An empty queue. Buffers are allocated as they are needed.
    pub fn new() -> Self {
        Self {
            full: ArrayQueue::new(LOG_BATCHES_MAX),
            empty: ArrayQueue::new(LOG_BATCHES_MAX),
            crowded: Notify::new(),
            is_called: AtomicBool::new(false),
            dropped_batches: AtomicU64::new(0),
            dropped_lines: AtomicU64::new(0),
        }
    }

    /// Hands a batch of so many lines to the writer. Never blocks; makes a system call only if it calls
    /// the writer.
    ///
    /// # Errors
    /// The queue is full. The lines count as dropped, and the emptied buffer comes back for the next
    /// ones.
    pub fn push(&self, batch: Vec<u8>, lines: u32) -> Result<(), Vec<u8>> {
        self.full.push((batch, lines)).map_err(|(mut batch, lines)| {
            self.dropped_batches.fetch_add(1, Ordering::Relaxed);
            self.dropped_lines.fetch_add(u64::from(lines), Ordering::Relaxed);
            batch.clear();
            batch
        })?;
        if self.full.len() >= CROWDED && !self.is_called.swap(true, Ordering::Relaxed) {
            self.crowded.notify_one();
        }
        Ok(())
    }

    /// Waits until so many batches wait that the writer should look. One writer at a time.
    pub async fn crowded(&self) {
        self.crowded.notified().await;
        self.is_called.store(false, Ordering::Relaxed);
    }

    /// The oldest batch and its lines, for the writer; to be [given back](Self::give_back).
    pub fn pop(&self) -> Option<(Vec<u8>, u32)> {
        self.full.pop()
    }

    /// Batches that wait for the writer.
    pub fn len(&self) -> usize {
        self.full.len()
    }

    /// Whether no batch waits for the writer.
    pub fn is_empty(&self) -> bool {
        self.full.is_empty()
    }

    /// An empty buffer for the next batch: one that came back, else a new one.
    pub fn take_empty(&self) -> Vec<u8> {
        self.empty.pop().unwrap_or_else(|| Vec::with_capacity(LOG_BATCH_BYTES + LAST_LINE_BYTES))
    }

    /// Gives a written batch's buffer back to the shards.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        if (LOG_BATCH_BYTES..=KEPT_BYTES_MAX).contains(&buffer.capacity()) {
            buffer.clear();
            // A full list means that there are more buffers than batches can wait: one goes.
            let _ = self.empty.push(buffer);
        }
    }

    /// Batches dropped since the start.
    pub fn dropped_batches(&self) -> u64 {
        self.dropped_batches.load(Ordering::Relaxed)
    }

    /// Lines dropped since the start.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped_lines.load(Ordering::Relaxed)
    }
}

/// A shard's lines that are not yet handed over.
///
/// Without a line it holds no buffer.
#[derive(Debug, Default)]
pub struct LogBatch {
    buffer: Vec<u8>,
    lines: u32,
    due_at: Option<Nanos>,
}

impl LogBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line; `true` if the batch is full now and has to be [handed over](Self::hand_over).
    ///
    /// The first line takes a buffer from `queue`.
    pub fn append<V: Variables>(
        &mut self,
        queue: &LogQueue,
        format: &AccessLogFormat,
        variables: &V,
        now: Nanos,
    ) -> bool {
        if self.buffer.capacity() == 0 {
            self.buffer = queue.take_empty();
        }
        format.write(&mut self.buffer, variables);
        self.lines = self.lines.saturating_add(1);
        self.due_at.get_or_insert(now.after(LOG_BATCH_DELAY));
        self.is_full()
    }

    /// When it has to be handed over although it is not full; `None` without a line.
    pub fn due_at(&self) -> Option<Nanos> {
        self.due_at
    }

    /// Whether it has to be handed over: it is full, or its first line has waited long enough.
    pub fn is_due(&self, now: Nanos) -> bool {
        self.is_full() || self.due_at.is_some_and(|due_at| now >= due_at)
    }

    fn is_full(&self) -> bool {
        self.buffer.len() >= LOG_BATCH_BYTES
    }

    /// Lines not yet handed over.
    pub fn lines(&self) -> u32 {
        self.lines
    }

    /// Takes the lines and their number out; for a writer without a queue.
    pub fn take(&mut self) -> (Vec<u8>, u32) {
        let Self { buffer, lines, .. } = std::mem::take(self);
        (buffer, lines)
    }

    /// Hands the lines to the writer; returns how many were dropped because the queue was full.
    pub fn hand_over(&mut self, queue: &LogQueue) -> u32 {
        let (buffer, lines) = self.take();
        if lines == 0 {
            self.buffer = buffer;
            return 0;
        }
        match queue.push(buffer, lines) {
            Ok(()) => 0,
            Err(emptied) => {
                self.buffer = emptied;
                lines
            }
        }
    }
}

#[cfg(test)]
#[path = "log_queue_tests.rs"]
mod tests;
