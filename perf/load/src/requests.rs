//! The requests of a run: one request in one buffer, in which the value of one header may change from
//! request to request.
//!
//! All values have the same length, so that changing one is a copy of some bytes in place: it costs the
//! same for every peer, and nearly nothing. Which value comes next is drawn from a fixed seed: a share
//! of the requests (`--hot-share`) from the first values (`--hot-values`), the others from all of them.

use std::io;
use std::net::SocketAddr;

use crate::flags::{Flags, usage};

const SEED: u64 = 0x0ddc_0ffe_e0dd_f00d;

/// What is sent, and what changes in it.
pub struct Requests {
    bytes: Vec<u8>,
    varied: Option<Varied>,
}

struct Varied {
    /// Where the value stands in the request.
    at: usize,
    /// All values, one after the other.
    values: Vec<u8>,
    value_bytes: usize,
    count: u64,
    hot_count: u64,
    /// Of 2^32 draws so many are hot.
    hot_of_u32: u64,
    random: u64,
}

impl Requests {
    /// Builds the request the flags ask for; a plain `GET` without any.
    ///
    /// # Errors
    /// `InvalidInput` for values that cannot be used, and what reading the files says.
    pub fn from_flags(flags: &Flags, address: SocketAddr) -> io::Result<Self> {
        let path: String = flags.value("path")?;
        let method = flags.optional("method")?.unwrap_or_else(|| "GET".to_owned());
        let host = flags.optional("host")?.unwrap_or_else(|| address.to_string());
        let body = match flags.optional::<String>("body-file")? {
            Some(file) => std::fs::read(file)?,
            None => Vec::new(),
        };
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
        let mut varied = None;
        if let Some(file) = flags.optional::<String>("header-values")? {
            let name: String = flags.value("header-name")?;
            bytes.extend_from_slice(format!("{name}: ").as_bytes());
            let one = Varied::new(
                &std::fs::read_to_string(file)?,
                bytes.len(),
                flags.optional("hot-values")?.unwrap_or(0),
                flags.optional("hot-share")?.unwrap_or(0.0),
            )?;
            bytes.extend_from_slice(one.value(0));
            bytes.extend_from_slice(b"\r\n");
            varied = Some(one);
        }
        if !body.is_empty() {
            let length = body.len();
            let head = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
            bytes.extend_from_slice(head.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        Ok(Self { bytes, varied })
    }

    /// The next request, and the index of the value in it (0 when nothing varies).
    pub fn draw(&mut self) -> (&[u8], usize) {
        let Some(varied) = &mut self.varied else { return (&self.bytes, 0) };
        let index = varied.draw();
        let place = varied.at..varied.at + varied.value_bytes;
        self.bytes[place].copy_from_slice(varied.value(index));
        (&self.bytes, index)
    }

    /// How many values there are, 1 when nothing varies.
    pub fn value_count(&self) -> usize {
        self.varied.as_ref().map_or(1, |varied| varied.count as usize)
    }
}

impl Varied {
    fn new(lines: &str, at: usize, hot_count: u64, hot_share: f64) -> io::Result<Self> {
        let value_bytes = lines.lines().next().unwrap_or_default().len();
        let mut values = Vec::with_capacity(lines.len());
        let mut count = 0;
        for line in lines.lines() {
            if line.len() != value_bytes || value_bytes == 0 {
                return Err(usage(format!("value {} is not as long as the first", count + 1)));
            }
            values.extend_from_slice(line.as_bytes());
            count += 1;
        }
        if count == 0 || hot_count > count || !(0.0..=1.0).contains(&hot_share) {
            return Err(usage(format!("{count} values, {hot_count} hot with {hot_share}")));
        }
        let hot_of_u32 = if hot_count == 0 { 0 } else { (hot_share * f64::from(u32::MAX)) as u64 };
        Ok(Self { at, values, value_bytes, count, hot_count, hot_of_u32, random: SEED })
    }

    fn value(&self, index: usize) -> &[u8] {
        &self.values[index * self.value_bytes..][..self.value_bytes]
    }

    fn draw(&mut self) -> usize {
        let bits = xorshift(&mut self.random);
        // The high half says hot or not, the low half which one.
        let among = if bits >> 32 < self.hot_of_u32 { self.hot_count } else { self.count };
        (((bits & 0xffff_ffff) * among) >> 32) as usize
    }
}

/// xorshift64*: good enough for draws and arrivals, and the same on every machine.
pub fn xorshift(random: &mut u64) -> u64 {
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    random.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(values: &str, hot_count: u64, hot_share: f64) -> Requests {
        let mut bytes = b"GET / HTTP/1.1\r\nkey: ".to_vec();
        let varied = Varied::new(values, bytes.len(), hot_count, hot_share).unwrap();
        bytes.extend_from_slice(varied.value(0));
        bytes.extend_from_slice(b"\r\n\r\n");
        Requests { bytes, varied: Some(varied) }
    }

    #[test]
    fn each_request_has_the_value_it_says() {
        let mut requests = requests("aaa\nbbb\nccc\n", 0, 0.0);
        let mut seen = [false; 3];
        for _ in 0..100 {
            let (bytes, index) = requests.draw();
            let value = ["aaa", "bbb", "ccc"][index];
            let want = format!("GET / HTTP/1.1\r\nkey: {value}\r\n\r\n");
            assert_eq!(std::str::from_utf8(bytes).unwrap(), want);
            seen[index] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn hot_values_get_their_share_and_all_values_come() {
        let values: Vec<String> = (0..1000).map(|index| format!("{index:04}")).collect();
        let mut requests = requests(&values.join("\n"), 10, 0.5);
        let mut counts = [0u32; 1000];
        for _ in 0..200_000 {
            counts[requests.draw().1] += 1;
        }
        let hot: u32 = counts[..10].iter().sum();
        // Half of them, and a hundredth of the other half.
        assert!((99_000..103_000).contains(&hot), "{hot} of 200 000 are hot");
        assert!(counts.iter().all(|&count| count > 0));
    }

    #[test]
    fn values_of_different_lengths_are_refused() {
        for (values, hot) in [("", 0), ("\n", 0), ("aa\nb\n", 0), ("aa\nbb\n", 3)] {
            assert!(Varied::new(values, 0, hot, 0.5).is_err(), "{values:?}, {hot} hot");
        }
    }
}
