//! Takes the framing off a body, of a request or an answer.
//!
//! In: what has arrived behind the head. Out: ranges of it that are payload; chunk lines, chunk
//! extensions and trailers are read, checked and dropped. Cost: per chunk line a step per byte, per
//! piece of data constant; no memory.
//!
//! Source: RFC 9112 sections 6.3 and 7.1. Stricter in what has been used for smuggling: sizes are
//! digits only (no sign, blank or `0x`), every line ends in CRLF, an extension holds no control byte.

use std::ops::Range;

use super::{BYTES, BodyError, Framing, ResponseFraming, TOKEN, VALUE};
use crate::limits::{CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};

/// Hexadecimal digits of a chunk size: what fits into 64 bits.
const CHUNK_DIGITS_MAX: u8 = 16;

/// Where in a body the next byte belongs.
///
/// ```text
///   Size ──digit──▶ Size ──";"──▶ Extension ──CR──▶ SizeLf ──LF──▶ Data (size > 0)
///     └──────────────CR──────────────────────────────▲ │              │ all read
///                                            size = 0 │              ▼
///   Size ◀──LF── DataLf ◀──CR── DataCr ◀──────────────┼──────────────┘
///                                                     ▼
///   Done ◀──LF── EndLf ◀──CR── TrailerLine ──token──▶ TrailerName ──":"──▶ TrailerValue
///                                  ▲───────LF─────── TrailerLf ◀──────CR──────┘
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Done,
    Length { left: u64 },
    UntilClose,
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerLine,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
}

/// Decodes one body; starts anew for each message.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    state: State,
    /// Bytes of the current chunk line.
    line_bytes: usize,
    /// Bytes of extensions and trailers that were dropped so far, less the payload since: framing may
    /// cost as much as it carries and a little more, so that a long body may have extensions.
    dropped_bytes: usize,
}

/// What one call of [`BodyDecoder::decode`] has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decoded {
    /// Bytes of the input that are done with, data included.
    pub consumed: usize,
    /// Where in the input the payload lies; empty if only framing was consumed.
    pub data: Range<usize>,
}

impl Default for BodyDecoder {
    /// The same as [`BodyDecoder::none`].
    fn default() -> Self {
        Self::none()
    }
}

impl BodyDecoder {
    fn new(state: State) -> Self {
        Self { state, line_bytes: 0, dropped_bytes: 0 }
    }

    /// A body that is not there: done from the start.
    pub fn none() -> Self {
        Self::new(State::Done)
    }

    /// A body of so many bytes.
    pub fn length(bytes: u64) -> Self {
        Self::new(if bytes == 0 { State::Done } else { State::Length { left: bytes } })
    }

    /// A body in chunks.
    pub fn chunked() -> Self {
        Self::new(State::Size { size: 0, digits: 0 })
    }

    /// A body that ends with its connection.
    pub fn until_close() -> Self {
        Self::new(State::UntilClose)
    }

    /// The body that a request's head announces.
    pub fn request(framing: Framing) -> Self {
        match framing {
            Framing::None => Self::none(),
            Framing::Length(bytes) => Self::length(bytes),
            Framing::Chunked => Self::chunked(),
        }
    }

    /// The body that an answer's head announces.
    pub fn response(framing: ResponseFraming) -> Self {
        match framing {
            ResponseFraming::None => Self::none(),
            ResponseFraming::Length(bytes) => Self::length(bytes),
            ResponseFraming::Chunked => Self::chunked(),
            ResponseFraming::UntilClose => Self::until_close(),
        }
    }

    /// Whether the whole body has been decoded; what follows belongs to the next message.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Payload still to come, if the head said how much there is.
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Done => Some(0),
            State::Length { left } => Some(left),
            _ => None,
        }
    }

    /// Decodes up to one contiguous piece of payload and the framing around it.
    ///
    /// Call it again with what follows `consumed` until that is 0 or the body is done.
    ///
    /// # Errors
    /// [`BodyError`], from then on for ever the wrong state: drop the connection.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        let mut at = 0;
        let mut data = 0..0;
        while at < input.len() {
            match self.state {
                State::Done => break,
                State::UntilClose => {
                    data = at..input.len();
                    at = data.end;
                    break;
                }
                State::Length { left } => {
                    let taken = clamp(left, input.len() - at);
                    data = at..at + taken;
                    at = data.end;
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Done } else { State::Length { left } };
                    break;
                }
                State::Data { left } => {
                    // A second piece would not be contiguous with the first: the next call's.
                    if !data.is_empty() {
                        break;
                    }
                    let taken = clamp(left, input.len() - at);
                    data = at..at + taken;
                    at = data.end;
                    self.dropped_bytes = self.dropped_bytes.saturating_sub(taken);
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                }
                state => {
                    self.state = self.step(state, input[at])?;
                    at += 1;
                }
            }
        }
        Ok(Decoded { consumed: at, data })
    }

    /// One byte of chunk framing.
    fn step(&mut self, state: State, byte: u8) -> Result<State, BodyError> {
        match state {
            State::Size { .. } | State::Extension { .. } | State::SizeLf { .. } => {
                self.line_bytes += 1;
                if self.line_bytes > CHUNK_LINE_BYTES_MAX {
                    return Err(BodyError::ChunkLineTooLong);
                }
            }
            _ => {}
        }
        match (state, byte) {
            (State::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == CHUNK_DIGITS_MAX || size >= 1 << 59 {
                    return Err(BodyError::ChunkSizeTooLarge);
                }
                Ok(State::Size { size: size << 4 | hex(byte), digits: digits + 1 })
            }
            (State::Size { digits: 0, .. }, _) => Err(BodyError::ChunkSize),
            (State::Size { size, .. } | State::Extension { size }, b'\r') => {
                Ok(State::SizeLf { size })
            }
            (State::Size { size, .. }, b';') => {
                self.drop_byte()?;
                Ok(State::Extension { size })
            }
            (State::Size { .. }, _) => Err(BodyError::ChunkSize),
            (State::Extension { .. }, _) if BYTES[usize::from(byte)] & VALUE != 0 => {
                self.drop_byte()?;
                Ok(state)
            }
            (State::Extension { .. }, _) => Err(BodyError::ChunkExtension),
            (State::SizeLf { size }, b'\n') => {
                self.line_bytes = 0;
                Ok(if size == 0 { State::TrailerLine } else { State::Data { left: size } })
            }
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { size: 0, digits: 0 }),
            (State::TrailerLine, b'\r') => Ok(State::EndLf),
            (State::TrailerLine | State::TrailerName, _)
                if BYTES[usize::from(byte)] & TOKEN != 0 =>
            {
                self.drop_byte()?;
                Ok(State::TrailerName)
            }
            (State::TrailerName, b':') => {
                self.drop_byte()?;
                Ok(State::TrailerValue)
            }
            (State::TrailerValue, _) if BYTES[usize::from(byte)] & VALUE != 0 => {
                self.drop_byte()?;
                Ok(State::TrailerValue)
            }
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerLine | State::TrailerName | State::TrailerValue, _) => {
                Err(BodyError::Trailer)
            }
            (State::TrailerLf, b'\n') => {
                self.drop_byte()?;
                Ok(State::TrailerLine)
            }
            (State::EndLf, b'\n') => Ok(State::Done),
            (
                State::SizeLf { .. }
                | State::DataCr
                | State::DataLf
                | State::TrailerLf
                | State::EndLf,
                _,
            ) => Err(BodyError::LineEnd),
            (State::Done | State::Length { .. } | State::UntilClose | State::Data { .. }, _) => {
                unreachable!("`decode` handles the states that are no chunk framing")
            }
        }
    }

    /// Counts a byte of an extension or trailer: a body cannot consist of them alone.
    fn drop_byte(&mut self) -> Result<(), BodyError> {
        self.dropped_bytes += 1;
        if self.dropped_bytes > TRAILER_BYTES_MAX {
            return Err(BodyError::TrailersTooLarge);
        }
        Ok(())
    }

    /// The connection has ended, or its sending half.
    ///
    /// # Errors
    /// [`BodyError::Truncated`]: the body is not complete.
    pub fn end_of_input(&mut self) -> Result<(), BodyError> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(BodyError::Truncated),
        }
    }
}

/// The smaller of what is wanted and what is there.
fn clamp(wanted: u64, there: usize) -> usize {
    usize::try_from(wanted).map_or(there, |wanted| wanted.min(there))
}

/// Value of a hexadecimal digit.
fn hex(digit: u8) -> u64 {
    u64::from(match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    })
}
