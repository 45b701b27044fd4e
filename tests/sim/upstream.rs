//! Scripted integrations: what they do stands in the path, `/{kind}/{size}/{id}`.

use std::collections::VecDeque;
use std::time::Duration;

use ringway::http::{BodyDecoder, Framing, HeadLimits, HeadScan, Method, RequestHead};
use ringway::ring::sim::{Answering, Sim, SimLink, SimPeer};
use ringway::time::Nanos;

use crate::plan::{Weather, in_chunks, pattern};
use crate::stage::{PAYLOAD_BYTES_MAX, UPSTREAM};

/// Puts the integration on the network.
pub fn serve(sim: &Sim, weather: Weather) {
    let address = UPSTREAM.parse().expect("an address");
    sim.server(address, move |rng| {
        if !weather.is_fair() {
            match rng.below(20) {
                0 => return Answering::Refuses,
                1 => return Answering::Silent,
                _ => {}
            }
        }
        let breaks_after = (!weather.is_fair() && rng.chance(150)).then(|| rng.range(0..100_000));
        Answering::Accepts(Box::new(ScriptedUpstream::new(breaks_after)))
    });
}

/// What an integration still has to do on a connection.
enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    /// Ends its side once all is sent.
    Finish,
    Close,
    Reset,
    /// Says nothing any more.
    Stall,
}

struct ScriptedUpstream {
    input: Vec<u8>,
    scan: HeadScan,
    head: Option<RequestHead>,
    path: String,
    body: Vec<u8>,
    decoder: BodyDecoder,
    acts: VecDeque<Act>,
    /// The answer has been given already.
    answered: bool,
    acts_at: Nanos,
    /// It resets when it has sent and received this much.
    breaks_after: Option<usize>,
    moved: usize,
}

impl ScriptedUpstream {
    fn new(breaks_after: Option<usize>) -> Self {
        Self {
            input: Vec::new(),
            scan: HeadScan::default(),
            head: None,
            path: String::new(),
            body: Vec::new(),
            decoder: BodyDecoder::none(),
            acts: VecDeque::new(),
            answered: false,
            acts_at: Nanos(0),
            breaks_after,
            moved: 0,
        }
    }

    fn understand(&mut self, link: &mut SimLink<'_>) {
        loop {
            if self.head.is_none() {
                let limits =
                    HeadLimits { url_bytes: 1 << 16, header_bytes: 1 << 16, header_count: 128 };
                let mut head = RequestHead::default();
                let parsed = head.parse(&self.input, &mut self.scan, &limits);
                if !parsed.unwrap_or_else(|error| {
                    let text = String::from_utf8_lossy(&self.input);
                    panic!("the integration got {error:?} in {text:?}")
                }) {
                    return;
                }
                self.path = String::from_utf8_lossy(head.target.of(&self.input)).into_owned();
                self.decoder = BodyDecoder::request(head.framing);
                let rest = self.input.split_off(head.len as usize);
                self.input = rest;
                self.body.clear();
                self.answered = false;
                let early = head.framing != Framing::None
                    && (self.path.starts_with("/early") || self.path.starts_with("/refuses"));
                self.head = Some(head);
                if early {
                    self.answer(link);
                }
            }
            while !self.input.is_empty() && !self.decoder.is_done() {
                let decoded = self.decoder.decode(&self.input).unwrap_or_else(|error| {
                    panic!("the integration got a body with {error:?} for {}", self.path)
                });
                self.body.extend_from_slice(&self.input[decoded.data]);
                self.input.drain(..decoded.consumed);
            }
            if !self.decoder.is_done() {
                return;
            }
            if !self.answered {
                self.answer(link);
            }
            self.head = None;
        }
    }

    fn answer(&mut self, link: &mut SimLink<'_>) {
        self.answered = true;
        let head = self.head.as_ref().expect("a request was read");
        let is_head = head.method == Method::Head;
        let path = self.path.clone();
        let mut parts = path.trim_start_matches('/').split('/');
        let kind = parts.next().unwrap_or_default().to_owned();
        let mut number = || parts.next().and_then(|it| it.parse().ok()).unwrap_or(0_u32);
        let (size, id) = (number() as usize, number());
        let body = pattern(id, size);
        let rng = link.rng();
        let pause = Duration::from_micros(rng.range(0..20_000) as u64);
        let mut acts = vec![Act::Pause(pause)];
        let length = |status: &str, body: &[u8]| {
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            let mut bytes = head.into_bytes();
            if !is_head {
                bytes.extend_from_slice(body);
            }
            Act::Send(bytes)
        };
        match kind.as_str() {
            "length" => acts.push(length("200 OK", &body)),
            "flaky" => acts.extend([length("200 OK", &body), Act::Finish]),
            "echo" => acts.push(length("200 OK", &self.body)),
            "early" => acts.push(length("200 OK", &body)),
            "refuses" => acts.extend([length("403 Forbidden", &body), Act::Close]),
            "bodiless" => acts.push(Act::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())),
            "hints" => acts.extend([
                Act::Send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n".to_vec()),
                Act::Pause(pause),
                Act::Send(b"Link: </a>; rel=preload\r\n\r\n".to_vec()),
                length("200 OK", &body),
            ]),
            "chunked" | "large" => {
                let large = vec![b'l'; PAYLOAD_BYTES_MAX + 10_000];
                let body = if kind == "large" { &large } else { &body };
                let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                acts.push(Act::Send(head));
                if !is_head {
                    acts.push(Act::Send(in_chunks(rng, body)));
                }
            }
            "close" => {
                acts.push(Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()));
                if !is_head {
                    acts.extend([Act::Send(body), Act::Finish]);
                }
            }
            "slow" => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                acts.push(Act::Send(head.into_bytes()));
                for piece in body.chunks(size / 20 + 1).filter(|_| !is_head) {
                    acts.extend([Act::Pause(pause * 10), Act::Send(piece.to_vec())]);
                }
            }
            "cut" | "stops" => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size + 10);
                acts.push(Act::Send(head.into_bytes()));
                if !is_head {
                    acts.push(Act::Send(body));
                }
                match kind.as_str() {
                    // An answer to HEAD is whole as it is, and its connection is kept.
                    _ if is_head => {}
                    "cut" => acts.push(Act::Finish),
                    _ => acts.push(Act::Stall),
                }
            }
            "garbage" => acts.push(Act::Send(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n".to_vec())),
            "reset" => acts.push(Act::Reset),
            "gone" => acts.push(Act::Close),
            "stall" => acts.push(Act::Stall),
            other => panic!("the integration was asked for {other:?}: {path}"),
        }
        self.acts.extend(acts);
    }
}

impl SimPeer for ScriptedUpstream {
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
        if link.was_reset() {
            link.close();
            return None;
        }
        let mut more = false;
        let refusing = self.path.starts_with("/refuses") && self.answered;
        if !refusing {
            let most = link.rng().range(1..200_000);
            let bytes = link.read(most);
            more = bytes.len() == most;
            self.moved += bytes.len();
            self.input.extend(bytes);
            self.understand(link);
        }
        if link.ended() && self.acts.is_empty() {
            link.close();
            return None;
        }
        while link.now() >= self.acts_at {
            if self.breaks_after.is_some_and(|after| self.moved > after) {
                link.reset();
                return None;
            }
            let Some(act) = self.acts.front_mut() else { break };
            match act {
                Act::Send(bytes) => {
                    let most = link.rng().range(1..100_000).min(bytes.len());
                    let written = link.write(&bytes[..most]);
                    self.moved += written;
                    bytes.drain(..written);
                    if !bytes.is_empty() {
                        if written < most {
                            // It is called again when there is room.
                            return more.then_some(Duration::from_micros(100));
                        }
                        continue;
                    }
                }
                Act::Pause(time) => self.acts_at = link.now().after(*time),
                Act::Finish => link.finish(),
                Act::Close => {
                    link.close();
                    return None;
                }
                Act::Reset => {
                    link.reset();
                    return None;
                }
                Act::Stall => break,
            }
            self.acts.pop_front();
        }
        match self.acts.is_empty() {
            _ if more => Some(Duration::from_micros(100)),
            true => None,
            false if matches!(self.acts.front(), Some(Act::Stall)) => None,
            false => Some(self.acts_at.since(link.now())),
        }
    }
}
