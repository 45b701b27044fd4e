//! Ringway: an API gateway for Linux, written on io_uring, that runs Amazon API Gateway definitions
//! unchanged.
//!
//! Two flows, each in one direction (see `docs/architecture.md`):
//!
//! ```text
//! request   accept → parse → route → authorize → throttle → validate → cache → map request
//!           → integrate → map response → write → log/metrics
//! config    OpenAPI file → model → compile → publish to shards
//! ```
//!
//! They meet in one immutable value, [`deploy::CompiledStage`]. Modules are listed from the lowest
//! layer to the highest; a module imports from lower layers only (`tests/tidy.rs` checks it).

// L0: bounds, clock, names of context variables.
pub mod context;
pub mod limits;
pub mod memory;
pub mod time;

// L0, too: JSON bodies and paths into them, for every layer that reads one.
pub mod json;

// L1: each on its own; they do not import each other.
pub mod auth;
pub mod http;
pub mod ring;
pub mod schema;
pub mod store;
pub mod telemetry;
pub mod throttle;
pub mod tls;
pub mod vtl;

// L2: what the user declared; pooled connections to integrations.
pub mod model;
pub mod upstream;
pub mod usage;

// L3: from a document to a model to a compiled stage.
pub mod deploy;
pub mod openapi;

// L4: the life of a request; the admin port.
pub mod control;
pub mod gateway;

// Settings of the process, from file, environment and flags.
pub mod config;

// L5: one pinned thread per core.
pub mod shard;

// L6: the process.
pub mod cli;
pub mod server;
