//! A forger's hands: envelopes, maps and changes by the byte, with whatever key he has.

use merestone_audit::Place;
use merestone_core::cbor::{Reader, Writer};
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{BlobHash, EntryId};
use merestone_core::key::SigningKey;

use crate::scene::{Author, Scene};
use crate::support::{Bag, Device, raw_item};

/// The label of an entry.
pub(crate) const ENTRY: &str = "application/vnd.merestone.entry.v1";

/// A map with its keys and values as bytes, so that they can be wrong.
#[derive(Clone)]
pub(crate) struct Fields(pub(crate) Vec<(Vec<u8>, Vec<u8>)>);

impl Fields {
    pub(crate) fn read(map: &[u8]) -> Self {
        let mut reader = Reader::new(map);
        let mut fields = reader.map("map").unwrap();
        let mut read = Vec::new();
        while let Some(key) = fields.next(&mut reader).unwrap() {
            let value = reader.skip("value").unwrap().to_vec();
            read.push((int(key), value));
        }
        Self(read)
    }

    pub(crate) fn find(&self, key: i64) -> Option<&[u8]> {
        self.0.iter().find(|(name, _)| *name == int(key)).map(|(_, value)| value.as_slice())
    }

    /// Another value, or one more at its place in the order.
    pub(crate) fn set(&mut self, key: i64, value: Vec<u8>) {
        self.remove(key);
        let at = self.0.partition_point(|(name, _)| *name < int(key));
        self.0.insert(at, (int(key), value));
    }

    pub(crate) fn remove(&mut self, key: i64) {
        self.0.retain(|(name, _)| *name != int(key));
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(self.0.len());
        for (key, value) in &self.0 {
            writer.raw(key).raw(value);
        }
        writer.finish()
    }
}

pub(crate) fn int(value: i64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.int(value);
    writer.finish()
}

pub(crate) fn bstr(value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes(value);
    writer.finish()
}

pub(crate) fn tstr(value: &str) -> Vec<u8> {
    [
        int(value.len() as i64)
            .iter()
            .enumerate()
            .map(|(at, byte)| if at == 0 { byte | 0x60 } else { *byte })
            .collect(),
        value.as_bytes().to_vec(),
    ]
    .concat()
}

/// A list of items that are encoded already.
pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(items.len());
    items.iter().for_each(|item| {
        writer.raw(item);
    });
    writer.finish()
}

/// The parts of an envelope.
#[derive(Clone)]
pub(crate) struct Envelope {
    pub(crate) protected: Vec<u8>,
    pub(crate) unprotected: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Envelope {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut reader = Reader::new(bytes);
        reader.array_exact(4, "envelope").unwrap();
        let protected = reader.bytes("protected").unwrap().to_vec();
        let unprotected = reader.skip("unprotected").unwrap().to_vec();
        let payload = reader.bytes("payload").unwrap().to_vec();
        let signature = reader.bytes("signature").unwrap().to_vec();
        Self { protected, unprotected, payload, signature }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        list(&[bstr(&self.protected), self.unprotected.clone(), bstr(&self.payload), bstr(&self.signature)])
    }

    pub(crate) fn sign(mut self, key: &SigningKey) -> Vec<u8> {
        let message = list(&[tstr("Signature1"), bstr(&self.protected), bstr(b""), bstr(&self.payload)]);
        self.signature = key.sign(&message).to_vec();
        self.write()
    }
}

pub(crate) fn protected(algorithm: i64, kid: &[u8], label: &str) -> Vec<u8> {
    Fields(vec![(int(1), int(algorithm)), (int(4), bstr(kid)), (int(16), tstr(label))]).write()
}

/// A statement of any payload, as its label and key would have it.
pub(crate) fn statement(label: &str, key: &SigningKey, payload: Vec<u8>) -> Vec<u8> {
    let protected = protected(-19, key.public().as_bytes(), label);
    Envelope { protected, unprotected: vec![0xa0], payload, signature: Vec::new() }.sign(key)
}

/// The statement with other fields, signed again.
pub(crate) fn resign(bytes: &[u8], key: &SigningKey, edit: impl FnOnce(&mut Fields)) -> Vec<u8> {
    let mut envelope = Envelope::read(bytes);
    let mut fields = Fields::read(&envelope.payload);
    edit(&mut fields);
    envelope.payload = fields.write();
    envelope.sign(key)
}

/// The statement with another payload, signed again.
pub(crate) fn repay(bytes: &[u8], key: &SigningKey, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut envelope = Envelope::read(bytes);
    envelope.payload = edit(envelope.payload);
    envelope.sign(key)
}

/// The entry that an author would sign next: a record of its own.
pub(crate) fn next_entry(scene: &Scene, author: &Author) -> (VerifiedEntry, Device) {
    let mut device = author.device.twin();
    device.create(&scene.mission, &[("note", merestone_core::change::Value::Text("later"))], Vec::new());
    (device.entries.last().unwrap().clone(), device)
}

/// Adds an item to the end of an author's log, and says where it stands.
pub(crate) fn append(bag: &mut Bag, author: &Author, header: &[u8], body: Option<&[u8]>) -> Place {
    bag.files.get_mut(&author.path()).unwrap().extend(raw_item(header, body));
    Place::entry(author.device.log(), author.entries().len() as u64, EntryId::of(header))
}

/// The header over another body.
pub(crate) fn with_body(header: &[u8], key: &SigningKey, body: &[u8]) -> Vec<u8> {
    resign(header, key, |fields| fields.set(10, bstr(BlobHash::of(body).as_bytes())))
}

/// The parts of a log's item.
pub(crate) fn parts(entry: &VerifiedEntry) -> (Vec<u8>, Option<Vec<u8>>) {
    (entry.header_bytes().to_vec(), entry.body_bytes().map(<[u8]>::to_vec))
}

/// Other bytes in the place of the header of the entry at `at`.
pub(crate) fn put_header(bag: &mut Bag, scene: &Scene, author: &Author, at: usize, header: &[u8]) {
    let mut items = scene.items(author);
    let body = Reader::new(&items[at]).position();
    debug_assert_eq!(body, 0);
    let is_held = !scene.erased.contains(&author.entries()[at].record());
    items[at] = raw_item(header, author.entries()[at].body_bytes().filter(|_| is_held));
    bag.put(&author.path(), &items.concat());
}

/// Where the audit says that bytes stand in place of the entry at `at`: under its id, where another entry, a receipt
/// or the ledger names it, else under their own.
pub(crate) fn stood(scene: &Scene, author: &Author, at: usize, header: &[u8]) -> Place {
    let entry = &author.entries()[at];
    let is_named = at + 1 < author.entries().len()
        || author.attested == at + 1
        || scene.logbook.as_ref().is_some_and(|logbook| logbook.has_entry(entry.id()));
    let id = if is_named { entry.id() } else { EntryId::of(header) };
    Place::entry(author.device.log(), at as u64, id)
}

/// Where an entry stands.
pub(crate) fn place(entry: &VerifiedEntry) -> Place {
    Place::entry(entry.log(), entry.header().seq, entry.id())
}
