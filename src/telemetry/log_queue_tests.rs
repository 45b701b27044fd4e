use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::context::ContextVariable;

struct Numbered(u32);

impl Variables for Numbered {
    fn write(&self, _: ContextVariable, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.0.to_string().as_bytes());
        true
    }
}

fn format() -> AccessLogFormat {
    AccessLogFormat::parse("$context.requestId").unwrap()
}

#[test]
fn a_batch_is_due_when_it_is_full_or_its_first_line_has_waited() {
    let (queue, format, mut batch) = (LogQueue::new(), format(), LogBatch::new());
    assert!(!batch.is_due(Nanos::NEVER), "nothing is never due");
    let start = Nanos(7);
    assert!(!batch.append(&queue, &format, &Numbered(1), start));
    assert!(!batch.append(&queue, &format, &Numbered(2), start.after(LOG_BATCH_DELAY / 2)));
    assert_eq!(batch.due_at(), Some(start.after(LOG_BATCH_DELAY)));
    assert!(!batch.is_due(start.after(LOG_BATCH_DELAY - Duration::from_nanos(1))));
    assert!(batch.is_due(start.after(LOG_BATCH_DELAY)));
    assert_eq!(batch.hand_over(&queue), 0);
    assert_eq!((batch.due_at(), batch.lines()), (None, 0));
    assert_eq!(queue.pop(), Some((b"1\n2\n".to_vec(), 2)));

    let mut lines = 0;
    while !batch.append(&queue, &format, &Numbered(123_456_789), start) {
        lines += 1;
    }
    assert!(batch.is_due(start));
    assert_eq!(lines as usize, (LOG_BATCH_BYTES - 1) / 10);
    assert_eq!(batch.hand_over(&queue), 0);
    assert_eq!(batch.hand_over(&queue), 0, "nothing to hand over");
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_full_queue_drops_and_counts_and_the_buffer_comes_back() {
    let (queue, format, mut batch) = (LogQueue::new(), format(), LogBatch::new());
    for number in 0..LOG_BATCHES_MAX as u32 {
        batch.append(&queue, &format, &Numbered(number), Nanos(0));
        assert_eq!(batch.hand_over(&queue), 0);
    }
    for dropped in 1..=3 {
        batch.append(&queue, &format, &Numbered(0), Nanos(0));
        batch.append(&queue, &format, &Numbered(0), Nanos(0));
        assert_eq!(batch.hand_over(&queue), 2);
        assert_eq!((queue.dropped_batches(), queue.dropped_lines()), (dropped, 2 * dropped));
        assert!(batch.buffer.capacity() >= LOG_BATCH_BYTES, "the buffer came back");
    }
    assert_eq!(queue.pop().unwrap().0, b"0\n", "the oldest are kept");
    batch.append(&queue, &format, &Numbered(9), Nanos(0));
    assert_eq!(batch.hand_over(&queue), 0, "room again");
}

#[test]
fn written_buffers_are_used_again_unless_they_have_grown() {
    let queue = LogQueue::new();
    let mut buffer = queue.take_empty();
    assert!(buffer.capacity() >= LOG_BATCH_BYTES);
    buffer.push(b'x');
    let address = buffer.as_ptr();
    queue.give_back(buffer);
    let again = queue.take_empty();
    assert_eq!((again.as_ptr(), again.len()), (address, 0));
    queue.give_back(Vec::with_capacity(KEPT_BYTES_MAX + 1));
    queue.give_back(Vec::new());
    assert!(queue.empty.is_empty());
}

#[test]
fn lines_of_two_shards_arrive_whole_or_are_counted() {
    const LINES: u32 = 20_000;
    let queue = Arc::new(LogQueue::new());
    let shards: Vec<_> = (0..2)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let (format, mut batch) = (format(), LogBatch::new());
                for number in 0..LINES {
                    batch.append(&queue, &format, &Numbered(number), Nanos(0));
                    if batch.lines() == 7 {
                        batch.hand_over(&queue);
                    }
                }
                batch.hand_over(&queue);
            })
        })
        .collect();
    let mut written = 0;
    loop {
        let ended = shards.iter().all(thread::JoinHandle::is_finished);
        while let Some((batch, lines)) = queue.pop() {
            assert_eq!(batch.iter().filter(|&&byte| byte == b'\n').count(), lines as usize);
            written += u64::from(lines);
            queue.give_back(batch);
        }
        if ended {
            break;
        }
        thread::yield_now();
    }
    for shard in shards {
        shard.join().expect("a shard");
    }
    assert_eq!(written + queue.dropped_lines(), 2 * u64::from(LINES));
}

#[test]
fn a_queue_that_is_a_quarter_full_calls_the_writer_once() {
    let queue = LogQueue::new();
    let is_called = || {
        let mut crowded = std::pin::pin!(queue.crowded());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        crowded.as_mut().poll(&mut context).is_ready()
    };
    let push = || queue.push(b"line\n".to_vec(), 1).unwrap();
    for _ in 1..CROWDED {
        push();
        assert!(!is_called());
    }
    push();
    assert!(is_called());
    assert!(!is_called(), "nothing has come since");
    push();
    push();
    assert!(is_called(), "it did not look");
    while queue.pop().is_some() {}
    push();
    assert!(!is_called());
}
