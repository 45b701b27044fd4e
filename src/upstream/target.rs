//! Where integrations are: scheme, host and port, and the addresses behind the name.
//!
//! Targets outlive deployments: the same key is the same [`Target`] after a reload, so pools of
//! kept connections and resolved addresses stay. The control thread resolves names and stores what
//! it found; shards only read.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::http::encode;
use crate::tls::ClientIdentity;

/// How a target is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
}

impl Scheme {
    /// Port where a URL names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What is known of a target's addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetAddresses {
    /// Nobody has looked yet; a request waits or fails as a network error.
    Unresolved,
    /// The name leads nowhere; why. AWS: 500, `Invalid endpoint address`.
    Failed(String),
    /// Not empty.
    Resolved(Vec<SocketAddr>),
}

/// One integration endpoint, shared by every method and shard that uses it.
#[derive(Debug)]
pub struct Target {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Name or address without brackets, lower case.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Value of `Host`: with brackets around IPv6, with the port where it is not the scheme's.
    pub authority: String,
    /// `Host: {authority}\r\n`.
    pub host_line: Box<[u8]>,
    /// The certificate is not checked.
    pub insecure_skip_verification: bool,
    /// Whom it is shown where it asks for a client certificate; `None` with plain HTTP.
    pub identity: Option<Arc<ClientIdentity>>,
    /// Refreshed by the control thread.
    pub addresses: ArcSwap<TargetAddresses>,
    /// Index for a shard's pools. When a target is forgotten, a later one gets its slot.
    pub slot: u32,
    /// Its number: no other target has ever had it, and later ones have greater ones.
    pub id: u64,
}

/// What tells targets apart. Connections are kept by target, so one that was made for a stage with a
/// client certificate serves no stage without it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    scheme: Scheme,
    host: String,
    port: u16,
    insecure: bool,
    identity: Option<Arc<ClientIdentity>>,
}

/// All targets of the process. Only the config flow takes its lock.
#[derive(Debug, Default)]
pub struct TargetRegistry {
    targets: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    by_key: HashMap<Key, u32>,
    /// By slot; `None`: free.
    slots: Vec<Option<Arc<Target>>>,
    free: Vec<u32>,
    made: u64,
}

impl TargetRegistry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// The target of this key: the one handed out before, or a new one.
    ///
    /// A literal address (IPv6 with or without brackets) is resolved at once, a name is
    /// [`TargetAddresses::Unresolved`].
    pub fn get(&self, scheme: Scheme, host: &str, port: u16, insecure: bool) -> Arc<Target> {
        self.get_as(scheme, host, port, insecure, None)
    }

    /// The same for a target that is shown a client certificate. Plain HTTP has none to show.
    pub fn get_as(
        &self,
        scheme: Scheme,
        host: &str,
        port: u16,
        insecure: bool,
        identity: Option<&Arc<ClientIdentity>>,
    ) -> Arc<Target> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let host = bare.to_ascii_lowercase();
        let identity = identity.filter(|_| scheme == Scheme::Https).cloned();
        let mut registered = self.lock();
        let key = Key { scheme, host, port, insecure, identity };
        if let Some(&slot) = registered.by_key.get(&key)
            && let Some(target) = &registered.slots[slot as usize]
        {
            return Arc::clone(target);
        }
        let addresses = match key.host.parse::<IpAddr>() {
            Ok(ip) => TargetAddresses::Resolved(vec![SocketAddr::new(ip, port)]),
            Err(_) if key.host.is_empty() => {
                TargetAddresses::Failed("the URL names no host".to_owned())
            }
            Err(_) => TargetAddresses::Unresolved,
        };
        let slot = registered.free.pop().unwrap_or_else(|| {
            registered.slots.push(None);
            (registered.slots.len() - 1) as u32
        });
        registered.made += 1;
        let authority = authority(scheme, &key.host, port);
        let target = Arc::new(Target {
            scheme,
            host_line: encode::line("Host", &authority),
            authority,
            host: key.host.clone(),
            port,
            insecure_skip_verification: insecure,
            identity: key.identity.clone(),
            addresses: ArcSwap::from_pointee(addresses),
            slot,
            id: registered.made,
        });
        registered.slots[slot as usize] = Some(Arc::clone(&target));
        registered.by_key.insert(key, slot);
        target
    }

    /// Every target there is, by slot: for the one who resolves names.
    pub fn targets(&self) -> Vec<Arc<Target>> {
        self.lock().slots.iter().flatten().cloned().collect()
    }

    /// Forgets every target that no stage has any more.
    pub fn sweep(&self) {
        let Registered { by_key, slots, free, .. } = &mut *self.lock();
        by_key.retain(|_, slot| {
            let place = &mut slots[*slot as usize];
            // Nobody can get one from here meanwhile: that takes the lock.
            let used = place.as_ref().is_some_and(|target| Arc::strong_count(target) > 1);
            if !used {
                *place = None;
                free.push(*slot);
            }
            used
        });
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Value of `Host` (RFC 9110 section 7.2).
fn authority(scheme: Scheme, host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == scheme.default_port() { host } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_is_the_same_target_and_literal_addresses_are_resolved() {
        let registry = TargetRegistry::new();
        let a = registry.get(Scheme::Http, "Backend.Example", 8080, false);
        assert!(Arc::ptr_eq(&a, &registry.get(Scheme::Http, "backend.example", 8080, false)));
        assert_eq!(**a.addresses.load(), TargetAddresses::Unresolved);
        for (scheme, host, port, insecure) in [
            (Scheme::Https, "backend.example", 8080, false),
            (Scheme::Http, "backend.example", 8081, false),
            (Scheme::Http, "backend.example", 8080, true),
        ] {
            assert!(!Arc::ptr_eq(&a, &registry.get(scheme, host, port, insecure)));
        }
        let v6 = registry.get(Scheme::Https, "[::1]", 443, false);
        assert_eq!(
            **v6.addresses.load(),
            TargetAddresses::Resolved(vec!["[::1]:443".parse().unwrap()])
        );
        let slots: Vec<u32> = registry.targets().iter().map(|target| target.slot).collect();
        assert_eq!(slots, [0, 1, 2, 3, 4]);
        assert_eq!(registry.targets().len(), 5);
    }

    #[test]
    fn what_nobody_has_is_swept_and_its_slot_goes_to_another() {
        let registry = TargetRegistry::new();
        let a = registry.get(Scheme::Http, "a.example", 80, false);
        let b = registry.get(Scheme::Http, "b.example", 80, false);
        let (slot, id) = (a.slot, a.id);
        drop(a);
        registry.sweep();
        assert_eq!(registry.targets().len(), 1);
        assert!(Arc::ptr_eq(&b, &registry.get(Scheme::Http, "b.example", 80, false)));
        let again = registry.get(Scheme::Http, "a.example", 80, false);
        assert_eq!(again.slot, slot);
        assert!(again.id > b.id && b.id > id);
        assert_eq!(registry.targets().len(), 2);
    }

    #[test]
    fn authority_names_the_port_only_where_it_is_unusual() {
        let registry = TargetRegistry::new();
        for (scheme, host, port, want) in [
            (Scheme::Http, "a.example", 80, "a.example"),
            (Scheme::Https, "a.example", 443, "a.example"),
            (Scheme::Https, "a.example", 80, "a.example:80"),
            (Scheme::Http, "127.0.0.1", 9000, "127.0.0.1:9000"),
            (Scheme::Http, "::1", 9000, "[::1]:9000"),
            (Scheme::Https, "[::1]", 443, "[::1]"),
        ] {
            assert_eq!(registry.get(scheme, host, port, false).authority, want);
        }
    }
}
