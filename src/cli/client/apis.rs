//! Which API a command is about, and what its stages have: from `GET /_ringway/status`.

use serde_json::Value;

use super::super::Failure;
use super::admin::Admin;
use super::text;

/// APIs that a message lists.
const LISTED_MAX: usize = 20;

/// An API and its stages.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Api {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) stages: Vec<StageStatus>,
}

/// A stage as it is served.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StageStatus {
    pub(super) name: String,
    pub(super) deployment: String,
    pub(super) canary: Option<Canary>,
    pub(super) url: String,
    /// Deployments that it has had before, the latest first.
    pub(super) earlier: Vec<String>,
    /// What is stored without effect.
    pub(super) not_carried_out: Vec<String>,
}

/// A deployment that gets part of a stage's requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Canary {
    pub(super) percent: f64,
    pub(super) deployment: String,
    /// As the API has it.
    pub(super) settings: Value,
}

impl Api {
    fn read(object: &Value) -> Self {
        let stages = object.get("stages").and_then(Value::as_array);
        Self {
            id: text(object, "id").to_owned(),
            name: text(object, "name").to_owned(),
            stages: stages.into_iter().flatten().map(StageStatus::read).collect(),
        }
    }

    /// The stage of that name, if there is one.
    pub(super) fn stage(&self, name: &str) -> Option<&StageStatus> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// The stage of that name, out of the API.
    ///
    /// # Errors
    /// There is none; says which there are.
    pub(super) fn take_stage(&mut self, name: &str) -> Result<StageStatus, String> {
        if let Some(at) = self.stages.iter().position(|stage| stage.name == name) {
            return Ok(self.stages.swap_remove(at));
        }
        let names: Vec<&str> = self.stages.iter().map(|stage| stage.name.as_str()).collect();
        let there = if names.is_empty() { "no stages".to_owned() } else { names.join(", ") };
        Err(format!("{self} has no stage '{name}'; it has {there}"))
    }
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "API {} ({})", self.id, self.name)
    }
}

impl StageStatus {
    fn read(object: &Value) -> Self {
        let texts = |member: &str| -> Vec<String> {
            let all = object.get(member).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let deployment = text(object, "deploymentId").to_owned();
        let canary = object.get("canary").filter(|canary| canary.is_object());
        let canary = canary.map(|canary| Canary {
            percent: canary.get("percentTraffic").and_then(Value::as_f64).unwrap_or_default(),
            deployment: Some(text(canary, "deploymentId"))
                .filter(|id| !id.is_empty())
                .unwrap_or(&deployment)
                .to_owned(),
            settings: canary.clone(),
        });
        Self {
            name: text(object, "name").to_owned(),
            canary,
            url: text(object, "url").to_owned(),
            earlier: texts("earlierDeploymentIds"),
            not_carried_out: texts("notCarriedOut"),
            deployment,
        }
    }
}

impl Canary {
    /// What gets how much: `10% of requests go to deployment abc123`.
    pub(super) fn share(&self) -> String {
        format!("{}% of requests go to deployment {}", self.percent, self.deployment)
    }
}

/// All APIs of a status.
pub(super) fn of_status(status: &Value) -> Vec<Api> {
    let apis = status.get("apis").and_then(Value::as_array);
    apis.into_iter().flatten().map(Api::read).collect()
}

/// The API that `wanted` names by id or name; without it, the only one there is.
pub(super) fn chosen(admin: &Admin, wanted: Option<&str>) -> Result<Api, Failure> {
    let apis = of_status(&admin.get("/_ringway/status")?);
    choose(&apis, wanted).cloned().map_err(Failure::Failed)
}

/// Finds one among `apis`. An id counts more than a name.
///
/// # Errors
/// There is none, or it is not clear which; lists those there are.
pub(super) fn choose<'a>(apis: &'a [Api], wanted: Option<&str>) -> Result<&'a Api, String> {
    let Some(wanted) = wanted else {
        return match apis {
            [] => Err("there is no API yet; `ringway deploy FILE --stage NAME` makes one".into()),
            [api] => Ok(api),
            several => Err(format!("there are several APIs; say which: {}", options(several))),
        };
    };
    if let Some(api) = apis.iter().find(|api| api.id == wanted) {
        return Ok(api);
    }
    named(apis, wanted)?.ok_or_else(|| match apis {
        [] => format!("there is no API '{wanted}', and no other"),
        _ => format!("there is no API '{wanted}'; there are: {}", options(apis)),
    })
}

/// The API of that name, if there is one.
///
/// # Errors
/// There are several; lists them.
pub(super) fn named<'a>(apis: &'a [Api], name: &str) -> Result<Option<&'a Api>, String> {
    let named: Vec<&Api> = apis.iter().filter(|api| api.name == name).collect();
    match named.as_slice() {
        [] => Ok(None),
        [api] => Ok(Some(api)),
        several => Err(format!(
            "several APIs are called '{name}'; say which: {}",
            options(several.iter().copied())
        )),
    }
}

/// `--api` with each of them, a line each.
fn options<'a>(apis: impl IntoIterator<Item = &'a Api>) -> String {
    let mut text = String::new();
    let mut apis = apis.into_iter();
    for api in apis.by_ref().take(LISTED_MAX) {
        text += &format!("\n    --api {}  {}", api.id, api.name);
    }
    match apis.count() {
        0 => text,
        more => text + &format!("\n    and {more} more; `ringway status` lists them all"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// An API without stages.
    pub(in super::super) fn api(id: &str, name: &str) -> Api {
        Api { id: id.to_owned(), name: name.to_owned(), stages: Vec::new() }
    }

    #[test]
    fn an_api_is_chosen_by_id_name_or_being_alone() {
        let (pets, shop) = (api("p1", "Pets"), api("s1", "Shop"));
        let (twin, odd) = (api("s2", "Shop"), api("o1", "p1"));
        let one = std::slice::from_ref(&pets);
        let all = [pets.clone(), shop, twin, odd];
        for (apis, wanted, id) in [
            (one, None, "p1"),
            (one, Some("Pets"), "p1"),
            (&all[..], Some("Pets"), "p1"),
            (&all, Some("s2"), "s2"),
            (&all, Some("p1"), "p1"), // the id, not the name of another
        ] {
            assert_eq!(choose(apis, wanted).unwrap().id, id, "{wanted:?}");
        }
        for (apis, wanted, says) in [
            (&[][..], None, "there is no API yet; `ringway deploy"),
            (&[], Some("x"), "there is no API 'x', and no other"),
            (&all, None, "several APIs; say which: \n    --api p1  Pets\n    --api s1  Shop\n"),
            (
                &all,
                Some("Shop"),
                "called 'Shop'; say which: \n    --api s1  Shop\n    --api s2  Shop",
            ),
            (&all, Some("pets"), "no API 'pets'; there are: \n    --api p1  Pets"),
        ] {
            let error = choose(apis, wanted).unwrap_err();
            assert!(error.contains(says), "{wanted:?}: {error}");
        }
        let many: Vec<Api> = (0..25).map(|number| api(&number.to_string(), "n")).collect();
        let error = choose(&many, None).unwrap_err();
        assert!(error.ends_with("\n    and 5 more; `ringway status` lists them all"), "{error}");
    }

    #[test]
    fn a_status_is_read() {
        let apis = of_status(&json!({"apis": [
            {"id": "a", "name": "A", "stages": [
                {"name": "v1", "deploymentId": "d2", "canary": null, "url": "http://a/v1",
                 "earlierDeploymentIds": ["d1"], "notCarriedOut": ["cache"]},
                {"name": "v2", "deploymentId": "d3", "canary": {"percentTraffic": 12.5}},
            ]},
        ]}));
        let mut api = apis.into_iter().next().unwrap();
        let first = api.stage("v1").unwrap();
        assert_eq!(
            (first.canary.as_ref(), first.earlier.as_slice()),
            (None, &["d1".to_owned()][..])
        );
        assert_eq!(first.not_carried_out, ["cache"]);
        let canary = api.take_stage("v2").unwrap().canary.unwrap();
        assert_eq!(canary.share(), "12.5% of requests go to deployment d3");
        assert_eq!(api.take_stage("v9").unwrap_err(), "API a (A) has no stage 'v9'; it has v1");
    }
}
