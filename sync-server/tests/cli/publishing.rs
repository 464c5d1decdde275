//! Publishing, as the public meets it: what is shown checks, and what is withheld is nowhere.

use std::path::{Path, PathBuf};

use merestone_audit::{Verdict, audit_publication};
use merestone_core::audit::fast::read_item;
use merestone_core::cbor::{Reader, Writer};
use merestone_core::change::Change;
use merestone_core::claims::Claims;
use merestone_core::entry::{Content, Kind};
use merestone_core::form::{FormDefinition, LeafTable};
use merestone_core::id::{FormHash, MissionId};
use merestone_core::key::KeyCache;
use serde_json::Value;

use crate::skip::skip;
use crate::world::{World, text};

const SHOWN: [&str; 4] = ["status", "queue_best", "context/day", "context/coarse-place"];
const OBSERVER: &str = "Xenia Tarnovska-Quill";
const POST: &str = "Krasny Hutor 17";
const EARLIER: &str = "the miller at the ford told us so";
const LATER: &str = "said by the ferryman Oleg Zahorodny";
const LOSER: &str = "heard from nurse Iryna at dusk";
const CAPTION: &str = "registration AX 4417 of a white van";
const FILE_NAME: &str = "oleg-zahorodny-house.png";
const SERIAL: &str = "SN-77120-KX-GPS-51.23456";
const STAFF: i64 = 73_451_209;
const LATITUDE: i64 = 512_345_678;
const LONGITUDE: i64 = -247_654_321;

/// A mission with one record in which everything is secret but [`SHOWN`], and base camp that holds it all.
fn mission() -> World {
    let world = World::with_mission();
    world.enrol("xenia", OBSERVER, "a.key", "observer");
    world.enrol("ada", "Ada", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let set = |setting: &str| ["--set".to_owned(), setting.to_owned()];
    let staff = format!("staff={STAFF}");
    let settings = ["post=Gate", "day=2026-03-01", "status=open", "how_known=seen", "queue_best=12", &staff];
    let spoken = format!("spoken_to={EARLIER}");
    let settings: Vec<String> = settings.into_iter().chain([spoken.as_str()]).flat_map(set).collect();
    let mut args = vec!["record", "new", "--form", "inspection", "--home", "xenia", "--post", POST];
    args.extend(["--place", "51.2345678,-24.7654321,7"]);
    args.extend(settings.iter().map(String::as_str));
    let record = text(&world.json(&args), "record").to_owned();
    world.write(FILE_NAME, &png_that_says(SERIAL));
    world.json(&["photo", "add", &record, FILE_NAME, "--caption", CAPTION, "--home", "xenia"]);
    if let Some(photo) = shared_photo() {
        let bytes = std::fs::read(photo).expect("a photo of the fixtures");
        world.write("phone.jpg", &bytes);
        world.json(&["photo", "add", &record, "phone.jpg", "--home", "xenia"]);
    } else {
        skip("the fixtures have no photo of a phone: set MERESTONE_SHARED");
    }

    let mut camp = world.serve("camp");
    let ticket = camp.ticket.clone();
    for home in ["xenia", "ada"] {
        world.json(&["sync", &ticket, "--home", home]);
        camp.event("met");
    }
    // Both change the same answer without having met, and one changes it again.
    world.json(&["record", "edit", &record, "--set", &format!("spoken_to={LOSER}"), "--home", "ada"]);
    world.json(&["record", "edit", &record, "--set", &format!("spoken_to={LATER}"), "--home", "xenia"]);
    world.json(&["record", "edit", &record, "--set", "queue_best=15", "--home", "xenia"]);
    for home in ["xenia", "ada"] {
        world.json(&["sync", &ticket, "--home", home]);
    }
    camp.stop();
    world.json(&["bag", "write", "evidence", "--home", "camp"]);
    world
}

fn publish(world: &World, more: &[&str], code: i32) -> Value {
    let fixed = ["publish", "public", "--scope", "North", "--key", "b.key", "--home", "camp"];
    world.json_with_code(&[&fixed[..], more].concat(), code)
}

fn mission_id(published: &Value) -> MissionId {
    MissionId::from_hex(text(published, "mission")).expect("a mission's id")
}

#[test]
fn what_is_withheld_occurs_nowhere_in_what_is_published() {
    let world = mission();
    let shown: Vec<&str> = SHOWN.iter().flat_map(|label| ["--disclose", label]).collect();
    let published = publish(&world, &[&shown[..], &["--withhold-rest", "personal-data"]].concat(), 0);
    assert_eq!((published["records"].as_u64(), published["photos"].as_u64()), (Some(1), Some(0)), "{published}");
    let (public, bag) = (bytes_of(&world, "public"), bytes_of(&world, "evidence"));

    let mut needles: Vec<Needle> = [OBSERVER, POST, EARLIER, LATER, LOSER, CAPTION, SERIAL].map(Needle::text).into();
    needles.extend([STAFF, LATITUDE, LONGITUDE].map(Needle::number));
    needles.extend(["51.2345678", "24.7654321"].map(Needle::text));
    for needle in &needles {
        assert_eq!(needle.found_in(&public), None, "{}", needle.name);
    }
    // The same search finds each of them where it is; degrees are in no bag, and in no publication either.
    for needle in needles.iter().filter(|needle| !needle.name.contains("5678") && !needle.name.contains("4321")) {
        assert!(needle.found_in(&bag).is_some(), "{} is not found in the bag", needle.name);
    }
    for number in [LATITUDE, LONGITUDE] {
        assert!(Needle::number(number).found_in(&bag).is_some(), "{number}");
    }
    // Names of files and folders of the devices are nowhere, the bag included.
    for name in [FILE_NAME, "xenia/", &world.path("").display().to_string()] {
        assert_eq!(Needle::text(name).found_in(&public), None, "{name}");
    }

    let (secret, open) = secrets(&world, &published);
    assert!(secret.len() > 150 && open.len() >= 12, "{} and {}", secret.len(), open.len());
    for salt in &secret {
        assert_eq!(salt.found_in(&public), None, "{}", salt.name);
    }
    for salt in &open {
        assert!(salt.found_in(&public).is_some(), "the salt of a leaf that is shown is not found");
    }
    for seed in secret.iter().filter(|needle| needle.name == "seed") {
        assert!(seed.found_in(&bag).is_some(), "a seed is not found in the bag");
    }
    for photo in photos(&world) {
        assert_eq!(photo.found_in(&public), None, "{}", photo.name);
        assert!(photo.found_in(&bag).is_some(), "{} is not found in the bag", photo.name);
    }
}

#[test]
fn a_publication_checks_alone_and_against_the_bag_and_a_changed_one_does_not() {
    let world = mission();
    let shown: Vec<&str> = SHOWN.iter().flat_map(|label| ["--disclose", label]).collect();
    let photos = ["--disclose", "context/photos", "--disclose", "photos/file", "--withhold-rest", "security"];
    let published = publish(&world, &[&shown[..], &photos].concat(), 2);
    let left_out = published["photos_left_out"].as_array().expect("a list");
    assert!(left_out.iter().all(|photo| photo["why"] == "metadata") && !left_out.is_empty(), "{published}");
    let mission = mission_id(&published);
    let audit = |bag: Option<&str>| {
        let bag = bag.map(|bag| world.path(bag));
        audit_publication(&world.path("public"), mission, bag.as_deref(), 2).expect("a publication")
    };
    let (alone, compared) = (audit(None), audit(Some("evidence")));
    assert_eq!(alone.verdict(), Verdict::Passed, "{}", alone.to_text());
    assert_eq!(compared.verdict(), Verdict::Passed, "{}", compared.to_text());
    assert_eq!(alone.tally().shown, published["shown"].as_u64().unwrap_or_default());
    // What stands: the later of two values in a row, and whether the post is open.
    let table = String::from_utf8(world.read("public/table.csv")).expect("UTF-8");
    assert!(table.contains(",queue_best,,,12,no\n") && table.contains(",queue_best,,,15,yes\n"), "{table}");
    assert!(
        table.contains(",status,,,open,yes\n") && table.contains(",context/coarse-place,,,51.2 -24.8,\n"),
        "{table}"
    );

    let file = world.path("public/table.csv");
    std::fs::write(&file, table.replace(",15,yes", ",51,yes")).expect("a file");
    assert_eq!(audit(None).verdict(), Verdict::Failed);
    std::fs::write(&file, table).expect("a file");
    let (file, page) = (world.path("public/index.html"), world.read("public/index.html"));
    std::fs::write(&file, [&page[..], b"<p>closed</p>"].concat()).expect("a file");
    assert!(audit(None).to_json().contains("publication-page"));
    std::fs::write(&file, page).expect("a file");
    let disclosures = std::fs::read_dir(world.path("public/data/disclosures")).expect("a folder");
    for entry in disclosures {
        std::fs::remove_file(entry.expect("a file").path()).expect("removed");
    }
    assert!(audit(None).to_json().contains("publication-missing"));
}

#[test]
fn a_redacted_photo_is_published_in_the_place_of_the_original() {
    let world = mission();
    let list = world.json(&["record", "list", "--home", "xenia"]);
    let record = text(&list["records"][0], "record").to_owned();
    let shown = world.json(&["record", "show", &record, "--home", "xenia"]);
    let small = |photo: &&Value| photo["bytes"].as_u64().is_none_or(|bytes| bytes < 1_000);
    let photo = shown["photos"].as_array().and_then(|photos| photos.iter().find(small)).expect("the small picture");
    let original = text(photo, "sha256").to_owned();
    let redact =
        |boxes: &str| ["photo", "redact", &record, &original, "--box", boxes, "--home", "ada"].map(str::to_owned);
    let run = |boxes: &str, code: i32| {
        let args = redact(boxes);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = world.run(&args);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut camp = world.serve("camp");
    let ticket = camp.ticket.clone();
    world.json(&["sync", &ticket, "--home", "ada"]);
    run("99999,0,1,1", 65);
    run("0,0,1", 64);
    run("0,0,1,1", 0);
    world.json(&["sync", &ticket, "--home", "ada"]);
    camp.event("met");
    camp.stop();
    std::fs::remove_dir_all(world.path("evidence")).expect("an older bag");
    world.json(&["bag", "write", "evidence", "--home", "camp"]);

    let labels = ["context/photos", "photos/file", "of_photo", "of_entry", "method", "of_record"];
    let shown: Vec<&str> = labels.iter().flat_map(|label| ["--disclose", label]).collect();
    let hiding = [&["--disclose", "status"][..], &["--withhold-rest", "security"]].concat();
    let refused = world
        .run(&[&["publish", "public", "--scope", "North", "--key", "b.key", "--home", "camp"][..], &hiding].concat());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("must disclose of_entry"), "{refused:?}");
    let published = publish(&world, &[&shown[..], &["--withhold-rest", "security"]].concat(), 2);
    assert!(published["photos"].as_u64().is_some_and(|photos| photos >= 1), "{published}");
    let left_out = published["photos_left_out"].to_string();
    assert!(left_out.contains(&original) && left_out.contains("metadata"), "{left_out}");
    assert_eq!(Needle::text(SERIAL).found_in(&bytes_of(&world, "public")), None);
    let table = String::from_utf8(world.read("public/table.csv")).expect("UTF-8");
    assert!(table.contains(&format!(",of_photo,,,{original},yes")), "{table}");
    let bag = world.path("evidence");
    let report =
        audit_publication(&world.path("public"), mission_id(&published), Some(&bag), 2).expect("a publication");
    assert_eq!(report.verdict(), Verdict::Passed, "{}", report.to_text());
}

#[test]
fn what_nobody_decided_is_not_published() {
    let world = mission();
    let refused = |more: &[&str], code: i32| {
        let fixed = ["publish", "public", "--scope", "North", "--key", "b.key", "--home", "camp"];
        let output = world.run(&[&fixed[..], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(!world.path("public").exists());
        said
    };
    assert!(refused(&["--disclose", "status"], 65).contains("nothing is decided"));
    assert!(refused(&["--disclose", "statsu", "--withhold-rest", "security"], 65).contains("no form here"));
    assert!(refused(&["--withhold", "remarks", "--withhold-rest", "security"], 64).contains("a reason is missing"));
    assert!(refused(&["--withhold", "remarks=why", "--withhold-rest", "security"], 64).contains("no reason"));
    let nobody = format!("{}=legal", "0f".repeat(32));
    assert!(refused(&["--leave-out", &nobody, "--withhold-rest", "security"], 65).contains("nothing to publish"));
}

/// Something to look for, in every form it could have.
struct Needle {
    name: String,
    forms: Vec<Vec<u8>>,
}

impl Needle {
    fn text(text: &str) -> Self {
        let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        let more = [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)];
        let mut needle = Self::bytes(text, text.as_bytes());
        needle.forms.extend(more);
        needle
    }

    fn number(number: i64) -> Self {
        let mut cbor = Writer::new();
        cbor.int(number);
        let mut leb = Vec::new();
        let mut rest = number;
        while !(-64..64).contains(&rest) {
            leb.push(rest as u8 & 0x7f | 0x80);
            rest >>= 7;
        }
        leb.push(rest as u8 & 0x7f);
        let small = number as i32;
        let forms = vec![
            cbor.finish(),
            leb,
            number.to_string().into_bytes(),
            small.to_le_bytes().to_vec(),
            small.to_be_bytes().to_vec(),
        ];
        Self { name: number.to_string(), forms }
    }

    fn bytes(name: &str, bytes: &[u8]) -> Self {
        let hex = |upper: bool| {
            let digit = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
            bytes.iter().map(digit).collect::<String>().into_bytes()
        };
        let mut forms = vec![bytes.to_vec(), hex(false), hex(true)];
        for shift in 0..3 {
            forms.extend([base64(bytes, shift, b'+', b'/'), base64(bytes, shift, b'-', b'_')]);
        }
        Self { name: name.to_owned(), forms }
    }

    /// The number of the form in which it is found.
    fn found_in(&self, hay: &[u8]) -> Option<usize> {
        self.forms.iter().position(|form| {
            let Some(&first) = form.first() else { return false };
            let starts = hay.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(at, _)| at);
            starts.into_iter().any(|at| hay[at..].starts_with(form))
        })
    }
}

/// The letters that `bytes` give in base64 where `shift` unknown bytes stand before them: those that depend on nothing else.
fn base64(bytes: &[u8], shift: usize, high: u8, last: u8) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |six: u8| match six {
        62 => high,
        63 => last,
        six => alphabet[usize::from(six)],
    };
    let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
    let whole = padded.chunks_exact(3).flat_map(|three| {
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        [18, 12, 6, 0].map(|at| letter((bits >> at) as u8 & 63))
    });
    whole.skip([0, 2, 3][shift]).collect()
}

/// Every byte of a folder, the names of its files included.
fn bytes_of(world: &World, folder: &str) -> Vec<u8> {
    let root = world.path(folder);
    let mut all = Vec::new();
    for (path, content) in world.snapshot(folder) {
        all.extend(path.strip_prefix(&root).expect("below the folder").to_string_lossy().as_bytes());
        all.push(b'\n');
        all.extend(content);
    }
    all
}

/// The seeds of every change in the bag and the salts of the leaves that are closed; and the salts of those that are open.
fn secrets(world: &World, published: &Value) -> (Vec<Needle>, Vec<Needle>) {
    let (mut secret, mut open) = (Vec::new(), Vec::new());
    let mission = mission_id(published);
    for (path, content) in world.snapshot("evidence/data/logs") {
        assert!(path.extension().is_some_and(|ext| ext == "cborseq"));
        let mut at = 0;
        while at < content.len() {
            let (signed, len) = read_item(&content[at..]).expect("our own bag");
            at += len;
            let entry = signed.verify(mission, &mut KeyCache::new()).expect("our own entry");
            if entry.header().kind != Kind::Change {
                continue;
            }
            let body = entry.body().expect("read").expect("held");
            let Content::Change(chunk) = &body.content else { continue };
            let change = Change::decode(chunk, entry.actor()).expect("our own change");
            let form = definition(world, entry.header().commitment.expect("a change").form);
            let claims = Claims::compute(&LeafTable::new(&form), &change, &body.context);
            secret.push(Needle::bytes("seed", change.seed()));
            let seed: String = change.seed().iter().map(|byte| format!("{byte:02x}")).collect();
            secret.push(Needle::text(&seed));
            for position in (0..).take_while(|&position| claims.open(position).is_some()) {
                let content = claims.open(position).expect("a leaf").content;
                let mut reader = Reader::new(&content);
                reader.array(3, "leaf").expect("a leaf");
                reader.uint("position").expect("a position");
                let salt: [u8; 16] = reader.array_of("salt").expect("a salt");
                let label = merestone_core::publication::label_at(&form, position).expect("a label");
                let is_open = SHOWN.contains(&label) || label == "context/reserved";
                if is_open { &mut open } else { &mut secret }.push(Needle::bytes("salt", &salt));
            }
        }
    }
    (secret, open)
}

fn definition(world: &World, form: FormHash) -> FormDefinition {
    FormDefinition::decode(&world.read(&format!("evidence/data/forms/{form}.cbor"))).expect("our own form")
}

/// The hashes of the photos in the bag, and a piece of what each says about itself.
fn photos(world: &World) -> Vec<Needle> {
    let files = world.snapshot("evidence/data/photos");
    let piece = |(path, content): &(PathBuf, Vec<u8>)| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let start = content.len().min(40);
        [Needle::text(&name), Needle::bytes("a piece of a photo", &content[start..content.len().min(start + 32)])]
    };
    files.iter().flat_map(piece).collect()
}

/// A photo of a phone, with what its camera wrote, if the fixtures are here.
fn shared_photo() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("MERESTONE_SHARED").map_or(root, PathBuf::from);
    let files = std::fs::read_dir(shared.join("fixtures/photos/phones")).ok()?;
    let mut photos: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    photos.retain(|photo| photo.extension().is_some_and(|ext| ext == "jpg" || ext == "jpeg" || ext == "JPG"));
    photos.sort();
    photos.into_iter().next()
}

/// A picture of one pixel with a text about itself.
fn png_that_says(said: &str) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    chunk(&mut file, b"tEXt", &[b"Serial\0", said.as_bytes()].concat());
    chunk(&mut file, b"IDAT", &[0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01]);
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    file.extend((content.len() as u32).to_be_bytes());
    let named = [&name[..], content].concat();
    let crc = named.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    file.extend(named);
    file.extend((!crc).to_be_bytes());
}
