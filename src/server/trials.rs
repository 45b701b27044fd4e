//! Test invocations: between the control plane, which knows no shards, and the shards.

use std::future::Future;
use std::pin::Pin;

use super::shards::TestInvoker;
use crate::control::api::{self, Trial, TrialOutcome};
use crate::shard::{TestInvocation, TestOutcome};

/// Runs trials on the shards.
pub(super) struct OnShards(pub(super) TestInvoker);

impl api::TestInvoker for OnShards {
    fn invoke(
        &self,
        trial: Trial,
    ) -> Pin<Box<dyn Future<Output = Result<TrialOutcome, String>> + Send>> {
        let Trial { stage, resource_id, method, path_with_query_string, headers, body } = trial;
        let test =
            TestInvocation { stage, resource_id, method, path_with_query_string, headers, body };
        let shards = self.0.clone();
        Box::pin(async move {
            let TestOutcome { status, headers, body, log, latency } = shards.invoke(test).await?;
            Ok(TrialOutcome { status, headers, body, log, latency })
        })
    }
}
