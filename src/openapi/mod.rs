//! OpenAPI documents with x-amazon-apigateway extensions to the model.
