//! What a device shows as a QR code is read by a scanner that nobody here wrote: `zbarimg` of Debian's zbar-tools.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::fs;
use std::process::Command;

use merestone_core::key::SigningKey;
use merestone_core::roster::{CERTIFICATE_SCOPES_MAX, PERSON_BYTES_MAX, Role, TRANSFER_CHARS_MAX};
use merestone_forms::standard;
use merestone_node::Device;
use merestone_node::clock::SystemEntropy;
use merestone_node::device::{Home, System};
use merestone_node::office::{MissionPlan, PartyOffice};
use merestone_node::qr::QrPicture;
use merestone_tests::mission::{form_hash, store_key, vault};
use merestone_tests::skip;

/// Request and certificate of an observer and a device with these names, with so many scopes.
fn texts(observer: &str, device: &str, scopes: usize) -> [String; 2] {
    let root = SigningKey::from_seed(&[1; 32]);
    let plan = MissionPlan {
        name: "Scopes".into(),
        parties: vec![("State A".into(), *root.public())],
        scopes: (1..=scopes).map(|n| format!("Sector {n}")).collect(),
        forms: vec![form_hash(standard::INSPECTION)],
        ledger: None,
        quorum: 1,
    };
    let office = PartyOffice::new(&root);
    let charter = office.found(&plan.charter(&SystemEntropy).unwrap()).unwrap().complete().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let system = System::real(0).unwrap();
    let phone = Device::create(&Home::new(folder.path()), store_key(), charter.as_bytes(), system).unwrap();
    let enrolment = phone.request(&vault(&phone), observer, device).unwrap();
    let seen = office.read_request(&charter, &enrolment.text).unwrap();
    let scopes: Vec<_> = charter.charter().scopes.iter().map(|scope| scope.id).collect();
    let certificate = office.certify(&charter, &seen.request, Role::Observer, &scopes).unwrap().to_text();
    phone.accept(&certificate).unwrap();
    [enrolment.text, certificate]
}

#[test]
fn what_is_shown_as_a_picture_is_read_back_by_a_scanner() {
    if let Err(error) = Command::new("zbarimg").arg("--version").output() {
        return skip(&format!("zbarimg does not run ({error}; Debian: zbar-tools)"));
    }
    // 64 bytes each: the longest in Latin, Cyrillic and Arabic letters.
    let longest = ["n".repeat(PERSON_BYTES_MAX), "Щ".repeat(PERSON_BYTES_MAX / 2), "ظ".repeat(PERSON_BYTES_MAX / 2)];
    let mut lengths = Vec::new();
    for (observer, device, scopes) in [
        ("Li", "1", 1),
        ("Олена Коваленко", "Phone 3", 2),
        (&longest[0], &longest[0], CERTIFICATE_SCOPES_MAX),
        (&longest[1], &longest[2], CERTIFICATE_SCOPES_MAX),
    ] {
        for text in texts(observer, device, scopes) {
            assert!(text.len() <= TRANSFER_CHARS_MAX, "{} characters", text.len());
            lengths.push(text.len());
            let picture = QrPicture::of(&text).expect("such a text fits a code");
            assert_eq!(scan(&picture.to_pbm(4)), text, "as a file");
            assert_eq!(scan(&screen(&picture.to_terminal())), text, "on a dark terminal");
        }
    }
    println!("lengths: {lengths:?}");
    // The longest text that any version may carry, filled up.
    let text = format!("MERESTONE-CERTIFICATE:{}", "Q7".repeat((TRANSFER_CHARS_MAX - 22) / 2));
    assert_eq!(text.len(), TRANSFER_CHARS_MAX);
    assert_eq!(scan(&QrPicture::of(&text).unwrap().to_pbm(3)), text);
}

/// What zbarimg reads in a PBM file.
fn scan(pbm: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.pbm");
    fs::write(&file, pbm).unwrap();
    let output = Command::new("zbarimg").args(["--raw", "--quiet"]).arg(&file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "zbarimg reads nothing: {}", String::from_utf8_lossy(&output.stderr));
    said.strip_suffix('\n').expect("one line").to_owned()
}

/// A photo of a dark terminal: each character is two modules, one above the other, of 4 by 4 points.
fn screen(lines: &str) -> Vec<u8> {
    let mut rows: Vec<Vec<bool>> = Vec::new();
    for line in lines.lines() {
        let of = |light: [char; 2]| line.chars().flat_map(|shown| [!light.contains(&shown); 4]).collect::<Vec<_>>();
        let (above, below) = (of(['█', '▀']), of(['█', '▄']));
        rows.extend(std::iter::repeat_n(above, 4).chain(std::iter::repeat_n(below, 4)));
    }
    let mut pbm = format!("P4\n{} {}\n", rows[0].len(), rows.len()).into_bytes();
    for row in rows {
        let byte =
            |eight: &[bool]| eight.iter().zip(0..).fold(0, |byte, (dark, at)| byte | u8::from(*dark) << (7 - at));
        pbm.extend(row.chunks(8).map(byte));
    }
    pbm
}
