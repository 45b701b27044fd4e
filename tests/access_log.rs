//! The access log says what was answered, and nobody waits for it.

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::process::Signal;

use support::{Definition, Folder, Gateway, Load, Options, Peer, get, wait_for};

fn api() -> Definition {
    Definition::new().mock("GET", "/pets/{id}", 200, "{\"id\":1}").mock("GET", "/a", 200, "{}")
}

/// Waits for so many whole lines.
fn lines(file: &Path, count: usize) -> Vec<String> {
    wait_for("the log's lines", || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines: Vec<String> = whole.lines().map(str::to_owned).collect();
        (lines.len() >= count).then_some(lines)
    })
}

#[test]
fn clf_lines_say_who_asked_what_and_what_came_of_it() {
    let folder = Folder::new();
    let file = folder.file("access.log");
    let gateway = Options::new(api()).access_log(&file).start();
    let mut client = gateway.client();
    let answers = [get("/pets/7?q=1"), get("/nothing")].map(|request| client.asks(request));
    let lines = lines(&file, 2);
    assert_eq!(lines.len(), 2, "{lines:?}");
    for ((line, answer), (resource, status, bytes)) in
        lines.iter().zip(&answers).zip([("/pets/{id}", 200, 8), ("-", 403, 42)])
    {
        // 127.0.0.1 - - [24/Nov/2026:03:15:00 +0000] "GET /pets/{id} HTTP/1.1" 200 8 c6af9ac6-... 3l5X8xQKZC6h/Il=
        assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
        assert!(line.contains(" +0000] \"GET ") && line.contains(" HTTP/1.1\" "), "{line}");
        assert!(resource == "-" || line.contains(resource), "{line}");
        assert!(line.contains(&format!("\" {status} {bytes} ")), "{line}");
        let id = answer.header("x-amzn-RequestId").expect("an id");
        assert!(line.contains(&format!(" {id} ")), "{line} is not about {id}");
    }
}

#[test]
fn a_format_of_ones_own_has_context_variables() {
    let peer = Peer::answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    let folder = Folder::new();
    let file = folder.file("access.log");
    let format = "$context.stage|$context.httpMethod|$context.path|$context.resourcePath|\
                  $context.status|$context.integration.status|$context.error.message|\
                  $context.responseLength|$context.requestId";
    let gateway = Options::new(api().proxy("GET", "/up", &peer.url("/")))
        .access_log(&file)
        .flag("--access-log-format", format)
        .start();
    let mut client = gateway.client();
    for path in ["/a", "/up", "/nothing"] {
        client.asks(get(path));
    }
    let lines = lines(&file, 3);
    for (line, want) in lines.iter().zip([
        "dev|GET|/dev/a|/a|200|-|-|2|",
        "dev|GET|/dev/up|/up|404|404|-|2|",
        "dev|GET|/dev/nothing|-|403|-|Missing Authentication Token|42|",
    ]) {
        assert!(line.starts_with(want), "{line} is not {want}");
    }
}

#[test]
fn json_lines_are_json() {
    let folder = Folder::new();
    let file = folder.file("access.log");
    let gateway = Options::new(api()).access_log(&file).flag("--access-log-format", "json").start();
    let mut client = gateway.client();
    client.asks("GET /dev/a HTTP/1.1\r\nHost: h\r\nUser-Agent: a \"quoted\" \\ agent\r\n\r\n");
    let line = lines(&file, 1).remove(0);
    let value: serde_json::Value =
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(value.as_object().is_some_and(|fields| fields.len() >= 5), "{line}");
}

#[test]
fn every_request_under_load_has_its_line() {
    let folder = Folder::new();
    let file = folder.file("access.log");
    let mut gateway = Options::new(api()).shards(2).access_log(&file).start();
    let report = Load::wrk(&gateway.url("/a"), 32, 2, &[]).finish();
    assert_eq!(report.failed, 0, "{}", report.text);
    // wrk leaves with requests in flight; the gateway may still be at them.
    wait_for("the load's connections to go", || {
        (gateway.metrics().total("ringway_connections") == 0.0).then_some(())
    });
    let metrics = gateway.metrics();
    let counted = metrics.total("ringway_count_total");
    assert_eq!(metrics.total("ringway_access_log_dropped_lines_total"), 0.0);
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.exit().code(), Some(0));
    let text = std::fs::read_to_string(&file).expect("the log");
    assert!(text.ends_with('\n'));
    let mut ids: Vec<&str> = text.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(ids.len() as f64, counted);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len() as f64, counted, "every line is about another request");
}

#[test]
fn a_renamed_log_is_opened_anew() {
    let folder = Folder::new();
    let file = folder.file("access.log");
    let gateway = Options::new(api()).access_log(&file).start();
    assert_eq!(gateway.client().asks(get("/a")).status, 200);
    lines(&file, 1);
    for (number, signal) in [(1, Signal::USR1), (2, Signal::HUP)] {
        let old = folder.file(&format!("access.log.{number}"));
        std::fs::rename(&file, &old).expect("the log is there");
        let from = gateway.said();
        gateway.signal(signal);
        gateway.says(from, "reopened");
        assert_eq!(gateway.client().asks(get("/a")).status, 200);
        assert_eq!(lines(&file, 1).len(), 1);
        assert_eq!(lines(&old, 1).len(), 1);
    }
}

/// The bytes of so many lines are more than may wait for the writer.
fn floods(gateway: &Gateway) {
    let report = Load::wrk(&gateway.url("/a"), 32, 3, &[]).finish();
    assert_eq!(report.failed, 0, "{}", report.text);
    assert_eq!(report.answered(200), report.statuses.values().sum::<u64>(), "{}", report.text);
    assert!(report.requests > 100, "{}", report.text);
}

/// A request id, a blank, the rest, a line end.
const LONG_LINE_BYTES: usize = 36 + 1 + 2_000 + 1;

/// 2 KiB a line fill what may wait (16 MiB) in about 8 000 requests.
fn long_format() -> String {
    format!("$context.requestId {}", "x".repeat(2_000))
}

#[test]
fn a_pipe_that_nobody_reads_stalls_no_request_and_drops_are_counted() {
    let folder = Folder::new();
    let pipe = folder.file("log.pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    // Open for reading, so that the gateway can open it for writing; nothing is read.
    let reader = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(&pipe)
        .expect("the pipe");
    let mut gateway = Options::new(api())
        .shards(2)
        .access_log(&pipe)
        .flag("--access-log-format", &long_format())
        .start();
    let before = gateway.memory("VmRSS");
    while gateway.metrics().total("ringway_access_log_dropped_lines_total") == 0.0 {
        floods(&gateway);
    }
    let grown = gateway.memory("VmRSS").saturating_sub(before);
    assert!(grown < 64 * 1_024 * 1_024, "{grown} bytes wait for the log");
    // A reload is not held up either.
    let from = gateway.said();
    gateway.signal(Signal::HUP);
    gateway.says(from, "reloaded: ");
    assert_eq!(gateway.client().asks(get("/a")).status, 200);
    // Nor is the end, though the last lines are lost.
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.exit().code(), Some(0), "{}", gateway.messages());
    drop(reader);
}

#[test]
fn lines_come_whole_through_a_pipe_that_is_read_late() {
    let folder = Folder::new();
    let pipe = folder.file("log.pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    let reader = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(&pipe)
        .expect("the pipe");
    let mut gateway =
        Options::new(api()).access_log(&pipe).flag("--access-log-format", &long_format()).start();
    while gateway.metrics().total("ringway_access_log_dropped_lines_total") == 0.0 {
        floods(&gateway);
    }
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::empty()).expect("a pipe");
    let reading = std::thread::spawn(move || {
        let mut whole = 0_u64;
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            assert_eq!(line.len(), LONG_LINE_BYTES, "{}", String::from_utf8_lossy(&line));
            whole += 1;
            line.clear();
        }
        whole
    });
    assert_eq!(gateway.client().asks(get("/a")).status, 200);
    // All that was not dropped has gone into the pipe.
    let lines = wait_for("the writer to catch up", || {
        let metrics = gateway.metrics();
        let kept = metrics.total("ringway_access_log_lines_total")
            - metrics.total("ringway_access_log_dropped_lines_total");
        let written = metrics.total("ringway_access_log_written_bytes_total");
        (written == kept * LONG_LINE_BYTES as f64).then_some(kept)
    });
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.exit().code(), Some(0), "{}", gateway.messages());
    assert_eq!(reading.join().expect("whole lines only") as f64, lines);
}

#[test]
fn a_full_disk_costs_lines_and_no_requests() {
    let gateway = Options::new(api()).shards(2).access_log(Path::new("/dev/full")).start();
    floods(&gateway);
    gateway.counts("ringway_access_log_failed_lines_total", 100.0);
    let message = gateway.says(0, "No space left on device");
    assert!(message.contains("/dev/full"), "{message}");
    floods(&gateway);
    // It is told once a minute, not with every batch.
    let told = gateway.messages().matches("No space left on device").count();
    assert!(told <= 2, "told {told} times");
}

#[test]
fn a_log_that_cannot_be_opened_is_said_at_the_start() {
    let folder = Folder::new();
    let file = folder.write("api.json", &api().text()).display().to_string();
    let log = folder.file("no/such/folder/access.log").display().to_string();
    let output = support::tools::ringway(&[
        "run",
        &file,
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "off",
        "--access-log",
        &log,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&log) && said.contains("No such file"), "{said}");
    let mut unread = String::new();
    output.stdout.as_slice().read_to_string(&mut unread).expect("UTF-8");
    assert!(!unread.contains("listening on"), "{unread}");
}
