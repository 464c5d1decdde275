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
    let mut args = vec!["witness", "serve", "--key", &key, "--charter", "charter.cbor", "--state", &state];
    if !world.path(&state).exists() {
        args.push("--new");
    }
    world.answer(&args)
}

fn camp(world: &World, witnesses: &[&str]) -> Camp {
    let mut args = vec!["serve", "--home", "camp", "--ledger-key", "l.key", "--every", "5", "--http", "127.0.0.1:0"];
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
fn whoever_signs_a_charter_sees_every_witness_and_what_the_seats_give() {
    let world = World::with_witnesses();
    let shown = world.json(&["mission", "show", "charter.cbor"]);
    for party in shown["parties"].as_array().expect("parties") {
        assert_eq!(party["witnesses"].as_array().map(Vec::len), Some(1), "{party}");
    }
    let seats = serde_json::json!({"parties": 3, "may_lie": 1, "final": 3, "handed_out": 2});
    let decides = serde_json::json!({"erasure": 2, "agreed_cut": 2, "amendment": 3, "parties": 3});
    assert_eq!((&shown["seats"], &shown["decides"]), (&seats, &decides));
    let words = String::from_utf8(world.run(&["mission", "show", "charter.cbor"]).stdout).expect("text");
    for said in [
        "final with 3 of them, handed out with 2",
        "amending needs 3 of 3",
        shown["parties"][0]["witnesses"][0].as_str().expect("a key"),
    ] {
        assert!(words.contains(said), "{said} in {words}");
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

    // A third one follows by itself, shows what is final, and shows the ledger to a fourth.
    world.enrol("third", "Third camp", "a.key", "camp");
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "third"])["fully_synced"], true);
    let follow = ["serve", "--home", "third", "--mirror-ledger", &http, "--http", "127.0.0.1:0"];
    let mut third = world.answer(&follow);
    let http_of_third = text(&third.event("http"), "url").to_owned();
    let copied = third.event("ledger-copied");
    assert!(copied["leaves"].as_u64() >= told["leaves"].as_u64(), "{copied}");
    world.enrol("fourth", "Fourth camp", "b.key", "camp");
    assert_eq!(world.json(&["ledger", "mirror", &http_of_third, "--home", "fourth"])["leaves"], copied["leaves"]);
    third.stop();
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
    let keeper = ["--ledger-key", "l.key", "--home", "camp"];
    // Asks, signs and accepts: by sticks alone a ledger begins, and its first checkpoint becomes final.
    let round = |name: &str, is_new: bool| {
        ["wa", "wb", "wn"].map(|owner| {
            let (key, state) = (format!("{owner}.key"), format!("{owner}.state"));
            let (request, answer) = (format!("{owner}.{name}"), format!("{owner}.{name}.answer"));
            let witness = world.witness_key(owner);
            let ask = ["ledger", "request", "--witness", &witness, "--out", &request];
            world.json(&[&ask[..], &keeper].concat());
            let sign = ["witness", "sign", &request, "--key", &key, "--charter", "charter.cbor", "--out", &answer];
            let kept: &[&str] = if is_new { &["--state", &state, "--new"] } else { &["--state", &state] };
            let signed = world.json(&[&sign[..], kept].concat());
            let accepted = world.json(&[&["ledger", "accept", &answer][..], &keeper].concat());
            assert_eq!(accepted["old"], false);
            (signed["cosigned"].as_u64(), accepted)
        })
    };
    let begun = round("begin", true);
    assert_eq!(begun.each_ref().map(|(leaves, _)| *leaves), [Some(0); 3]);
    let waits = begun.each_ref().map(|(_, accepted)| accepted["waits"].is_string());
    assert_eq!(waits, [true, true, false], "the third confirms that nothing is lost");
    // Signed by now, and shown to nobody.
    let waiting = world.json_with_code(&["ledger", "show", "--home", "camp"], 2);
    assert_eq!((&waiting["leaves"], &waiting["needed"]), (&1.into(), &2.into()), "{waiting}");
    let first = round("first", false);
    assert_eq!(first.each_ref().map(|(leaves, _)| *leaves), [Some(1); 3]);
    let words = first.each_ref().map(|(_, accepted)| accepted["confirmation"].clone());
    assert_eq!(words, ["unconfirmed", "provisional", "final"]);
    assert_eq!(world.json(&["ledger", "show", "--home", "camp"])["final_leaves"], 1);

    // A request from nothing is refused now, with the size from which to prove.
    let sign = |request: &str, code: i32| {
        let out = format!("{request}.answer");
        let who = ["--key", "wa.key", "--charter", "charter.cbor", "--state", "wa.state"];
        (world.json_with_code(&[&["witness", "sign", request, "--out", &out], &who[..]].concat(), code), out)
    };
    world.json(&["ledger", "request", "--out", "again", "--home", "camp"]);
    let (refused, answer) = sign("again", 2);
    assert_eq!((&refused["status"], &refused["split"]), (&409.into(), &false.into()));
    let told = world.run(&["ledger", "accept", &answer, "--home", "camp"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("--old 1"));
    world.json(&["ledger", "request", "--old", "1", "--out", "second", "--home", "camp"]);
    assert_eq!(sign("second", 0).0["cosigned"], 1);
    world.write("garbage", b"<html>");
    for keeper in [&keeper[..], &["--home", "camp"]] {
        assert_eq!(world.run(&[&["ledger", "accept", "garbage"][..], keeper].concat()).status.code(), Some(65));
    }
}

#[test]
fn a_witness_that_finds_nothing_where_it_kept_its_state_does_not_begin_anew() {
    let world = World::with_witnesses();
    let args = ["witness", "serve", "--key", "wa.key", "--charter", "charter.cbor", "--state", "wrong"];
    let refused = world.run(&args);
    assert_eq!(refused.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--new"));
    assert!(!world.path("wrong").exists());
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
        let serve = ["serve", "--home", home, "--ledger-key", "l.key", "--ledger-complete", "0"];
        world.answer(&serve).stop();
    }
    let witness = world.witness_key("wa");
    let ask = |home: &str, old: &str, out: &str| {
        let args = ["ledger", "request", "--witness", &witness, "--ledger-key", "l.key", "--home", home];
        world.json(&[&args[..], &["--old", old, "--out", out]].concat());
    };
    ask("camp", "0", "camp.ask");
    let sign = |request: &str, code: i32| {
        let out = format!("{request}.answer");
        let who = ["--key", "wa.key", "--charter", "charter.cbor", "--state", "wa.state"];
        let kept: &[&str] = if world.path("wa.state").exists() { &[] } else { &["--new"] };
        world.json_with_code(&[&["witness", "sign", request, "--out", &out], &who[..], kept].concat(), code)
    };
    assert_eq!(sign("camp.ask", 0)["cosigned"], 1);
    // One leaf each, of different certificates; asked with the size that the witness has.
    ask("other", "1", "other.again");
    let refused = sign("other.again", 1);
    assert_eq!((&refused["status"], &refused["split"]), (&409.into(), &true.into()));
    let kept = ["cosigned", "refused"].map(|name| world.read(&format!("wa.state/split-1/{name}.note")));
    assert_ne!(kept[0], kept[1]);
    assert!(kept.iter().all(|note| note.starts_with(b"border.example/ledger\n1\n")));
}

#[test]
fn a_mirror_keeps_the_proof_that_the_ledger_showed_two_histories() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("mirror", "Mirror", "b.key", "camp");
    record(&world);
    let mut camps = ["camp", "other"].map(|home| {
        world.enrol(home, home, "n.key", "camp");
        // The smaller history first: its camp meets nobody.
        if home == "other" {
            let carried = world.answer(&["serve", "--home", home, "--quiet"]);
            assert_eq!(world.json(&["sync", &carried.ticket, "--home", "anna"])["fully_synced"], true);
            carried.stop();
        }
        world.answer(&["serve", "--home", home, "--ledger-key", "l.key", "--every", "5", "--http", "127.0.0.1:0"])
    });
    let [one, two] = camps.each_mut().map(|camp| text(&camp.event("http"), "url").to_owned());
    // Its first checkpoint is signed as soon as it begins, and not before it answers.
    let mirrored = loop {
        let mirrored = world.run(&["ledger", "mirror", &one, "--home", "mirror"]);
        if mirrored.status.code() != Some(69) {
            break mirrored;
        }
    };
    assert_eq!(mirrored.status.code(), Some(0), "{}", String::from_utf8_lossy(&mirrored.stderr));
    let refused = loop {
        let refused = world.run(&["ledger", "mirror", &two, "--home", "mirror"]);
        if refused.status.code() != Some(69) {
            break refused;
        }
    };
    assert_eq!(refused.status.code(), Some(1), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("contradict each other"));
    let folder = std::fs::read_dir(world.path("mirror")).expect("a home");
    let folder = folder.flatten().find(|entry| entry.file_name().to_string_lossy().starts_with("ledger-split-1-"));
    let folder = folder.expect("the evidence").path();
    let notes = ["smaller", "larger"].map(|name| std::fs::read(folder.join(format!("{name}.note"))).expect("a note"));
    assert!(notes[0].starts_with(b"border.example/ledger\n1\n") && notes[0] != notes[1]);
    assert!(folder.join("larger.consistency").is_file());
    camps.into_iter().for_each(Camp::stop);
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
