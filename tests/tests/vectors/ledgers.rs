//! The ledger's pieces and its witnesses, each refused with the small codes of `core/spec/ledger.md` and `witness.md`.

use merestone_core::checkpoint::Leaf;
use merestone_core::id::sha256;
use merestone_core::ledger::{Growing, LedgerProof, Row, Tile, TileAddress, decode_bundle, encode_bundle};
use merestone_core::merkle::{self, leaf_hash};
use merestone_core::roster::{Charter, CompleteCharter};
use merestone_core::witness::{AddCheckpoint, CosignedNote, NoteRefused, Observed, Watched, Witnesses, decide};
use serde_json::{Map, Value, json};

use crate::agrees;
use crate::load::{Vector, all, bytes, hex};

#[test]
fn the_ledger_and_its_witnesses_are_judged_as_their_pages_say() {
    let (mut wrong, mut codes) = (Vec::new(), std::collections::BTreeSet::new());
    let vectors = all(&["ledger", "witness"]);
    for vector in &vectors {
        let found = judge(vector).unwrap_or_else(|code| json!({"code": code}));
        codes.extend(found["code"].as_str().map(ToOwned::to_owned));
        if !agrees(&vector.expected, &found) || vector.is_valid == is_refusal(&vector.expected) {
            wrong.push(format!("{}\n    wanted {}\n    found  {found}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {} vectors differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    let wanted = [
        "bundle-malformed",
        "checkpoint-invalid",
        "cosignature-invalid",
        "cosignature-order",
        "cosignature-unknown",
        "not-included",
        "note-malformed",
        "proof-malformed",
        "tile-address",
        "tile-length",
    ];
    assert!(codes.iter().eq(wanted), "{codes:?}");
}

fn is_refusal(expected: &Value) -> bool {
    expected["code"].is_string() || expected["status"].as_u64().is_some_and(|status| status != 200)
}

fn judge(vector: &Vector) -> Result<Value, &'static str> {
    let charter = CompleteCharter::verify(&bytes(&vector.input["charter"]), vector.mission()).expect("a charter");
    let charter = charter.charter();
    let witnesses = Witnesses::of(charter).expect("a charter with a ledger");
    match vector.input["subject"].as_str().expect("a subject") {
        "path" => path(text(vector, "path")),
        "leaves" => Ok(tiles(vector)),
        "tile" => tile(vector),
        "bundle" => bundle(vector),
        "proof" => proof(vector, &witnesses),
        "cosigned" => cosigned(vector, &witnesses).map_err(NoteRefused::code),
        "foreign" => {
            let note = CosignedNote::gather(&bytes(&vector.input["foreign"]), &witnesses).map_err(NoteRefused::code)?;
            assert_eq!(CosignedNote::verify(&note.encode(), &witnesses).as_ref(), Ok(&note), "{}", vector.name);
            Ok(json!({"note": hex(&note.encode())}))
        }
        "request" => Ok(request(vector, charter)),
        other => panic!("{}: a subject {other} that this test does not know", vector.name),
    }
}

fn text<'a>(vector: &'a Vector, key: &str) -> &'a str {
    vector.input[key].as_str().expect("a text")
}

fn path(path: &str) -> Result<Value, &'static str> {
    let address = TileAddress::parse(path).map_err(|malformed| malformed.code())?;
    assert_eq!(address.path(), path);
    let row = match address.row() {
        Row::Hashes(level) => json!(level),
        Row::Entries => json!("entries"),
    };
    Ok(json!({"row": row, "index": address.index(), "width": address.width()}))
}

/// All tiles of a ledger whose leaves are statements with derived ids.
fn tiles(vector: &Vector) -> Value {
    let (name, count) = (&vector.input["leaves"]["name"], vector.input["leaves"]["count"].as_u64().expect("a count"));
    let name = name.as_str().expect("a name");
    let (mut grown, mut made) = (Growing::new(), Vec::new());
    for number in 0..count {
        let id = sha256(&[b"merestone vectors bytes ", format!("{name}/{number}").as_bytes()]);
        let leaf = Leaf::Statement(merestone_core::id::StatementId::from_bytes(id));
        grown.append(leaf_hash(&leaf.encode()), &mut made);
    }
    made.extend(grown.partial());
    for (path, shown) in vector.input["shown"].as_object().expect("tiles that are shown") {
        let tile = made.iter().find(|tile| tile.address().path() == *path).expect("a tile of this ledger");
        assert_eq!(hex(&tile.encode()), *shown, "{}: {path}", vector.name);
    }
    let digests: Map<String, Value> =
        made.iter().map(|tile| (tile.address().path(), json!(hex(&sha256(&[&tile.encode()]))))).collect();
    assert_eq!(vector.expected["tiles"].as_object().map(Map::len), Some(digests.len()), "{}", vector.name);
    json!({"size": grown.size(), "root": hex(&grown.root()), "tiles": digests})
}

fn tile(vector: &Vector) -> Result<Value, &'static str> {
    let address = TileAddress::parse(text(vector, "path")).expect("an address");
    let tile = Tile::decode(address, &bytes(&vector.input["tile"])).map_err(|malformed| malformed.code())?;
    Ok(json!({"root": hex(&tile.root())}))
}

fn bundle(vector: &Vector) -> Result<Value, &'static str> {
    let (address, data) =
        (TileAddress::parse(text(vector, "path")).expect("an address"), bytes(&vector.input["bundle"]));
    let leaves = decode_bundle(address, &data).map_err(|malformed| malformed.code())?;
    assert_eq!(encode_bundle(&leaves), data, "{}", vector.name);
    let encoded: Vec<Vec<u8>> = leaves.iter().map(Leaf::encode).collect();
    let hashes: Vec<String> = encoded.iter().map(|leaf| hex(&leaf_hash(leaf))).collect();
    Ok(json!({"leaves": encoded.iter().map(|leaf| hex(leaf)).collect::<Vec<_>>(), "hashes": hashes}))
}

fn proof(vector: &Vector, witnesses: &Witnesses<'_>) -> Result<Value, &'static str> {
    let data = bytes(&vector.input["proof"]);
    let proof = LedgerProof::parse(&data).map_err(|malformed| malformed.code())?;
    if !data.windows(7).any(|part| part == b"\nextra ") {
        assert_eq!(proof.encode(), data, "{}", vector.name);
    }
    let leaf = Leaf::decode(&bytes(&vector.input["leaf"])).expect("a leaf");
    let note = proof.verify(&leaf, witnesses).map_err(|refused| refused.code())?;
    Ok(json!({
        "index": proof.index, "size": note.checkpoint().size(), "root": hex(note.checkpoint().root()),
        "note": note.hash().to_string(), "confirmation": witnesses.tally(&note).confirmation.code(),
    }))
}

fn cosigned(vector: &Vector, witnesses: &Witnesses<'_>) -> Result<Value, NoteRefused> {
    let data = bytes(&vector.input["cosigned"]);
    let note = CosignedNote::verify(&data, witnesses)?;
    assert_eq!(note.encode(), data, "{}", vector.name);
    assert_eq!(CosignedNote::gather(&data, witnesses).as_ref(), Ok(&note), "{}", vector.name);
    let tally = witnesses.tally(&note);
    let by: Vec<Value> = note.cosignatures().map(|by| json!([hex(by.key().as_bytes()), by.time()])).collect();
    Ok(json!({
        "id": note.hash().to_string(), "size": note.checkpoint().size(), "root": hex(note.checkpoint().root()),
        "confirmation": tally.confirmation.code(), "cosignatures": by,
        "signed": tally.signed.iter().map(|party| party.0).collect::<Vec<_>>(),
        "silent": tally.silent.iter().map(|party| party.0).collect::<Vec<_>>(),
    }))
}

fn request(vector: &Vector, charter: &Charter) -> Value {
    let ledger = charter.ledger.clone().expect("a charter with a ledger");
    let latest = &vector.input["latest"];
    let latest =
        latest["size"].as_u64().map(|size| Observed { size, root: bytes(&latest["root"]).try_into().expect("a hash") });
    let data = bytes(&vector.input["request"]);
    if let Ok(request) = AddCheckpoint::parse(&data) {
        assert_eq!(request.encode(), data, "{}", vector.name);
    }
    match decide(&data, &[Watched { ledger, latest }]) {
        Ok(accepted) => {
            let Observed { size, root } = accepted.observed();
            assert_eq!(merkle::root(&[]) == root, size == 0, "{}", vector.name);
            json!({"status": 200, "size": size, "root": hex(&root)})
        }
        Err(refusal) => json!({"status": refusal.status(), "body": refusal.body()}),
    }
}
