//! What a ledger shows is read by code that nobody here wrote: Go's `sumdb/note` and `sumdb/tlog`, and torchwood.
//!
//! `tests/outsiders/go` judges one folder that a test wrote; it accepts ours, refuses each forgery, and cosigns for us.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::{env, fs};

use data_encoding::BASE64;
use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::id::{EntryId, Epoch, LogId, ScopeId, StatementId, sha256};
use merestone_core::key::SigningKey;
use merestone_core::ledger::{
    Growing, LedgerProof, Row, TileAddress, consistency_proof, encode_bundle, inclusion_proof,
};
use merestone_core::merkle::{NodeHash, leaf_hash};
use merestone_core::roster::{Charter, Ledger, Party, PartyNumber};
use merestone_core::witness::{Confirmation, Cosignature, CosignedNote, Witnesses, verifier_key};
use merestone_tests::skip;

const LEAVES: u64 = 66_000;
const EARLIER: u64 = 65_700;
const INDEX: u64 = 65_800;
const TIME: u64 = 1_764_576_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// Four parties with a witness each; the last witness is the one that Go signs for.
fn charter() -> Charter {
    let party = |number: u8| Party {
        number: PartyNumber(number.into()),
        name: format!("Party {number}"),
        root: *key(number).public(),
        witnesses: vec![*key(100 + number).public()],
    };
    Charter {
        name: "Outsiders".into(),
        nonce: [1; 16],
        parties: (1..=4).map(party).collect(),
        scopes: Vec::new(),
        forms: Vec::new(),
        ledger: Some(Ledger { origin: "ledger.example/outsiders".into(), key: *key(50).public() }),
        quorum: 3,
    }
}

fn leaf(number: u64) -> Leaf {
    let digest = |what: &str| sha256(&[what.as_bytes(), &number.to_be_bytes()]);
    let log = LogId::from_bytes(digest("log"));
    match number % 3 {
        0 => Leaf::Statement(StatementId::from_bytes(digest("statement"))),
        1 => Leaf::Begun { key: digest("key"), scope: ScopeId::from_bytes([3; 8]), epoch: Epoch::from_bytes([4; 8]) },
        _ => Leaf::Entry { log, seq: number, id: EntryId::from_bytes(digest("entry")) },
    }
}

/// Files by name, as one check reads them.
type Folder = BTreeMap<String, Vec<u8>>;

/// A ledger that showed two checkpoints, and all that is shown of it.
fn folder(charter: &Charter) -> Folder {
    let ledger = charter.ledger.as_ref().unwrap();
    let (mut grown, mut tiles, mut earlier) = (Growing::new(), Vec::new(), None);
    for number in 0..LEAVES {
        grown.append(leaf_hash(&leaf(number).encode()), &mut tiles);
        if grown.size() == EARLIER {
            earlier = Some(Checkpoint::make(ledger, &key(50), EARLIER, &grown.root()).unwrap());
        }
    }
    tiles.extend(grown.partial());
    let mut folder: Folder = tiles.iter().map(|tile| (tile.address().path(), tile.encode())).collect();
    let read = |address: &TileAddress| folder.get(&address.path()).cloned().ok_or("no such tile");
    let inclusion = inclusion_proof(INDEX, LEAVES, read).unwrap().unwrap();
    let consistency = consistency_proof(EARLIER, LEAVES, read).unwrap().unwrap();
    let bundle = TileAddress::in_tree(Row::Entries, INDEX / 256, LEAVES).unwrap();
    let first = INDEX / 256 * 256;
    let leaves: Vec<Leaf> = (first..first + u64::from(bundle.width())).map(leaf).collect();
    folder.insert(bundle.path(), encode_bundle(&leaves));

    let witnesses = Witnesses::of(charter).unwrap();
    let mut note = CosignedNote::new(Checkpoint::make(ledger, &key(50), LEAVES, &grown.root()).unwrap());
    for party in 1..=4 {
        let line = Cosignature::make(note.checkpoint(), &key(100 + party), TIME + u64::from(party)).unwrap().line();
        assert_eq!(note.add(line.as_bytes(), &witnesses), Ok(1));
    }
    let note = note.encode();
    let proof = LedgerProof { index: INDEX, path: inclusion.clone(), note: note.clone() };
    let vkeys: Vec<String> = (1..=4).map(|party| verifier_key(key(100 + party).public())).collect();
    let rest = [
        ("ledger.vkey", ledger_vkey(ledger).into_bytes()),
        ("witnesses.vkeys", vkeys.join("\n").into_bytes()),
        ("earlier", earlier.unwrap().as_bytes().to_vec()),
        ("note", note),
        ("index", INDEX.to_string().into_bytes()),
        ("leaf", leaf(INDEX).encode()),
        ("inclusion", lines(&inclusion)),
        ("consistency", lines(&consistency)),
        ("proof.tlog-proof", proof.encode()),
        ("seed", BASE64.encode(&[104; 32]).into_bytes()),
    ];
    folder.extend(rest.map(|(name, data)| (name.to_owned(), data)));
    folder
}

fn lines(hashes: &[NodeHash]) -> Vec<u8> {
    hashes.iter().map(|hash| BASE64.encode(hash)).collect::<Vec<_>>().join("\n").into_bytes()
}

/// The ledger's key as a verifier key of C2SP signed-note.
fn ledger_vkey(Ledger { origin, key }: &Ledger) -> String {
    let typed = [&[1], &key.as_bytes()[..]].concat();
    let hash = &sha256(&[origin.as_bytes(), b"\n", &typed])[..4];
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{origin}+{hash}+{}", BASE64.encode(&typed))
}

/// The outsiders' program, built once and without a network; or what is absent.
fn outsiders() -> &'static Result<PathBuf, String> {
    static BUILT: LazyLock<Result<PathBuf, String>> = LazyLock::new(build);
    &BUILT
}

fn build() -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("outsiders/go");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outsiders");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly -buildvcs=false")])
        .output()
        .map_err(|error| format!("go does not run ({error}; https://go.dev/dl, 1.25 or later)"))?;
    let said = String::from_utf8_lossy(&built.stderr);
    if said.contains("GOPROXY=off") || said.contains("go.mod requires go") {
        return Err(format!("Go's modules of tests/outsiders/go are absent (tests/run downloads them): {said}"));
    }
    assert!(built.status.success(), "{said}");
    Ok(program)
}

fn run(program: &Path, check: &str, folder: &Folder) -> Output {
    let place = tempfile::tempdir().unwrap();
    for (name, data) in folder {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
    Command::new(program).arg(check).arg(place.path()).output().unwrap()
}

fn flipped(data: &[u8], at: usize) -> Vec<u8> {
    let mut data = data.to_vec();
    data[at] ^= 1;
    data
}

/// A name, the check that it must fail, and what is forged.
type Forgery = (&'static str, &'static str, fn(&mut Folder));

const FORGERIES: &[Forgery] = &[
    ("a bit of the root", "note", |folder| {
        text(folder, "note", |note| {
            let at = note.find('=').unwrap() - 5;
            let other = if note.as_bytes()[at] == b'A' { "B" } else { "A" };
            note.replace_range(at..=at, other);
        })
    }),
    ("another size", "note", |folder| text(folder, "note", |note| *note = note.replacen("\n66000\n", "\n66001\n", 1))),
    ("another ledger's key", "note", |folder| {
        let other = Ledger { origin: "ledger.example/outsiders".into(), key: *key(51).public() };
        folder.insert("ledger.vkey".into(), ledger_vkey(&other).into_bytes());
    }),
    ("a cosignature of another key", "note", |folder| {
        let vkeys = [101, 102, 103, 99].map(|seed| verifier_key(key(seed).public()));
        folder.insert("witnesses.vkeys".into(), vkeys.join("\n").into_bytes());
    }),
    ("a cosignature of another checkpoint", "note", |folder| {
        text(folder, "note", |note| {
            let charter = charter();
            let other = Checkpoint::make(charter.ledger.as_ref().unwrap(), &key(50), 7, &[1; 32]).unwrap();
            let line = Cosignature::make(&other, &key(104), TIME).unwrap().line();
            let name = line.split(' ').nth(1).unwrap();
            *note =
                note.split_inclusive('\n').map(|held| if held.contains(name) { line.as_str() } else { held }).collect();
        })
    }),
    ("another leaf", "inclusion", |folder| {
        folder.insert("leaf".into(), leaf(INDEX + 3).encode());
    }),
    ("a leaf of another type", "inclusion", |folder| {
        folder.insert("leaf".into(), leaf(INDEX + 1).encode());
    }),
    ("another index", "inclusion", |folder| {
        folder.insert("index".into(), (INDEX + 1).to_string().into_bytes());
    }),
    ("a proof too short", "inclusion", |folder| text(folder, "inclusion", |proof| proof.truncate(proof.len() - 45))),
    ("a note of another size", "inclusion", |folder| {
        let earlier = folder["earlier"].clone();
        folder.insert("note".into(), earlier);
    }),
    ("a shorter consistency proof", "consistency", |folder| {
        text(folder, "consistency", |proof| proof.truncate(proof.len() - 45))
    }),
    ("another history", "consistency", |folder| {
        let charter = charter();
        let other = Checkpoint::make(charter.ledger.as_ref().unwrap(), &key(50), EARLIER, &[1; 32]).unwrap();
        folder.insert("earlier".into(), other.as_bytes().to_vec());
    }),
    ("a bit of a tile", "tiles", |folder| {
        let path = "tile/0/257.p/208";
        let tile = flipped(&folder[path], 70);
        folder.insert(path.into(), tile);
    }),
    ("a bit of a tile above", "tiles", |folder| {
        let path = "tile/1/001.p/1";
        let tile = flipped(&folder[path], 7);
        folder.insert(path.into(), tile);
    }),
    ("a bit of a bundle", "tiles", |folder| {
        let path = "tile/entries/257.p/208";
        let bundle = flipped(&folder[path], 70);
        folder.insert(path.into(), bundle);
    }),
    ("a byte after a bundle", "tiles", |folder| folder.get_mut("tile/entries/257.p/208").unwrap().push(0)),
    ("a proof file for another leaf", "proof", |folder| {
        folder.insert("leaf".into(), leaf(0).encode());
    }),
    ("a proof file at another index", "proof", |folder| {
        text(folder, "proof.tlog-proof", |proof| *proof = proof.replacen("index 65800", "index 65801", 1))
    }),
    ("a proof file that two witnesses cosigned", "proof", |folder| {
        text(folder, "proof.tlog-proof", |proof| {
            let lines: Vec<&str> = proof.split_inclusive('\n').collect();
            *proof = lines[..lines.len() - 2].concat();
        })
    }),
];

fn text(folder: &mut Folder, name: &str, change: fn(&mut String)) {
    let mut text = String::from_utf8(folder[name].clone()).unwrap();
    change(&mut text);
    assert_ne!(text.as_bytes(), folder[name], "{name} is as it was");
    folder.insert(name.to_owned(), text.into_bytes());
}

#[test]
fn outsiders_accept_what_a_ledger_shows_and_refuse_each_forgery() {
    let program = match outsiders() {
        Ok(program) => program,
        Err(absent) => return skip(absent),
    };
    let good = folder(&charter());
    for check in ["note", "inclusion", "consistency", "tiles", "proof"] {
        let judged = run(program, check, &good);
        assert!(judged.status.success(), "{check}: {}", String::from_utf8_lossy(&judged.stderr));
    }
    for (name, check, forge) in FORGERIES {
        let mut forged = good.clone();
        forge(&mut forged);
        let judged = run(program, check, &forged);
        assert_eq!(judged.status.code(), Some(1), "{name}: {}", String::from_utf8_lossy(&judged.stderr));
    }
}

#[test]
fn a_cosignature_that_an_outsider_made_counts() {
    let program = match outsiders() {
        Ok(program) => program,
        Err(absent) => return skip(absent),
    };
    let charter = charter();
    let (witnesses, ledger) = (Witnesses::of(&charter).unwrap(), charter.ledger.as_ref().unwrap());
    let mut note = CosignedNote::new(Checkpoint::make(ledger, &key(50), 9, &[9; 32]).unwrap());
    for party in [1, 2] {
        let line = Cosignature::make(note.checkpoint(), &key(100 + party), TIME).unwrap().line();
        note.add(line.as_bytes(), &witnesses).unwrap();
    }
    let seed = ("seed".to_owned(), BASE64.encode(&[104; 32]).into_bytes());
    let answer = run(program, "cosign", &BTreeMap::from([("note".to_owned(), note.encode()), seed]));
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    assert!(witnesses.tally(&note).confirmation < Confirmation::Final);
    assert_eq!(note.add(&answer.stdout, &witnesses), Ok(1));
    assert_eq!(witnesses.tally(&note).confirmation, Confirmation::Final);
    assert_eq!(CosignedNote::verify(&note.encode(), &witnesses).as_ref(), Ok(&note));

    let other = Checkpoint::make(ledger, &key(50), 10, &[9; 32]).unwrap();
    assert_eq!(CosignedNote::new(other).add(&answer.stdout, &witnesses), Ok(0));
}
