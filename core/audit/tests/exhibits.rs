//! One entry that somebody shows: what the auditor reads of it.

use merestone_audit::exhibit;
use merestone_core::id::MissionId;
use serde_json::Value;

fn vector(name: &str) -> (Vec<u8>, MissionId) {
    let path = format!("{}/../../fixtures/vectors/exhibit/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let vector: Value = serde_json::from_slice(&std::fs::read(path).expect("a vector")).expect("JSON");
    let text = |field: &str| vector[field].as_str().expect("hex").to_owned();
    let bytes = data_encoding::HEXLOWER.decode(text("exhibit").as_bytes()).expect("hex");
    (bytes, MissionId::from_hex(&text("mission")).expect("an id"))
}

#[test]
fn an_exhibit_is_read_aloud_with_what_it_does_not_show() {
    let (bytes, mission) = vector("valid/opened");
    let report = exhibit(&bytes, mission).expect("a good exhibit");
    let text = report.to_text();
    for part in [
        "PASSED",
        "Anna (State A, Anna's phone) as observer",
        "leaf 4 of 8; final: witnesses of 3 of 3 parties cosigned",
        "there by   2025-12-01 08:00:00 +00:00, by witnesses of parties",
        "note = quiet",
        "not shown  that the entry stands",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert_eq!(report.to_json(), exhibit(&bytes, mission).expect("the same").to_json());
}

#[test]
fn what_is_not_shown_is_said_and_a_forged_part_has_its_code() {
    let (bytes, mission) = vector("valid/no-proof");
    let text = exhibit(&bytes, mission).expect("a good exhibit").to_text();
    assert!(text.contains("ledger     not shown to be in it"), "{text}");
    let (one, mission) = vector("valid/one-witness");
    let text = exhibit(&one, mission).expect("a good exhibit").to_text();
    assert!(text.contains("for whoever trusts parties [2] alone"), "{text}");
    let (forged, mission) = vector("invalid/leaf-bit");
    assert_eq!(exhibit(&forged, mission).expect_err("another answer").code(), "disclosure-root");
    let other = MissionId::from_bytes([1; 32]);
    assert_eq!(exhibit(&bytes, other).expect_err("another mission").code(), "mission-mismatch");
}
