//! Lists, a page at a time: `limit` and `position`, `item` on the wire.

use serde::Serialize;
use serde_json::{Map, Value};

use super::call::{Call, Reply};

/// Items of a page where the caller names no number. Source: facts, control-plane section 1.
const LIMIT_DEFAULT: usize = 25;
/// Most items of a page.
const LIMIT_MAX: usize = 500;

/// The page of `all` that the call wants. A position is the id of the last item seen, so items that come
/// and go between two pages neither repeat nor hide others. `all` is in the order of the answer.
pub fn reply<T: Serialize>(call: &Call<'_>, all: &[T], id_of: impl Fn(&T) -> &str) -> Reply {
    let limit = limit(call);
    let start = match call.query("position").filter(|position| !position.is_empty()) {
        Some(last) => all.iter().position(|it| id_of(it) == last).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let page = &all[start..all.len().min(start.saturating_add(limit))];
    let mut answer = Map::new();
    if start + page.len() < all.len()
        && let Some(last) = page.last()
    {
        answer.insert("position".to_owned(), Value::from(id_of(last)));
    }
    let items = serde_json::to_value(page).expect("our objects serialize");
    answer.insert("item".to_owned(), items);
    Reply::json(&answer)
}

/// Items of a page: what the caller wants, within AWS's bounds. A number below one counts as none
/// (recorded for -1).
pub fn limit(call: &Call<'_>) -> usize {
    let wanted = call.query("limit").and_then(|limit| limit.parse().ok());
    match wanted {
        Some(0) | None => LIMIT_DEFAULT,
        Some(limit) => LIMIT_MAX.min(limit),
    }
}
