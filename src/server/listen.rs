//! Listening sockets: one per shard on one address, shared out by the kernel (`SO_REUSEPORT`).
//!
//! `SO_REUSEPORT` would also let a second Ringway take half of the connections without a word. So the
//! address is first bound without it, which fails if anybody has it; then the shards' sockets are
//! bound. `TCP_NODELAY` is set on the listener because Linux hands it down to accepted sockets: no
//! call per connection.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

pub use crate::config::values::parse_address;

/// Connections that may wait to be accepted, per shard; the kernel bounds it by `net.core.somaxconn`.
const BACKLOG: i32 = 4_096;

/// Binds `count` sockets to `address` and listens on them. Port 0 takes a free one, the same for all.
///
/// Returns the sockets and the address they have.
///
/// # Errors
/// A sentence that names the address and what is wrong with it.
pub fn bind(address: SocketAddr, count: usize) -> Result<(Vec<TcpListener>, SocketAddr), String> {
    let explain = |error: io::Error| explain(address, &error);
    let bound = exclusive(address).map_err(explain)?;
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        sockets.push(shared(bound).map_err(explain)?);
    }
    Ok((sockets, bound))
}

/// The same for several addresses: a set of sockets for each of `count` shards, and the addresses they
/// have.
///
/// # Errors
/// As [`bind`].
pub fn bind_all(
    addresses: &[SocketAddr],
    count: usize,
) -> Result<(Vec<Vec<TcpListener>>, Vec<SocketAddr>), String> {
    let mut sets: Vec<Vec<TcpListener>> = (0..count).map(|_| Vec::new()).collect();
    let mut bound = Vec::with_capacity(addresses.len());
    for &address in addresses {
        let (sockets, address) = bind(address, count)?;
        bound.push(address);
        for (set, socket) in sets.iter_mut().zip(sockets) {
            set.push(socket);
        }
    }
    Ok((sets, bound))
}

/// Finds out whether anybody has the address; with port 0, which port is free.
fn exclusive(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of a former process that are still in TIME_WAIT are nobody.
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::other("the socket has no internet address"))
}

fn shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The kernel's errno in words that say what to do.
pub fn explain(address: SocketAddr, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process has this address; stop it or choose another port".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; 0.0.0.0 or [::] means all it has".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher port or \
             grant it"
                .to_owned()
        }
        _ => error.to_string(),
    };
    format!("cannot listen on {address}: {why}")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn shards_share_one_port_and_nobody_else_does() {
        let (sockets, address) = bind("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        assert_eq!(sockets.len(), 3);
        assert_ne!(address.port(), 0);
        for socket in &sockets {
            assert_eq!(socket.local_addr().unwrap(), address);
        }
        let client = TcpStream::connect(address).unwrap();
        drop(client);
        let error = bind(address, 2).unwrap_err();
        assert!(error.contains("another process has this address"), "{error}");
        drop(sockets);
        assert_eq!(bind(address, 1).unwrap().1, address, "free again at once");
    }

    #[test]
    fn an_address_of_another_machine_is_explained() {
        let error = bind("192.0.2.1:8080".parse().unwrap(), 1).unwrap_err();
        assert!(error.contains("cannot listen on 192.0.2.1:8080: this machine has no"), "{error}");
    }
}
