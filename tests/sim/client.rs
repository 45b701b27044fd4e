//! A scripted client: sends its plan, checks every answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ringway::http::{BodyDecoder, HeadScan, Method, ResponseFraming, ResponseHead};
use ringway::ring::sim::{SimLink, SimPeer};
use ringway::time::Nanos;

use crate::plan::{Ending, Plan, Request};

/// What the clients of a run have seen.
pub struct Outcome {
    waiting: Vec<Option<String>>,
    left: usize,
    when_done: Box<dyn Fn()>,
    pub answers: u64,
    pub failures: Vec<String>,
}

impl Outcome {
    pub fn new(clients: usize, when_done: impl Fn() + 'static) -> Self {
        Self {
            waiting: vec![Some("it never connected".to_owned()); clients],
            left: clients,
            when_done: Box::new(when_done),
            answers: 0,
            failures: Vec::new(),
        }
    }

    /// Clients that never got what they wait for.
    pub fn unfinished(&self) -> Vec<String> {
        let stuck = |(index, what): (usize, &Option<String>)| {
            what.as_ref().map(|what| format!("client {index} is stuck: {what}"))
        };
        self.waiting.iter().enumerate().filter_map(stuck).collect()
    }

    fn done(&mut self, index: usize) {
        if self.waiting[index].take().is_some() {
            self.left -= 1;
            if self.left == 0 {
                (self.when_done)();
            }
        }
    }
}

/// A client at work.
pub struct ScriptedClient {
    index: usize,
    plan: Plan,
    outcome: Rc<RefCell<Outcome>>,
    /// The request that is being sent, and how much of it was.
    sending: usize,
    sent: usize,
    sent_total: usize,
    /// `100 Continue` has come for the request that is being sent.
    may_send_body: bool,
    writes_at: Nanos,
    /// The request whose answer is being read.
    reading: usize,
    input: Vec<u8>,
    scan: HeadScan,
    head: Option<ResponseHead>,
    body: Vec<u8>,
    decoder: BodyDecoder,
    reads_at: Nanos,
    /// The gateway may end the connection now.
    may_end: bool,
    done: bool,
}

impl SimPeer for ScriptedClient {
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
        if self.done {
            return None;
        }
        let now = link.now();
        if self.plan.ending == Ending::Deaf {
            if link.closed() {
                link.close();
                return self.finish();
            }
        } else if now >= self.reads_at {
            let bytes = link.read(self.plan.read_max);
            if !bytes.is_empty() {
                let pause = link.rng().range(0..self.plan.read_gap_us + 1);
                self.reads_at = now.after(Duration::from_micros(pause as u64));
            }
            self.input.extend(bytes);
            if let Err(failure) = self.understand(link.ended()) {
                self.fail(failure);
                link.reset();
                return self.finish();
            }
        }
        if link.was_reset() || link.ended() {
            if !matches!(self.plan.ending, Ending::Stops(_) | Ending::Deaf) {
                self.check_end(link.was_reset());
            }
            link.close();
            return self.finish();
        }
        if self.reading == self.plan.requests.len() {
            if self.plan.ending == Ending::Close {
                link.close();
                return self.finish();
            }
            if self.plan.ending == Ending::HalfClose {
                link.finish();
            }
        }
        if now >= self.writes_at && !self.write(link) {
            return self.finish();
        }
        self.tell();
        let writes = (self.may_write() && self.writes_at > now).then_some(self.writes_at);
        let reads = (self.reads_at > now).then_some(self.reads_at);
        let next = writes.into_iter().chain(reads).min();
        // Without either it waits for the gateway, and looks again some time.
        let wait = next.map_or(Duration::from_millis(200), |next| next.since(now));
        Some(wait)
    }
}

impl ScriptedClient {
    pub fn new(index: usize, plan: Plan, outcome: Rc<RefCell<Outcome>>) -> Self {
        Self {
            index,
            plan,
            outcome,
            sending: 0,
            sent: 0,
            sent_total: 0,
            may_send_body: false,
            writes_at: Nanos(0),
            reading: 0,
            input: Vec::new(),
            scan: HeadScan::default(),
            head: None,
            body: Vec::new(),
            decoder: BodyDecoder::none(),
            reads_at: Nanos(0),
            may_end: false,
            done: false,
        }
    }

    fn fail(&self, failure: String) {
        let what = format!("client {}, request {}: {failure}", self.index, self.reading);
        let asked = self.plan.requests.get(self.reading).map_or_else(String::new, |request| {
            let head = String::from_utf8_lossy(&request.head[..request.head.len().min(90)]);
            format!("; it had asked {head:?}")
        });
        self.outcome.borrow_mut().failures.push(what + &asked);
    }

    fn finish(&mut self) -> Option<Duration> {
        self.done = true;
        self.outcome.borrow_mut().done(self.index);
        None
    }

    /// Says what is waited for.
    fn tell(&self) {
        let mut outcome = self.outcome.borrow_mut();
        let text = outcome.waiting[self.index].get_or_insert_default();
        text.clear();
        let asked = self
            .plan
            .requests
            .get(self.reading)
            .map(|it| String::from_utf8_lossy(&it.head[..it.head.len().min(80)]).into_owned());
        use std::fmt::Write;
        let _ = write!(
            text,
            "{} of {} answers read, {} requests and {} bytes sent, {} bytes of this body read; waits for {asked:?}",
            self.reading,
            self.plan.requests.len(),
            self.sending,
            self.sent,
            self.body.len(),
        );
    }

    fn may_write(&self) -> bool {
        let Some(request) = self.plan.requests.get(self.sending) else { return false };
        let in_flight = self.sending - self.reading.min(self.sending);
        let starts = self.sent > 0 || in_flight < self.plan.depth;
        let waits = request.expects && self.sent == request.head.len() && !self.may_send_body;
        starts && !waits
    }

    /// Writes a piece; `false`: the client is done.
    fn write(&mut self, link: &mut SimLink<'_>) -> bool {
        while self.may_write() {
            let request = &self.plan.requests[self.sending];
            let (bytes, part_end) = match self.sent < request.head.len() {
                true => (&request.head[self.sent..], request.head.len()),
                false => (
                    &request.body[self.sent - request.head.len()..],
                    request.head.len() + request.body.len(),
                ),
            };
            let most = link.rng().range(1..self.plan.write_max + 1).min(bytes.len());
            let mut count = most;
            if let Ending::Reset(at) | Ending::Vanish(at) | Ending::Stops(at) = self.plan.ending {
                count = count.min(at - self.sent_total);
            }
            let written = link.write(&bytes[..count]);
            self.sent += written;
            self.sent_total += written;
            match self.plan.ending {
                Ending::Reset(at) if self.sent_total == at => {
                    link.reset();
                    return false;
                }
                Ending::Vanish(at) if self.sent_total == at => {
                    link.close();
                    return false;
                }
                Ending::Stops(at) if self.sent_total == at => return true,
                _ => {}
            }
            let whole = self.sent == part_end;
            let total = request.head.len() + request.body.len();
            if self.sent == total {
                self.sending += 1;
                self.sent = 0;
                self.may_send_body = false;
                if self.sending == self.plan.requests.len() && self.plan.ending == Ending::HalfClose
                {
                    link.finish();
                }
            }
            if written < count {
                // It is called again when there is room.
                return true;
            }
            // A large writer puts heads and bodies together into one packet.
            if self.plan.write_max < 4_000 || !whole {
                let pause = link.rng().range(0..self.plan.write_gap_us + 1);
                self.writes_at = link.now().after(Duration::from_micros(pause as u64));
                return true;
            }
        }
        true
    }

    /// Reads answers from the input.
    fn understand(&mut self, ended: bool) -> Result<(), String> {
        loop {
            if self.reading == self.plan.requests.len() {
                return match self.input.len() {
                    0 => Ok(()),
                    _ => Err(format!("{} bytes after the last answer", self.input.len())),
                };
            }
            let request = &self.plan.requests[self.reading];
            if self.head.is_none() {
                if self.reading > self.sending {
                    return match self.input.len() {
                        0 => Ok(()),
                        _ => Err("an answer to a request that was not sent".to_owned()),
                    };
                }
                // What is answered before the whole head was there is no answer to HEAD.
                let known = self.sending > self.reading || self.sent >= request.head.len();
                let method = if known { request.method } else { Method::Get };
                let mut head = ResponseHead::default();
                let parsed = head.parse(&self.input, method, &mut self.scan);
                if !parsed.map_err(|error| format!("its answer's head is wrong: {error:?}"))? {
                    return Ok(());
                }
                let rest = self.input.split_off(head.len as usize);
                self.input = rest;
                if head.status < 200 {
                    if head.status != 100 || !request.expects {
                        return Err(format!("an unexpected {}", head.status));
                    }
                    if self.sending == self.reading {
                        self.may_send_body = true;
                    }
                    continue;
                }
                self.decoder = BodyDecoder::response(head.framing);
                self.body.clear();
                self.head = Some(head);
            }
            while !self.decoder.is_done() && !self.input.is_empty() {
                let decoded = self
                    .decoder
                    .decode(&self.input)
                    .map_err(|error| format!("its answer's framing is wrong: {error:?}"))?;
                self.body.extend_from_slice(&self.input[decoded.data]);
                self.input.drain(..decoded.consumed);
            }
            if ended && self.input.is_empty() {
                // An end completes only what is delimited by it.
                let _ = self.decoder.end_of_input();
            }
            if !self.decoder.is_done() {
                return Ok(());
            }
            self.check_answer()?;
        }
    }

    fn check_answer(&mut self) -> Result<(), String> {
        let request = &self.plan.requests[self.reading];
        let head = self.head.take().expect("the answer has a head");
        let right = request.want.iter().any(|want| {
            want.status == head.status && want.body.as_ref().is_none_or(|body| *body == self.body)
        });
        // A client that stops is told so, and is not heard any more.
        let stopped = head.status == 408 && matches!(self.plan.ending, Ending::Stops(_));
        if !right && !stopped {
            let text = String::from_utf8_lossy(&self.body[..self.body.len().min(100)]);
            return Err(format!(
                "answered {} with {} bytes {text:?} but {}",
                head.status,
                self.body.len(),
                wanted(request)
            ));
        }
        let closes = !head.keep_alive || head.framing == ResponseFraming::UntilClose;
        if closes && !request.may_close && !stopped {
            return Err("the connection ends for no reason".to_owned());
        }
        self.may_end = closes;
        if self.sending == self.reading {
            // Answered before it was sent: whoever waits for 100 Continue waits no more.
            self.may_send_body = true;
        }
        self.reading += 1;
        self.outcome.borrow_mut().answers += 1;
        Ok(())
    }

    /// The gateway has ended the connection: may it?
    fn check_end(&self, reset: bool) {
        let all = self.reading == self.plan.requests.len();
        let breaks = self.plan.requests.get(self.reading).is_some_and(|request| request.may_break);
        if !all && !self.may_end && !breaks {
            let how = if reset { "was reset" } else { "ended" };
            self.fail(format!("the connection {how} before its answer"));
        }
    }
}

fn wanted(request: &Request) -> String {
    let want: Vec<String> = request
        .want
        .iter()
        .map(|want| match &want.body {
            Some(body) => format!("{} with {} bytes", want.status, body.len()),
            None => want.status.to_string(),
        })
        .collect();
    let method = if request.method == Method::Head { "HEAD " } else { "" };
    format!("{method}wants {}", want.join(" or "))
}
