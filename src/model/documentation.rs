//! Documentation parts: texts about an API's objects.

/// Kind of the object that a part is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum DocumentationPartType {
    Api,
    Authorizer,
    Model,
    Resource,
    Method,
    PathParameter,
    QueryParameter,
    RequestHeader,
    RequestBody,
    Response,
    ResponseHeader,
    ResponseBody,
}

named!(DocumentationPartType:
    Api = "API",
    Authorizer = "AUTHORIZER",
    Model = "MODEL",
    Resource = "RESOURCE",
    Method = "METHOD",
    PathParameter = "PATH_PARAMETER",
    QueryParameter = "QUERY_PARAMETER",
    RequestHeader = "REQUEST_HEADER",
    RequestBody = "REQUEST_BODY",
    Response = "RESPONSE",
    ResponseHeader = "RESPONSE_HEADER",
    ResponseBody = "RESPONSE_BODY",
);

/// What a part is about. What is `None` was not given; where the type has the member, the path then
/// stands for `/`, method and status for `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentationPartLocation {
    /// Kind of the object.
    pub kind: DocumentationPartType,
    /// The resource's path.
    pub path: Option<String>,
    /// `GET`, or `*`.
    pub method: Option<String>,
    /// `200`, or `*`.
    pub status_code: Option<String>,
    /// Of the parameter, header, authorizer or model.
    pub name: Option<String>,
}

impl DocumentationPartLocation {
    /// The object of that type, wherever it is.
    pub fn of(kind: DocumentationPartType) -> Self {
        Self { kind, path: None, method: None, status_code: None, name: None }
    }
}

/// A text about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentationPart {
    /// The object.
    pub location: DocumentationPartLocation,
    /// A JSON object's text, as it was given.
    pub properties: String,
}
