//! The way from the control plane to all shards.

use std::sync::Arc;

use super::{ShardHandle, ShardMailbox, ShardMessage};
use crate::control::publish::{Refusal, Shards};
use crate::deploy::{Applied, Batch};

/// The mailboxes of all shards. Lives on control threads.
pub struct ShardLink {
    mailboxes: Box<[ShardMailbox]>,
}

impl ShardLink {
    /// The way to these.
    pub fn new<'h>(shards: impl IntoIterator<Item = &'h ShardHandle>) -> Self {
        Self { mailboxes: shards.into_iter().map(ShardHandle::mailbox).collect() }
    }
}

impl Shards for ShardLink {
    fn count(&self) -> usize {
        self.mailboxes.len()
    }

    fn offer(&self, shard: usize, batch: &Batch, applied: Applied) -> Result<(), Refusal> {
        let mailbox = &self.mailboxes[shard];
        if mailbox.is_finished() {
            return Err(Refusal::Gone);
        }
        let message = ShardMessage::Apply { batch: Arc::clone(batch), applied };
        mailbox.send(message).map_err(|_message| Refusal::Full)
    }
}
