//! An import of an export gives the same model, and no model makes an export panic.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::super::{
    DocumentationSnapshot, ExportOptions, ExportType, Extensions, export, export_json, export_yaml,
};
use super::options;
use crate::limits::INTEGRATION_TIMEOUT_MAX_MS;
use crate::model::{
    DocumentationPart, DocumentationPartLocation, DocumentationPartType, Integration, RestApi,
};
use crate::openapi::testing::{MEDIA_TYPES, bare, rest_api};
use crate::openapi::{Document, import};

/// What comes back from both syntaxes of an export with everything in it.
#[track_caller]
fn there_and_back(api: &RestApi, kind: ExportType) -> RestApi {
    let snapshot = |version: &String| DocumentationSnapshot {
        version: version.clone(),
        created_date: Some("2025-01-01T00:00:00Z".to_owned()),
    };
    let options = ExportOptions {
        documentation: api.documentation_version.as_ref().map(snapshot),
        ..options(kind, "apigateway,documentation")
    };
    let document = export(api, &options).unwrap();
    let read = |text: &str| match Document::parse(text) {
        Ok(document) => import(&document),
        Err(refusal) => panic!("{}\n{text}", refusal.in_file("export")),
    };
    let text = export_json(&document);
    let (json, yaml) = (read(&text), read(&export_yaml(&document)));
    assert_eq!(bare(json.api.clone()), bare(yaml.api), "the two syntaxes differ\n{text}");
    json.api
}

/// The first lines in which two models differ; empty if none do.
fn difference(found: RestApi, want: RestApi) -> String {
    let (found, want) = (bare(found), bare(want));
    if found == want {
        return String::new();
    }
    let (found, want) = (format!("{found:#?}"), format!("{want:#?}"));
    let (mut found, mut want) = (found.lines(), want.lines());
    let mut before: Vec<&str> = Vec::new();
    loop {
        match (found.next(), want.next()) {
            (Some(one), Some(other)) if one == other => before.push(one),
            (one, other) => {
                let before = before[before.len().saturating_sub(12)..].join("\n");
                let after: Vec<&str> = found.take(4).collect();
                return format!("{before}\nfound {one:?} {after:?}\nwant {other:?}");
            }
        }
    }
}

/// The model as an import has it: the API's description is a documentation part too, unless the document
/// has the parts themselves.
fn imported_again(mut api: RestApi) -> RestApi {
    if let Some(description) = api.description.as_deref().filter(|it| !it.is_empty())
        && api.documentation_version.is_none()
    {
        api.documentation_parts.push(DocumentationPart {
            location: DocumentationPartLocation::of(DocumentationPartType::Api),
            properties: json!({ "info": { "description": description } }).to_string(),
        });
    }
    api
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_openapi_export_imports_to_the_same_model(api in rest_api(&MEDIA_TYPES)) {
        let back = there_and_back(&api, ExportType::Oas30);
        prop_assert_eq!(difference(back, imported_again(api)), "");
    }

    #[test]
    fn a_swagger_export_of_json_imports_to_the_same_model(api in rest_api(&MEDIA_TYPES[..1])) {
        let back = there_and_back(&api, ExportType::Swagger);
        prop_assert_eq!(difference(back, imported_again(api)), "");
    }

    #[test]
    fn every_export_is_a_document(api in rest_api(&MEDIA_TYPES), swagger: bool, flags: [bool; 5]) {
        let [api_gateway, integrations, authorizers, validators, documentation] = flags;
        let options = ExportOptions {
            kind: if swagger { ExportType::Swagger } else { ExportType::Oas30 },
            extensions: Extensions { api_gateway, integrations, authorizers, validators, documentation },
            documentation: documentation.then(DocumentationSnapshot::default),
            ..ExportOptions::default()
        };
        if let Ok(document) = export(&api, &options) {
            for text in [export_json(&document), export_yaml(&document)] {
                prop_assert_eq!(Document::parse(&text).unwrap().root().to_json(), document.clone());
            }
        }
    }
}

fn definitions(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json" || it == "yaml"));
    files.sort();
    files
}

/// What no export says, as its module lists: the defaults that are left out, the version that becomes
/// a date, texts, and the lifetime that an import fills in.
fn sayable(mut api: RestApi) -> RestApi {
    api.version.get_or_insert_with(|| "2025-07-02T13:13:23Z".to_owned());
    api.documentation_parts.clear();
    api.documentation_version = None;
    for method in api.resources.iter_mut().flat_map(|it| it.methods.values_mut()) {
        if let Some(Integration { timeout_ms, .. }) = &mut method.integration
            && *timeout_ms == Some(INTEGRATION_TIMEOUT_MAX_MS)
        {
            *timeout_ms = None;
        }
    }
    api
}

#[test]
fn the_definitions_of_examples_and_tests_survive_an_export() {
    let mut tried = 0;
    let folders = ["docs/examples", "tests/data", "tests/data/openapi"];
    for file in folders.into_iter().flat_map(definitions) {
        let Ok(document) = Document::parse(&fs::read_to_string(&file).unwrap()) else { continue };
        let api = sayable(import(&document).api);
        for kind in [ExportType::Oas30, ExportType::Swagger] {
            // Swagger has one model for all media types of a body.
            if kind == ExportType::Swagger && file.ends_with("keys_and_validation.yaml") {
                continue;
            }
            let back = there_and_back(&api, kind);
            assert_eq!(difference(back, imported_again(api.clone())), "", "{file:?} {kind:?}");
        }
        tried += 1;
    }
    assert!(tried > 8, "{tried}");
}
