//! A stage of one method, and a request that has come to it: what the benches of single steps begin with.

use ringway::deploy::{CompileEnv, CompiledStage, StageSettings, compile};
use ringway::gateway::find_api::{ApiTable, HostMemo};
use ringway::gateway::{Exchange, HeadBytes, route};
use ringway::http::{HeadLimits, HeadScan};
use ringway::model::{Integration, Method, MethodName, Resource, RestApi};
use ringway::throttle::BucketRegistry;
use ringway::time::Nanos;
use ringway::upstream::TargetRegistry;

/// The stage `dev` of an API that has this method and no other.
pub fn stage(name: MethodName, path: &str, integration: Integration) -> CompiledStage {
    let method = Method { integration: Some(integration), ..Method::default() };
    let resource =
        Resource { path: path.to_owned(), methods: [(name, method)].into(), ..Resource::default() };
    let api =
        RestApi { id: "a1b2c3d4e5".to_owned(), resources: vec![resource], ..RestApi::default() };
    let settings = StageSettings { stage: "dev".to_owned(), ..StageSettings::default() };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    compile(&api, &settings, &mut env).expect("the definition is right")
}

/// A request to the stage, parsed and routed to its method.
pub fn routed(stage: &CompiledStage, request: &str) -> Exchange {
    let mut exchange = Exchange::default();
    let limits = HeadLimits { url_bytes: 10_240, header_bytes: 10_240, header_count: 128 };
    let mut head = std::mem::take(&mut exchange.head);
    let parsed = head.parse(request.as_bytes(), &mut HeadScan::default(), &limits);
    assert_eq!(parsed, Ok(true));
    exchange.head = head;
    exchange.head_bytes = HeadBytes::Owned(request.as_bytes().to_vec());
    let mut table = ApiTable::default();
    table.serve(&stage.api_id, &stage.stage, ());
    table.set_default_api(Some(&stage.api_id));
    assert!(table.find(&mut HostMemo::default(), &mut exchange).is_ok());
    route::find(stage, &mut exchange).expect("the path is there");
    exchange
}
