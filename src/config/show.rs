//! `ringway config`: every key with its value in force and where that came from. Secrets are masked.

use serde_json::json;

use super::keys::{Key, Value};
use super::{AdminAuth, Config, Origin, Setting};

/// What stands for a secret, and is none.
pub(super) const MASK: &str = "****";

impl Config {
    /// As `ringway.toml` would have it, each line with its origin; masked secrets have to be filled in.
    pub fn to_toml(&self) -> String {
        let lines: Vec<(&Setting, String)> = self
            .settings
            .iter()
            .map(|setting| (setting, format!("{} = {}", setting.key.name, toml(setting))))
            .collect();
        let mut text = String::new();
        for table in super::keys::tables() {
            let of_table = || lines.iter().filter(|(setting, _)| setting.key.table == table);
            let width = of_table().map(|(_, line)| line.chars().count()).max().unwrap_or(0).min(48);
            text += &format!("{}[{table}]\n", if text.is_empty() { "" } else { "\n" });
            for (setting, line) in of_table() {
                text += &format!("{line:<width$}  # {}\n", self.origin_text(setting));
            }
        }
        text
    }

    /// The same as a JSON array, for programs.
    pub fn to_json(&self) -> String {
        let all: Vec<serde_json::Value> = self
            .settings
            .iter()
            .map(|setting| {
                let (origin, at) = match &setting.origin {
                    Origin::Default => ("default", None),
                    Origin::File { .. } => ("file", Some(setting.origin.to_string())),
                    Origin::Env(_) => ("environment", Some(setting.origin.to_string())),
                    Origin::Flag(_) => ("flag", Some(setting.origin.to_string())),
                };
                let key = setting.key;
                json!({
                    "key": key.path(), "value": value_json(key, &setting.value), "origin": origin,
                    "at": at, "variable": key.env(),
                })
            })
            .collect();
        format!("{:#}\n", serde_json::Value::Array(all))
    }

    fn origin_text(&self, setting: &Setting) -> String {
        let made =
            setting.value == Value::AccessKeys(Vec::new()) && self.admin.auth == AdminAuth::SigV4;
        if made {
            let file = self.store.path.join(crate::control::credentials::FILE_NAME);
            return format!("{}: made at first start, in {}", setting.origin, file.display());
        }
        setting.origin.to_string()
    }
}

/// A value as a file has it.
fn toml(setting: &Setting) -> String {
    match &setting.value {
        Value::Text(text) if is_number(setting.key, text) => text.clone(),
        Value::Text(text) => quoted(text),
        Value::List(all) => {
            let elements: Vec<String> = all.iter().map(|text| quoted(text)).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::AccessKeys(all) => {
            let element = |id: &str| format!("{{ id = {}, secret = \"{MASK}\" }}", quoted(id));
            let elements: Vec<String> = all.iter().map(|(id, _)| element(id)).collect();
            format!("[{}]", elements.join(", "))
        }
    }
}

fn value_json(key: &Key, value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) if is_number(key, text) => {
            text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
        }
        Value::Text(text) => json!(text),
        Value::List(all) => json!(all),
        Value::AccessKeys(all) => {
            all.iter().map(|(id, _)| json!({ "id": id, "secret": MASK })).collect()
        }
    }
}

fn is_number(key: &Key, text: &str) -> bool {
    key.takes_numbers() && text.parse::<u64>().is_ok()
}

/// A basic string. TOML's are JSON's, but that DEL is a control character.
fn quoted(text: &str) -> String {
    json!(text).to_string().replace('\u{7f}', "\\u007F")
}
