//! SDK types. They are listed as AWS lists them; making an SDK is left to generators that read OpenAPI.
//!
//! Source: AWS's API reference of GetSdk; the properties as GetSdkTypes answers them.

use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::objects::Stage;
use super::page;

/// A property: name, friendly name, description, whether it has to be given.
type Property = (&'static str, &'static str, &'static str, bool);

const PREFIX: &[Property] = &[("classPrefix", "Prefix", "", true)];

/// Types by id: friendly name, description, properties.
const TYPES: &[(&str, &str, &str, &[Property])] = &[
    (
        "android",
        "Android",
        "",
        &[
            ("groupId", "Group ID", "", true),
            ("invokerPackage", "Invoker package", "", true),
            ("artifactId", "Artifact ID", "", true),
            ("artifactVersion", "Artifact version", "", true),
        ],
    ),
    (
        "java",
        "Java",
        "Java SDK generator for API Gateway APIs",
        &[
            (
                "service.name",
                "Service Name",
                "Name of the service which is used to derive the Java interface name for your client",
                true,
            ),
            (
                "java.package-name",
                "Java Package Name",
                "Name of the Java package your code will be generated under",
                true,
            ),
            (
                "java.build-system",
                "Java Build System",
                "Build system to setup for project; Currently supported: maven, gradle",
                false,
            ),
            (
                "java.group-id",
                "Java Group Id",
                "Group id for your Maven or Gradle project. Defaults to package name",
                false,
            ),
            (
                "java.artifact-id",
                "Java Artifact Id",
                "Artifact Id for your Maven project or project name for your Gradle project. Defaults to service name",
                false,
            ),
            (
                "java.artifact-version",
                "Java Artifact Version",
                "Version of your Maven or Gradle project. Defaults to 1.0-SNAPSHOT",
                false,
            ),
            (
                "java.license-text",
                "Source Code License Text",
                "Customer provided license to inject into source file headers",
                false,
            ),
        ],
    ),
    ("javascript", "JavaScript", "", &[]),
    ("objectivec", "iOS (Objective-C)", "", PREFIX),
    (
        "ruby",
        "Ruby",
        "Ruby SDK generator for API Gateway APIs",
        &[
            (
                "service.name",
                "Service Name",
                "Name of the service which is used to derive the name for your client",
                true,
            ),
            (
                "ruby.gem-name",
                "Ruby Gem Name",
                "Name of the Ruby gem your code will be generated under",
                false,
            ),
            (
                "ruby.gem-version",
                "Ruby Gem Version",
                "Version number for your service gem. Defaults to 1.0.0",
                false,
            ),
        ],
    ),
    ("swift", "iOS (Swift)", "", PREFIX),
];

pub(super) fn get_sdk_types(_: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let all: Vec<Value> = TYPES.iter().map(shown).collect();
    Ok(page::reply(call, &all, |it| it["id"].as_str().unwrap_or_default()))
}

pub(super) fn get_sdk_type(_: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let id = call.label("sdktype_id");
    let found = TYPES.iter().find(|(known, ..)| *known == id);
    found.map(|it| Reply::json(&shown(it))).ok_or_else(no_such_type)
}

pub(super) fn get_sdk(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    if !context.has::<Stage>(&[&api, call.label("stage_name")])? {
        return Err(ApiError::not_found("Invalid stage identifier specified"));
    }
    if !TYPES.iter().any(|(known, ..)| *known == call.label("sdk_type")) {
        return Err(no_such_type());
    }
    Err(ApiError::not_implemented(
        "SDK generation is not offered. Export the stage with GetExport (exportType oas30) and give the document to an OpenAPI generator",
    ))
}

fn no_such_type() -> ApiError {
    ApiError::not_found("Invalid SDK type identifier specified")
}

fn shown((id, friendly, description, properties): &(&str, &str, &str, &[Property])) -> Value {
    let properties: Vec<Value> = properties
        .iter()
        .map(|(name, friendly, description, required)| {
            let mut property =
                json!({"name": name, "friendlyName": friendly, "required": required});
            if !description.is_empty() {
                property["description"] = json!(description);
            }
            property
        })
        .collect();
    let mut shown = json!({"id": id, "friendlyName": friendly});
    if !description.is_empty() {
        shown["description"] = json!(description);
    }
    if !properties.is_empty() {
        shown["configurationProperties"] = properties.into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::objects::Stage;
    use super::super::testing::Plane;

    #[test]
    fn types_are_listed_with_their_properties() {
        let mut plane = Plane::new();
        let all = plane.ok("GET", "/sdktypes", Value::Null);
        let ids: Vec<_> =
            all["item"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["android", "java", "javascript", "objectivec", "ruby", "swift"]);
        assert_eq!(
            plane.ok("GET", "/sdktypes/swift", Value::Null),
            json!({
                "id": "swift", "friendlyName": "iOS (Swift)", "configurationProperties":
                    [{"name": "classPrefix", "friendlyName": "Prefix", "required": true}],
            })
        );
        assert_eq!(
            plane.refused("GET", "/sdktypes/cobol", Value::Null),
            "404 NotFoundException: Invalid SDK type identifier specified"
        );
        let page = plane.ok("GET", "/sdktypes?limit=1", Value::Null);
        assert!(page["position"].as_str().unwrap().starts_with("android|"), "{page}");
    }

    #[test]
    fn an_sdk_is_not_made_and_the_error_says_what_to_do() {
        let mut plane = Plane::new();
        let api = plane.ok("POST", "/restapis", json!({"name": "x"}));
        let api = api["id"].as_str().unwrap().to_owned();
        let uri = format!("/restapis/{api}/stages/dev/sdks");
        assert_eq!(
            plane.refused("GET", &format!("{uri}/java"), Value::Null),
            "404 NotFoundException: Invalid stage identifier specified"
        );
        let writing = plane.store().write().unwrap();
        writing.put(&[&api, "dev"], &Stage::default()).unwrap();
        writing.commit().unwrap();
        assert_eq!(
            plane.refused("GET", &format!("{uri}/cobol"), Value::Null),
            "404 NotFoundException: Invalid SDK type identifier specified"
        );
        assert_eq!(
            plane.refused("GET", &format!("{uri}/java"), Value::Null),
            "501 NotImplementedException: SDK generation is not offered. Export the stage with GetExport (exportType oas30) and give the document to an OpenAPI generator"
        );
    }
}
