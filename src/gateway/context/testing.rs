//! APIs and exchanges for the steps' unit tests.

use std::sync::Arc;

use crate::deploy::{
    CompileEnv, CompileError, CompiledMethod, CompiledStage, StageSettings, compile,
};
use crate::gateway::error::GatewayError;
use crate::gateway::exchange::{Exchange, HeadBytes};
use crate::gateway::find_api::{ApiTable, HostMemo};
use crate::gateway::route;
use crate::http::{HeadLimits, HeadScan, Method as HttpMethod, RequestHead, ResponseHead};
use crate::limits::Limits;
use crate::model::{
    Integration, IntegrationResponse, IntegrationType, Method, MethodName, Resource, RestApi,
};
use crate::throttle::BucketRegistry;
use crate::time::Nanos;
use crate::upstream::TargetRegistry;

/// An API that is being put together.
pub struct Api {
    pub model: RestApi,
    pub settings: StageSettings,
}

impl Api {
    pub fn new() -> Self {
        let model = RestApi { id: "a1b2c3d4e5".into(), name: "pets".into(), ..RestApi::default() };
        let settings = StageSettings {
            stage: "dev".into(),
            account_id: "123456789012".into(),
            deployment_id: "d1".into(),
            limits: Arc::new(Limits::default()),
            ..StageSettings::default()
        };
        Self { model, settings }
    }

    /// The method, made if it is not there.
    pub fn method(&mut self, path: &str, method: &str) -> &mut Method {
        let name = MethodName::named(method).unwrap();
        let resources = &mut self.model.resources;
        let index = resources.iter().position(|it| it.path == path).unwrap_or_else(|| {
            resources.push(Resource {
                id: "abc123".into(),
                path: path.into(),
                ..Resource::default()
            });
            resources.len() - 1
        });
        resources[index].methods.entry(name).or_default()
    }

    fn integration(mut self, method: &str, path: &str, integration: Integration) -> Self {
        let method = self.method(path, method);
        for response in &integration.responses {
            method.method_responses.insert(response.status_code.to_string(), Default::default());
        }
        method.integration = Some(integration);
        self
    }

    /// A MOCK that answers 200.
    pub fn mock(self, method: &str, path: &str) -> Self {
        let integration = Integration {
            request_templates: [(
                "application/json".to_owned(),
                "{\"statusCode\": 200}".to_owned(),
            )]
            .into(),
            responses: vec![IntegrationResponse { status_code: 200, ..Default::default() }],
            ..Integration::default()
        };
        self.integration(method, path, integration)
    }

    /// An HTTP or HTTP_PROXY integration with the answers 200 and, for a 4xx, 404.
    #[allow(dead_code, reason = "the tests of the mapping steps use it")]
    pub fn http(
        self,
        kind: IntegrationType,
        method: &str,
        path: &str,
        uri: &str,
        change: impl FnOnce(&mut Integration),
    ) -> Self {
        let mut integration = Integration {
            kind,
            uri: Some(uri.into()),
            http_method: MethodName::named(method),
            responses: vec![
                IntegrationResponse {
                    status_code: 404,
                    selection_pattern: Some("4\\d{2}".into()),
                    ..Default::default()
                },
                IntegrationResponse { status_code: 200, ..Default::default() },
            ],
            ..Integration::default()
        };
        change(&mut integration);
        self.integration(method, path, integration)
    }

    /// Changes the integration of a method that is there.
    pub fn change(
        mut self,
        method: &str,
        path: &str,
        change: impl FnOnce(&mut Integration),
    ) -> Self {
        change(self.method(path, method).integration.as_mut().unwrap());
        self
    }

    pub fn compile(&self) -> Result<CompiledStage, Vec<CompileError>> {
        let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
        compile(
            &self.model,
            &self.settings,
            &mut CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) },
        )
    }

    pub fn stage(&self) -> CompiledStage {
        self.compile().unwrap_or_else(|errors| panic!("{errors:#?}"))
    }
}

/// An exchange whose head has been parsed; what follows the head becomes its body.
pub fn exchange(text: &str) -> Exchange {
    let mut exchange = Exchange::default();
    let limits = HeadLimits { url_bytes: 10_240, header_bytes: 10_240, header_count: 128 };
    let mut head = RequestHead::default();
    let parsed = head.parse(text.as_bytes(), &mut HeadScan::default(), &limits);
    assert_eq!(parsed, Ok(true), "{text}");
    exchange.body.extend_from_slice(&text.as_bytes()[head.len as usize..]);
    exchange.head = head;
    exchange.head_bytes = HeadBytes::Owned(text.as_bytes().to_vec());
    exchange
}

/// Finds the method as a request to the stage's own API does.
pub fn route<'s>(
    stage: &'s CompiledStage,
    exchange: &mut Exchange,
) -> Result<&'s CompiledMethod, GatewayError> {
    let mut table = ApiTable::default();
    table.serve(&stage.api_id, &stage.stage, ());
    table.set_default_api(Some(&stage.api_id));
    table.find(&mut HostMemo::default(), exchange).map_err(|it| it.error)?;
    route::find(stage, exchange)
}

/// A parsed head of an integration's answer.
pub fn answer(text: &str) -> (ResponseHead, Vec<u8>) {
    let mut head = ResponseHead::default();
    let parsed = head.parse(text.as_bytes(), HttpMethod::Get, &mut HeadScan::default());
    assert_eq!(parsed, Ok(true), "{text}");
    (head, text.as_bytes().to_vec())
}

/// What a future gives that waits for nothing.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    use std::task::{Context, Poll, Waker};
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Heap allocations of `step` once everything is warm.
pub fn allocations(mut step: impl FnMut()) -> u64 {
    for _ in 0..3 {
        step();
    }
    allocation_counter::measure(step).count_total
}
