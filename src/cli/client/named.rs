//! What people call by a name or an id: usage plans, API keys, stages of APIs.

use serde_json::Value;

use super::super::Failure;
use super::super::args::parse_stage;
use super::admin::{Admin, CallError, encoded};
use super::{apis, text};

/// Plans or keys that a message lists.
const LISTED_MAX: usize = 20;

/// A stage as it is written in flags: `API:STAGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiStage {
    /// The API's id or name.
    api: String,
    stage: String,
}

/// Reads `API:STAGE`; an API's name may have colons, a stage's has none.
pub(super) fn parse_api_stage(text: &str) -> Result<ApiStage, String> {
    let (api, stage) = text.rsplit_once(':').unwrap_or_default();
    if api.is_empty() {
        return Err("write API:STAGE, the API's id or name and the stage's name".to_owned());
    }
    Ok(ApiStage { api: api.to_owned(), stage: parse_stage(stage)? })
}

/// `a1b2c3d4e5:v1` of a stage that is there.
///
/// # Errors
/// There is no such API, several are called so, or it has no such stage.
pub(super) fn stage(admin: &Admin, wanted: &ApiStage) -> Result<String, Failure> {
    stages(admin, std::slice::from_ref(wanted)).map(|mut all| all.remove(0))
}

/// The same of several, by one call.
pub(super) fn stages(admin: &Admin, wanted: &[ApiStage]) -> Result<Vec<String>, Failure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let all = apis::of_status(&admin.get("/_ringway/status")?);
    let found = wanted.iter().map(|wanted| {
        // Here an API is no flag of its own.
        let api = apis::choose(&all, Some(&wanted.api)).map_err(|why| why.replace("--api ", ""))?;
        api.clone().take_stage(&wanted.stage)?;
        Ok(format!("{}:{}", api.id, wanted.stage))
    });
    found.collect::<Result<_, String>>().map_err(Failure::Failed)
}

/// All usage plans.
pub(super) fn plans(admin: &Admin) -> Result<Vec<Value>, Failure> {
    Ok(admin.items("/usageplans")?)
}

/// The usage plan of that id or name.
///
/// # Errors
/// There is none, or several are called so.
pub(super) fn plan(admin: &Admin, wanted: &str) -> Result<Value, Failure> {
    choose("usage plan", "ringway plans list", &plans(admin)?, wanted).cloned()
}

/// The same of several, by one call.
pub(super) fn plans_of(admin: &Admin, wanted: &[String]) -> Result<Vec<Value>, Failure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let all = plans(admin)?;
    let choose =
        |wanted: &String| choose("usage plan", "ringway plans list", &all, wanted).cloned();
    wanted.iter().map(choose).collect()
}

/// The API key of that id or name, without its value.
///
/// # Errors
/// There is none, or several are called so.
pub(super) fn key(admin: &Admin, wanted: &str) -> Result<Value, Failure> {
    // Among a million keys an id is found by one get. An id counts more than a name.
    let is_id = !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id {
        match admin.get(&format!("/apikeys/{wanted}")) {
            Ok(key) => return Ok(key),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut named = admin.items(&format!("/apikeys?name={}", encoded(wanted)))?;
    named.retain(|key| text(key, "name") == wanted);
    choose("API key", "ringway keys list", &named, wanted).cloned()
}

/// `gold (abc123)`: how messages call a plan or key; without a name, its id.
pub(super) fn called(object: &Value) -> String {
    match (text(object, "name"), text(object, "id")) {
        ("", id) => id.to_owned(),
        (name, id) => format!("{name} ({id})"),
    }
}

/// Why a call that names a key of a plan failed.
pub(super) fn of_member(error: CallError, key: &Value, plan: &Value) -> Failure {
    if error.is_not_found() {
        let (key, plan) = (called(key), called(plan));
        return Failure::Failed(format!("key {key} does not belong to plan {plan}"));
    }
    error.into()
}

/// The one of `all` with that id, else the one of that name.
fn choose<'a>(
    kind: &str,
    lists: &str,
    all: &'a [Value],
    wanted: &str,
) -> Result<&'a Value, Failure> {
    if let Some(found) = all.iter().find(|it| text(it, "id") == wanted) {
        return Ok(found);
    }
    let named: Vec<&Value> = all.iter().filter(|it| text(it, "name") == wanted).collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => {
            let help = format!("`{lists}` lists those there are");
            Err(Failure::Failed(format!("there is no {kind} '{wanted}'; {help}")))
        }
        several => {
            let mut why = format!("several {kind}s are called '{wanted}'; say which by its id: ");
            let shown = several.iter().take(LISTED_MAX).map(|it| text(it, "id"));
            why += &shown.collect::<Vec<_>>().join(", ");
            if several.len() > LISTED_MAX {
                why += &format!(" and {} more", several.len() - LISTED_MAX);
            }
            Err(Failure::Failed(why))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stages_are_written_with_their_api() {
        for (text, want) in [
            ("a1b2c3:v1", Some(("a1b2c3", "v1"))),
            ("Pets: the API:v1", Some(("Pets: the API", "v1"))),
            ("v1", None),
            (":v1", None),
            ("a:", None),
            ("a:b/c", None),
        ] {
            let got = parse_api_stage(text).ok();
            let want = want.map(|(api, stage)| ApiStage { api: api.into(), stage: stage.into() });
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn one_is_chosen_by_id_or_by_a_name_that_is_its_own() {
        let all: Vec<Value> = [("p1", "gold"), ("p2", "silver"), ("p3", "silver"), ("p4", "p1")]
            .map(|(id, name)| json!({"id": id, "name": name}))
            .into();
        for (wanted, id) in [("p1", "p1"), ("gold", "p1"), ("p3", "p3")] {
            assert_eq!(text(choose("plan", "x", &all, wanted).unwrap(), "id"), id);
        }
        for (wanted, says) in [
            ("bronze", "there is no plan 'bronze'; `x` lists those there are"),
            ("silver", "several plans are called 'silver'; say which by its id: p2, p3"),
        ] {
            match choose("plan", "x", &all, wanted) {
                Err(Failure::Failed(why)) => assert_eq!(why, says),
                other => panic!("{other:?}"),
            }
        }
        let many: Vec<Value> = (0..25).map(|n| json!({"id": n.to_string(), "name": "n"})).collect();
        match choose("key", "x", &many, "n") {
            Err(Failure::Failed(why)) => assert!(why.ends_with("18, 19 and 5 more"), "{why}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(called(&all[0]), "gold (p1)");
        assert_eq!(called(&json!({"id": "k"})), "k");
    }
}
