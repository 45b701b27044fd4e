//! Lists, a page at a time: `limit` and `position`, `item` on the wire.

use serde::Serialize;
use serde_json::{Map, Value};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use crate::store::Object;

/// Items of a page where the caller names no number. Source: facts, control-plane section 1.
const LIMIT_DEFAULT: usize = 25;
/// Most items of a page.
const LIMIT_MAX: usize = 500;

/// Between the two ids of a position.
const AND_NEXT: char = '|';

/// The page of `all` that the call wants; `all` is in the order of the answer. A position is the id of
/// the last item seen and that of the next: items that come and go between two pages neither repeat nor
/// hide others, also where each page's items are deleted before the next page is asked for.
pub fn reply<T: Serialize>(call: &Call<'_>, all: &[T], id_of: impl Fn(&T) -> &str) -> Reply {
    let limit = limit(call);
    let index_of = |id: &str| all.iter().position(|it| id_of(it) == id);
    let start = match call.query("position").filter(|position| !position.is_empty()) {
        Some(position) => {
            let (last, next) = position.split_once(AND_NEXT).unwrap_or((position, ""));
            let after = index_of(last).map(|index| index + 1);
            after.or_else(|| index_of(next)).unwrap_or(all.len())
        }
        None => 0,
    };
    let (page, rest) = all[start..].split_at((all.len() - start).min(limit));
    let mut answer = Map::new();
    if let (Some(last), Some(next)) = (page.last(), rest.first()) {
        let position = format!("{}{AND_NEXT}{}", id_of(last), id_of(next));
        answer.insert("position".to_owned(), Value::from(position));
    }
    let items = serde_json::to_value(page).expect("our objects serialize");
    answer.insert("item".to_owned(), items);
    Reply::json(&answer)
}

/// The page of the objects below `ids` that the call wants, in the store's order; what is not on it is
/// not read. `shown` makes the item of an object, or leaves it out.
///
/// # Errors
/// The store's.
pub fn stored<T: Object>(
    context: &Context<'_>,
    call: &Call<'_>,
    ids: &[&str],
    mut shown: impl FnMut(T) -> Option<Value>,
) -> Result<Reply, ApiError> {
    let limit = limit(call);
    let after = call.query("position").filter(|position| !position.is_empty());
    let mut page = Page::default();
    context.each::<T>(ids, after, |id, object| match shown(object) {
        Some(item) => page.add(limit, id, item),
        None => true,
    })?;
    Ok(page.reply())
}

/// A page in the making.
#[derive(Debug, Default)]
pub struct Page {
    items: Vec<Value>,
    last: String,
    has_more: bool,
}

impl Page {
    /// Takes the next item, whose position is `id`; `false`: the page was full without it.
    pub fn add(&mut self, limit: usize, id: &str, item: Value) -> bool {
        if self.items.len() == limit {
            self.has_more = true;
            return false;
        }
        id.clone_into(&mut self.last);
        self.items.push(item);
        true
    }

    /// The items, to be changed before they are answered.
    pub fn items(&mut self) -> &mut Vec<Value> {
        &mut self.items
    }

    /// The answer.
    pub fn reply(self) -> Reply {
        let mut answer = Map::new();
        if self.has_more {
            answer.insert("position".to_owned(), Value::from(self.last));
        }
        answer.insert("item".to_owned(), Value::from(self.items));
        Reply::json(&answer)
    }
}

/// An item of a list: the object without `tags` where it has none.
pub fn item(object: &impl Serialize) -> Value {
    let mut item = serde_json::to_value(object).expect("our objects serialize");
    if item["tags"].as_object().is_none_or(Map::is_empty) {
        item.as_object_mut().map(|members| members.shift_remove("tags"));
    }
    item
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
