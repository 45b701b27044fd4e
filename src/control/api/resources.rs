//! Resource: a node of an API's path tree.
//!
//! A resource keeps its full path, so a change of a path part or a parent is a change of its whole
//! subtree. Its methods are part of its document; see [`super::methods`].
//!
//! AWS allows 300 resources of an API. There is no such limit here: whoever has more is who leaves AWS's.
//!
//! Source: facts, aws-recorded section 3, rest-api section 2.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::mapping;
use super::objects::Resource;
use super::page;
use super::patch::Op;

const PATH_PART: &str = "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.";
const PATHS: [&str; 2] = ["/parentId", "/pathPart"];

pub(super) fn get_resources(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let mut all: Vec<Resource> = context.list(&[&api])?;
    all.sort_by(|one, other| one.path.cmp(&other.path));
    let embeds = embeds_methods(call);
    let all: Vec<_> = all.iter().map(|resource| shown(resource, embeds)).collect();
    Ok(page::reply(call, &all, |resource| resource["id"].as_str().unwrap_or_default()))
}

pub(super) fn get_resource(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let resource = of_call(context, call)?;
    Ok(Reply::json(&shown(&resource, embeds_methods(call))))
}

pub(super) fn create_resource(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, parent) = (call.label("restapi_id"), call.label("parent_id"));
    let tree = Tree::read(context, api)?;
    let parent = tree.find(parent).ok_or_else(no_such_resource)?;
    let path_part = call.owned("pathPart").unwrap_or_default();
    tree.check_child(parent, &path_part, None)?;
    let parent = &tree.nodes[parent];
    let resource = Resource {
        id: ids::new(ids::SHORT, |id| context.has::<Resource>(&[api, id]))?,
        parent_id: Some(parent.id.clone()),
        path: path_below(&parent.path, &path_part),
        path_part: Some(path_part),
        resource_methods: None,
    };
    context.put(&[api, &resource.id], &resource)?;
    Ok(Reply::json(&resource))
}

pub(super) fn update_resource(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = call.label("restapi_id");
    let mut tree = Tree::read(context, api)?;
    let at = tree.find(call.label("resource_id")).ok_or_else(no_such_resource)?;
    for patch in call.patches()? {
        if !PATHS.contains(&patch.path()) {
            return Err(patch.not_one_of(&PATHS));
        }
        if patch.op != Op::Replace {
            return Err(patch.not_supported());
        }
        let Some(parent) = tree.parent_of(at) else {
            let member = patch.path().trim_start_matches('/');
            return Err(ApiError::bad_request(format!(
                "Root resource cannot update its {member}."
            )));
        };
        if patch.path() == "/pathPart" {
            tree.check_child(parent, patch.value(), Some(at))?;
            tree.nodes[at].path_part = Some(patch.value().to_owned());
            continue;
        }
        let parent = tree.find(patch.value()).ok_or_else(no_such_resource)?;
        if tree.is_within(parent, at) {
            return Err(ApiError::bad_request("Resources cannot be cyclical."));
        }
        let path_part = tree.nodes[at].path_part.clone().unwrap_or_default();
        tree.check_child(parent, &path_part, Some(at))?;
        tree.nodes[at].parent_id = Some(tree.nodes[parent].id.clone());
    }
    for node in tree.subtree(at) {
        let path = match tree.parent_of(node) {
            Some(parent) => {
                let part = tree.nodes[node].path_part.as_deref().unwrap_or_default();
                path_below(&tree.nodes[parent].path, part)
            }
            None => "/".to_owned(),
        };
        tree.nodes[node].path = path;
        context.put(&[api, &tree.nodes[node].id], &tree.nodes[node])?;
    }
    Ok(Reply::json(&shown(&tree.nodes[at], false)))
}

pub(super) fn delete_resource(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = call.label("restapi_id");
    let tree = Tree::read(context, api)?;
    let at = tree.find(call.label("resource_id")).ok_or_else(no_such_resource)?;
    if tree.nodes[at].parent_id.is_none() {
        return Err(ApiError::bad_request("Root resource cannot be deleted"));
    }
    for node in tree.subtree(at) {
        context.delete::<Resource>(&[api, &tree.nodes[node].id])?;
    }
    Ok(Reply::empty())
}

/// The resource of a call.
///
/// # Errors
/// 404; of a wrong API the same is told as of a wrong resource. Source: facts, aws-recorded 1.6.
pub(super) fn of_call(context: &Context<'_>, call: &Call<'_>) -> Result<Resource, ApiError> {
    let ids = [call.label("restapi_id"), call.label("resource_id")];
    context.get(&ids)?.ok_or_else(no_such_resource)
}

fn no_such_resource() -> ApiError {
    ApiError::not_found("Invalid Resource identifier specified")
}

fn embeds_methods(call: &Call<'_>) -> bool {
    call.queries("embed").flat_map(|it| it.split(',')).any(|it| it == "methods")
}

/// A resource as it is answered: its methods are empty objects unless they are asked for.
fn shown(resource: &Resource, embeds_methods: bool) -> Value {
    let mut answer = serde_json::to_value(resource).expect("our objects serialize");
    if let Some(methods) = answer.get_mut("resourceMethods").and_then(Value::as_object_mut)
        && !embeds_methods
    {
        methods.values_mut().for_each(|method| *method = Value::Object(Map::new()));
    }
    answer
}

fn path_below(parent: &str, path_part: &str) -> String {
    format!("{}/{path_part}", parent.trim_end_matches('/'))
}

fn is_variable(path_part: &str) -> bool {
    path_part.starts_with('{')
}

fn is_greedy(path_part: &str) -> bool {
    path_part.ends_with("+}")
}

/// Of the characters that AWS's message leaves out, `,` is documented; `~` and `@` are what newer
/// releases take. Source: facts, rest-api section 2.
fn is_path_part(text: &str) -> bool {
    match text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
        Some(name) => mapping::is_name(name.strip_suffix('+').unwrap_or(name)),
        None => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:,~@".contains(&byte);
            !text.is_empty() && text.bytes().all(fits)
        }
    }
}

/// All resources of an API.
struct Tree {
    nodes: Vec<Resource>,
    by_id: HashMap<String, usize>,
}

impl Tree {
    fn read(context: &Context<'_>, api: &str) -> Result<Self, ApiError> {
        let nodes: Vec<Resource> = context.list(&[api])?;
        let by_id = nodes.iter().enumerate().map(|(at, node)| (node.id.clone(), at)).collect();
        Ok(Self { nodes, by_id })
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    fn parent_of(&self, at: usize) -> Option<usize> {
        self.find(self.nodes[at].parent_id.as_deref()?)
    }

    /// Whether `at` is `ancestor` or below it.
    fn is_within(&self, at: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(at), |&at| self.parent_of(at)).any(|it| it == ancestor)
    }

    /// A node and all below it, parents first.
    fn subtree(&self, at: usize) -> Vec<usize> {
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for node in 0..self.nodes.len() {
            if let Some(parent) = self.parent_of(node) {
                children.entry(parent).or_default().push(node);
            }
        }
        let mut all = vec![at];
        let mut next = 0;
        while next < all.len() {
            all.extend(children.remove(&all[next]).unwrap_or_default());
            next += 1;
        }
        all
    }

    /// Whether `path_part` may stand below `parent`; `moved` is the child that is there already.
    fn check_child(
        &self,
        parent: usize,
        path_part: &str,
        moved: Option<usize>,
    ) -> Result<(), ApiError> {
        if !is_path_part(path_part) {
            return Err(ApiError::bad_request(PATH_PART));
        }
        let above = self.nodes[parent].path_part.as_deref().unwrap_or_default();
        if is_greedy(above) {
            return Err(ApiError::bad_request(format!(
                "Cannot create a child of a resource with a greedy path variable: {above}"
            )));
        }
        let id = &self.nodes[parent].id;
        let siblings = self.nodes.iter().enumerate();
        let siblings = siblings
            .filter(|(at, node)| node.parent_id.as_ref() == Some(id) && Some(*at) != moved)
            .filter_map(|(_, node)| node.path_part.as_deref());
        let mut variable = None;
        for sibling in siblings {
            if sibling == path_part {
                return Err(ApiError::conflict(format!(
                    "Another resource with the same parent already has this name: {path_part}"
                )));
            }
            variable = variable.or(is_variable(sibling).then_some(sibling));
        }
        if let Some(sibling) = variable
            && is_variable(path_part)
        {
            return Err(ApiError::bad_request(format!(
                "A sibling ({sibling}) of this resource already has a variable path part -- only one is allowed"
            )));
        }
        let has_children = || {
            moved.is_some_and(|at| {
                let id = &self.nodes[at].id;
                self.nodes.iter().any(|node| node.parent_id.as_ref() == Some(id))
            })
        };
        if is_greedy(path_part) && has_children() {
            return Err(ApiError::bad_request(format!(
                "Cannot create a child of a resource with a greedy path variable: {path_part}"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    /// An API with resources `/pets`, `/pets/{id}`, `/pets/{id}/toys`; its URI and their ids.
    fn pets(plane: &mut Plane) -> (String, [String; 4]) {
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        let uri = format!("/restapis/{}/resources", api["id"].as_str().unwrap());
        let root = api["rootResourceId"].as_str().unwrap().to_owned();
        let mut ids = vec![root];
        for part in ["pets", "{id}", "toys"] {
            ids.push(create(plane, &uri, ids.last().unwrap(), part));
        }
        (uri, ids.try_into().unwrap())
    }

    fn create(plane: &mut Plane, uri: &str, parent: &str, part: &str) -> String {
        let made = plane.ok("POST", &format!("{uri}/{parent}"), json!({"pathPart": part}));
        made["id"].as_str().unwrap().to_owned()
    }

    fn paths(plane: &mut Plane, uri: &str) -> Vec<String> {
        let page = plane.ok("GET", uri, Value::Null);
        let all = page["item"].as_array().unwrap().iter();
        all.map(|it| it["path"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn resources_are_answered_as_recorded_and_sorted_by_path() {
        let mut plane = Plane::new();
        let (uri, [root, pets, id, toys]) = pets(&mut plane);
        assert_eq!(id.len(), 6);
        let made = plane.ok("POST", &format!("{uri}/{root}"), json!({"pathPart": "a"}));
        let a = made["id"].as_str().unwrap();
        assert_eq!(made, json!({"id": a, "parentId": root, "pathPart": "a", "path": "/a"}));
        assert_eq!(
            plane.ok("GET", &uri, Value::Null),
            json!({"item": [
                {"id": root, "path": "/"},
                {"id": a, "parentId": root, "pathPart": "a", "path": "/a"},
                {"id": pets, "parentId": root, "pathPart": "pets", "path": "/pets"},
                {"id": id, "parentId": pets, "pathPart": "{id}", "path": "/pets/{id}"},
                {"id": toys, "parentId": id, "pathPart": "toys", "path": "/pets/{id}/toys"},
            ]})
        );
        let page = plane.ok("GET", &format!("{uri}?limit=2"), Value::Null);
        assert_eq!(page["position"], json!(format!("{a}|{pets}")));
        let page = plane.ok("GET", &format!("{uri}?position={a}"), Value::Null);
        assert_eq!(page["item"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn methods_are_empty_objects_unless_embedded() {
        let mut plane = Plane::new();
        let (uri, [_, pets, ..]) = pets(&mut plane);
        for method in ["OPTIONS", "GET"] {
            let uri = format!("{uri}/{pets}/methods/{method}");
            plane.ok("PUT", &uri, json!({"authorizationType": "NONE"}));
        }
        let one = format!("{uri}/{pets}");
        let bare = json!({"GET": {}, "OPTIONS": {}});
        assert_eq!(plane.ok("GET", &one, Value::Null)["resourceMethods"], bare);
        let all = plane.ok("GET", &uri, Value::Null);
        assert_eq!(all["item"][1]["resourceMethods"], bare);
        let method =
            json!({"httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": false});
        for uri in [format!("{one}?embed=methods"), format!("{uri}?embed=other&embed=methods")] {
            let answer = plane.ok("GET", &uri, Value::Null);
            let resource = answer.get("item").map_or(&answer, |all| &all[1]);
            assert_eq!(resource["resourceMethods"]["GET"], method, "{uri}");
        }
    }

    #[test]
    fn wrong_path_parts_and_parents_are_refused() {
        let mut plane = Plane::new();
        let (uri, [root, pets, ..]) = pets(&mut plane);
        let proxy = create(&mut plane, &uri, &root, "{proxy+}");
        // A greedy child under a static parent is fine.
        let parent = create(&mut plane, &uri, &root, "parent");
        create(&mut plane, &uri, &parent, "{child+}");
        let syntax = format!("400 BadRequestException: {}", super::PATH_PART);
        let greedy = "400 BadRequestException: Cannot create a child of a resource with a greedy path variable: {proxy+}";
        for (parent, part, want) in [
            ("nope", "x", "404 NotFoundException: Invalid Resource identifier specified"),
            (
                &root,
                "{id}",
                "400 BadRequestException: A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
            ),
            (&proxy, "{id}", greedy),
            (&proxy, "x", greedy),
            (
                &root,
                "pets",
                "409 ConflictException: Another resource with the same parent already has this name: pets",
            ),
            (
                &root,
                "{proxy+}",
                "409 ConflictException: Another resource with the same parent already has this name: {proxy+}",
            ),
            (&root, "", &syntax),
            (&root, "a/b", &syntax),
            (&root, "{a}b", &syntax),
            (&root, "{a", &syntax),
            (&root, "{}", &syntax),
            (&root, "{+}", &syntax),
            (&root, "{a b}", &syntax),
            (&root, "caf\u{e9}", &syntax),
            (&root, "{\u{1f408}}", &syntax),
        ] {
            let uri = format!("{uri}/{parent}");
            assert_eq!(plane.refused("POST", &uri, json!({"pathPart": part})), want, "{part:?}");
        }
        let wrong_api = format!("/restapis/nope/resources/{pets}");
        assert_eq!(
            plane.refused("POST", &wrong_api, json!({"pathPart": "x"})),
            "404 NotFoundException: Invalid Resource identifier specified"
        );
        assert_eq!(
            plane.refused("GET", "/restapis/nope/resources", Value::Null),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
        for part in ["a-zA-Z0-9._-:", "a,b", "~x@y"] {
            create(&mut plane, &uri, &pets, part);
        }
    }

    #[test]
    fn a_whole_subtree_follows_its_root() {
        let mut plane = Plane::new();
        let (uri, [root, pets, id, _]) = pets(&mut plane);
        let other = create(&mut plane, &uri, &root, "other");
        let answer =
            plane.patch(&format!("{uri}/{pets}"), "replace", "/pathPart", "animals").unwrap();
        assert_eq!(
            answer,
            json!({"id": pets, "parentId": root, "pathPart": "animals", "path": "/animals"})
        );
        assert_eq!(
            paths(&mut plane, &uri),
            ["/", "/animals", "/animals/{id}", "/animals/{id}/toys", "/other"]
        );
        let answer = plane.patch(&format!("{uri}/{id}"), "replace", "/parentId", &other).unwrap();
        assert_eq!(answer["path"], "/other/{id}");
        assert_eq!(
            paths(&mut plane, &uri),
            ["/", "/animals", "/other", "/other/{id}", "/other/{id}/toys"]
        );
        plane.ok("DELETE", &format!("{uri}/{other}"), Value::Null);
        assert_eq!(paths(&mut plane, &uri), ["/", "/animals"]);
    }

    #[test]
    fn updates_that_break_the_tree_are_refused() {
        let mut plane = Plane::new();
        let (uri, [root, pets, id, toys]) = pets(&mut plane);
        let other = create(&mut plane, &uri, &root, "other");
        let proxy = create(&mut plane, &uri, &other, "{proxy+}");
        let cyclical = "400 BadRequestException: Resources cannot be cyclical.";
        for (at, op, path, value, want) in [
            (&pets, "replace", "/parentId", toys.as_str(), cyclical),
            (&pets, "replace", "/parentId", &pets, cyclical),
            (
                &root,
                "replace",
                "/pathPart",
                "x",
                "400 BadRequestException: Root resource cannot update its pathPart.",
            ),
            (
                &root,
                "replace",
                "/parentId",
                &pets,
                "400 BadRequestException: Root resource cannot update its parentId.",
            ),
            (
                &pets,
                "replace",
                "/parentId",
                "nope",
                "404 NotFoundException: Invalid Resource identifier specified",
            ),
            (
                &pets,
                "replace",
                "/pathPart",
                "other",
                "409 ConflictException: Another resource with the same parent already has this name: other",
            ),
            (
                &id,
                "replace",
                "/parentId",
                &other,
                "400 BadRequestException: A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
            ),
            (
                &toys,
                "replace",
                "/parentId",
                &proxy,
                "400 BadRequestException: Cannot create a child of a resource with a greedy path variable: {proxy+}",
            ),
            (
                &id,
                "replace",
                "/pathPart",
                "{id+}",
                "400 BadRequestException: Cannot create a child of a resource with a greedy path variable: {id+}",
            ),
            (
                &pets,
                "replace",
                "/path",
                "x",
                "400 BadRequestException: Invalid patch path  '/path' specified for op 'replace'. Must be one of: [/parentId, /pathPart]",
            ),
            (
                &pets,
                "remove",
                "/pathPart",
                "",
                "400 BadRequestException: Invalid patch path  '/pathPart' specified for op 'remove'. Please choose supported operations",
            ),
        ] {
            let error = plane.patch(&format!("{uri}/{at}"), op, path, value).unwrap_err();
            assert_eq!(format!("{} {error}", error.status), want);
        }
        assert_eq!(
            plane.refused("DELETE", &format!("{uri}/{root}"), Value::Null),
            "400 BadRequestException: Root resource cannot be deleted"
        );
        // What a resource is called now is no conflict with itself.
        plane.patch(&format!("{uri}/{pets}"), "replace", "/pathPart", "pets").unwrap();
        assert_eq!(paths(&mut plane, &uri).len(), 6);
    }

    #[test]
    fn many_patches_of_one_call_are_carried_out() {
        let mut plane = Plane::new();
        let (uri, [_, pets, ..]) = pets(&mut plane);
        let patches: Vec<_> = (0..10_000)
            .map(|n| json!({"op": "replace", "path": "/pathPart", "value": format!("p{n}")}))
            .collect();
        plane.ok("PATCH", &format!("{uri}/{pets}"), json!({"patchOperations": patches}));
        assert_eq!(paths(&mut plane, &uri)[1], "/p9999");
    }
}
