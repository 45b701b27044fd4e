//! How fast is an answer's head written, against `write!` with a format string?

use std::hint::black_box;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringway::http::{HeadScan, HeaderList, KnownHeader, Method, ResponseHead, encode};

/// What every answer of a gateway carries.
const FIELDS: &[(&str, &str)] = &[
    ("Date", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ("Content-Type", "application/json"),
    ("x-amzn-RequestId", "0f2b1f9e-5a4c-4c5b-9d0a-3f6b8a7c1d2e"),
    ("x-amz-apigw-id", "ABCDEFGHIAMEJqw="),
    ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
];
const BODY_BYTES: u64 = 1_234;

/// Straight into the answer's buffer, as a step does that knows its fields.
fn direct(out: &mut Vec<u8>) {
    out.clear();
    encode::status_line(out, black_box(200));
    for (name, value) in FIELDS {
        encode::header(out, name.as_bytes(), black_box(value).as_bytes());
    }
    encode::content_length(out, black_box(BODY_BYTES));
    out.extend_from_slice(b"\r\n");
}

/// Through a list that mappings may still change.
fn through_list(list: &mut HeaderList, out: &mut Vec<u8>) {
    out.clear();
    list.clear();
    for (name, value) in FIELDS {
        list.push(name.as_bytes(), black_box(value).as_bytes());
    }
    list.push_with(b"Content-Length", |out| encode::decimal(out, black_box(BODY_BYTES)));
    encode::status_line(out, black_box(200));
    list.encode(out);
    out.extend_from_slice(b"\r\n");
}

/// The plain way, without any check of the values.
fn naive(out: &mut Vec<u8>) {
    out.clear();
    write!(out, "HTTP/1.1 {} OK\r\n", black_box(200)).expect("a Vec takes all");
    for (name, value) in FIELDS {
        write!(out, "{name}: {}\r\n", black_box(value)).expect("a Vec takes all");
    }
    write!(out, "Content-Length: {}\r\n\r\n", black_box(BODY_BYTES)).expect("a Vec takes all");
}

fn http_encode(c: &mut Criterion) {
    let (mut out, mut list) = (Vec::new(), HeaderList::new());
    direct(&mut out);
    let want = out.clone();
    let mut head = ResponseHead::default();
    assert_eq!(head.parse(&want, Method::Get, &mut HeadScan::default()), Ok(true));
    assert_eq!(head.find(&want, KnownHeader::ContentLength), Some(&b"1234"[..]));
    through_list(&mut list, &mut out);
    assert_eq!(out, want);
    naive(&mut out);
    assert_eq!(out, want);

    let mut group = c.benchmark_group("http_encode");
    group.throughput(Throughput::Bytes(want.len() as u64));
    group.bench_function("direct/head", |b| b.iter(|| direct(&mut out)));
    group.bench_function("list/head", |b| b.iter(|| through_list(&mut list, &mut out)));
    group.bench_function("naive/head", |b| b.iter(|| naive(&mut out)));
    group.bench_function("chunk_head/16KiB", |b| {
        b.iter(|| {
            out.clear();
            encode::chunk_head(&mut out, black_box(16_384));
        });
    });
    group.finish();
}

criterion_group!(benches, http_encode);
criterion_main!(benches);
