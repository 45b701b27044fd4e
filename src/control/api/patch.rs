//! `patchOperations`: the subset of JSON Patch that AWS has. Values are always text.
//!
//! Source: facts, control-plane section 5 and aws-recorded 1.5.

use indexmap::IndexMap;
use serde_json::Value;

use super::error::ApiError;

/// What an operation of a patch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

impl Op {
    /// In the order of AWS's error messages.
    pub const ALL: [Self; 6] =
        [Self::Add, Self::Remove, Self::Move, Self::Test, Self::Replace, Self::Copy];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Test => "test",
        }
    }
}

/// One operation of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// What to do.
    pub op: Op,
    /// Where, as a JSON pointer as it was sent; `None`: the member is missing.
    pub path: Option<String>,
    /// With what; `None`: the member is missing or null.
    pub value: Option<String>,
    /// From where (`copy`).
    pub from: Option<String>,
}

impl Patch {
    /// The path as it was sent; `null` if it was not, as AWS prints it.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("null")
    }

    /// The value, or nothing.
    pub fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// A boolean: everything but `true` is false. Source: facts, control-plane section 5 (recorded).
    pub fn flag(&self) -> bool {
        self.value().eq_ignore_ascii_case("true")
    }

    /// The path's segments, decoded (`~1` is `/`, `~0` is `~`); none for a missing path.
    pub fn segments(&self) -> Vec<String> {
        segments(self.path.as_deref().unwrap_or_default())
    }

    /// Family A's answer to a path that cannot be patched, two blanks and all.
    pub fn not_one_of(&self, paths: &[&str]) -> ApiError {
        let (path, op) = (self.path(), self.op.as_str());
        let all = paths.join(", ");
        ApiError::bad_request(format!(
            "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{all}]"
        ))
    }

    /// Family A's answer to an operation that the kind of object does not have.
    pub fn not_supported(&self) -> ApiError {
        let (path, op) = (self.path(), self.op.as_str());
        ApiError::bad_request(format!(
            "Invalid patch path  '{path}' specified for op '{op}'. Please choose supported operations"
        ))
    }

    /// Family B's answer to a path that cannot be patched.
    pub fn invalid_path(&self) -> ApiError {
        ApiError::bad_request(format!("Invalid patch path {}", self.path()))
    }

    /// Changes one member of a map: `add` and `replace` set it to `value`, `remove` takes it away. A map
    /// of which nothing is left is absent. `missing` is told of a member to remove that is not there.
    ///
    /// # Errors
    /// 404 `missing`, `value`'s, or the operation is one that no map has.
    pub fn apply_to<V>(
        &self,
        map: &mut Option<IndexMap<String, V>>,
        name: &str,
        missing: &str,
        value: impl FnOnce() -> Result<V, ApiError>,
    ) -> Result<(), ApiError> {
        match self.op {
            Op::Add | Op::Replace => {
                let value = value()?;
                map.get_or_insert_default().insert(name.to_owned(), value);
            }
            Op::Remove => {
                let was = map.as_mut().and_then(|map| map.shift_remove(name));
                was.ok_or_else(|| ApiError::not_found(missing))?;
                if map.as_ref().is_some_and(IndexMap::is_empty) {
                    *map = None;
                }
            }
            Op::Move | Op::Copy | Op::Test => {
                return Err(ApiError::bad_request(
                    "Invalid patch operation specified. Must be one of: [add, remove, replace]",
                ));
            }
        }
        Ok(())
    }

    /// Family B's answer to anything but `replace` on a scalar.
    ///
    /// # Errors
    /// It is not `replace`.
    pub fn only_replace(&self) -> Result<(), ApiError> {
        if self.op == Op::Replace {
            return Ok(());
        }
        Err(ApiError::bad_request("Invalid patch operation specified. Must be one of: [replace]"))
    }
}

/// A JSON pointer's segments, decoded.
pub fn segments(path: &str) -> Vec<String> {
    let Some(path) = path.strip_prefix('/') else { return Vec::new() };
    path.split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()
}

/// Reads `patchOperations`; `shape` has refused unknown operations.
///
/// # Errors
/// It is not a list of objects, or a member is not text.
pub fn read(operations: Option<&Value>) -> Result<Vec<Patch>, ApiError> {
    let wrong = || ApiError::serialization("patchOperations has to be a list of objects");
    match operations {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(|it| one(it).ok_or_else(wrong)).collect(),
        Some(_) => Err(wrong()),
    }
}

fn one(operation: &Value) -> Option<Patch> {
    let members = operation.as_object()?;
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        // Clients that are lenient with types mean the text.
        Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(Some(value.to_string())),
        Some(_) => None,
    };
    let op = text("op")??;
    let op = Op::ALL.into_iter().find(|it| it.as_str() == op)?;
    Some(Patch { op, path: text("path")?, value: text("value")?, from: text("from")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_are_read_and_pointers_decoded() {
        let patches = read(Some(&json!([
            {"op": "add", "path": "/binaryMediaTypes/image~1png"},
            {"op": "replace", "path": "/a~0b", "value": "x", "from": "/y"},
            {"op": "remove"},
        ])));
        let patches = patches.unwrap();
        assert_eq!(patches[0].segments(), ["binaryMediaTypes", "image/png"]);
        assert_eq!(patches[1].segments(), ["a~b"]);
        assert_eq!(patches[2].invalid_path().message, "Invalid patch path null");
        assert_eq!(
            patches[1].not_one_of(&["/a", "/b"]).message,
            "Invalid patch path  '/a~0b' specified for op 'replace'. Must be one of: [/a, /b]"
        );
        assert!(read(Some(&json!({"op": "add"}))).is_err());
        assert!(read(Some(&json!([{"op": "add", "path": []}]))).is_err());
    }
}
