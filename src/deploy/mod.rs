//! From a model to a compiled stage: everything that can be decided before a request is decided here.
//!
//! `compile` walks the model once: paths become a [`route_tree`], mapping expressions become
//! [`source`]s, selection patterns a table, mapping templates programs, gateway responses and MOCK answers encoded bytes. What
//! cannot be carried out is a [`CompileError`] that names the place and the remedy, and all of them
//! are reported together.
//!
//! In: `RestApi`, stage settings, the registries that outlive a deployment. Out: an immutable
//! [`CompiledStage`] for the shards.
//!
//! **Invariant**: no request is ever seen here, and no clock but the one that is handed in.

mod compile;
mod compiled;
mod domains;
mod gateway_responses;
mod integration;
pub mod json_path;
pub mod media_type;
pub mod mock_status;
mod protection;
mod publication;
pub mod route_tree;
pub mod selector;
pub mod source;
mod template;
pub mod uri;
mod validation;

pub use compile::{CompileEnv, CompileError, StageSettings, compile, compile_with, nowhere};
pub use compiled::{
    CompiledHttp, CompiledIntegration, CompiledMethod, CompiledMock, CompiledResponse,
    CompiledStage, ConstantResponse, HeaderMapping, KnownSet, MockTemplate, QueryMapping,
    ResponseMapping, Templates, ThrottleScope, UriPiece,
};
pub use domains::{BasePathMapping, Domain, DomainTable};
pub use gateway_responses::{
    CompiledGatewayResponse, GatewayResponses, GatewayTemplate, INVALID_BODY, PREPARED,
    write_json_string,
};
pub use integration::{REMAPPED, RequestHeader, request_header, response_header};
pub use media_type::MediaTypes;
pub use publication::{
    Applied, Batch, CanaryContent, CanarySeries, Change, Publication, StageContent, Update,
};
pub use route_tree::RouteTree;
pub use template::{CompiledTemplate, Template, TemplateSide};
pub use validation::{RequiredParameter, Validation};
