//! OpenAPI documents with `x-amazon-apigateway-*` extensions to the model.

mod diagnostic;
mod document;
mod import;
mod json;
mod node;
mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use document::Document;
pub use import::{Import, import};
pub use node::{Member, Node, Position, Value};
pub use yaml::json_number;
