//! VpcLink: a way to backends inside a VPC.
//!
//! AWS takes minutes to make one; here it is there at once, but a creation says `PENDING` as AWS's does
//! and the next read `AVAILABLE`, which is what clients wait for.
//!
//! Source: facts, aws-recorded section 15.

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{Tags, objects, wire};
use super::page;
use super::patch::Op;
use super::tags;

wire! {
    /// A VPC link.
    VpcLink {
        id: String,
        name: String,
        description: Option<String>,
        target_arns: Vec<String>,
        status: String,
        status_message: Option<String>,
        tags: Option<Tags>,
    }
}

objects! {
    VpcLink: "vpclink";
}

pub(super) fn get_vpc_links(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    page::stored::<VpcLink>(context, call, &[], |link| Some(page::item(&link)))
}

pub(super) fn get_vpc_link(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(&with_tags(link_of(context, call)?)))
}

pub(super) fn create_vpc_link(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let name = call.owned("name").unwrap_or_default();
    check_name(&name)?;
    let target_arns: Vec<String> = call.member("targetArns")?.unwrap_or_default();
    if target_arns.is_empty() {
        return Err(ApiError::bad_request("Target ARNs cannot be empty"));
    }
    for arn in &target_arns {
        check_arn(arn)?;
    }
    let link = VpcLink {
        id: ids::new(ids::SHORT, |id| context.has::<VpcLink>(&[id]))?,
        name,
        description: call.owned("description"),
        target_arns,
        status: "AVAILABLE".to_owned(),
        status_message: Some("Your vpc link is ready for use".to_owned()),
        tags: tags::given(call)?,
    };
    context.put(&[&link.id], &link)?;
    context.not_carried_out(format!(
        "VPC link {}: links are stored, but no integration is reached through them yet",
        link.id
    ));
    let status = "PENDING".to_owned();
    Ok(Reply::json(&VpcLink { status, status_message: None, ..link }))
}

pub(super) fn update_vpc_link(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut link = link_of(context, call)?;
    for patch in call.patches()? {
        match (patch.op, patch.path()) {
            (Op::Replace, "/name") => {
                check_name(patch.value())?;
                patch.value().clone_into(&mut link.name);
            }
            (Op::Replace, "/description") => {
                link.description = patch.value.clone().filter(|text| !text.is_empty());
            }
            (Op::Replace, _) => return Err(patch.not_one_of(&["/name", "/description"])),
            _ => return Err(patch.not_supported()),
        }
    }
    context.put(&[&link.id], &link)?;
    Ok(Reply::json(&with_tags(link)))
}

pub(super) fn delete_vpc_link(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let link = link_of(context, call)?;
    context.delete::<VpcLink>(&[&link.id])?;
    Ok(Reply::empty())
}

fn link_of(context: &Context<'_>, call: &Call<'_>) -> Result<VpcLink, ApiError> {
    find(context, call.label("vpclink_id"))
}

/// The link of that id.
pub(super) fn find(context: &Context<'_>, id: &str) -> Result<VpcLink, ApiError> {
    let link = context.get(&[id])?;
    link.ok_or_else(|| ApiError::not_found("Invalid Vpc Link identifier specified"))
}

fn with_tags(mut link: VpcLink) -> VpcLink {
    link.tags.get_or_insert_default();
    link
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::bad_request("Name cannot be empty"));
    }
    Ok(())
}

/// `arn:partition:service:region:account:resource`.
fn check_arn(arn: &str) -> Result<(), ApiError> {
    let mut parts = arn.splitn(6, ':');
    let is_arn = parts.next() == Some("arn")
        && parts.next().is_some_and(|it| !it.is_empty())
        && parts.next().is_some_and(|it| !it.is_empty())
        && parts.nth(2).is_some_and(|it| !it.is_empty());
    if is_arn {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("Invalid ARN. ARN is not well formed {arn}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/n/50dc6c495c0c9188";

    #[test]
    fn a_link_is_pending_and_then_available_as_recorded() {
        let mut plane = Plane::new();
        let input = json!({"name": "one", "targetArns": [ARN]});
        let link = plane.ok("POST", "/vpclinks", input);
        let id = link["id"].as_str().unwrap();
        assert_eq!(
            link,
            json!({"id": id, "name": "one", "status": "PENDING", "targetArns": [ARN]})
        );
        assert_eq!(
            plane.effects.not_carried_out,
            [format!(
                "VPC link {id}: links are stored, but no integration is reached through them yet"
            )]
        );
        let uri = format!("/vpclinks/{id}");
        let mut want = json!({
            "id": id, "name": "one", "status": "AVAILABLE", "targetArns": [ARN], "tags": {},
            "statusMessage": "Your vpc link is ready for use",
        });
        assert_eq!(plane.ok("GET", &uri, Value::Null), want);
        want["name"] = json!("two");
        assert_eq!(plane.patch(&uri, "replace", "/name", "two").unwrap(), want);
        let listed = plane.ok("GET", "/vpclinks", Value::Null);
        assert_eq!(
            (&listed["item"][0]["name"], listed["item"][0].get("tags")),
            (&want["name"], None)
        );
        plane.ok("DELETE", &uri, Value::Null);
        assert_eq!(
            plane.refused("GET", &uri, Value::Null),
            "404 NotFoundException: Invalid Vpc Link identifier specified"
        );
    }

    #[test]
    fn wrong_links_and_patches_are_refused() {
        let mut plane = Plane::new();
        for (input, want) in [
            (json!({"name": " ", "targetArns": [ARN]}), "Name cannot be empty"),
            (json!({"name": "x", "targetArns": ["x"]}), "Invalid ARN. ARN is not well formed x"),
            (
                json!({"name": "x", "targetArns": ["arn:aws:a:b:c"]}),
                "Invalid ARN. ARN is not well formed arn:aws:a:b:c",
            ),
            (json!({"name": "x", "targetArns": []}), "Target ARNs cannot be empty"),
        ] {
            let got = plane.refused("POST", "/vpclinks", input);
            assert_eq!(got, format!("400 BadRequestException: {want}"));
        }
        let link = plane.ok("POST", "/vpclinks", json!({"name": "x", "targetArns": [ARN]}));
        let uri = format!("/vpclinks/{}", link["id"].as_str().unwrap());
        for (op, path, want) in [
            (
                "replace",
                "/targetArns",
                "Invalid patch path  '/targetArns' specified for op 'replace'. Must be one of: [/name, /description]",
            ),
            (
                "remove",
                "/name",
                "Invalid patch path  '/name' specified for op 'remove'. Please choose supported operations",
            ),
            ("replace", "/name", "Name cannot be empty"),
        ] {
            assert_eq!(plane.patch(&uri, op, path, "").unwrap_err().message, want);
        }
    }
}
