//! How fast is a request's head read, against httparse alone, which checks no framing, no `Host`,
//! no target and keeps no spans? And a head that drips in, against parsing from the start each time.

use std::hint::black_box;
use std::mem::MaybeUninit;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringway::http::{BodyDecoder, HeadLimits, HeadScan, KnownHeader, RequestHead};

const LIMITS: HeadLimits =
    HeadLimits { url_bytes: 10_240, header_bytes: 10_240, header_count: 128 };

/// What wrk and curl send.
const SMALL: &[u8] = b"GET /dev/pets/17 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\
    User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

/// What a browser sends.
const BROWSER: &[u8] = b"GET /dev/pets/17?limit=20&sort=name HTTP/1.1\r\nHost: api.example.com\r\n\
    Connection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\n\
    sec-ch-ua-mobile: ?0\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36\r\nsec-ch-ua-platform: \"Linux\"\r\n\
    Accept: application/json, text/plain, */*\r\nOrigin: https://app.example.com\r\n\
    Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
    Referer: https://app.example.com/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n\r\n";

/// As many fields as pass, with short values.
fn worst() -> Vec<u8> {
    let mut bytes = b"POST /dev/pets HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n".to_vec();
    for index in 0..126 {
        bytes.extend_from_slice(format!("X-Header-{index}: {}\r\n", "v".repeat(60)).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn http_head(c: &mut Criterion) {
    let mut group = c.benchmark_group("http_head");
    let worst = worst();
    for (case, bytes, headers) in
        [("small/84B", SMALL, 3), ("browser/700B", BROWSER, 14), ("worst/10KiB", &worst, 128)]
    {
        let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
        assert_eq!(head.parse(bytes, &mut scan, &LIMITS), Ok(true), "{case}");
        assert_eq!(head.headers.len(), headers, "{case}");
        assert_eq!(head.len as usize, bytes.len(), "{case}");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("parse/{case}"), |b| {
            b.iter(|| head.parse(black_box(bytes), &mut scan, &LIMITS));
        });
        group.bench_function(format!("httparse/{case}"), |b| {
            b.iter(|| {
                let mut slots = [const { MaybeUninit::uninit() }; 128];
                let mut request = httparse::Request::new(&mut []);
                let parsed = request.parse_with_uninit_headers(black_box(bytes), &mut slots);
                black_box(request.headers.len());
                parsed
            });
        });
    }
    let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
    group.bench_function("drip/browser", |b| {
        b.iter(|| {
            let done = (1..=BROWSER.len())
                .find(|&end| head.parse(&BROWSER[..end], &mut scan, &LIMITS) == Ok(true));
            assert_eq!(done, Some(BROWSER.len()));
        });
    });
    group.bench_function("drip_without_scan/browser", |b| {
        b.iter(|| {
            let done = (1..=BROWSER.len()).find(|&end| {
                head.parse(&BROWSER[..end], &mut HeadScan::default(), &LIMITS) == Ok(true)
            });
            assert_eq!(done, Some(BROWSER.len()));
        });
    });
    group.finish();
}

fn known_header(c: &mut Criterion) {
    let mut group = c.benchmark_group("known_header");
    for name in ["host", "Content-Type", "x-amzn-trace-id", "sec-ch-ua-platform"] {
        let known = KnownHeader::of(name.as_bytes());
        assert!(known == KnownHeader::Other || known.as_str().eq_ignore_ascii_case(name));
        group.bench_function(name, |b| b.iter(|| KnownHeader::of(black_box(name.as_bytes()))));
    }
    group.finish();
}

fn body(c: &mut Criterion) {
    let mut group = c.benchmark_group("http_body");
    for (case, chunk, count) in [("chunked/16x1KiB", 1_024, 16), ("chunked/1024x16B", 16, 1_024)] {
        let mut wire = Vec::new();
        for _ in 0..count {
            ringway::http::encode::chunk_head(&mut wire, chunk as u64);
            wire.resize(wire.len() + chunk, b'x');
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(ringway::http::encode::LAST_CHUNK);
        let decode = || {
            let (mut decoder, mut at, mut payload) = (BodyDecoder::chunked(), 0, 0);
            while !decoder.is_done() {
                let decoded = decoder.decode(black_box(&wire[at..])).expect("the body is good");
                at += decoded.consumed;
                payload += decoded.data.len();
            }
            payload
        };
        assert_eq!(decode(), chunk * count, "{case}");
        group.throughput(Throughput::Bytes(wire.len() as u64));
        group.bench_function(case, |b| b.iter(decode));
    }
    group.finish();
}

criterion_group!(benches, http_head, known_header, body);
criterion_main!(benches);
