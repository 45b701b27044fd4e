//! DomainName: a name of the user's under which stages are served (see `base_path_mappings`), and who
//! may reach a private one.
//!
//! A name is found without regard to case. Private names may be several, told apart by an id.
//!
//! Source: facts, control-plane sections 4, 5 and 12, security sections 8 to 10.

use serde_json::Value;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{EndpointConfiguration, Secret, Tags, objects, wire};
use super::page;
use super::patch::{Op, Patch};
use super::{base_path_mappings, shape, tags};

/// Characters of a name, and of a label between its dots. Source: RFC 1035 section 2.3.4.
const NAME_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;
const ENDPOINT_TYPES: [&str; 3] = ["REGIONAL", "EDGE", "PRIVATE"];
/// Hosted zones of AWS's own names, which clients pass on to DNS: CloudFront's, and us-east-1's.
const EDGE_ZONE: &str = "Z2FDTNDATAQYW2";
const REGIONAL_ZONE: &str = "Z1UJRXOUMOOFQ8";
const REPLACEABLE: [&str; 14] = [
    "/certificateArn",
    "/certificateName",
    "/regionalCertificateArn",
    "/regionalCertificateName",
    "/securityPolicy",
    "/endpointAccessMode",
    "/endpointConfiguration/types/{type}",
    "/endpointConfiguration/ipAddressType",
    "/mutualTlsAuthentication/truststoreUri",
    "/mutualTlsAuthentication/truststoreVersion",
    "/ownershipVerificationCertificateArn",
    "/policy",
    "/managementPolicy",
    "/routingMode",
];
const SETS: [&str; 1] = ["/endpointConfiguration/types"];

wire! {
    /// A custom domain name.
    DomainName {
        domain_name: String,
        /// Only of a private one.
        domain_name_id: Option<String>,
        domain_name_arn: String,
        certificate_name: Option<String>,
        certificate_arn: Option<String>,
        certificate_upload_date: Option<i64>,
        regional_domain_name: Option<String>,
        regional_hosted_zone_id: Option<String>,
        regional_certificate_name: Option<String>,
        regional_certificate_arn: Option<String>,
        distribution_domain_name: Option<String>,
        distribution_hosted_zone_id: Option<String>,
        endpoint_configuration: EndpointConfiguration,
        domain_name_status: String,
        domain_name_status_message: Option<String>,
        security_policy: Option<String>,
        endpoint_access_mode: Option<String>,
        tags: Option<Tags>,
        mutual_tls_authentication: Option<MutualTlsAuthentication>,
        ownership_verification_certificate_arn: Option<String>,
        management_policy: Option<String>,
        policy: Option<String>,
        routing_mode: Option<String>,
    }

    /// Whose certificates clients have to show.
    MutualTlsAuthentication {
        truststore_uri: Option<String>,
        truststore_version: Option<String>,
        truststore_warnings: Option<Vec<String>>,
    }

    /// A certificate that came with its domain name, under the same key; never answered.
    DomainCertificate {
        body: Option<String>,
        chain: Option<String>,
        private_key: Option<Secret>,
    }

    /// Who may reach a private name.
    DomainNameAccessAssociation {
        domain_name_access_association_arn: String,
        domain_name_arn: String,
        access_association_source_type: String,
        access_association_source: String,
        tags: Option<Tags>,
    }
}

objects! {
    DomainName: "domainname";
    DomainCertificate: "domaincertificate";
    DomainNameAccessAssociation: "domainaccessassociation";
}

impl DomainName {
    /// Under what it is kept.
    pub(super) fn key(&self) -> String {
        key(&self.domain_name, self.domain_name_id.as_deref().unwrap_or_default())
    }

    fn has_type(&self, wanted: &str) -> bool {
        self.endpoint_configuration.types.iter().any(|it| it == wanted)
    }
}

pub(super) fn get_domain_names(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let is_own = call.query("resourceOwner") != Some("OTHER_ACCOUNTS");
    page::stored::<DomainName>(context, call, &[], |it| is_own.then(|| page::item(&it)))
}

pub(super) fn get_domain_name(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&with_tags(domain_of(context, call)?)))
}

pub(super) fn create_domain_name(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let name = call.text("domainName").unwrap_or_default().to_ascii_lowercase();
    check_name(&name)?;
    let given = |name| call.owned(name).filter(|text| !text.is_empty());
    let mut domain = DomainName {
        domain_name: name,
        certificate_name: given("certificateName"),
        certificate_arn: given("certificateArn"),
        regional_certificate_name: given("regionalCertificateName"),
        regional_certificate_arn: given("regionalCertificateArn"),
        endpoint_configuration: endpoint(call.member("endpointConfiguration")?)?,
        domain_name_status: "AVAILABLE".to_owned(),
        security_policy: given("securityPolicy").or_else(|| Some("TLS_1_2".to_owned())),
        endpoint_access_mode: given("endpointAccessMode"),
        tags: tags::given(call)?,
        mutual_tls_authentication: call.member("mutualTlsAuthentication")?,
        ownership_verification_certificate_arn: given("ownershipVerificationCertificateArn"),
        policy: given("policy"),
        routing_mode: given("routingMode"),
        ..DomainName::default()
    };
    let certificate = DomainCertificate {
        body: given("certificateBody"),
        chain: given("certificateChain"),
        private_key: given("certificatePrivateKey")
            .map(|key| Secret(context.settings.vault.seal(&key))),
    };
    if domain.has_type("PRIVATE") {
        let taken = |id: &str| context.has::<DomainName>(&[&key(&domain.domain_name, id)]);
        domain.domain_name_id = Some(ids::new(ids::LONG, taken)?);
    }
    let key = domain.key();
    if context.has::<DomainName>(&[&key])? {
        return Err(ApiError::bad_request("The domain name you provided already exists."));
    }
    let private = format!(
        "arn:aws:apigateway:{}:{}:/domainnames/{key}",
        context.settings.region, context.settings.account_id
    );
    domain.domain_name_arn = match domain.domain_name_id {
        Some(_) => private,
        None => context.arn(&format!("/domainnames/{key}")),
    };
    let has_certificate = certificate != DomainCertificate::default();
    if has_certificate
        || domain.certificate_arn.is_some()
        || domain.regional_certificate_arn.is_some()
    {
        domain.certificate_upload_date = Some(context.now);
    }
    check(&mut domain)?;
    name_endpoints(context, &mut domain)?;
    if has_certificate {
        context.put(&[&key], &certificate)?;
    }
    keep(context, &domain)?;
    Ok(Reply::json(&domain))
}

pub(super) fn update_domain_name(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut domain = domain_of(context, call)?;
    for patch in call.patches()? {
        apply(context, &mut domain, &patch)?;
    }
    check(&mut domain)?;
    name_endpoints(context, &mut domain)?;
    keep(context, &domain)?;
    Ok(Reply::json(&with_tags(domain)))
}

pub(super) fn delete_domain_name(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_of(context, call)?;
    let key = domain.key();
    for it in context.list::<DomainNameAccessAssociation>(&[])? {
        if it.domain_name_arn == domain.domain_name_arn {
            let arn = &it.domain_name_access_association_arn;
            context.delete::<DomainNameAccessAssociation>(&[arn])?;
        }
    }
    base_path_mappings::forget_domain(context, &key)?;
    context.delete::<DomainCertificate>(&[&key])?;
    context.delete::<DomainName>(&[&key])?;
    context.effects.domains = true;
    Ok(Reply::empty())
}

pub(super) fn get_domain_name_access_associations(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let is_own = call.query("resourceOwner") != Some("OTHER_ACCOUNTS");
    page::stored::<DomainNameAccessAssociation>(context, call, &[], |it| {
        is_own.then(|| page::item(&it))
    })
}

pub(super) fn create_domain_name_access_association(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_by_arn(context, call.text("domainNameArn").unwrap_or_default())?;
    if !domain.has_type("PRIVATE") {
        return Err(ApiError::bad_request(
            "Domain name access associations are only supported for private custom domain names",
        ));
    }
    let source = call.owned("accessAssociationSource").unwrap_or_default();
    let is_endpoint = source.strip_prefix("vpce-").is_some_and(|id| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    if !is_endpoint {
        return Err(ApiError::bad_request("Invalid VPC endpoint identifier specified"));
    }
    let (region, account) = (&context.settings.region, &context.settings.account_id);
    let association = DomainNameAccessAssociation {
        domain_name_access_association_arn: format!(
            "arn:aws:apigateway:{region}:{account}:/domainnameaccessassociations/domainname/{}/vpcesource/{source}",
            domain.key()
        ),
        domain_name_arn: domain.domain_name_arn,
        access_association_source_type: "VPCE".to_owned(),
        access_association_source: source,
        tags: tags::given(call)?,
    };
    let arn = &association.domain_name_access_association_arn;
    if context.has::<DomainNameAccessAssociation>(&[arn])? {
        return Err(ApiError::conflict("Domain name access association already exists"));
    }
    context.put(&[arn], &association)?;
    context.not_carried_out(format!(
        "domain name access association {arn}: associations are stored, but nobody is kept away from a private domain name yet"
    ));
    Ok(Reply::json(&association))
}

pub(super) fn delete_domain_name_access_association(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let arn = association_of(context, call.label("domain_name_access_association_arn"))?
        .domain_name_access_association_arn;
    context.delete::<DomainNameAccessAssociation>(&[&arn])?;
    Ok(Reply::empty())
}

/// The name's owner takes the access away that somebody had got.
pub(super) fn reject_domain_name_access_association(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let given = |name| call.query(name).unwrap_or_default();
    let domain = domain_by_arn(context, given("domainNameArn"))?;
    let association = association_of(context, given("domainNameAccessAssociationArn"))?;
    if association.domain_name_arn != domain.domain_name_arn {
        return Err(no_such_association());
    }
    let arn = &association.domain_name_access_association_arn;
    context.delete::<DomainNameAccessAssociation>(&[arn])?;
    Ok(Reply::empty())
}

/// The name that a call's path and `domainNameId` say.
pub(super) fn domain_of(context: &Context<'_>, call: &Call<'_>) -> Result<DomainName, ApiError> {
    find(context, call.label("domain_name"), call.query("domainNameId").unwrap_or_default())
}

/// A name; private ones have an id.
pub(super) fn find(context: &Context<'_>, name: &str, id: &str) -> Result<DomainName, ApiError> {
    let domain = context.get(&[&key(&name.to_ascii_lowercase(), id)])?;
    domain.ok_or_else(|| ApiError::not_found("Invalid domain name identifier specified"))
}

/// The association of that ARN.
pub(super) fn association_of(
    context: &Context<'_>,
    arn: &str,
) -> Result<DomainNameAccessAssociation, ApiError> {
    context.get(&[arn])?.ok_or_else(no_such_association)
}

fn no_such_association() -> ApiError {
    ApiError::not_found("Invalid domain name access association identifier specified")
}

fn domain_by_arn(context: &Context<'_>, arn: &str) -> Result<DomainName, ApiError> {
    let key = arn.rsplit_once("/domainnames/").map_or("", |(_, key)| key);
    let (name, id) = key.split_once('+').unwrap_or((key, ""));
    find(context, name, id)
}

fn key(name: &str, id: &str) -> String {
    if id.is_empty() { name.to_owned() } else { format!("{name}+{id}") }
}

fn with_tags(mut domain: DomainName) -> DomainName {
    domain.tags.get_or_insert_default();
    domain
}

fn keep(context: &mut Context<'_>, domain: &DomainName) -> Result<(), ApiError> {
    let key = domain.key();
    context.put(&[&key], domain)?;
    context.effects.domains = true;
    context.not_carried_out(format!(
        "domain name {key}: certificates are stored or named, but TLS is not offered under them yet"
    ));
    if domain.mutual_tls_authentication.is_some() {
        context.not_carried_out(format!(
            "domain name {key}: the trust store is named, but no client has to show a certificate yet"
        ));
    }
    Ok(())
}

/// Labels of letters, digits and `-`, of which the first may be `*`.
fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(ApiError::bad_request("No Domain Name specified"));
    }
    let is_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    if name.len() <= NAME_CHARS_MAX && rest.split('.').all(is_label) {
        return Ok(());
    }
    Err(ApiError::bad_request("Invalid domain name specified"))
}

fn endpoint(given: Option<EndpointConfiguration>) -> Result<EndpointConfiguration, ApiError> {
    let mut endpoint = given.unwrap_or_default();
    match endpoint.types.len() {
        0 => endpoint.types.push("EDGE".to_owned()),
        1 => {}
        _ => {
            return Err(ApiError::bad_request(
                "Cannot create a domain name with multiple Endpoint Types.",
            ));
        }
    }
    if endpoint.ip_address_type.is_none() {
        let is_private = endpoint.types[0] == "PRIVATE";
        let default = if is_private { "dualstack" } else { "ipv4" };
        endpoint.ip_address_type = Some(default.to_owned());
    }
    Ok(endpoint)
}

/// What a name has to be as a whole.
fn check(domain: &mut DomainName) -> Result<(), ApiError> {
    for policy in [&domain.policy, &domain.management_policy].into_iter().flatten() {
        if !serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object()) {
            return Err(ApiError::bad_request(
                "Invalid policy document: it has to be a JSON object",
            ));
        }
    }
    // An empty URI takes mutual TLS away.
    let has_store =
        |it: &MutualTlsAuthentication| it.truststore_uri.as_deref().unwrap_or_default() != "";
    domain.mutual_tls_authentication = domain.mutual_tls_authentication.take().filter(has_store);
    let Some(tls) = &mut domain.mutual_tls_authentication else { return Ok(()) };
    tls.truststore_warnings = None;
    if !tls.truststore_uri.as_deref().is_some_and(|uri| uri.starts_with("s3://")) {
        return Err(ApiError::bad_request(
            "Invalid truststore URI specified. Must begin with s3://",
        ));
    }
    if domain.endpoint_configuration.types != ["REGIONAL"] {
        return Err(ApiError::bad_request(
            "Mutual TLS is only supported for regional custom domain names",
        ));
    }
    if domain.security_policy.as_deref() == Some("TLS_1_0") {
        return Err(ApiError::bad_request(
            "Mutual TLS requires a security policy of TLS_1_2 at least",
        ));
    }
    Ok(())
}

/// Gives the name those of this gateway that DNS has to lead it to: one for each endpoint type.
fn name_endpoints(context: &Context<'_>, domain: &mut DomainName) -> Result<(), ApiError> {
    let (region, suffix) = (&context.settings.region, &context.settings.api_host_suffix);
    let new = || {
        let id = ids::new(ids::LONG, |_| Ok::<_, ApiError>(false))?;
        Ok::<_, ApiError>(format!("d-{id}.execute-api.{region}.{suffix}"))
    };
    let name = |has: bool, name: &mut Option<String>, zone: &mut Option<String>, id: &str| {
        *name = match name.take() {
            Some(known) if has => Some(known),
            None if has => Some(new()?),
            _ => None,
        };
        *zone = has.then(|| id.to_owned());
        Ok::<_, ApiError>(())
    };
    name(
        domain.has_type("REGIONAL"),
        &mut domain.regional_domain_name,
        &mut domain.regional_hosted_zone_id,
        REGIONAL_ZONE,
    )?;
    name(
        domain.has_type("EDGE"),
        &mut domain.distribution_domain_name,
        &mut domain.distribution_hosted_zone_id,
        EDGE_ZONE,
    )
}

fn apply(context: &Context<'_>, domain: &mut DomainName, patch: &Patch) -> Result<(), ApiError> {
    let path = patch.path();
    let types = &mut domain.endpoint_configuration.types;
    match (patch.op, path) {
        (Op::Add, "/endpointConfiguration/types") => {
            let new = endpoint_type(patch)?;
            if !types.contains(&new) {
                types.push(new);
            }
            return Ok(());
        }
        (Op::Remove, "/endpointConfiguration/types") => {
            let old = endpoint_type(patch)?;
            types.retain(|it| *it != old);
            if types.is_empty() {
                return Err(ApiError::bad_request(
                    "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
                ));
            }
            return Ok(());
        }
        (Op::Replace, _) => {}
        (Op::Add | Op::Remove, _) => return Err(patch.not_one_of(&SETS)),
        (Op::Move | Op::Copy | Op::Test, _) => return Err(patch.not_supported()),
    }
    if let Some(old) = path.strip_prefix("/endpointConfiguration/types/") {
        // The old one by its name or its number.
        let place = types.iter().position(|it| it == old);
        let place = place.or_else(|| old.parse().ok().filter(|at| *at < types.len()));
        let place = place.ok_or_else(|| patch.not_one_of(&REPLACEABLE))?;
        types[place] = endpoint_type(patch)?;
        return Ok(());
    }
    let given = patch.value.clone().filter(|value| !value.is_empty());
    let tls = &mut domain.mutual_tls_authentication;
    match path {
        "/certificateArn" | "/regionalCertificateArn" => {
            domain.certificate_upload_date = given.as_ref().map(|_| context.now);
            let arn = if path == "/certificateArn" {
                &mut domain.certificate_arn
            } else {
                &mut domain.regional_certificate_arn
            };
            *arn = given;
        }
        "/certificateName" => domain.certificate_name = given,
        "/regionalCertificateName" => domain.regional_certificate_name = given,
        "/securityPolicy" => domain.security_policy = one_of("securityPolicy", given)?,
        "/endpointAccessMode" => {
            domain.endpoint_access_mode = one_of("endpointAccessMode", given)?;
        }
        "/endpointConfiguration/ipAddressType" => {
            if !["ipv4", "dualstack"].contains(&patch.value()) {
                return Err(ApiError::bad_request(
                    "ipAddressType must be either ipv4 or dualstack.",
                ));
            }
            domain.endpoint_configuration.ip_address_type = given;
        }
        "/mutualTlsAuthentication/truststoreUri" => {
            tls.get_or_insert_default().truststore_uri = given;
        }
        "/mutualTlsAuthentication/truststoreVersion" => {
            tls.get_or_insert_default().truststore_version = given;
        }
        "/ownershipVerificationCertificateArn" => {
            domain.ownership_verification_certificate_arn = given;
        }
        "/policy" => domain.policy = given,
        "/managementPolicy" => domain.management_policy = given,
        "/routingMode" => domain.routing_mode = one_of("routingMode", given)?,
        _ => return Err(patch.not_one_of(&REPLACEABLE)),
    }
    Ok(())
}

/// A value of an enumeration, or none.
fn one_of(member: &str, given: Option<String>) -> Result<Option<String>, ApiError> {
    let values = shape::values_of(member);
    match given {
        Some(value) if !values.contains(&value.as_str()) => {
            let all = values.join(",");
            Err(ApiError::bad_request(format!(
                "Invalid {member} specified. Valid options are {all}"
            )))
        }
        given => Ok(given),
    }
}

fn endpoint_type(patch: &Patch) -> Result<String, ApiError> {
    if ENDPOINT_TYPES.contains(&patch.value()) {
        return Ok(patch.value().to_owned());
    }
    Err(ApiError::bad_request(
        "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
    ))
}

#[cfg(test)]
mod tests;
