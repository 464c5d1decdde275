//! What is carried beside the conversation: tickets, adverts and courier bundles, each with small codes of its own.

use merestone_core::courier::{Contents, FRAME_HEAD_BYTES, FrameHead, MAGIC, Part, TRAILER_BYTES, Trailer};
use merestone_core::id::{BlobHash, EntryId, sha256};
use merestone_core::nearby::Advert;
use merestone_core::roster::{CompleteCharter, Parts, PartsError};
use merestone_core::sync::frame::Frame;
use merestone_core::sync::{BlobFrame, Version, wire};
use merestone_core::ticket::{ReadTicketError, Ticket};
use serde_json::{Value, json};

use crate::agrees;
use crate::load::{Vector, all, bytes, hex};

#[test]
fn what_is_carried_is_judged_as_its_pages_say() {
    let mut wrong = Vec::new();
    let vectors = all(&["ticket", "nearby", "courier"]);
    for vector in &vectors {
        let found = match vector.group.as_str() {
            "ticket" if vector.input["subject"] == "texts" => texts(vector),
            "ticket" => ticket(vector),
            "courier" => courier(vector),
            _ => advert(vector),
        };
        if !agrees(&vector.expected, &found) {
            wrong.push(format!("{}\n    wanted {}\n    found  {found}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {} vectors differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

fn ticket(vector: &Vector) -> Value {
    let text = vector.input["ticket"].as_str().expect("a text");
    match Ticket::from_text(text) {
        Ok(ticket) => {
            assert!(ticket.is_for(vector.mission()), "{}", vector.name);
            let again = Ticket::new(vector.mission(), *ticket.transport(), ticket.addresses(), ticket.name());
            let plain: String = text.split_whitespace().collect();
            assert_eq!(again.expect("it was read").to_text(), plain.to_uppercase(), "{}", vector.name);
            json!({
                "mission": hex(&vector.mission().as_bytes()[..8]), "transport": hex(ticket.transport()),
                "addresses": ticket.addresses().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "name": ticket.name(),
            })
        }
        Err(ReadTicketError::Mistyped(_)) => json!({"code": "mistyped"}),
        Err(ReadTicketError::Newer { version: _ }) => json!({"code": "newer"}),
        Err(ReadTicketError::Refused(_)) => json!({"code": "refused"}),
    }
}

fn texts(vector: &Vector) -> Value {
    let found = Parts::from_texts(vector.input["texts"].as_str().expect("texts"));
    let code = match found {
        Ok(parts) => {
            let (id, count) = (parts.id().to_owned(), parts.texts().len());
            let whole = parts.into_bytes();
            assert_eq!(Parts::of(&whole).expect("they were read").id(), id, "{}", vector.name);
            return json!({"id": id, "whole": hex(&whole), "count": count});
        }
        Err(PartsError::Missing { .. }) => "missing",
        Err(PartsError::TooLong) => "too-long",
        Err(PartsError::Start(_) | PartsError::Mistyped { .. }) => "mistyped",
        Err(PartsError::Part { .. }) => "part",
        Err(PartsError::Mixed { .. }) => "mixed",
        Err(PartsError::Differs { .. }) => "differs",
        Err(PartsError::Id) => "id",
    };
    json!({"code": code})
}

fn advert(vector: &Vector) -> Value {
    let charter = CompleteCharter::verify(&bytes(&vector.input["charter"]), vector.mission()).expect("a charter");
    let Some(advert) = Advert::from_bytes(&bytes(&vector.input["advert"])) else { return json!({"code": "no-advert"}) };
    let Some(transport) = advert.recognise(&charter) else { return json!({"code": "nobody"}) };
    let salt = *advert.as_bytes().first_chunk().expect("a salt");
    assert_eq!(Advert::make(&charter, &transport, salt), advert, "{}", vector.name);
    json!({"salt": hex(&salt), "transport": hex(&transport)})
}

/// Reads a bundle as `core/spec/courier.md`, Reading, says, with the pieces that the product reads files with.
fn courier(vector: &Vector) -> Value {
    let file = bytes(&vector.input["bundle"]);
    if !file.starts_with(MAGIC) {
        return json!({"code": "foreign"});
    }
    let trailer = file.last_chunk::<TRAILER_BYTES>().and_then(|last| Trailer::decode(last, file.len() as u64));
    let Some(trailer) = trailer else { return json!({"code": "cut"}) };
    let offset = usize::try_from(trailer.offset).expect("inside the file");
    let contents = &file[offset..file.len() - TRAILER_BYTES];
    if sha256(&[contents]) != trailer.digest {
        return json!({"code": "damaged"});
    }
    let Ok(contents) = Contents::decode(contents, trailer.offset) else { return json!({"code": "refused"}) };
    assert_eq!(contents.mission, vector.mission(), "{}", vector.name);
    assert_eq!(contents.encode(), file[offset..file.len() - TRAILER_BYTES], "{}", vector.name);
    let mut found = Sections::default();
    for (number, (from, section)) in contents.places().enumerate() {
        let from = usize::try_from(from).expect("inside the file");
        let data = &file[from..from + usize::try_from(section.bytes).expect("inside the file")];
        if sha256(&[data]) != section.digest {
            found.damaged.push(number);
        }
        found.read(vector, section.part, data);
    }
    json!({
        "maker": hex(&contents.maker), "store": contents.store.to_string(),
        "for": contents.made_for.map(|made_for| json!([made_for.store.to_string(), made_for.receipt.to_string()])),
        "sections": contents.sections.iter().map(|section| section.bytes).collect::<Vec<_>>(),
        "statements": found.statements, "entries": found.entries, "blobs": found.blobs, "damaged": found.damaged,
    })
}

#[derive(Default)]
struct Sections {
    statements: usize,
    entries: Vec<String>,
    blobs: Vec<String>,
    damaged: Vec<usize>,
}

impl Sections {
    fn read(&mut self, vector: &Vector, part: Part, mut data: &[u8]) {
        while let Some((head, rest)) = data.split_first_chunk::<FRAME_HEAD_BYTES>() {
            let head = FrameHead::decode(*head).expect("the head of a frame");
            let (frame, rest) = rest.split_at(head.bytes);
            data = rest;
            match part {
                Part::Statements { class, count } => match Frame::decode(frame).expect("a frame") {
                    Frame::Statements(found, statements) => {
                        assert_eq!((found, statements.len() as u64), (class, count));
                        self.statements += statements.len();
                    }
                    other => panic!("{other:?}"),
                },
                Part::LaterStatements { code, count } => match Frame::decode(frame).expect("a frame") {
                    Frame::LaterStatements(found, statements) => {
                        assert_eq!((found, statements.len() as u64), (code, count));
                        self.statements += statements.len();
                    }
                    other => panic!("{other:?}"),
                },
                Part::Entries { .. } => {
                    let received = wire::decode(frame, vector.mission(), Version::V1).expect("entries");
                    self.entries.extend(received.entries.iter().map(|entry| EntryId::of(&entry.header).to_string()));
                }
                Part::Blob(blob) => match BlobFrame::decode(frame).expect("a frame of a blob") {
                    BlobFrame::Hashes(hash, _) => self.blobs.push(hash.to_string()),
                    BlobFrame::Chunk { hash, index: _, bytes } => {
                        assert_eq!(hash, blob.hash);
                        assert_eq!(bytes.len() as u64, blob.bytes);
                        assert_eq!(BlobHash::of(&bytes) == hash, self.damaged.is_empty());
                    }
                },
            }
        }
    }
}
