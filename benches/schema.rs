//! How fast is a body parsed and judged by a model, against the `jsonschema` crate called plainly:
//! `serde_json` to a value, then `is_valid`?

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jsonschema::Draft;
use ringway::json::Tape;
use ringway::schema::{Checker, Messages, Schema, check_body};
use serde_json::{Value, json};

/// A model of 15 properties: nested object, array, strings with pattern, format and enum, numbers
/// with bounds.
fn order() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["orderId", "createdAt", "customer", "items", "currency", "total"],
        "additionalProperties": false,
        "properties": {
            "orderId": { "type": "string", "pattern": "^ORD-[0-9]{6}-[A-Z]{2}$" },
            "createdAt": { "type": "string", "format": "date-time" },
            "channel": { "enum": ["web", "app", "store", "phone"] },
            "currency": { "type": "string", "enum": ["EUR", "USD", "GBP", "CHF", "SEK"] },
            "total": { "type": "number", "minimum": 0, "maximum": 1_000_000, "multipleOf": 0.01 },
            "discount": { "type": "number", "minimum": 0, "exclusiveMaximum": true, "maximum": 100 },
            "priority": { "type": "integer", "minimum": 1, "maximum": 5 },
            "giftWrap": { "type": "boolean" },
            "note": { "type": ["string", "null"], "maxLength": 200 },
            "email": { "type": "string", "format": "email", "maxLength": 254 },
            "phone": { "type": "string", "pattern": r"^\+?[0-9][0-9 ()-]{5,20}$" },
            "tags": { "type": "array", "maxItems": 10, "uniqueItems": true, "items": { "type": "string", "minLength": 1, "maxLength": 20 } },
            "customer": {
                "type": "object",
                "required": ["id", "name", "address"],
                "properties": {
                    "id": { "type": "integer", "minimum": 1 },
                    "name": { "type": "string", "minLength": 1, "maxLength": 80 },
                    "address": { "$ref": "#/definitions/address" }
                }
            },
            "shipping": { "$ref": "#/definitions/address" },
            "items": { "type": "array", "minItems": 1, "maxItems": 1000, "items": { "$ref": "#/definitions/item" } }
        },
        "definitions": {
            "address": {
                "type": "object",
                "required": ["street", "city", "country"],
                "properties": {
                    "street": { "type": "string", "maxLength": 100 },
                    "city": { "type": "string", "maxLength": 60 },
                    "zip": { "type": "string", "pattern": "^[0-9A-Z -]{3,10}$" },
                    "country": { "type": "string", "pattern": "^[A-Z]{2}$" }
                }
            },
            "item": {
                "type": "object",
                "required": ["sku", "quantity", "price"],
                "additionalProperties": false,
                "properties": {
                    "sku": { "type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$" },
                    "name": { "type": "string", "maxLength": 100 },
                    "quantity": { "type": "integer", "minimum": 1, "maximum": 999 },
                    "price": { "type": "number", "minimum": 0 }
                }
            }
        }
    })
}

/// An order with so many items: 5 make it 1 KB.
fn body(items: usize) -> String {
    let list: Vec<Value> = (0..items)
        .map(|n| {
            json!({
                "sku": format!("ABC-{:04}", n % 10_000),
                "name": format!("Article number {n}"),
                "quantity": n % 9 + 1,
                "price": 12.5 + (n % 50) as f64
            })
        })
        .collect();
    let address = json!({ "street": "Unter den Linden 77", "city": "Berlin", "zip": "10117", "country": "DE" });
    json!({
        "orderId": "ORD-104233-EU",
        "createdAt": "2024-05-17T09:30:00.250Z",
        "channel": "web",
        "currency": "EUR",
        "total": 119.98,
        "discount": 5.5,
        "priority": 2,
        "giftWrap": false,
        "note": "Please ring twice; the bell is on the left side of the door.",
        "email": "ann.example@example.com",
        "phone": "+49 30 1234567",
        "tags": ["spring", "returning-customer", "newsletter"],
        "customer": { "id": 90210, "name": "Ann Example", "address": address },
        "shipping": address,
        "items": list
    })
    .to_string()
}

fn schema(c: &mut Criterion) {
    let model = order();
    let ours = Schema::compile(&model.to_string(), &|_| None).expect("the model is draft 4");
    assert!(ours.warnings().is_empty());
    let theirs = jsonschema::options()
        .with_draft(Draft::Draft4)
        .should_validate_formats(true)
        .build(&model)
        .expect("the model is draft 4");
    let (mut tape, mut checker, mut messages) = (Tape::new(), Checker::new(), Messages::new());

    let mut group = c.benchmark_group("schema");
    let small = body(5);
    let large = body(999);
    let refused = small.replace("ORD-104233-EU", "ORD-104233-eu");
    for (case, body, valid) in [
        ("valid/1KB", &small, true),
        ("valid/100KB", &large, true),
        ("refused/1KB", &refused, false),
    ] {
        let bytes = body.as_bytes();
        assert_eq!(check_body(&ours, bytes, &mut tape, &mut checker, None).is_valid(), valid);
        let value: Value = serde_json::from_slice(bytes).expect("the body is JSON");
        assert_eq!(theirs.is_valid(&value), valid);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("{case}/ringway"), |b| {
            b.iter(|| check_body(&ours, black_box(bytes), &mut tape, &mut checker, None))
        });
        group.bench_function(format!("{case}/ringway-parse"), |b| {
            b.iter(|| tape.parse_strict(black_box(body)).is_ok())
        });
        let root = tape.parse_strict(body).expect("the body is JSON");
        group.bench_function(format!("{case}/ringway-check"), |b| {
            b.iter(|| ours.check(&mut checker, &tape.document(black_box(body)), root, None))
        });
        group.bench_function(format!("{case}/jsonschema"), |b| {
            b.iter(|| {
                let value: Value = serde_json::from_slice(black_box(bytes)).expect("JSON");
                theirs.is_valid(&value)
            })
        });
        group.bench_function(format!("{case}/jsonschema-check"), |b| {
            b.iter(|| theirs.is_valid(black_box(&value)))
        });
    }
    group.bench_function("refused/1KB/ringway-with-messages", |b| {
        let bytes = refused.as_bytes();
        b.iter(|| check_body(&ours, black_box(bytes), &mut tape, &mut checker, Some(&mut messages)))
    });
    group.bench_function("compile/ringway", |b| {
        let text = model.to_string();
        b.iter(|| Schema::compile(black_box(&text), &|_| None).is_ok())
    });
    group.finish();
}

criterion_group!(benches, schema);
criterion_main!(benches);
