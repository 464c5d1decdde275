//! One entry shown to somebody who holds nothing but the mission's id.

use merestone_core::disclosure::Said;
use merestone_core::exhibit::{Exhibit, Parts, Shown, write};
use merestone_core::ledger::LedgerProof;
use serde_json::{Value, json};

use crate::agrees;
use crate::load::{Vector, all, bytes, hex};

#[test]
fn exhibits_show_what_the_page_says_and_others_are_refused() {
    let vectors = all(&["exhibit"]);
    let mut wrong = Vec::new();
    for vector in &vectors {
        let found = judge(vector);
        if !agrees(&vector.expected, &found) {
            wrong.push(format!("{}\n    wanted {}\n    found  {found}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {} vectors differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

fn judge(vector: &Vector) -> Value {
    let data = bytes(&vector.input["exhibit"]);
    let exhibit = match Exhibit::read(&data, vector.mission()) {
        Ok(exhibit) => exhibit,
        Err(refused) => return json!({"code": refused.code()}),
    };
    assert_eq!(again(&exhibit, &data), data, "{}", vector.name);
    let opened = exhibit.disclosure().map(|disclosure| {
        let said = disclosure.opened().iter().map(|one| match &one.said {
            Some(Said::Answer(merestone_core::change::Value::Text(text))) => json!([one.name, text]),
            other => panic!("{}: {other:?}", vector.name),
        });
        said.collect::<Vec<_>>()
    });
    let not_after = exhibit.logged.as_ref().and_then(|logged| logged.not_after.as_ref()).filter(|bound| bound.holds);
    json!({
        "id": exhibit.entry.id().to_string(),
        "key": hex(exhibit.entry.key().as_bytes()),
        "certificates": exhibit.certificates.iter().map(|one| one.id().to_string()).collect::<Vec<_>>(),
        "index": exhibit.logged.as_ref().map(|logged| logged.index),
        "confirmation": exhibit.logged.as_ref().map(|logged| logged.tally.confirmation.code()),
        "not_after": not_after.map(|bound| bound.time),
        "opened": opened,
        "charter": exhibit.charter.charter().id().to_string(),
    })
}

/// The exhibit written again from its parts.
fn again(exhibit: &Exhibit<'_>, data: &[u8]) -> Vec<u8> {
    let parts = parts(data);
    let certificates: Vec<_> = exhibit.certificates.iter().collect();
    let shown = match (parts[4].as_deref(), parts[5].as_deref(), parts[6].as_deref()) {
        (Some(header), None, None) => Shown::Header(header),
        (None, Some(disclosure), Some(form)) => Shown::Disclosure { disclosure, form },
        _ => panic!("a header or a disclosure"),
    };
    let proof = parts[7].as_deref().map(|proof| LedgerProof::parse(proof).expect("a proof"));
    write(Parts { charter: &exhibit.charter, certificates: &certificates, shown, proof: proof.as_ref() })
}

/// The byte strings of the map, by key.
fn parts(data: &[u8]) -> [Option<Vec<u8>>; 8] {
    let mut reader = merestone_core::cbor::Reader::new(data);
    let mut parts: [Option<Vec<u8>>; 8] = Default::default();
    let mut fields = reader.map("exhibit").expect("a map");
    while let Some(key) = fields.next(&mut reader).expect("a key") {
        match key {
            4..=7 => parts[key as usize] = Some(reader.bytes("part").expect("bytes").to_vec()),
            _ => drop(reader.skip("part").expect("an item").to_vec()),
        }
    }
    parts
}
