//! A phone that changes its address keeps its link.

use std::{sync::Arc, time::Duration};

use merestone_link::{Carrier, Class, LinkLimits};
use tokio::time::{Instant, timeout};

use crate::{
    Pair, address,
    net::{Weather, paused},
};

const CHUNKS: usize = 40;

/// Photos are on their way when `change` happens; says where the camp saw the phone at the end,
/// and how long after the change the next chunk came.
fn moved(change: impl FnOnce(&Pair)) -> (std::net::SocketAddr, Duration) {
    let weather = Weather { down_us: 0, delay_us: 100_000, ..Weather::rough() };
    paused().block_on(async {
        let pair = Pair::new(3, weather, LinkLimits::default());
        let (phone, camp) = pair.link().await;
        let sending = phone.clone();
        tokio::spawn(async move {
            for number in 0..CHUNKS {
                sending.send(Class::Originals, vec![number as u8; 20_000]).await.unwrap();
            }
        });
        for number in 0..CHUNKS / 2 {
            assert_eq!(camp.recv().await.unwrap().1, vec![number as u8; 20_000]);
        }
        change(&pair);
        let began = Instant::now();
        let mut next = None;
        for number in CHUNKS / 2..CHUNKS {
            let frame = timeout(Duration::from_secs(30), camp.recv()).await.expect("the link goes on");
            assert_eq!(frame.unwrap().1, vec![number as u8; 20_000]);
            next.get_or_insert(began.elapsed());
        }
        assert_eq!((phone.close_info(), camp.close_info()), (None, None));
        (camp.remote_address(), next.unwrap())
    })
}

#[test]
fn a_phone_whose_router_gives_it_another_address_goes_on_in_mid_transfer() {
    let (seen, took) = moved(|pair| pair.phone.host.move_to(address(9)));
    assert_eq!(seen, address(9));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_phone_that_joins_another_network_goes_on_in_mid_transfer() {
    let (seen, took) = moved(|pair| {
        let other = pair.net.host(address(9));
        pair.net.shut(&pair.phone.host, &pair.camp.host);
        pair.phone.endpoint.rebind_over(Arc::clone(&other) as Arc<dyn Carrier>).unwrap();
    });
    assert_eq!(seen, address(9));
    assert!(took < Duration::from_secs(10), "{took:?}");
}
