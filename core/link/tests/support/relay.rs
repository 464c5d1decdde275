//! A UDP relay that can be cut: a bad link for tests. Needs tokio with `net`, `rt` and `sync`;
//! other crates include it with `#[path]`.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    net::UdpSocket,
    task::{JoinHandle, JoinSet},
};

/// Forwards datagrams between any number of callers and one target until it is cut or dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// A relay on the loopback interface in front of `target`.
    pub(crate) async fn to(target: SocketAddr) -> io::Result<Self> {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = front.local_addr()?;
        let cut = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(forward(front, target, Arc::clone(&cut)));
        Ok(Self { address, cut, task })
    }

    /// Where callers send to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on every datagram disappears, in both directions.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Forwards again. What disappeared stays lost.
    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Callers to the target; each caller gets its own socket, so that answers find back.
async fn forward(front: Arc<UdpSocket>, target: SocketAddr, cut: Arc<AtomicBool>) {
    let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut answers = JoinSet::new();
    let mut datagram = vec![0; 65_536];
    loop {
        // An error here is the echo of an earlier send to a closed port: the network loses it too.
        let Ok((bytes, caller)) = front.recv_from(&mut datagram).await else { continue };
        let back = match backs.get(&caller) {
            Some(back) => Arc::clone(back),
            None => {
                let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                back.connect(target).await.expect("a loopback target");
                let back = Arc::new(back);
                answers.spawn(answer(Arc::clone(&back), Arc::clone(&front), caller, Arc::clone(&cut)));
                backs.insert(caller, Arc::clone(&back));
                back
            }
        };
        if !cut.load(Ordering::SeqCst) {
            let _ = back.send(&datagram[..bytes]).await;
        }
    }
}

/// The target's answers to one caller.
async fn answer(back: Arc<UdpSocket>, front: Arc<UdpSocket>, caller: SocketAddr, cut: Arc<AtomicBool>) {
    let mut datagram = vec![0; 65_536];
    loop {
        let Ok(bytes) = back.recv(&mut datagram).await else { continue };
        if !cut.load(Ordering::SeqCst) {
            let _ = front.send_to(&datagram[..bytes], caller).await;
        }
    }
}
