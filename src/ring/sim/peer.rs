//! The other ends of simulated connections, scripted by tests.

use std::time::Duration;

use super::random::SimRng;
use super::world::{Arrival, World};
use crate::time::Nanos;

/// The other end of one connection: a client, or a server that a gateway connects to.
pub trait SimPeer {
    /// Acts, when the connection is made, when something of ours has come, when there is room to write
    /// again, and when the time it asked for has come. It may be called once too often.
    ///
    /// Returns after which time it wants to act although nothing has come.
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration>;
}

/// How an address takes a connection.
pub enum Answering {
    /// By this peer.
    Accepts(Box<dyn SimPeer>),
    /// `ECONNREFUSED`.
    Refuses,
    /// Not at all.
    Silent,
}

/// A peer's hands on its connection.
pub struct SimLink<'a> {
    pub(super) world: &'a mut World,
    pub(super) index: usize,
}

impl SimLink<'_> {
    /// The time.
    pub fn now(&self) -> Nanos {
        self.world.now
    }

    /// The machine's source of chance.
    pub fn rng(&mut self) -> &mut SimRng {
        &mut self.world.rng
    }

    /// Takes up to `most` bytes that have come.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let socket = &mut self.world.sockets[self.index];
        let count = most.min(socket.outgoing.len());
        let bytes: Vec<u8> = socket.outgoing.drain(..count).collect();
        if count > 0 {
            self.world.progress(self.index);
        }
        bytes
    }

    /// Sends as much of `bytes` as there is room for; tells how much. When it is less, the peer acts
    /// again once there is room.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let window = self.world.config.recv_window;
        let socket = &mut self.world.sockets[self.index];
        if socket.peer_ended || socket.peer_gone || socket.reset_out {
            return 0;
        }
        let room = window.saturating_sub(socket.incoming.len() + socket.on_the_way);
        let count = room.min(bytes.len());
        socket.peer_blocked |= count < bytes.len();
        if count > 0 {
            socket.on_the_way += count;
            self.world.send_to_us(self.index, Arrival::Bytes(bytes[..count].to_vec()));
        }
        count
    }

    /// Ends the peer's side of the stream; it still reads.
    pub fn finish(&mut self) {
        let socket = &mut self.world.sockets[self.index];
        if !socket.peer_ended && !socket.peer_gone {
            socket.peer_ended = true;
            self.world.send_to_us(self.index, Arrival::End);
        }
    }

    /// Closes the connection: what was not read, or still comes, is answered by a reset.
    pub fn close(&mut self) {
        self.finish();
        let socket = &mut self.world.sockets[self.index];
        if !socket.peer_gone && !socket.reset_out {
            socket.peer_gone = true;
            if !socket.outgoing.is_empty() {
                self.world.send_to_us(self.index, Arrival::Reset);
            }
        }
    }

    /// Resets the connection.
    pub fn reset(&mut self) {
        let socket = &mut self.world.sockets[self.index];
        if !socket.peer_gone && !socket.reset_out {
            socket.peer_gone = true;
            self.world.send_to_us(self.index, Arrival::Reset);
        }
    }

    /// Whether our side has ended its stream and all of it was read.
    pub fn ended(&self) -> bool {
        let socket = &self.world.sockets[self.index];
        socket.ended_out && socket.outgoing.is_empty()
    }

    /// Whether our side has closed the connection, whatever of it the peer has read.
    pub fn closed(&self) -> bool {
        self.world.sockets[self.index].released
    }

    /// Whether our side has reset the connection.
    pub fn was_reset(&self) -> bool {
        self.world.sockets[self.index].reset_out
    }
}
