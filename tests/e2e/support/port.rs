//! A port of the kernel's choice, held for one server.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt};

/// A port on 127.0.0.1 that the kernel gives to nobody else while this lives: bound, but not listened on. Connections to it are
/// refused until a server takes it by name, for which that must set `SO_REUSEADDR`, as puma, nginx and Postfix do.
pub(crate) struct Port {
    number: u16,
    _held: OwnedFd,
}

impl Port {
    pub(crate) fn hold() -> Self {
        let held = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        sockopt::set_socket_reuseaddr(&held, true).unwrap();
        bind(&held, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = SocketAddr::try_from(getsockname(&held).unwrap()).unwrap();
        Self { number: address.port(), _held: held }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
