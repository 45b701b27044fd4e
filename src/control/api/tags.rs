//! Tags of whatever has an ARN.
//!
//! Source: facts, control-plane section 7.

use super::call::Call;
use super::error::ApiError;
use super::objects::Tags;

/// Tags of one resource.
const TAGS_MAX: usize = 50;
/// Characters of a key and of a value.
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

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
