//! OpenAPI documents with `x-amazon-apigateway-*` extensions to the model, and back.

mod diagnostic;
mod document;
mod export;
mod import;
mod json;
mod node;
mod schema;
#[cfg(test)]
mod testing;
mod tree;
mod write;
mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use document::Document;
pub use export::{
    DocumentationSnapshot, ExportError, ExportOptions, ExportType, Extensions, export,
    export_file_name, export_json, export_yaml,
};
pub use import::{
    AwsFinding, AwsSeverity, BasePath, DocumentationImport, Import, ImportOptions, NO_KEYS_IN_RUN,
    import, import_documentation, import_with,
};
pub use node::{Member, Node, Position, Value};
pub use schema::{Schemas, default_template, flatten, referenced_models};
pub use yaml::json_number;
