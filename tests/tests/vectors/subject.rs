//! Vectors whose subject is no entry: charters, amendments, requests, certificates, successions, cuts, inclusions, erasures, forms,
//! notes, frames, receipts, disclosures, accounts.

use std::collections::BTreeSet;

use merestone_core::check::{Policy, Refused};
use merestone_core::checkpoint::Checkpoint;
use merestone_core::entry::LogHead;
use merestone_core::erasure::{Erased, Erasure};
use merestone_core::form::FormDefinition;
use merestone_core::id::{FormHash, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::merkle;
use merestone_core::publication::SignedAccount;
use merestone_core::receipt::Receipt;
use merestone_core::roster::{
    Amendment, Certificate, Class, CompleteCharter, Cut, EnrolmentRequest, PartyNumber, Roster, Succession,
};
use merestone_core::sync::frame::Frame;
use merestone_core::sync::{Version, wire};
use serde_json::{Value, json};

use crate::disclosures;
use crate::load::{Vector, bytes, hex};
use crate::records;

pub(crate) fn judge<P: Policy>(vector: &Vector, policy: P) -> Result<Value, Value> {
    let subject = vector.input["subject"].as_str().expect("a subject");
    let item = bytes(&vector.input[subject]);
    facts(vector, subject, &item, policy).map_err(|refused| json!({"code": refused.check.code()}))
}

fn facts<P: Policy>(vector: &Vector, subject: &str, item: &[u8], policy: P) -> Result<Value, Refused> {
    let keys = &mut KeyCache::new();
    let id = StatementId::of(item).to_string();
    Ok(match subject {
        "charter" => charter(&CompleteCharter::verify_under(item, vector.mission(), policy)?),
        "amendment" => {
            let mut roster = records::roster(vector);
            let id = roster.admit_under(Class::Amendment, item, policy)?.id();
            amendment(
                &roster,
                roster.amendments().find(|held| held.id() == id).expect("the amendment that was admitted"),
            )
        }
        "request" => {
            let request = EnrolmentRequest::verify_under(item, keys, policy)?;
            let mut facts = json!({
                "id": id, "key": hex(request.key().as_bytes()), "transport": hex(request.transport()),
                "observer": request.observer(), "device": request.device(),
                "words": request.words_bits(), "text": request.to_text(),
            });
            if let Some(named) = request.attestation() {
                facts["attestation"] = json!({"bytes": named.bytes(), "hash": hex(named.digest())});
            }
            if let Some(key) = request.replaces() {
                facts["replaces"] = json!(hex(key));
            }
            facts
        }
        "certificate" => {
            let charter = records::roster(vector).charter().clone();
            let certificate = Certificate::verify_under(item, &charter, keys, policy)?;
            let scopes: Vec<String> = certificate.scopes().iter().map(ToString::to_string).collect();
            json!({
                "id": id, "key": hex(certificate.key().as_bytes()), "party": certificate.party().0,
                "role": certificate.role().code(), "scopes": scopes,
                "observer": certificate.request().observer(), "text": certificate.to_text(),
            })
        }
        "cut" => {
            let roster = admitted(vector, Class::Cut, item, policy)?;
            cut(&id, roster.cuts().next().expect("the cut that was admitted"))
        }
        "succession" => {
            let roster = admitted(vector, Class::Succession, item, policy)?;
            succession(&id, roster.successions().next().expect("the succession that was admitted"))
        }
        "acknowledgement" => {
            let roster = admitted(vector, Class::Acknowledgement, item, policy)?;
            let said = roster.acknowledgements().next().expect("the acknowledgement that was admitted");
            json!({"id": said.id().to_string(), "party": said.party().0, "cut": said.cut().to_string(), "of": said.of().0})
        }
        "inclusion" => {
            let roster = admitted(vector, Class::Inclusion, item, policy)?;
            let shown = roster.inclusions().next().expect("the inclusion that was admitted");
            let leaf = hex(&shown.included().leaf().encode());
            json!({"id": id, "leaf": leaf, "index": shown.index(), "size": shown.size()})
        }
        "receipt" => {
            let roster = admitted(vector, Class::Receipt, item, policy)?;
            receipt(&id, roster.receipts().next().expect("the receipt that was admitted"))
        }
        "cosignature" => {
            let roster = admitted(vector, Class::Cosignature, item, policy)?;
            let notes = roster.cosigned_notes();
            let (note, by) = (&notes[0], notes[0].cosignatures().next().expect("the cosignature that was admitted"));
            json!({
                "id": id, "note": note.hash().to_string(), "size": note.checkpoint().size(),
                "key": hex(by.key().as_bytes()), "time": by.time(),
            })
        }
        "erasure" => {
            let charter = records::roster(vector).charter().clone();
            erasure(&id, &Erasure::verify_under(item, &charter, policy)?)
        }
        "form" => {
            let form = FormDefinition::decode_under(item, policy)?;
            let leaves: Vec<&str> = form.leaves.iter().map(|leaf| leaf.name.as_str()).collect();
            json!({"id": FormHash::of(item).to_string(), "kind": form.kind, "leaves": leaves, "must": form.must})
        }
        "disclosure" => disclosures::facts(vector, item, policy)?,
        "account" => {
            let charter = records::roster(vector).charter().clone();
            account(&SignedAccount::verify_under(item, &charter, policy)?)
        }
        "note" => note(vector, item, policy)?,
        "frame" => frame(vector, item)?,
        other => panic!("{}: a subject {other} that this test does not know", vector.name),
    })
}

fn admitted<P: Policy>(vector: &Vector, class: Class, item: &[u8], policy: P) -> Result<Roster, Refused> {
    let mut roster = records::roster(vector);
    roster.admit_under(class, item, policy).map(|_| roster)
}

fn charter(complete: &CompleteCharter) -> Value {
    let charter = complete.charter();
    json!({
        "id": complete.mission().to_string(),
        "parties": charter.parties.iter().map(|party| party.number.0).collect::<Vec<_>>(),
        "scopes": charter.scopes.iter().map(|scope| scope.id.to_string()).collect::<Vec<_>>(),
        "forms": charter.forms.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "quorum": charter.quorum,
    })
}

fn amendment(roster: &Roster, made: &Amendment) -> Value {
    let charter = roster.charter().charter();
    let numbers = |parties: &BTreeSet<PartyNumber>| parties.iter().map(|party| party.0).collect::<Vec<_>>();
    let rivals = roster.frozen().map_or_else(Vec::new, |frozen| frozen.rivals.clone());
    json!({
        "id": made.id().to_string(), "charter": made.amended().id().to_string(),
        "predecessor": made.predecessor().to_string(), "signers": numbers(made.signers()),
        "in_force": roster.charter().id().to_string(),
        "parties": charter.parties.iter().map(|party| party.number.0).collect::<Vec<_>>(),
        "scopes": charter.scopes.iter().map(|scope| scope.id.to_string()).collect::<Vec<_>>(),
        "forms": charter.forms.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "quorum": charter.quorum,
        "rivals": rivals.iter().map(|rival| rival.id.to_string()).collect::<Vec<_>>(),
        "both": roster.frozen().map_or_else(Vec::new, |frozen| numbers(&frozen.signed_both())),
    })
}

fn cut(id: &str, cut: &Cut) -> Value {
    let parties: Vec<u64> = cut.by().parties().iter().map(|party| party.0).collect();
    json!({"id": id, "party": parties[0], "parties": parties, "key": hex(cut.key()), "kept": heads(cut.kept()), "reason": cut.reason().code()})
}

fn succession(id: &str, made: &Succession) -> Value {
    json!({
        "id": id, "old": hex(made.old()), "new": hex(made.new_key()), "heads": heads(made.heads()),
        "party": made.party().0, "by_party": made.is_by_party(),
    })
}

fn heads(heads: &[LogHead]) -> Vec<Value> {
    let shown = |head: &LogHead| json!([head.scope.to_string(), head.epoch.to_string(), head.seq, head.id.to_string()]);
    heads.iter().map(shown).collect()
}

fn receipt(id: &str, receipt: &Receipt) -> Value {
    let logs: Vec<Value> = receipt
        .logs()
        .iter()
        .map(|held| json!([held.log.to_string(), held.height, held.head.to_string(), held.missing]))
        .collect();
    json!({
        "id": id, "store": receipt.store().to_string(), "counter": receipt.counter(), "logs": logs,
        "certificate": receipt.certificate().to_string(),
    })
}

fn erasure(id: &str, erasure: &Erasure) -> Value {
    let (heads, photo) = match erasure.erased() {
        Erased::Heads(heads) => (Some(heads.iter().map(ToString::to_string).collect::<Vec<_>>()), None),
        Erased::Photo(photo) => (None, Some(photo.to_string())),
    };
    json!({"id": id, "record": erasure.record().to_string(), "heads": heads, "photo": photo})
}

fn account(signed: &SignedAccount) -> Value {
    let account = signed.account();
    let mut states: Vec<u64> = account.entries().map(|(_, _, _, state)| state.code()).collect();
    states.sort_unstable();
    json!({
        "id": signed.id().to_string(), "party": signed.party().0, "states": states,
        "scopes": account.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "forms": account.rules.iter().map(|rule| rule.form.to_string()).collect::<Vec<_>>(),
        "exceptions": account.exceptions.len(),
    })
}

fn note<P: Policy>(vector: &Vector, item: &[u8], policy: P) -> Result<Value, Refused> {
    let roster = records::roster(vector);
    let ledger = roster.charter().charter().ledger.clone().expect("a charter with a ledger");
    let note = Checkpoint::verify_under(item, &ledger, policy)?;
    let leaves: Vec<_> = Vector::list(&vector.input, "leaves").map(|leaf| merkle::leaf_hash(&bytes(leaf))).collect();
    if vector.is_valid && vector.input["leaves"].is_array() {
        assert_eq!((leaves.len() as u64, merkle::root(&leaves)), (note.size(), *note.root()), "{}", vector.name);
    }
    Ok(json!({"id": note.hash().to_string(), "origin": ledger.origin, "size": note.size(), "root": hex(note.root())}))
}

fn frame(vector: &Vector, item: &[u8]) -> Result<Value, Refused> {
    if vector.expected["ids"].is_array() || vector.input["class"] == "entries" {
        let received = wire::decode(item, vector.mission(), Version::V2)?;
        let id = |entry: &wire::Incoming| merestone_core::id::EntryId::of(&entry.header).to_string();
        let ids: Vec<String> = received.entries.iter().map(id).collect();
        let again: Vec<wire::Outgoing<'_>> = received
            .entries
            .iter()
            .map(|entry| wire::Outgoing { header: &entry.header, body: entry.body.as_deref() })
            .collect();
        assert_eq!(received.again, [], "{}", vector.name);
        // Full form has one encoding; columns have as many as compression has.
        if item[1] == 1 {
            assert_eq!(wire::encode_full(&again), item, "{}", vector.name);
        }
        return Ok(json!({"type": item[1], "ids": ids}));
    }
    let frame = Frame::decode(item)?;
    assert_eq!(frame.encode(), item, "{}", vector.name);
    // What a frame was computed from is not in the frame; its type and its bytes are what is compared.
    let mut facts = vector.expected.clone();
    facts["type"] = json!(item[1]);
    Ok(facts)
}
