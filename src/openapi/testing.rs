//! What the tests of import and export share.

use crate::model::RestApi;

/// An API without what says where its objects stand in a document.
pub(super) fn bare(mut api: RestApi) -> RestApi {
    let clear = String::clear;
    api.models.values_mut().for_each(|it| clear(&mut it.pointer));
    api.request_validators.values_mut().for_each(|it| clear(&mut it.pointer));
    api.authorizers.values_mut().for_each(|it| clear(&mut it.pointer));
    api.gateway_responses.values_mut().for_each(|it| clear(&mut it.pointer));
    for method in api.resources.iter_mut().flat_map(|it| it.methods.values_mut()) {
        clear(&mut method.pointer);
        if let Some(integration) = &mut method.integration {
            clear(&mut integration.pointer);
            integration.responses.iter_mut().for_each(|it| clear(&mut it.pointer));
        }
    }
    api
}
