//! Addresses of integrations: resolved before a stage is published, refreshed as their time runs out.
//!
//! Shards never ask a name server. They read a target's addresses from an [`arc_swap::ArcSwap`] that
//! only this module writes. A name that stops resolving keeps the addresses it had: a name server's
//! outage is not the integration's.
//!
//! In: the [`TargetRegistry`]. Out: addresses in its targets. Cost: nothing on a shard.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::task::JoinSet;

use crate::upstream::{Target, TargetAddresses, TargetRegistry};

/// Bounds of the time for which an answer is used, whatever its TTL says.
const REFRESH_MIN: Duration = Duration::from_secs(5);
const REFRESH_MAX: Duration = Duration::from_secs(300);
/// How long publishing waits for names.
pub const PUBLISH_WAIT: Duration = Duration::from_secs(3);
/// How long a refresh waits for one name.
const REFRESH_WAIT: Duration = Duration::from_secs(10);
/// How often due targets are looked for.
const TICK: Duration = Duration::from_secs(1);
/// Names asked for at once.
const CONCURRENT_MAX: usize = 32;

/// What a name stands for, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    addresses: Vec<IpAddr>,
    good_for: Duration,
}

/// The system's view of names: `/etc/hosts`, then the servers of `/etc/resolv.conf`.
#[derive(Clone)]
struct Names {
    resolver: TokioResolver,
}

impl Names {
    fn from_system() -> Result<Self, String> {
        let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|_| {
            // No usable resolv.conf: as the C library, ask a server on this machine.
            let server = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
            TokioResolver::builder_with_config(
                ResolverConfig::from_parts(None, Vec::new(), vec![server]),
                TokioRuntimeProvider::default(),
            )
        });
        let options: &mut ResolverOpts = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // A name that comes into being is found at the next try.
        options.negative_max_ttl = Some(Duration::from_secs(1));
        let resolver =
            builder.build().map_err(|error| format!("names cannot be resolved: {error}"))?;
        Ok(Self { resolver })
    }

    async fn resolve(self, host: String) -> Result<Answer, String> {
        if let Some(addresses) = without_server(&host) {
            return Ok(Answer { addresses, good_for: REFRESH_MAX });
        }
        let lookup = match self.resolver.lookup_ip(host.as_str()).await {
            Ok(lookup) => lookup,
            Err(error) => return Err(error.to_string()),
        };
        let mut addresses: Vec<IpAddr> = lookup.iter().collect();
        if addresses.is_empty() {
            return Err("the name has no address".to_owned());
        }
        // IPv4 first: a machine without a route to IPv6 is common, one without IPv4 is not.
        addresses.sort_by_key(IpAddr::is_ipv6);
        let good_for = lookup.valid_until().saturating_duration_since(Instant::now());
        Ok(Answer { addresses, good_for: good_for.clamp(REFRESH_MIN, REFRESH_MAX) })
    }
}

/// Addresses of what needs no server: literals, and `localhost` (RFC 6761 section 6.3).
fn without_server(host: &str) -> Option<Vec<IpAddr>> {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.eq_ignore_ascii_case("localhost")
        || name.rsplit_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case("localhost"))
    {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    literal(host).map(|address| vec![address])
}

fn literal(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// When the files the resolver was made from were last changed.
type Stamp = [Option<SystemTime>; 2];

fn stamp() -> Stamp {
    ["/etc/resolv.conf", "/etc/hosts"]
        .map(|path| Path::new(path).metadata().and_then(|meta| meta.modified()).ok())
}

/// Keeps the addresses of all targets.
pub struct Refresher {
    targets: Arc<TargetRegistry>,
    names: RefCell<(Names, Stamp)>,
    /// By the target's id.
    due: RefCell<HashMap<u64, Due>>,
}

/// What is known of a target besides its addresses.
struct Due {
    /// When it is to be resolved again.
    at: Instant,
    /// The last try failed, and that was told.
    failing: bool,
}

impl Refresher {
    /// Reads the system's configuration. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// A sentence, if the resolver cannot be made.
    pub fn new(targets: Arc<TargetRegistry>) -> Result<Self, String> {
        Ok(Self {
            targets,
            names: RefCell::new((Names::from_system()?, stamp())),
            due: RefCell::default(),
        })
    }

    /// Resolves every target that has no addresses yet, within [`PUBLISH_WAIT`]. Returns a sentence
    /// for each name that could not be; it is tried again every few seconds.
    pub async fn resolve_new(&self) -> Vec<String> {
        let new =
            self.targets.targets().into_iter().filter(|target| {
                !matches!(**target.addresses.load(), TargetAddresses::Resolved(_))
            });
        self.resolve(new.collect(), PUBLISH_WAIT).await
    }

    /// Refreshes what is due, for ever.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(TICK).await;
            let now = Instant::now();
            let due: Vec<Arc<Target>> = {
                let mut due = self.due.borrow_mut();
                let targets = self.targets.targets();
                if due.len() > targets.len() {
                    let there: HashSet<u64> = targets.iter().map(|target| target.id).collect();
                    due.retain(|id, _| there.contains(id));
                }
                targets
                    .into_iter()
                    .filter(|target| !target.host.is_empty() && literal(&target.host).is_none())
                    .filter(|target| due.get(&target.id).is_none_or(|due| due.at <= now))
                    .collect()
            };
            for warning in self.resolve(due, REFRESH_WAIT).await {
                tracing::warn!("{warning}");
            }
        }
    }

    /// Resolves `targets` and stores what comes; each name is asked for once.
    async fn resolve(&self, targets: Vec<Arc<Target>>, wait: Duration) -> Vec<String> {
        let mut by_host: HashMap<String, Vec<Arc<Target>>> = HashMap::new();
        for target in targets {
            by_host.entry(target.host.clone()).or_default().push(target);
        }
        let names = self.names();
        let mut waiting = by_host.keys().cloned().collect::<Vec<_>>().into_iter();
        let mut asked = JoinSet::new();
        let mut warnings = Vec::new();
        loop {
            while asked.len() < CONCURRENT_MAX
                && let Some(host) = waiting.next()
            {
                let names = names.clone();
                asked.spawn(async move {
                    let answer = tokio::time::timeout(wait, names.resolve(host.clone())).await;
                    let answer = answer.unwrap_or_else(|_| {
                        Err(format!("no answer from a name server within {} s", wait.as_secs()))
                    });
                    (host, answer)
                });
            }
            let Some(finished) = asked.join_next().await else { break };
            let Ok((host, answer)) = finished else { continue };
            let targets = by_host.get(&host).map_or(&[][..], Vec::as_slice);
            let changed = self.store(targets, &answer);
            if changed && let Err(why) = answer {
                warnings.push(format!("integration host '{host}' cannot be resolved: {why}"));
            }
        }
        warnings.sort();
        warnings
    }

    /// Writes an answer into the targets of its host. Returns whether it is news: an address or a
    /// failure that was not known before.
    fn store(&self, targets: &[Arc<Target>], answer: &Result<Answer, String>) -> bool {
        let mut news = false;
        let mut due = self.due.borrow_mut();
        for target in targets {
            let known = target.addresses.load();
            let good_for = match answer {
                Ok(answer) => {
                    let addresses: Vec<SocketAddr> = answer
                        .addresses
                        .iter()
                        .map(|&address| SocketAddr::new(address, target.port))
                        .collect();
                    let same =
                        matches!(&**known, TargetAddresses::Resolved(old) if *old == addresses);
                    if !same {
                        target.addresses.store(Arc::new(TargetAddresses::Resolved(addresses)));
                        news = true;
                    }
                    answer.good_for
                }
                Err(why) => {
                    news |= !due.get(&target.id).is_some_and(|due| due.failing);
                    if !matches!(**known, TargetAddresses::Resolved(_)) {
                        target.addresses.store(Arc::new(TargetAddresses::Failed(why.clone())));
                    }
                    REFRESH_MIN
                }
            };
            let at = Instant::now() + good_for;
            due.insert(target.id, Due { at, failing: answer.is_err() });
        }
        news
    }

    /// The resolver; made anew when the system's configuration has changed.
    fn names(&self) -> Names {
        let now = stamp();
        let mut names = self.names.borrow_mut();
        if names.1 != now
            && let Ok(fresh) = Names::from_system()
        {
            *names = (fresh, now);
        }
        names.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Scheme;

    fn resolved(target: &Target) -> Vec<String> {
        match &**target.addresses.load() {
            TargetAddresses::Resolved(addresses) => {
                addresses.iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn in_runtime<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn localhost_and_literals_need_no_server() {
        for (host, want) in [
            ("localhost", Some("127.0.0.1")),
            ("LOCALHOST.", Some("127.0.0.1")),
            ("api.localhost", Some("127.0.0.1")),
            ("192.0.2.7", Some("192.0.2.7")),
            ("[::1]", Some("::1")),
            ("::1", Some("::1")),
            ("notlocalhost", None),
            ("localhost.example", None),
        ] {
            let first = without_server(host).map(|addresses| addresses[0].to_string());
            assert_eq!(first.as_deref(), want, "{host}");
        }
    }

    #[test]
    fn new_targets_are_resolved_and_an_unresolvable_one_is_a_warning() {
        in_runtime(async {
            let targets = Arc::new(TargetRegistry::new());
            let local = targets.get(Scheme::Http, "localhost", 9_000, false);
            let other = targets.get(Scheme::Https, "localhost", 9_001, false);
            let bad = targets.get(Scheme::Http, "nowhere.invalid", 80, false);
            let refresher = Refresher::new(targets).unwrap();
            let began = Instant::now();
            let warnings = refresher.resolve_new().await;
            assert!(began.elapsed() < PUBLISH_WAIT + Duration::from_secs(1));
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains("'nowhere.invalid' cannot be resolved"), "{warnings:?}");
            assert_eq!(resolved(&local), ["127.0.0.1:9000", "[::1]:9000"]);
            assert_eq!(resolved(&other), ["127.0.0.1:9001", "[::1]:9001"]);
            assert!(matches!(**bad.addresses.load(), TargetAddresses::Failed(_)));
        });
    }

    #[test]
    fn a_failure_keeps_the_addresses_there_were() {
        in_runtime(async {
            let targets = Arc::new(TargetRegistry::new());
            let target = targets.get(Scheme::Http, "backend.test", 80, false);
            let refresher = Refresher::new(targets).unwrap();
            let all = [target.clone()];
            let answer = |last| {
                Ok(Answer {
                    addresses: vec![IpAddr::from([192, 0, 2, last])],
                    good_for: REFRESH_MIN,
                })
            };
            let gone = Err("no such name".to_owned());
            assert!(refresher.store(&all, &gone), "the first failure is news");
            assert!(!refresher.store(&all, &gone), "the second is none");
            assert!(refresher.store(&all, &answer(1)));
            assert!(refresher.store(&all, &gone), "it is again after an answer");
            assert!(!refresher.store(&all, &gone));
            assert_eq!(resolved(&target), ["192.0.2.1:80"]);
            assert!(!refresher.store(&all, &answer(1)));
            assert!(refresher.store(&all, &answer(2)));
            assert_eq!(resolved(&target), ["192.0.2.2:80"]);
        });
    }
}
