//! A UDP socket of this system with room for what arrives while nobody looks. It knows nothing of QUIC.

use std::{io, net::SocketAddr, net::UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// What the system is asked to keep for us between two looks at the socket, each way: 4 MiB.
///
/// More than one connection's window, so that bursts of two peers fit whole. The usual 208 KiB hold
/// less than a hundred full datagrams as the system counts them, and on a busy machine the next look
/// comes later than those. It is the system's memory and used only while filled.
const BUFFER_BYTES: usize = 4 << 20;

/// With less than this the system's own choice is no worse.
const BUFFER_BYTES_MIN: usize = 256 << 10;

/// Binds `address`; an IPv6 socket serves IPv4 too where the system can.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // Without this a link still works, with IPv6 only.
        let _ = socket.set_only_v6(false);
    }
    enlarge(|bytes| socket.set_recv_buffer_size(bytes));
    enlarge(|bytes| socket.set_send_buffer_size(bytes));
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// As large as the system allows: some cut a wish to their limit, others refuse it.
fn enlarge(set: impl Fn(usize) -> io::Result<()>) {
    let mut bytes = BUFFER_BYTES;
    while bytes >= BUFFER_BYTES_MIN && set(bytes).is_err() {
        bytes /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_more_room_than_the_system_gives_by_itself_where_the_system_allows() {
        let plain = Socket::from(UdpSocket::bind("127.0.0.1:0").expect("a free port"));
        let ours = Socket::from(bind("127.0.0.1:0".parse().expect("an address")).expect("a free port"));
        let sizes = |of: &Socket| (of.recv_buffer_size().expect("told"), of.send_buffer_size().expect("told"));
        let (plain, ours) = (sizes(&plain), sizes(&ours));
        assert!(ours.0 >= plain.0 && ours.1 >= plain.1, "{plain:?} {ours:?}");
    }

    #[test]
    fn a_wish_that_the_system_refuses_is_made_smaller() {
        let asked = std::cell::RefCell::new(Vec::new());
        enlarge(|bytes| {
            asked.borrow_mut().push(bytes);
            if bytes > 1 << 20 { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
        });
        assert_eq!(*asked.borrow(), [4 << 20, 2 << 20, 1 << 20]);
    }
}
