//! Names, links, folders, sizes and manifests: what a folder can be beside a bag.

use merestone_audit::Place;

use super::row;
use crate::kind::{BOTH, Expected, Forger::Outsider, Kind, doubt, failure, note, nothing};
use crate::support::{Bag, Disk};

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = names();
    kinds.extend(places());
    kinds.extend(manifests());
    kinds.extend(tags());
    kinds
}

/// A hash for a line of the manifest.
const HASH: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

fn names() -> Vec<Kind> {
    vec![
        row("log-under-another-case", Outsider, BOTH, |bag, scene, chance| {
            // On a disk that tells cases apart, the twin is a foreign file; the log is read once.
            let author = *chance.pick(&scene.plain(1))?;
            let path = author.path().replace("data/logs", "data/Logs");
            let bytes = bag.files.get(&author.path())?.clone();
            bag.put(&path, &bytes);
            Some(note("bag-foreign-file", Place::file(&path)))
        }),
        row("folder-under-another-case", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Put("Data/charter.cbor".into(), b"another".to_vec()));
            Some(note("bag-foreign-file", Place::file("Data/charter.cbor")))
        }),
        row("hash-in-capitals", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let log = author.device.log().to_string().to_uppercase();
            let path = format!("data/logs/{log}.cborseq");
            bag.put(&path, &chance.bytes(90));
            Some(note("bag-foreign-file", Place::file(&path)))
        }),
        row("names-that-normalize-alike", Outsider, BOTH, |bag, _, _| {
            bag.put("data/caf\u{e9}", b"one");
            bag.put("data/cafe\u{301}", b"two");
            Some(note("bag-foreign-file", Place::file("data/cafe\u{301}")))
        }),
        row("digits-that-look-alike", Outsider, BOTH, |bag, scene, chance| {
            // Full-width digits in the place of those of a log's name.
            let author = *chance.pick(&scene.plain(1))?;
            let path = author.path().replacen('0', "\u{ff10}", 1);
            (path != author.path()).then_some(())?;
            bag.put(&path, b"another");
            Some(note("bag-foreign-file", Place::file(&path)))
        }),
        row("name-that-turns-the-line-around", Outsider, BOTH, |bag, _, _| {
            bag.put("data/\u{202e}roborc.atad", b"x");
            Some(note("bag-foreign-file", Place::file("data/\\u{202e}roborc.atad")))
        }),
        row("name-with-an-escape", Outsider, BOTH, |bag, _, _| {
            bag.put("data/\u{1b}[2J\u{7}bell", b"x");
            Some(note("bag-foreign-file", Place::file("data/\\u{1b}[2J\\u{7}bell")))
        }),
        row("name-with-markup", Outsider, BOTH, |bag, _, _| {
            bag.put("data/<img src=x onerror=\"alert(1)\">", b"x");
            Some(note("bag-foreign-file", Place::file("data/<img src=x onerror=\"alert(1)\">")))
        }),
        row("name-of-the-longest-length", Outsider, BOTH, |bag, _, _| {
            let path = format!("data/{}", "n".repeat(255));
            bag.put(&path, b"x");
            Some(note("bag-foreign-file", Place::file(&path)))
        }),
        row("id-with-a-digit-too-many", Outsider, BOTH, |bag, _, _| {
            let path = format!("data/photos/{HASH}0");
            bag.put(&path, b"x");
            Some(note("bag-foreign-file", Place::file(&path)))
        }),
    ]
}

fn places() -> Vec<Kind> {
    vec![
        row("log-behind-a-link", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let bytes = bag.files.get(&author.path())?.clone();
            bag.put("elsewhere", &bytes);
            bag.disk.push(Disk::Link(author.path(), "../../elsewhere".into()));
            let at = Place::file(&author.path());
            Some(failure("bag-unreadable", at).also(&[
                "bag-manifest",
                "receipt-missing-tail",
                "log-left-out",
                "entry-left-out",
            ]))
        }),
        row("link-out-of-the-bag", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Link(format!("data/photos/{HASH}"), "/etc/passwd".into()));
            Some(failure("bag-unreadable", Place::file(&format!("data/photos/{HASH}"))))
        }),
        row("folder-that-links-to-its-parent", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Link("data/logs/up".into(), "..".into()));
            Some(note("bag-foreign-file", Place::file("data/logs/up")))
        }),
        row("folder-in-the-place-of-a-log", Outsider, BOTH, |bag, _, _| {
            let path = format!("data/logs/{HASH}.cborseq");
            bag.disk.push(Disk::Folder(path.clone()));
            Some(failure("bag-unreadable", Place::file(&path)))
        }),
        row("folder-in-the-place-of-a-statement", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let path = format!("data/statements/certificate/{}.cbor", author.device.certificate.id());
            bag.disk.push(Disk::Folder(path.clone()));
            let also = ["bag-manifest", "key-not-in-roster", "statement-left-out", "cut-signer"];
            Some(failure("bag-unreadable", Place::file(&path)).also(&also))
        }),
        row("pipe-in-the-place-of-a-log", Outsider, BOTH, |bag, _, _| {
            let path = format!("data/logs/{HASH}.cborseq");
            bag.disk.push(Disk::Pipe(path.clone()));
            Some(failure("bag-unreadable", Place::file(&path)))
        }),
        row("pipe-in-the-place-of-the-charter", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Pipe("data/charter.cbor".into()));
            Some(failure("bag-unreadable", Place::file("data/charter.cbor")).also(&["bag-manifest"]))
        }),
        row("folders-nested-too-deep", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Folder("d/".repeat(40)));
            Some(note("bag-foreign-file", Place::default()))
        }),
        row("charter-larger-than-any", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Grow("data/charter.cbor".into(), 1 << 42));
            Some(failure("bag-unreadable", Place::file("data/charter.cbor")).also(&["bag-manifest"]))
        }),
        row("statement-larger-than-any", Outsider, BOTH, |bag, _, _| {
            let path = format!("data/statements/certificate/{HASH}.cbor");
            bag.disk.push(Disk::Grow(path.clone(), 1 << 42));
            Some(failure("bag-unreadable", Place::file(&path)).also(&["bag-manifest"]))
        }),
        row("log-with-a-tail-of-zeros", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            bag.disk.push(Disk::Grow(author.path(), 1 << 41));
            let at = Place { log: Some(author.device.log()), ..Place::default() };
            Some(failure("shape", at).also(&["bag-manifest", "bag-unreadable"]))
        }),
        row("ten-thousand-foreign-files", Outsider, &[merestone_audit::Pass::Fast], |bag, _, chance| {
            // Ten thousand in one seed of some, since making them costs more than judging them.
            let count = if chance.percent(20) { 10_000 } else { 200 };
            bag.disk.push(Disk::Many("data/many".into(), count));
            Some(failure("bag-manifest", Place::file("data/many/00000")))
        }),
    ]
}

fn manifests() -> Vec<Kind> {
    vec![
        row("manifest-names-a-file-outside", Outsider, BOTH, |bag, _, _| {
            listed(bag, "../../etc/passwd", "../../etc/passwd")
        }),
        row("manifest-names-an-absolute-path", Outsider, BOTH, |bag, _, _| listed(bag, "/etc/passwd", "/etc/passwd")),
        row("manifest-names-through-a-log", Outsider, BOTH, |bag, _, _| {
            listed(bag, "data/logs/../charter.cbor", "data/logs/../charter.cbor")
        }),
        row("manifest-names-with-a-line-feed", Outsider, BOTH, |bag, _, _| listed(bag, "data/a%0Ab", "data/a\\u{a}b")),
        row("manifest-names-a-path-twice", Outsider, BOTH, |bag, _, _| {
            bag.lines = format!("{HASH}  data/charter.cbor\n");
            Some(failure("bag-manifest", Place::file("manifest-sha256.txt")))
        }),
        row("manifest-line-that-says-nothing", Outsider, BOTH, |bag, _, _| {
            bag.lines = "data/charter.cbor is fine\n".into();
            Some(failure("bag-manifest", Place::file("manifest-sha256.txt")))
        }),
        row("file-in-no-manifest", Outsider, BOTH, |bag, _, _| {
            let path = "data/late".to_owned();
            bag.disk.push(Disk::Put(path.clone(), b"late".to_vec()));
            Some(failure("bag-manifest", Place::file(&path)))
        }),
        row("file-against-the-manifest", Outsider, BOTH, |bag, scene, _| {
            // Another valid statement in a file that is listed with other bytes.
            let path = format!("data/statements/certificate/{}.cbor", scene.camp.certificate.id());
            let mut bytes = scene.camp.certificate.as_bytes().to_vec();
            bytes.push(0);
            bag.disk.push(Disk::Put(path.clone(), bytes));
            let also = ["cbor-trailing", "bag-misnamed", "statement-left-out", "receipt-signer"];
            Some(failure("bag-manifest", Place::file(&path)).also(&also))
        }),
        row("manifest-left-out", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Remove("manifest-sha256.txt".into()));
            Some(failure("bag-unreadable", Place::file("manifest-sha256.txt")).also(&["bag-manifest"]))
        }),
        row("tag-manifest-left-out", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Remove("tagmanifest-sha256.txt".into()));
            Some(failure("bag-unreadable", Place::file("tagmanifest-sha256.txt")))
        }),
        row("manifest-that-is-no-text", Outsider, BOTH, |bag, _, chance| {
            bag.disk.push(Disk::Put("manifest-sha256.txt".into(), [chance.bytes(200), vec![0xff]].concat()));
            Some(failure("bag-unreadable", Place::file("manifest-sha256.txt")).also(&["bag-manifest"]))
        }),
    ]
}

fn tags() -> Vec<Kind> {
    vec![
        row("bag-info-of-another-mission", Outsider, BOTH, |bag, scene, _| {
            replaced(bag, &scene.mission.id().to_string(), HASH).map(|wanted: Expected| wanted.also(&["bag-manifest"]))
        }),
        row("bag-of-a-later-version", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Replace("bag-info.txt".into(), "Version: 2".into(), "Version: 99".into()));
            Some(doubt("bag-version", Place::file("bag-info.txt")))
        }),
        row("bag-info-without-a-version", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Replace("bag-info.txt".into(), "Merestone-Bag-Version".into(), "Other-Version".into()));
            Some(failure("bag-unreadable", Place::file("bag-info.txt")).also(&["bag-manifest"]))
        }),
        row("payload-counted-wrong", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Replace("bag-info.txt".into(), "Payload-Oxum: ".into(), "Payload-Oxum: 1".into()));
            Some(failure("bag-manifest", Place::file("bag-info.txt")))
        }),
        row("bag-info-left-out", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Remove("bag-info.txt".into()));
            Some(failure("bag-unreadable", Place::file("bag-info.txt")).also(&["bag-manifest"]))
        }),
        row("bagit-of-another-version", Outsider, BOTH, |bag, _, _| {
            bag.disk.push(Disk::Replace("bagit.txt".into(), "1.0".into(), "0.97".into()));
            Some(failure("bag-unreadable", Place::file("bagit.txt")).also(&["bag-manifest"]))
        }),
        row("bag-info-with-lines-of-others", Outsider, BOTH, |bag, _, _| {
            bag.info = "Contact-Name: <script>alert(1)</script>\nBagging-Date: 1970-01-01\n".into();
            Some(nothing())
        }),
    ]
}

/// One more line of the payload manifest, for a path that no file of the bag has.
fn listed(bag: &mut Bag, path: &str, shown: &str) -> Option<Expected> {
    bag.lines = format!("{HASH}  {path}\n");
    Some(failure("bag-manifest", Place::file(shown)).saying("listed, and not there"))
}

fn replaced(bag: &mut Bag, from: &str, to: &str) -> Option<Expected> {
    bag.disk.push(Disk::Replace("bag-info.txt".into(), from.into(), to.into()));
    Some(failure("mission-mismatch", Place::file("bag-info.txt")))
}
