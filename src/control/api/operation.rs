//! Every operation: where it is called, what it takes, who carries it out.
//!
//! Source: AWS's service model (facts, control-plane section 9).

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::{
    account, api_key_import, api_keys, authorizers, base_path_mappings, client_certificates,
    deployments, documentation, domain_names, exports, gateway_responses, imports, integrations,
    methods, models, request_validators, resources, rest_apis, sdks, stages, tags, test_invoke,
    usage, usage_plan_keys, usage_plans, vpc_links,
};

/// Carries one operation out.
pub type Run = fn(&mut Context<'_>, &Call<'_>) -> Result<Reply, ApiError>;

/// An operation of the service.
pub struct Operation {
    /// AWS's name.
    pub name: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// URI with `{labels}`, and the query parameter that tells it from others with the same path.
    pub uri: &'static str,
    /// Status of a success.
    pub status: u16,
    /// Members of the JSON body, required ones with `*`; `(raw)`: the body is a document.
    pub input: &'static str,
    pub(super) run: Run,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Operation {
    /// Whether it may change the store.
    pub fn writes(&self) -> bool {
        self.method != "GET" && !self.name.starts_with("TestInvoke")
    }

    /// Whether its body is a document of its own and not members.
    pub fn takes_document(&self) -> bool {
        self.input == RAW
    }

    /// Members of the body: name, and whether it is required.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let names = if self.takes_document() { "" } else { self.input };
        names.split_whitespace().map(|name| match name.strip_suffix('*') {
            Some(name) => (name, true),
            None => (name, false),
        })
    }

    /// How AWS's framework names its input: `createRestApiInput`.
    pub fn input_name(&self) -> String {
        let mut name = self.name.to_owned();
        name[..1].make_ascii_lowercase();
        name + "Input"
    }

    fn path(&self) -> &'static str {
        self.uri.split_once('?').map_or(self.uri, |(path, _)| path)
    }
}

const RAW: &str = "(raw)";

/// An operation found by its URI.
#[derive(Debug)]
pub struct Route {
    /// The operation.
    pub operation: &'static Operation,
    /// Path labels, decoded.
    pub labels: Vec<(&'static str, String)>,
}

/// Finds the operation of a request; `path` is percent-encoded, as it came. `None`: there is none.
pub fn route(method: &str, path: &str, query: &[(String, String)]) -> Option<Route> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |operation: &&'static Operation| {
        operation.method == method
            && operation.path().split('/').count() == segments.len()
            && operation.path().split('/').zip(&segments).all(|(pattern, segment)| {
                pattern == *segment || (pattern.starts_with('{') && !segment.is_empty())
            })
            && operation.uri.split_once('?').is_none_or(|(_, wanted)| {
                query.iter().any(|(key, value)| wanted.split_once('=') == Some((key, value)))
            })
    };
    // The most particular: one that names a query parameter, then the one with the fewest labels.
    let operation = OPERATIONS
        .iter()
        .filter(fits)
        .min_by_key(|it| (!it.uri.contains('?'), it.uri.matches('{').count()))?;
    let labels = operation.path().split('/').zip(&segments).filter_map(|(pattern, segment)| {
        let name = pattern.strip_prefix('{')?.strip_suffix('}')?;
        let value = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        Some((name, value))
    });
    Some(Route { operation, labels: labels.collect() })
}

const fn op(
    name: &'static str,
    method: &'static str,
    uri: &'static str,
    status: u16,
    input: &'static str,
    run: Run,
) -> Operation {
    Operation { name, method, uri, status, input, run }
}

/// All of them, by kind.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    // rest apis
    op("GetRestApis", "GET", "/restapis", 200, "", rest_apis::get_rest_apis),
    op("CreateRestApi", "POST", "/restapis", 201, "name* description version cloneFrom binaryMediaTypes minimumCompressionSize apiKeySource endpointConfiguration policy tags disableExecuteApiEndpoint securityPolicy endpointAccessMode", rest_apis::create_rest_api),
    op("DeleteRestApi", "DELETE", "/restapis/{restapi_id}", 202, "", rest_apis::delete_rest_api),
    op("GetRestApi", "GET", "/restapis/{restapi_id}", 200, "", rest_apis::get_rest_api),
    op("UpdateRestApi", "PATCH", "/restapis/{restapi_id}", 200, "patchOperations", rest_apis::update_rest_api),
    // imports
    op("PutRestApi", "PUT", "/restapis/{restapi_id}", 200, "(raw)", imports::put_rest_api),
    op("ImportRestApi", "POST", "/restapis?mode=import", 201, "(raw)", imports::import_rest_api),
    // exports
    op("GetExport", "GET", "/restapis/{restapi_id}/stages/{stage_name}/exports/{export_type}", 200, "", exports::get_export),
    // resources
    op("GetResources", "GET", "/restapis/{restapi_id}/resources", 200, "", resources::get_resources),
    op("CreateResource", "POST", "/restapis/{restapi_id}/resources/{parent_id}", 201, "pathPart*", resources::create_resource),
    op("DeleteResource", "DELETE", "/restapis/{restapi_id}/resources/{resource_id}", 202, "", resources::delete_resource),
    op("GetResource", "GET", "/restapis/{restapi_id}/resources/{resource_id}", 200, "", resources::get_resource),
    op("UpdateResource", "PATCH", "/restapis/{restapi_id}/resources/{resource_id}", 200, "patchOperations", resources::update_resource),
    // methods
    op("DeleteMethod", "DELETE", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}", 204, "", methods::delete_method),
    op("GetMethod", "GET", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}", 200, "", methods::get_method),
    op("UpdateMethod", "PATCH", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}", 200, "patchOperations", methods::update_method),
    op("PutMethod", "PUT", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}", 201, "authorizationType* authorizerId apiKeyRequired operationName requestParameters requestModels requestValidatorId authorizationScopes", methods::put_method),
    op("DeleteMethodResponse", "DELETE", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}", 204, "", methods::delete_method_response),
    op("GetMethodResponse", "GET", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}", 200, "", methods::get_method_response),
    op("UpdateMethodResponse", "PATCH", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}", 201, "patchOperations", methods::update_method_response),
    op("PutMethodResponse", "PUT", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}", 201, "responseParameters responseModels", methods::put_method_response),
    // integrations
    op("DeleteIntegration", "DELETE", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration", 204, "", integrations::delete_integration),
    op("GetIntegration", "GET", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration", 200, "", integrations::get_integration),
    op("UpdateIntegration", "PATCH", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration", 200, "patchOperations", integrations::update_integration),
    op("PutIntegration", "PUT", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration", 201, "type* httpMethod uri connectionType connectionId credentials requestParameters requestTemplates passthroughBehavior cacheNamespace cacheKeyParameters contentHandling timeoutInMillis tlsConfig responseTransferMode integrationTarget", integrations::put_integration),
    op("DeleteIntegrationResponse", "DELETE", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}", 204, "", integrations::delete_integration_response),
    op("GetIntegrationResponse", "GET", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}", 200, "", integrations::get_integration_response),
    op("UpdateIntegrationResponse", "PATCH", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}", 200, "patchOperations", integrations::update_integration_response),
    op("PutIntegrationResponse", "PUT", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}", 201, "selectionPattern responseParameters responseTemplates contentHandling", integrations::put_integration_response),
    // test invoke
    op("TestInvokeAuthorizer", "POST", "/restapis/{restapi_id}/authorizers/{authorizer_id}", 200, "headers multiValueHeaders pathWithQueryString body stageVariables additionalContext", test_invoke::test_invoke_authorizer),
    op("TestInvokeMethod", "POST", "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}", 200, "pathWithQueryString body headers multiValueHeaders clientCertificateId stageVariables", test_invoke::test_invoke_method),
    // models
    op("GetModels", "GET", "/restapis/{restapi_id}/models", 200, "", models::get_models),
    op("CreateModel", "POST", "/restapis/{restapi_id}/models", 201, "name* description schema contentType*", models::create_model),
    op("DeleteModel", "DELETE", "/restapis/{restapi_id}/models/{model_name}", 202, "", models::delete_model),
    op("GetModel", "GET", "/restapis/{restapi_id}/models/{model_name}", 200, "", models::get_model),
    op("UpdateModel", "PATCH", "/restapis/{restapi_id}/models/{model_name}", 200, "patchOperations", models::update_model),
    op("GetModelTemplate", "GET", "/restapis/{restapi_id}/models/{model_name}/default_template", 200, "", models::get_model_template),
    // request validators
    op("GetRequestValidators", "GET", "/restapis/{restapi_id}/requestvalidators", 200, "", request_validators::get_request_validators),
    op("CreateRequestValidator", "POST", "/restapis/{restapi_id}/requestvalidators", 201, "name validateRequestBody validateRequestParameters", request_validators::create_request_validator),
    op("DeleteRequestValidator", "DELETE", "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}", 202, "", request_validators::delete_request_validator),
    op("GetRequestValidator", "GET", "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}", 200, "", request_validators::get_request_validator),
    op("UpdateRequestValidator", "PATCH", "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}", 200, "patchOperations", request_validators::update_request_validator),
    // authorizers
    op("GetAuthorizers", "GET", "/restapis/{restapi_id}/authorizers", 200, "", authorizers::get_authorizers),
    op("CreateAuthorizer", "POST", "/restapis/{restapi_id}/authorizers", 201, "name* type* providerARNs authType authorizerUri authorizerCredentials identitySource identityValidationExpression authorizerResultTtlInSeconds jwtConfiguration", authorizers::create_authorizer),
    op("DeleteAuthorizer", "DELETE", "/restapis/{restapi_id}/authorizers/{authorizer_id}", 202, "", authorizers::delete_authorizer),
    op("GetAuthorizer", "GET", "/restapis/{restapi_id}/authorizers/{authorizer_id}", 200, "", authorizers::get_authorizer),
    op("UpdateAuthorizer", "PATCH", "/restapis/{restapi_id}/authorizers/{authorizer_id}", 200, "patchOperations", authorizers::update_authorizer),
    // gateway responses
    op("GetGatewayResponses", "GET", "/restapis/{restapi_id}/gatewayresponses", 200, "", gateway_responses::get_gateway_responses),
    op("DeleteGatewayResponse", "DELETE", "/restapis/{restapi_id}/gatewayresponses/{response_type}", 202, "", gateway_responses::delete_gateway_response),
    op("GetGatewayResponse", "GET", "/restapis/{restapi_id}/gatewayresponses/{response_type}", 200, "", gateway_responses::get_gateway_response),
    op("UpdateGatewayResponse", "PATCH", "/restapis/{restapi_id}/gatewayresponses/{response_type}", 200, "patchOperations", gateway_responses::update_gateway_response),
    op("PutGatewayResponse", "PUT", "/restapis/{restapi_id}/gatewayresponses/{response_type}", 201, "statusCode responseParameters responseTemplates", gateway_responses::put_gateway_response),
    // documentation
    op("GetDocumentationParts", "GET", "/restapis/{restapi_id}/documentation/parts", 200, "", documentation::get_documentation_parts),
    op("CreateDocumentationPart", "POST", "/restapis/{restapi_id}/documentation/parts", 201, "location* properties*", documentation::create_documentation_part),
    op("ImportDocumentationParts", "PUT", "/restapis/{restapi_id}/documentation/parts", 200, "(raw)", documentation::import_documentation_parts),
    op("DeleteDocumentationPart", "DELETE", "/restapis/{restapi_id}/documentation/parts/{part_id}", 202, "", documentation::delete_documentation_part),
    op("GetDocumentationPart", "GET", "/restapis/{restapi_id}/documentation/parts/{part_id}", 200, "", documentation::get_documentation_part),
    op("UpdateDocumentationPart", "PATCH", "/restapis/{restapi_id}/documentation/parts/{part_id}", 200, "patchOperations", documentation::update_documentation_part),
    op("GetDocumentationVersions", "GET", "/restapis/{restapi_id}/documentation/versions", 200, "", documentation::get_documentation_versions),
    op("CreateDocumentationVersion", "POST", "/restapis/{restapi_id}/documentation/versions", 201, "documentationVersion* stageName description", documentation::create_documentation_version),
    op("DeleteDocumentationVersion", "DELETE", "/restapis/{restapi_id}/documentation/versions/{doc_version}", 202, "", documentation::delete_documentation_version),
    op("GetDocumentationVersion", "GET", "/restapis/{restapi_id}/documentation/versions/{doc_version}", 200, "", documentation::get_documentation_version),
    op("UpdateDocumentationVersion", "PATCH", "/restapis/{restapi_id}/documentation/versions/{doc_version}", 200, "patchOperations", documentation::update_documentation_version),
    // deployments
    op("GetDeployments", "GET", "/restapis/{restapi_id}/deployments", 200, "", deployments::get_deployments),
    op("CreateDeployment", "POST", "/restapis/{restapi_id}/deployments", 201, "stageName stageDescription description cacheClusterEnabled cacheClusterSize variables canarySettings tracingEnabled", deployments::create_deployment),
    op("DeleteDeployment", "DELETE", "/restapis/{restapi_id}/deployments/{deployment_id}", 202, "", deployments::delete_deployment),
    op("GetDeployment", "GET", "/restapis/{restapi_id}/deployments/{deployment_id}", 200, "", deployments::get_deployment),
    op("UpdateDeployment", "PATCH", "/restapis/{restapi_id}/deployments/{deployment_id}", 200, "patchOperations", deployments::update_deployment),
    // stages
    op("GetStages", "GET", "/restapis/{restapi_id}/stages", 200, "", stages::get_stages),
    op("CreateStage", "POST", "/restapis/{restapi_id}/stages", 201, "stageName* deploymentId* description cacheClusterEnabled cacheClusterSize variables documentationVersion canarySettings tracingEnabled tags", stages::create_stage),
    op("DeleteStage", "DELETE", "/restapis/{restapi_id}/stages/{stage_name}", 202, "", stages::delete_stage),
    op("GetStage", "GET", "/restapis/{restapi_id}/stages/{stage_name}", 200, "", stages::get_stage),
    op("UpdateStage", "PATCH", "/restapis/{restapi_id}/stages/{stage_name}", 200, "patchOperations", stages::update_stage),
    op("FlushStageAuthorizersCache", "DELETE", "/restapis/{restapi_id}/stages/{stage_name}/cache/authorizers", 202, "", stages::flush_cache),
    op("FlushStageCache", "DELETE", "/restapis/{restapi_id}/stages/{stage_name}/cache/data", 202, "", stages::flush_cache),
    // account
    op("GetAccount", "GET", "/account", 200, "", account::get_account),
    op("UpdateAccount", "PATCH", "/account", 200, "patchOperations", account::update_account),
    // api keys
    op("GetApiKeys", "GET", "/apikeys", 200, "", api_keys::get_api_keys),
    op("CreateApiKey", "POST", "/apikeys", 201, "name description enabled generateDistinctId value stageKeys customerId tags", api_keys::create_api_key),
    op("DeleteApiKey", "DELETE", "/apikeys/{api_Key}", 202, "", api_keys::delete_api_key),
    op("GetApiKey", "GET", "/apikeys/{api_Key}", 200, "", api_keys::get_api_key),
    op("UpdateApiKey", "PATCH", "/apikeys/{api_Key}", 200, "patchOperations", api_keys::update_api_key),
    op("ImportApiKeys", "POST", "/apikeys?mode=import", 201, "(raw)", api_key_import::import_api_keys),
    // usage plans
    op("GetUsagePlans", "GET", "/usageplans", 200, "", usage_plans::get_usage_plans),
    op("CreateUsagePlan", "POST", "/usageplans", 201, "name* description apiStages throttle quota tags", usage_plans::create_usage_plan),
    op("DeleteUsagePlan", "DELETE", "/usageplans/{usageplanId}", 202, "", usage_plans::delete_usage_plan),
    op("GetUsagePlan", "GET", "/usageplans/{usageplanId}", 200, "", usage_plans::get_usage_plan),
    op("UpdateUsagePlan", "PATCH", "/usageplans/{usageplanId}", 200, "patchOperations", usage_plans::update_usage_plan),
    op("GetUsagePlanKeys", "GET", "/usageplans/{usageplanId}/keys", 200, "", usage_plan_keys::get_usage_plan_keys),
    op("CreateUsagePlanKey", "POST", "/usageplans/{usageplanId}/keys", 201, "keyId* keyType*", usage_plan_keys::create_usage_plan_key),
    op("DeleteUsagePlanKey", "DELETE", "/usageplans/{usageplanId}/keys/{keyId}", 202, "", usage_plan_keys::delete_usage_plan_key),
    op("GetUsagePlanKey", "GET", "/usageplans/{usageplanId}/keys/{keyId}", 200, "", usage_plan_keys::get_usage_plan_key),
    op("UpdateUsage", "PATCH", "/usageplans/{usageplanId}/keys/{keyId}/usage", 200, "patchOperations", usage::update_usage),
    op("GetUsage", "GET", "/usageplans/{usageplanId}/usage", 200, "", usage::get_usage),
    // domain names
    op("GetDomainNameAccessAssociations", "GET", "/domainnameaccessassociations", 200, "", domain_names::get_domain_name_access_associations),
    op("CreateDomainNameAccessAssociation", "POST", "/domainnameaccessassociations", 201, "domainNameArn* accessAssociationSourceType* accessAssociationSource* tags", domain_names::create_domain_name_access_association),
    op("DeleteDomainNameAccessAssociation", "DELETE", "/domainnameaccessassociations/{domain_name_access_association_arn}", 202, "", domain_names::delete_domain_name_access_association),
    op("GetDomainNames", "GET", "/domainnames", 200, "", domain_names::get_domain_names),
    op("CreateDomainName", "POST", "/domainnames", 201, "domainName* certificateName certificateBody certificatePrivateKey certificateChain certificateArn regionalCertificateName regionalCertificateArn endpointConfiguration tags securityPolicy endpointAccessMode mutualTlsAuthentication ownershipVerificationCertificateArn policy routingMode", domain_names::create_domain_name),
    op("DeleteDomainName", "DELETE", "/domainnames/{domain_name}", 202, "", domain_names::delete_domain_name),
    op("GetDomainName", "GET", "/domainnames/{domain_name}", 200, "", domain_names::get_domain_name),
    op("UpdateDomainName", "PATCH", "/domainnames/{domain_name}", 200, "patchOperations", domain_names::update_domain_name),
    op("RejectDomainNameAccessAssociation", "POST", "/rejectdomainnameaccessassociations", 202, "", domain_names::reject_domain_name_access_association),
    // base path mappings
    op("GetBasePathMappings", "GET", "/domainnames/{domain_name}/basepathmappings", 200, "", base_path_mappings::get_base_path_mappings),
    op("CreateBasePathMapping", "POST", "/domainnames/{domain_name}/basepathmappings", 201, "basePath restApiId* stage", base_path_mappings::create_base_path_mapping),
    op("DeleteBasePathMapping", "DELETE", "/domainnames/{domain_name}/basepathmappings/{base_path}", 202, "", base_path_mappings::delete_base_path_mapping),
    op("GetBasePathMapping", "GET", "/domainnames/{domain_name}/basepathmappings/{base_path}", 200, "", base_path_mappings::get_base_path_mapping),
    op("UpdateBasePathMapping", "PATCH", "/domainnames/{domain_name}/basepathmappings/{base_path}", 200, "patchOperations", base_path_mappings::update_base_path_mapping),
    // client certificates
    op("GetClientCertificates", "GET", "/clientcertificates", 200, "", client_certificates::get_client_certificates),
    op("GenerateClientCertificate", "POST", "/clientcertificates", 201, "description tags", client_certificates::generate_client_certificate),
    op("DeleteClientCertificate", "DELETE", "/clientcertificates/{clientcertificate_id}", 202, "", client_certificates::delete_client_certificate),
    op("GetClientCertificate", "GET", "/clientcertificates/{clientcertificate_id}", 200, "", client_certificates::get_client_certificate),
    op("UpdateClientCertificate", "PATCH", "/clientcertificates/{clientcertificate_id}", 200, "patchOperations", client_certificates::update_client_certificate),
    // vpc links
    op("GetVpcLinks", "GET", "/vpclinks", 200, "", vpc_links::get_vpc_links),
    op("CreateVpcLink", "POST", "/vpclinks", 202, "name* description targetArns* tags", vpc_links::create_vpc_link),
    op("DeleteVpcLink", "DELETE", "/vpclinks/{vpclink_id}", 202, "", vpc_links::delete_vpc_link),
    op("GetVpcLink", "GET", "/vpclinks/{vpclink_id}", 200, "", vpc_links::get_vpc_link),
    op("UpdateVpcLink", "PATCH", "/vpclinks/{vpclink_id}", 200, "patchOperations", vpc_links::update_vpc_link),
    // tags
    op("UntagResource", "DELETE", "/tags/{resource_arn}", 204, "", tags::untag_resource),
    op("GetTags", "GET", "/tags/{resource_arn}", 200, "", tags::get_tags),
    op("TagResource", "PUT", "/tags/{resource_arn}", 204, "tags*", tags::tag_resource),
    // sdks
    op("GetSdk", "GET", "/restapis/{restapi_id}/stages/{stage_name}/sdks/{sdk_type}", 200, "", sdks::get_sdk),
    op("GetSdkTypes", "GET", "/sdktypes", 200, "", sdks::get_sdk_types),
    op("GetSdkType", "GET", "/sdktypes/{sdktype_id}", 200, "", sdks::get_sdk_type),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str, query: &[(&str, &str)]) -> Option<(&'static str, String)> {
        let query: Vec<_> = query.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let route = route(method, path, &query)?;
        let labels: Vec<_> = route.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Some((route.operation.name, labels.join(" ")))
    }

    #[test]
    fn operations_are_found_by_their_uris() {
        for (method, path, query, want) in [
            ("GET", "/restapis", &[][..], "GetRestApis "),
            ("POST", "/restapis", &[], "CreateRestApi "),
            ("POST", "/restapis", &[("mode", "import")], "ImportRestApi "),
            ("POST", "/apikeys", &[("format", "csv"), ("mode", "import")], "ImportApiKeys "),
            ("GET", "/restapis/a1/", &[], "GetRestApi restapi_id=a1"),
            (
                "GET",
                "/domainnames/x.com/basepathmappings/%28none%29",
                &[],
                "GetBasePathMapping domain_name=x.com base_path=(none)",
            ),
            (
                "DELETE",
                "/restapis/a1/stages/dev/cache/data",
                &[],
                "FlushStageCache restapi_id=a1 stage_name=dev",
            ),
            (
                "PUT",
                "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fid",
                &[],
                "TagResource resource_arn=arn:aws:apigateway:us-east-1::/restapis/id",
            ),
        ] {
            let (name, labels) = found(method, path, query).unwrap_or_default();
            assert_eq!(format!("{name} {labels}"), want, "{method} {path}");
        }
        for (method, path) in
            [("GET", "/"), ("GET", ""), ("PUT", "/restapis"), ("GET", "/restapis//stages")]
        {
            assert_eq!(found(method, path, &[]), None, "{method} {path}");
        }
    }

    #[test]
    fn every_operation_is_there_once() {
        let mut names: Vec<_> = OPERATIONS.iter().map(|it| it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), OPERATIONS.len()), (124, 124));
        assert_eq!(OPERATIONS[1].input_name(), "createRestApiInput");
    }
}
