//! OpenAPI documents with `x-amazon-apigateway-*` extensions to the model.

mod diagnostic;
mod document;
mod node;

pub use diagnostic::{Diagnostic, Severity};
pub use document::Document;
pub use node::{Member, Node, Position, Value};
