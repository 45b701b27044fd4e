//! Tags of whatever has an ARN.
//!
//! They are members of the objects themselves; an ARN says which object.
//!
//! Source: facts, control-plane sections 2 and 7.

use serde_json::{Map, Value};

use super::call::{Call, Reply};
use super::context::Context;
use super::domain_names::{self, DomainName, DomainNameAccessAssociation};
use super::error::ApiError;
use super::objects::{RestApi, Stage, Tags};
use super::{api_keys, client_certificates, page, usage_plans, vpc_links};
use crate::store::Object;

/// Tags of one resource.
const TAGS_MAX: usize = 50;
/// Characters of a key and of a value.
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

pub(super) fn get_tags(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let tags = read(context, call)?;
    let after = call.query("position").unwrap_or_default();
    // The SDKs' answer has no position: a caller who names no limit gets all that there can be.
    let limit = call.query("limit").map_or(usize::MAX, |_| page::limit(call));
    let mut rest = tags.into_iter().filter(|(key, _)| key.as_str() > after).peekable();
    let shown: Tags = rest.by_ref().take(limit).collect();
    let mut answer = Map::new();
    if rest.peek().is_some()
        && let Some((last, _)) = shown.last_key_value()
    {
        answer.insert("position".to_owned(), Value::from(last.as_str()));
    }
    let shown = serde_json::to_value(shown).expect("texts serialize");
    answer.insert("tags".to_owned(), shown);
    Ok(Reply::json(&answer))
}

pub(super) fn tag_resource(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let new = given(call)?.unwrap_or_default();
    change(context, call, |tags| {
        tags.extend(new);
        if tags.len() > TAGS_MAX {
            return Err(too_many());
        }
        Ok(())
    })
}

pub(super) fn untag_resource(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    for key in call.queries("tagKeys") {
        check_key(key)?;
    }
    change(context, call, |tags| {
        for key in call.queries("tagKeys") {
            tags.remove(key);
        }
        Ok(())
    })
}

/// The `tags` of a creation; `None`: there are none.
///
/// # Errors
/// There are too many, or one is too long or AWS's own.
pub(super) fn given(call: &Call<'_>) -> Result<Option<Tags>, ApiError> {
    let Some(tags) = call.member::<Tags>("tags")?.filter(|tags| !tags.is_empty()) else {
        return Ok(None);
    };
    if tags.len() > TAGS_MAX {
        return Err(too_many());
    }
    for (key, value) in &tags {
        check_key(key)?;
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(ApiError::bad_request(
                "Invalid tag value specified. Values can be at most 256 characters",
            ));
        }
    }
    Ok(Some(tags))
}

fn check_key(key: &str) -> Result<(), ApiError> {
    if !(1..=KEY_CHARS_MAX).contains(&key.chars().count()) {
        return Err(ApiError::bad_request(
            "Invalid tag key specified. Keys must have between 1 and 128 characters",
        ));
    }
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err(ApiError::bad_request(
            "Invalid tag key specified. Keys must not begin with aws:",
        ));
    }
    Ok(())
}

fn too_many() -> ApiError {
    ApiError::bad_request("A resource can have at most 50 tags")
}

/// The object that a call's ARN names.
enum Tagged {
    RestApi(RestApi),
    /// With its API's id.
    Stage(String, Stage),
    UsagePlan(usage_plans::UsagePlan),
    ApiKey(api_keys::ApiKey),
    ClientCertificate(client_certificates::ClientCertificate),
    VpcLink(vpc_links::VpcLink),
    DomainName(DomainName),
    Association(DomainNameAccessAssociation),
}

impl Tagged {
    fn tags(&mut self) -> &mut Option<Tags> {
        match self {
            Self::RestApi(it) => &mut it.tags,
            Self::Stage(_, it) => &mut it.tags,
            Self::UsagePlan(it) => &mut it.tags,
            Self::ApiKey(it) => &mut it.tags,
            Self::ClientCertificate(it) => &mut it.tags,
            Self::VpcLink(it) => &mut it.tags,
            Self::DomainName(it) => &mut it.tags,
            Self::Association(it) => &mut it.tags,
        }
    }

    fn put(&self, context: &Context<'_>) -> Result<(), ApiError> {
        match self {
            Self::RestApi(it) => context.put(&[&it.id], it),
            Self::Stage(api, it) => context.put(&[api, &it.stage_name], it),
            Self::UsagePlan(it) => context.put(&[&it.id], it),
            Self::ApiKey(it) => return api_keys::keep_tags(context, it),
            Self::ClientCertificate(it) => context.put(&[&it.client_certificate_id], it),
            Self::VpcLink(it) => context.put(&[&it.id], it),
            Self::DomainName(it) => context.put(&[&it.key()], it),
            Self::Association(it) => context.put(&[&it.domain_name_access_association_arn], it),
        }?;
        Ok(())
    }
}

fn read(context: &Context<'_>, call: &Call<'_>) -> Result<Tags, ApiError> {
    Ok(tagged(context, call.label("resource_arn"))?.tags().take().unwrap_or_default())
}

fn change(
    context: &Context<'_>,
    call: &Call<'_>,
    change: impl FnOnce(&mut Tags) -> Result<(), ApiError>,
) -> Result<Reply, ApiError> {
    let mut object = tagged(context, call.label("resource_arn"))?;
    let tags = object.tags();
    change(tags.get_or_insert_default())?;
    *tags = tags.take().filter(|tags| !tags.is_empty());
    object.put(context)?;
    Ok(Reply::empty())
}

/// Finds what an ARN names: `arn:aws:apigateway:{region}::{path}`. Partition and region are the
/// caller's to choose: there is one gateway, whatever a client's configuration calls its place.
fn tagged(context: &Context<'_>, arn: &str) -> Result<Tagged, ApiError> {
    let wrong = || ApiError::bad_request("Invalid ARN specified in the request");
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", _, "apigateway", _, _, path] = parts.as_slice() else { return Err(wrong()) };
    let path: Vec<&str> = path.strip_prefix('/').ok_or_else(wrong)?.split('/').collect();
    if path.iter().any(|segment| segment.is_empty()) {
        return Err(wrong());
    }
    Ok(match *path.as_slice() {
        ["restapis", id] => Tagged::RestApi(context.rest_api(id)?),
        ["restapis", id, "stages", name] => {
            let api = context.rest_api(id)?.id;
            let stage = found(context, &[&api, name], "Invalid stage identifier specified")?;
            Tagged::Stage(api, stage)
        }
        ["usageplans", id] => {
            Tagged::UsagePlan(found(context, &[id], "Invalid Usage Plan ID specified")?)
        }
        ["apikeys", id] => Tagged::ApiKey(api_keys::key_of(context, id)?),
        ["clientcertificates", id] => {
            Tagged::ClientCertificate(client_certificates::find(context, id)?)
        }
        ["vpclinks", id] => Tagged::VpcLink(vpc_links::find(context, id)?),
        ["domainnames", name] => {
            let (name, id) = name.split_once('+').unwrap_or((name, ""));
            Tagged::DomainName(domain_names::find(context, name, id)?)
        }
        ["domainnameaccessassociations", ..] => {
            Tagged::Association(domain_names::association_of(context, arn)?)
        }
        _ => return Err(wrong()),
    })
}

fn found<T: Object>(context: &Context<'_>, ids: &[&str], message: &str) -> Result<T, ApiError> {
    context.get(ids)?.ok_or_else(|| ApiError::not_found(message))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::objects::Stage;
    use super::super::testing::Plane;

    fn encoded(path: &str) -> String {
        let arn = format!("arn:aws:apigateway:us-east-1::{path}");
        format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"))
    }

    /// One object of every kind that has tags: path of the ARN, URI that answers the tags.
    fn objects(plane: &mut Plane) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut api = String::new();
        for (kind, id, input) in [
            ("restapis", "id", json!({"name": "x"})),
            ("usageplans", "id", json!({"name": "x"})),
            ("apikeys", "id", json!({})),
            ("clientcertificates", "clientCertificateId", json!({})),
            ("vpclinks", "id", json!({"name": "x", "targetArns": ["arn:aws:a:b:c:d"]})),
            ("domainnames", "domainName", json!({"domainName": "x.example.com"})),
        ] {
            let made = plane.ok("POST", &format!("/{kind}"), input);
            let path = format!("/{kind}/{}", made[id].as_str().unwrap());
            if kind == "restapis" {
                made[id].as_str().unwrap().clone_into(&mut api);
            }
            all.push((path.clone(), path));
        }
        let writing = plane.store().write().unwrap();
        let stage = Stage { stage_name: "dev".to_owned(), ..Stage::default() };
        writing.put(&[&api, "dev"], &stage).unwrap();
        writing.commit().unwrap();
        all.push((format!("/restapis/{api}/stages/dev"), String::new()));
        all
    }

    #[test]
    fn every_kind_is_tagged_by_its_encoded_arn() {
        let mut plane = Plane::new();
        for (path, uri) in objects(&mut plane) {
            let tags = encoded(&path);
            assert_eq!(plane.ok("GET", &tags, Value::Null), json!({"tags": {}}), "{path}");
            let new = json!({"tags": {"a": "1", "b": "2", "c": ""}});
            assert_eq!(plane.ok("PUT", &tags, new), Value::Null);
            plane.ok("PUT", &tags, json!({"tags": {"a": "3"}}));
            plane.ok("DELETE", &format!("{tags}?tagKeys=b&tagKeys=nope"), Value::Null);
            let want = json!({"a": "3", "c": ""});
            assert_eq!(plane.ok("GET", &tags, Value::Null)["tags"], want, "{path}");
            if !uri.is_empty() {
                assert_eq!(plane.ok("GET", &uri, Value::Null)["tags"], want, "{path}");
            }
            plane.ok("DELETE", &format!("{tags}?tagKeys=a&tagKeys=c"), Value::Null);
            assert_eq!(plane.ok("GET", &tags, Value::Null)["tags"], json!({}), "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let mut plane = Plane::new();
        for (path, want) in [
            (
                "/restapis/no",
                "404 NotFoundException: Invalid API identifier specified 123456789012:no",
            ),
            (
                "/restapis/no/stages/x",
                "404 NotFoundException: Invalid API identifier specified 123456789012:no",
            ),
            ("/usageplans/no", "404 NotFoundException: Invalid Usage Plan ID specified"),
            ("/apikeys/no", "404 NotFoundException: Invalid API Key identifier specified"),
            (
                "/clientcertificates/no",
                "404 NotFoundException: Invalid Client Certificate identifier specified",
            ),
            ("/vpclinks/no", "404 NotFoundException: Invalid Vpc Link identifier specified"),
            ("/domainnames/no", "404 NotFoundException: Invalid domain name identifier specified"),
            ("/models/x", "400 BadRequestException: Invalid ARN specified in the request"),
            ("/restapis/", "400 BadRequestException: Invalid ARN specified in the request"),
            ("restapis/no", "400 BadRequestException: Invalid ARN specified in the request"),
        ] {
            assert_eq!(plane.refused("GET", &encoded(path), Value::Null), want);
        }
        assert_eq!(
            plane.refused("GET", "/tags/x", Value::Null),
            "400 BadRequestException: Invalid ARN specified in the request"
        );
    }

    #[test]
    fn tags_have_limits() {
        let mut plane = Plane::new();
        let key = plane.ok("POST", "/apikeys", json!({}));
        let uri = encoded(&format!("/apikeys/{}", key["id"].as_str().unwrap()));
        let many: serde_json::Map<String, Value> =
            (0..50).map(|number| (format!("k{number:02}"), json!("v"))).collect();
        for (tags, want) in [
            (
                json!({"AWS:x": "v"}),
                "400 BadRequestException: Invalid tag key specified. Keys must not begin with aws:",
            ),
            (
                json!({"": "v"}),
                "400 BadRequestException: Invalid tag key specified. Keys must have between 1 and 128 characters",
            ),
            (
                json!({"k".repeat(129): "v"}),
                "400 BadRequestException: Invalid tag key specified. Keys must have between 1 and 128 characters",
            ),
            (
                json!({"k": "v".repeat(257)}),
                "400 BadRequestException: Invalid tag value specified. Values can be at most 256 characters",
            ),
        ] {
            assert_eq!(plane.refused("PUT", &uri, json!({"tags": tags})), want);
        }
        plane.ok("PUT", &uri, json!({"tags": many}));
        assert_eq!(
            plane.refused("PUT", &uri, json!({"tags": {"one": "more"}})),
            "400 BadRequestException: A resource can have at most 50 tags"
        );
        let all = plane.ok("GET", &uri, Value::Null);
        assert_eq!((all["tags"].as_object().unwrap().len(), all.get("position")), (50, None));
        let page = plane.ok("GET", &format!("{uri}?limit=30"), Value::Null);
        assert_eq!(page["position"], "k29");
        let page = plane.ok("GET", &format!("{uri}?limit=30&position=k29"), Value::Null);
        assert_eq!((page["tags"].as_object().unwrap().len(), page.get("position")), (20, None));
    }
}
