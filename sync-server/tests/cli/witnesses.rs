//! The ledger and its witnesses, over HTTP and on a stick: what is confirmed, who is silent, and what is wrong with an answer.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use serde_json::Value;

use crate::world::{Camp, World, text};

fn record(world: &World) {
    let new = ["record", "new", "--form", "inspection", "--home", "anna", "--set", "post=North gate"];
    world.json(&[&new[..], &["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"]].concat());
}

fn witness(world: &World, owner: &str) -> Camp {
    let (key, state) = (format!("{owner}.key"), format!("{owner}.state"));
    world.answer(&["witness", "serve", "--key", &key, "--charter", "charter.cbor", "--state", &state])
}

fn camp(world: &World, witnesses: &[&str]) -> Camp {
    let mut args = vec!["serve", "--home", "camp", "--ledger-key", "l.key", "--every", "1", "--http", "127.0.0.1:0"];
    witnesses.iter().for_each(|url| args.extend(["--witness", url]));
    world.answer(&args)
}

/// The next checkpoint of at least so many leaves with this confirmation.
fn confirmed(camp: &mut Camp, leaves: u64, confirmation: &str) -> Value {
    loop {
        let told = camp.event("cosigned");
        if told["leaves"].as_u64() >= Some(leaves) && told["confirmation"] == confirmation {
            return told;
        }
    }
}

#[test]
fn a_checkpoint_becomes_final_over_http_and_a_mirror_takes_the_ledger_over() {
    let world = World::with_witnesses();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    world.enrol("second", "Second camp", "b.key", "camp");
    let witnesses = ["wa", "wb", "wn"].map(|owner| witness(&world, owner));
    let urls = witnesses.each_ref().map(|witness| text(&witness.ready, "url").to_owned());
    let mut camp = camp(&world, &urls.each_ref().map(String::as_str));
    let http = text(&camp.event("http"), "url").to_owned();
    confirmed(&mut camp, 1, "final");
    record(&world);
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "anna"])["fully_synced"], true);
    let told = confirmed(&mut camp, 4, "final");
    assert!(text(&told, "words").starts_with("final: witnesses of 3 of 3 parties cosigned"), "{told}");

    // Another camp has the statements by sync, and the leaves from the tiles.
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "second"])["fully_synced"], true);
    let mirrored = world.json(&["ledger", "mirror", &http, "--home", "second"]);
    assert_eq!((&mirrored["leaves"], &mirrored["new"]), (&told["leaves"], &told["leaves"]));
    assert_eq!(world.json(&["ledger", "mirror", &http, "--home", "second"])["new"], 0);
    let shown = world.json(&["ledger", "show", "--home", "second"]);
    assert_eq!((&shown["confirmation"], &shown["final_leaves"]), (&"final".into(), &told["leaves"]));
    camp.stop();
    witnesses.into_iter().for_each(Camp::stop);

    // Restored from a copy it would ask first; on its own store it goes on at once, and names who does not answer.
    record(&world);
    let again = witness(&world, "wa");
    let urls = [text(&again.ready, "url").to_owned(), urls[1].clone()];
    let mut camp = self::camp(&world, &urls.each_ref().map(String::as_str));
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "anna"])["fully_synced"], true);
    let trouble = camp.event("witness-trouble");
    assert_eq!((text(&trouble, "code"), text(&trouble, "witness")), ("witness-unreachable", urls[1].as_str()));
    camp.stop();
    again.stop();
}

#[test]
fn a_stick_carries_requests_to_a_witness_and_answers_back() {
    let world = World::with_witnesses();
    world.enrol("camp", "Base camp", "n.key", "camp");
    let waiting = world.run(&["ledger", "request", "--out", "none.request", "--home", "camp"]);
    assert_eq!(waiting.status.code(), Some(2), "nothing is signed yet");
    let serve = ["serve", "--home", "camp", "--ledger-key", "l.key", "--ledger-complete"];
    world.answer(&serve).stop();
    let sign = |owner: &str, request: &str, code: i32| {
        let (key, out, state) = (format!("{owner}.key"), format!("{request}.{owner}"), format!("{owner}.state"));
        let args =
            ["witness", "sign", request, "--key", &key, "--charter", "charter.cbor", "--state", &state, "--out", &out];
        (world.json_with_code(&args, code), out)
    };
    world.json(&["ledger", "request", "--out", "first", "--home", "camp"]);
    let mut confirmation = Vec::new();
    for owner in ["wa", "wb", "wn"] {
        let (signed, answer) = sign(owner, "first", 0);
        assert_eq!(signed["cosigned"], 1);
        confirmation.push(world.json(&["ledger", "accept", &answer, "--home", "camp"])["confirmation"].clone());
    }
    assert_eq!(confirmation, ["unconfirmed", "provisional", "final"]);
    // A request from nothing is refused now, with the size from which to prove.
    world.write("again", &world.read("first"));
    let (refused, answer) = sign("wa", "again", 2);
    assert_eq!((&refused["status"], &refused["split"]), (&409.into(), &false.into()));
    let told = world.run(&["ledger", "accept", &answer, "--home", "camp"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("--old 1"));
    world.json(&["ledger", "request", "--old", "1", "--out", "second", "--home", "camp"]);
    assert_eq!(sign("wa", "second", 0).0["cosigned"], 1);
    world.write("garbage", b"<html>");
    assert_eq!(world.run(&["ledger", "accept", "garbage", "--home", "camp"]).status.code(), Some(65));
}

/// Somebody who answers every request with these bytes.
fn liar(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut buffer = [0; 65_536];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(&answer);
        }
    });
    address
}

#[test]
fn what_is_wrong_with_a_witness_is_named() {
    let world = World::with_witnesses();
    world.enrol("camp", "Base camp", "n.key", "camp");
    let head =
        |status: &str, bytes: usize| format!("HTTP/1.1 {status}\r\nContent-Length: {bytes}\r\n\r\n").into_bytes();
    let whole = |status: &str, body: &str| [head(status, body.len()), body.as_bytes().to_vec()].concat();
    let rows = [
        ("witness-garbage", whole("200 OK", "<html>hello</html>\n")),
        ("witness-unknown", whole("200 OK", "\u{2014} w.example AAAAAQID\n")),
        ("witness-conflict", whole("409 Conflict", "0\n")),
        ("witness-garbage", whole("409 Conflict", "many\n")),
        ("witness-refuses", whole("404 Not Found", "nobody\n")),
        ("witness-too-long", [head("200 OK", 10_000_000), vec![b'a'; 10_000_000]].concat()),
        ("witness-garbage", b"SSH-2.0-OpenSSH\r\n".to_vec()),
        ("witness-garbage", Vec::new()),
        // A witness that says it cosigned more than this ledger has: alone it may lie.
        ("witness-conflict", whole("409 Conflict", "99\n")),
    ];
    for (code, answer) in rows {
        let url = format!("http://{}", liar(answer));
        let mut camp = camp(&world, &[&url]);
        let trouble = camp.event("witness-trouble");
        assert_eq!((text(&trouble, "code"), text(&trouble, "witness")), (code, url.as_str()), "{trouble}");
    }
    // Nothing was signed: nobody confirmed anything.
    assert_eq!(world.run(&["ledger", "show", "--home", "camp"]).status.code(), Some(2));
}

#[test]
fn a_witness_keeps_the_proof_that_the_ledger_showed_two_histories() {
    let world = World::with_witnesses();
    for home in ["camp", "other"] {
        world.enrol(home, home, "n.key", "camp");
        let serve = ["serve", "--home", home, "--ledger-key", "l.key", "--ledger-complete"];
        world.answer(&serve).stop();
        world.json(&["ledger", "request", "--out", &format!("{home}.ask"), "--home", home]);
    }
    let sign = |request: &str, code: i32| {
        let out = format!("{request}.answer");
        let who = ["--key", "wa.key", "--charter", "charter.cbor", "--state", "wa.state"];
        world.json_with_code(&[&["witness", "sign", request, "--out", &out], &who[..]].concat(), code)
    };
    assert_eq!(sign("camp.ask", 0)["cosigned"], 1);
    // One leaf each, of different certificates; asked with the size that the witness has.
    world.json(&["ledger", "request", "--old", "1", "--out", "other.again", "--home", "other"]);
    let refused = sign("other.again", 1);
    assert_eq!((&refused["status"], &refused["split"]), (&409.into(), &true.into()));
    let kept = ["cosigned", "refused"].map(|name| world.read(&format!("wa.state/split-1/{name}.note")));
    assert_ne!(kept[0], kept[1]);
    assert!(kept.iter().all(|note| note.starts_with(b"border.example/ledger\n1\n")));
}

#[test]
fn a_camp_that_is_killed_at_any_moment_never_takes_leaves_back() {
    let world = World::with_witnesses();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let witnesses = ["wa", "wb", "wn"].map(|owner| witness(&world, owner));
    let urls = witnesses.each_ref().map(|witness| text(&witness.ready, "url").to_owned());
    let urls = urls.each_ref().map(String::as_str);
    let mut leaves = 0;
    for round in 0..6 {
        let mut camp = camp(&world, &urls);
        record(&world);
        let told = confirmed(&mut camp, 1, "final");
        // The witnesses judge: a tree that was taken back has no proof from theirs.
        assert!(told["leaves"].as_u64() >= Some(leaves), "{told}");
        leaves = told["leaves"].as_u64().expect("a number");
        let mut sync = world.command(&["sync", &camp.ticket, "--home", "anna"]);
        let mut syncing =
            sync.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().expect("it starts");
        // Some rounds end before anything came, some while it is taken into the ledger, some after a checkpoint.
        if round % 3 > 0 {
            syncing.wait().expect("it ends");
        }
        if round % 3 > 1 {
            camp.event("cosigned");
        }
        drop(camp);
        let _ = syncing.kill();
        let _ = syncing.wait();
    }
    let mut camp = camp(&world, &urls);
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "anna"])["fully_synced"], true);
    let told = confirmed(&mut camp, leaves + 1, "final");
    assert!(told["leaves"].as_u64() > Some(leaves), "{told}");
    camp.stop();
}
