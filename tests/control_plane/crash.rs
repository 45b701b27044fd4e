//! The process is killed at any moment of a write load: what was acknowledged is there, what was not is
//! there wholly or not at all.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ringway::control::api::objects;
use ringway::store::{Object, Store};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::plane::{get_at, patches};
use crate::support::{Admin, Answer, Client, Definition, PlaneOptions};

const ROUNDS: usize = 100;
/// Changes that are acknowledged in a round before the kill comes, at most.
const CHANGES_MAX: usize = 8;
const APIS_MAX: usize = 4;
const DEPLOYMENTS_MAX: usize = 6;
/// Every so many rounds it is killed once more while it starts.
const KILLED_AT_START_EVERY: usize = 8;

/// All that the store has to have.
#[derive(Clone, Debug, Default, PartialEq)]
struct World(BTreeMap<String, Api>);

#[derive(Clone, Debug, PartialEq)]
struct Api {
    description: String,
    /// By path; what its `GET` says, where it has one.
    resources: BTreeMap<String, Option<u32>>,
    deployments: BTreeMap<String, Deployment>,
    stages: BTreeMap<String, Stage>,
}

#[derive(Clone, Debug, PartialEq)]
struct Deployment {
    description: String,
    /// What its `GET`s say, by path.
    frozen: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, PartialEq)]
struct Stage {
    deployment: String,
    variable: String,
    description: String,
}

/// One call that changes something.
#[derive(Clone, Debug)]
enum Change {
    Import { description: String, paths: Vec<String>, version: u32 },
    Overwrite { api: String, description: String, paths: Vec<String>, version: u32 },
    Describe { api: String, description: String },
    AddResource { api: String, parent: String, part: String },
    RemoveResource { api: String, path: String },
    SetVersion { api: String, path: String, version: u32 },
    Deploy { api: String, stage: String, description: String, variable: String },
    AddStage { api: String, stage: String, deployment: String, variable: String },
    MoveStage { api: String, stage: String, deployment: String, variable: String },
    RemoveStage { api: String, stage: String },
    RemoveDeployment { api: String, deployment: String },
    RemoveApi { api: String },
}

fn template(version: u32) -> String {
    format!(
        r#"{{"version": {version}, "variable": "$stageVariables.v", "deployment": "$context.deploymentId"}}"#
    )
}

fn version_of(template: &str) -> u32 {
    let rest = template.strip_prefix("{\"version\": ").expect("a template of ours");
    rest.split(',').next().and_then(|digits| digits.parse().ok()).expect("a number")
}

fn document(description: &str, paths: &[String], version: u32) -> Definition {
    let info = json!({"title": "crash", "version": "1", "description": description});
    let empty = Definition::new().with("info", info);
    paths.iter().fold(empty, |api, path| api.mock("GET", path, 200, &template(version)))
}

/// The tree that a document makes: its paths, and all above them.
fn tree(paths: &[String], version: u32) -> BTreeMap<String, Option<u32>> {
    let mut tree = BTreeMap::from([("/".to_owned(), None)]);
    for path in paths {
        for (at, _) in path.match_indices('/').skip(1) {
            tree.entry(path[..at].to_owned()).or_insert(None);
        }
        tree.insert(path.clone(), Some(version));
    }
    tree
}

impl World {
    fn api(&mut self, id: &str) -> &mut Api {
        self.0.get_mut(id).expect("changes are about what is there")
    }

    /// What is there once `change` is carried out; `new_id` is what it made.
    fn apply(&mut self, change: &Change, new_id: &str) {
        match change {
            Change::Import { description, paths, version } => {
                let api = Api {
                    description: description.clone(),
                    resources: tree(paths, *version),
                    deployments: BTreeMap::new(),
                    stages: BTreeMap::new(),
                };
                self.0.insert(new_id.to_owned(), api);
            }
            Change::Overwrite { api, description, paths, version } => {
                let api = self.api(api);
                api.description.clone_from(description);
                api.resources = tree(paths, *version);
            }
            Change::Describe { api, description } => {
                self.api(api).description.clone_from(description);
            }
            Change::AddResource { api, parent, part } => {
                let path = format!("{}/{part}", parent.trim_end_matches('/'));
                self.api(api).resources.insert(path, None);
            }
            Change::RemoveResource { api, path } => {
                let below = format!("{path}/");
                let gone = |it: &String| it == path || it.starts_with(&below);
                self.api(api).resources.retain(|it, _| !gone(it));
            }
            Change::SetVersion { api, path, version } => {
                self.api(api).resources.insert(path.clone(), Some(*version));
            }
            Change::Deploy { api, stage, description, variable } => {
                let api = self.api(api);
                let frozen = api.resources.iter();
                let frozen = frozen.filter_map(|(path, version)| Some((path.clone(), (*version)?)));
                let deployment =
                    Deployment { description: description.clone(), frozen: frozen.collect() };
                api.deployments.insert(new_id.to_owned(), deployment);
                let stage = api.stages.entry(stage.clone()).or_insert_with(|| Stage {
                    deployment: String::new(),
                    variable: String::new(),
                    description: String::new(),
                });
                stage.deployment = new_id.to_owned();
                stage.variable.clone_from(variable);
            }
            Change::AddStage { api, stage, deployment, variable } => {
                let new = Stage {
                    deployment: deployment.clone(),
                    variable: variable.clone(),
                    description: variable.clone(),
                };
                self.api(api).stages.insert(stage.clone(), new);
            }
            Change::MoveStage { api, stage, deployment, variable } => {
                let stage = self.api(api).stages.get_mut(stage).expect("it is there");
                stage.deployment.clone_from(deployment);
                stage.variable.clone_from(variable);
                stage.description.clone_from(variable);
            }
            Change::RemoveStage { api, stage } => drop(self.api(api).stages.remove(stage)),
            Change::RemoveDeployment { api, deployment } => {
                self.api(api).deployments.remove(deployment);
            }
            Change::RemoveApi { api } => drop(self.0.remove(api)),
        }
    }

    /// The id of what `change` has made, if this world has something that `before` has not.
    fn made(&self, change: &Change, before: &World) -> String {
        let new = match change {
            Change::Import { .. } => self.0.keys().find(|id| !before.0.contains_key(*id)),
            Change::Deploy { api, .. } => self.0.get(api).and_then(|it| {
                let old = &before.0[api].deployments;
                it.deployments.keys().find(|id| !old.contains_key(*id))
            }),
            _ => None,
        };
        new.cloned().unwrap_or_default()
    }

    /// All of it as the control-plane API tells it. What deployments froze stands in `known` only: it is
    /// compared with the paths that are told, and with what stages answer.
    fn read(admin: &mut Admin, known: &World) -> Self {
        let mut world = World::default();
        for api in items(&admin.gets("/restapis?limit=500")) {
            let id = text(&api, "id");
            let mut read = Api {
                description: text(&api, "description"),
                resources: BTreeMap::new(),
                deployments: BTreeMap::new(),
                stages: BTreeMap::new(),
            };
            for resource in resources(admin, &id) {
                let integration = &resource["resourceMethods"]["GET"]["methodIntegration"];
                let response = &integration["integrationResponses"]["200"]["responseTemplates"];
                let version = response["application/json"].as_str().map(version_of);
                read.resources.insert(text(&resource, "path"), version);
            }
            for deployment in items(&admin.gets(&format!("/restapis/{id}/deployments?limit=500"))) {
                let own = text(&deployment, "id");
                let path = format!("/restapis/{id}/deployments/{own}?embed=apisummary");
                let told = admin.gets(&path);
                let paths = told["apiSummary"].as_object().expect("a summary").keys();
                let frozen: BTreeMap<String, u32> = paths
                    .map(|path| {
                        let there = known.0.get(&id).and_then(|it| it.deployments.get(&own));
                        // Of one that is not known yet the caller knows what was to be frozen.
                        let versions = match there {
                            Some(deployment) => deployment.frozen.get(path).copied(),
                            None => read.resources.get(path).copied().flatten(),
                        };
                        (path.clone(), versions.unwrap_or(u32::MAX))
                    })
                    .collect();
                let description = text(&deployment, "description");
                read.deployments.insert(own, Deployment { description, frozen });
            }
            for stage in
                admin.gets(&format!("/restapis/{id}/stages"))["item"].as_array().expect("stages")
            {
                let new = Stage {
                    deployment: text(stage, "deploymentId"),
                    variable: text(&stage["variables"], "v"),
                    description: text(stage, "description"),
                };
                read.stages.insert(text(stage, "stageName"), new);
            }
            world.0.insert(id, read);
        }
        world
    }

    /// Every stage answers as its deployment froze it.
    fn is_served(&self, client: &mut Client) {
        for (id, api) in &self.0 {
            for (name, stage) in &api.stages {
                for (path, version) in &api.deployments[&stage.deployment].frozen {
                    let answer =
                        client.asks(get_at(id, &format!("/{name}{}", path.replace("{id}", "7"))));
                    let want = template(*version)
                        .replace("$stageVariables.v", &stage.variable)
                        .replace("$context.deploymentId", &stage.deployment);
                    assert_eq!((answer.status, answer.text()), (200, &*want), "{id} {name} {path}");
                }
            }
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn items(list: &Value) -> Vec<Value> {
    list["item"].as_array().cloned().unwrap_or_default()
}

fn resources(admin: &mut Admin, api: &str) -> Vec<Value> {
    items(&admin.gets(&format!("/restapis/{api}/resources?embed=methods&limit=500")))
}

fn resource_id(admin: &mut Admin, api: &str, path: &str) -> String {
    let all = resources(admin, api);
    let found = all.iter().find(|it| it["path"] == path).expect("it is there");
    text(found, "id")
}

impl Change {
    /// The call that carries it out: method, path and body.
    fn call(&self, admin: &mut Admin) -> (&'static str, String, String) {
        let at = |api: &str, rest: &str| format!("/restapis/{api}{rest}");
        match self {
            Self::Import { description, paths, version } => (
                "POST",
                "/restapis?mode=import".to_owned(),
                document(description, paths, *version).text(),
            ),
            Self::Overwrite { api, description, paths, version } => {
                ("PUT", at(api, "?mode=overwrite"), document(description, paths, *version).text())
            }
            Self::Describe { api, description } => {
                let body = patches(&[("replace", "/description", description)]);
                ("PATCH", at(api, ""), body.to_string())
            }
            Self::AddResource { api, parent, part } => {
                let parent = resource_id(admin, api, parent);
                let body = json!({ "pathPart": part }).to_string();
                ("POST", at(api, &format!("/resources/{parent}")), body)
            }
            Self::RemoveResource { api, path } => {
                let id = resource_id(admin, api, path);
                ("DELETE", at(api, &format!("/resources/{id}")), String::new())
            }
            Self::SetVersion { api, path, version } => {
                let id = resource_id(admin, api, path);
                let rest = format!("/resources/{id}/methods/GET/integration/responses/200");
                let path = "/responseTemplates/application~1json";
                let body = patches(&[("replace", path, &template(*version))]);
                ("PATCH", at(api, &rest), body.to_string())
            }
            Self::Deploy { api, stage, description, variable } => {
                let body = json!({
                    "stageName": stage, "description": description, "variables": {"v": variable},
                });
                ("POST", at(api, "/deployments"), body.to_string())
            }
            Self::AddStage { api, stage, deployment, variable } => {
                let body = json!({
                    "stageName": stage, "deploymentId": deployment, "description": variable,
                    "variables": {"v": variable},
                });
                ("POST", at(api, "/stages"), body.to_string())
            }
            Self::MoveStage { api, stage, deployment, variable } => {
                let body = patches(&[
                    ("replace", "/variables/v", variable),
                    ("replace", "/deploymentId", deployment),
                    ("replace", "/description", variable),
                ]);
                ("PATCH", at(api, &format!("/stages/{stage}")), body.to_string())
            }
            Self::RemoveStage { api, stage } => {
                ("DELETE", at(api, &format!("/stages/{stage}")), String::new())
            }
            Self::RemoveDeployment { api, deployment } => {
                ("DELETE", at(api, &format!("/deployments/{deployment}")), String::new())
            }
            Self::RemoveApi { api } => ("DELETE", at(api, ""), String::new()),
        }
    }
}

/// Makes up what is changed next.
struct Writer {
    random: fastrand::Rng,
    count: u32,
}

impl Writer {
    fn some_paths(&mut self) -> Vec<String> {
        const PATHS: [&str; 7] = ["/a", "/a/b", "/c", "/c/d/e", "/f/{id}", "/g", "/g/h/i"];
        let count = self.random.usize(1..=4);
        self.random.choose_multiple(PATHS, count).into_iter().map(str::to_owned).collect()
    }

    fn pick<T: Clone>(&mut self, all: impl IntoIterator<Item = T>) -> Option<T> {
        let all: Vec<T> = all.into_iter().collect();
        (!all.is_empty()).then(|| all[self.random.usize(..all.len())].clone())
    }

    fn next(&mut self, world: &World) -> Change {
        loop {
            self.count += 1;
            if let Some(change) = self.try_next(world) {
                return change;
            }
        }
    }

    /// A change that will be accepted; `None`: there is nothing that it could be about.
    fn try_next(&mut self, world: &World) -> Option<Change> {
        let version = self.count;
        let word = format!("w{version}");
        let action = self.random.u8(..20);
        if action == 0 || world.0.is_empty() {
            let paths = self.some_paths();
            let few = world.0.len() < APIS_MAX;
            return few.then_some(Change::Import { description: word, paths, version });
        }
        let (api, it) = self.pick(&world.0)?;
        let api = api.clone();
        let stage = self.pick(["v1", "v2", "prod"])?.to_owned();
        let known_stage = self.pick(it.stages.keys().cloned());
        let deployment = self.pick(it.deployments.keys().cloned());
        let has_methods = it.resources.values().any(Option::is_some);
        let few = it.deployments.len() < DEPLOYMENTS_MAX;
        Some(match action {
            1 if world.0.len() == APIS_MAX => Change::RemoveApi { api },
            2 | 3 => {
                Change::Overwrite { api, description: word, paths: self.some_paths(), version }
            }
            4 => Change::Describe { api, description: word },
            5 | 6 => {
                let parent = self.pick(it.resources.keys().cloned())?;
                Change::AddResource { api, parent, part: word }
            }
            7 => {
                let below = it.resources.keys().filter(|path| *path != "/").cloned();
                Change::RemoveResource { api, path: self.pick(below)? }
            }
            8..=10 => {
                let with_get = it.resources.iter().filter(|(_, version)| version.is_some());
                let path = self.pick(with_get.map(|(path, _)| path.clone()))?;
                Change::SetVersion { api, path, version }
            }
            11..=14 if has_methods && few => {
                Change::Deploy { api, stage, description: word.clone(), variable: word }
            }
            15 if !it.stages.contains_key(&stage) => {
                Change::AddStage { api, stage, deployment: deployment?, variable: word }
            }
            16 | 17 => Change::MoveStage {
                api,
                stage: known_stage?,
                deployment: deployment?,
                variable: word,
            },
            18 => Change::RemoveStage { api, stage: known_stage? },
            19 => {
                let used = |id: &&String| it.stages.values().any(|stage| stage.deployment == **id);
                let unused = it.deployments.keys().filter(|id| !used(id)).cloned();
                Change::RemoveDeployment { api, deployment: self.pick(unused)? }
            }
            _ => return None,
        })
    }
}

/// Takes an acknowledgement into account.
fn acknowledged(world: &mut World, change: &Change, answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{change:?}: {answer:?} {}", answer.text());
    let members: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    world.apply(change, &text(&members, "id"));
}

/// Starts it and kills it before it is ready, if it is not faster.
fn kill_while_it_starts(options: &PlaneOptions, after: Duration) {
    let mut child = options
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the ringway binary");
    std::thread::sleep(after);
    child.kill().expect("it lives, or is not waited for yet");
    child.wait().expect("its end");
}

/// Every document of a kind belongs to an API that is there.
fn has_no_orphans<T: Object>(store: &Store, world: &World) {
    let reading = store.read().expect("a store that was closed well");
    let mut kept = 0;
    reading
        .each::<T>(&[], None, |ids, _| {
            let api = ids.split('\0').next().unwrap_or_default();
            assert!(world.0.contains_key(api), "{} {ids:?} is left of nothing", T::KIND);
            kept += 1;
            true
        })
        .expect("documents that can be read");
    assert!(kept > 0, "there is no {} at all", T::KIND);
}

#[test]
fn one_hundred_kills_lose_nothing_that_was_acknowledged() {
    let seed = std::env::var("RINGWAY_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("RINGWAY_TEST_SEED={seed}");
    let mut writer = Writer { random: fastrand::Rng::with_seed(seed), count: 0 };
    let options = PlaneOptions::new();
    let mut world = World::default();
    let (mut changes, mut cut_short, mut came_through) = (0, 0, 0);
    // What was in flight when it was killed.
    let mut pending: Option<Change> = None;
    let mut usual_start = Duration::ZERO;
    for round in 0..=ROUNDS {
        if round % KILLED_AT_START_EVERY == 1 {
            kill_while_it_starts(&options, usual_start.mul_f64(writer.random.f64()));
        }
        let began = Instant::now();
        let mut gateway = options.start();
        usual_start = began.elapsed();
        if pending.is_none() {
            // What is served is there before anybody has asked the admin port.
            world.is_served(&mut gateway.client());
        }
        let mut admin = gateway.api();
        let read = World::read(&mut admin, &world);
        if let Some(change) = pending.take()
            && read != world
        {
            let made = read.made(&change, &world);
            world.apply(&change, &made);
            assert_eq!(read, world, "round {round}: half of {change:?}");
            came_through += 1;
        }
        assert_eq!(read, world, "round {round}");
        world.is_served(&mut gateway.client());
        if round == ROUNDS {
            gateway.signal(Signal::TERM);
            assert_eq!(gateway.exit().code(), Some(0));
            break;
        }

        let mut usual = Duration::from_millis(5);
        for _ in 0..writer.random.usize(..=CHANGES_MAX) {
            let change = writer.next(&world);
            let (method, path, body) = change.call(&mut admin);
            let began = Instant::now();
            let answer = admin.try_send(method, &path, &body).expect("an answer");
            usual = began.elapsed();
            acknowledged(&mut world, &change, &answer);
            changes += 1;
        }
        // One more, and the kill at any moment of it, or a little later.
        let change = writer.next(&world);
        let (method, path, body) = change.call(&mut admin);
        let mut socket = Client::connect(gateway.admin);
        socket.sends(Admin::request(method, &path, &body));
        std::thread::sleep(usual.mul_f64(writer.random.f64() * 1.5));
        gateway.signal(Signal::KILL);
        gateway.exit();
        drop(gateway);
        match socket.try_answer() {
            Ok(answer) => {
                acknowledged(&mut world, &change, &answer);
                changes += 1;
            }
            Err(_) => {
                cut_short += 1;
                pending = Some(change);
            }
        }
    }
    let store = Store::open(&options.store()).expect("a whole store");
    has_no_orphans::<objects::Resource>(&store, &world);
    has_no_orphans::<objects::Deployment>(&store, &world);
    has_no_orphans::<objects::Stage>(&store, &world);
    println!(
        "{ROUNDS} kills, {changes} changes acknowledged, {cut_short} cut short, of which \
         {came_through} are there wholly and {} not at all",
        cut_short - came_through
    );
}
