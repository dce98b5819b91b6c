//! Names by the system's resolver, which cannot be stopped: it has a thread of its own, which is left to it when it takes too long.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

use super::PhaseCell;
use chatwoot_mail::outcome::Phase;

/// Resolves as every program on this machine does, and says when it begins and ends.
#[derive(Debug)]
pub(super) struct SystemResolver {
    pub(super) progress: PhaseCell,
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let progress = self.progress.clone();
        Box::pin(async move {
            progress.enter(Phase::Resolving);
            let addresses = looked_up(name.as_str().to_owned()).await?;
            progress.enter(Phase::Connecting);
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Where no thread can be had (a limit on processes), it is done on this one, which then waits for it.
async fn looked_up(host: String) -> io::Result<Vec<SocketAddr>> {
    let (sender, receiver) = oneshot::channel();
    let asked = host.clone();
    let asking = thread::Builder::new().name("resolver".to_owned()).spawn(move || {
        // Nobody listens any more after the deadline.
        let _ = sender.send(addresses(&asked));
    });
    match asking {
        Ok(_) => receiver.await.unwrap_or_else(|_| Err(io::Error::other("the resolver failed"))),
        Err(_) => addresses(&host),
    }
}

fn addresses(host: &str) -> io::Result<Vec<SocketAddr>> {
    (host, 0).to_socket_addrs().map(Iterator::collect)
}
