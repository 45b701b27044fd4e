//! OpenAPI documents with `x-amazon-apigateway-*` extensions to the model, and back.

mod diagnostic;
mod document;
mod import;
mod json;
mod node;
#[cfg(test)]
mod testing;
mod tree;
mod write;
mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use document::Document;
pub use import::{
    AwsFinding, AwsSeverity, BasePath, DocumentationImport, Import, ImportOptions, import,
    import_documentation, import_with,
};
pub use node::{Member, Node, Position, Value};
pub use yaml::json_number;
