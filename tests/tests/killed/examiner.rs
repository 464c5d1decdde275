//! The examiner of the other tests bites: each thing that a kill could take away is missed.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use merestone_core::id::{BlobHash, EntryId};
use merestone_store::DraftId;
use merestone_tests::chance::Chance;
use merestone_tests::examine::Examiner;
use merestone_tests::mission::vault;
use merestone_tests::outpost;
use merestone_tests::saving::{Line, Saver, TOKEN};
use rusqlite::Connection;

use crate::victim::Home;

/// A home with three entries, one with a photo, and a draft; what was said of it.
struct Sample {
    home: Home,
    said: Vec<Line>,
    draft: DraftId,
}

impl Sample {
    fn new() -> Self {
        let home = Home::new();
        let device = outpost::open(home.path()).unwrap();
        device.unlock(&vault(&device), &home.observer).unwrap();
        let mut said = Vec::new();
        let mut say = |line: &Line| {
            said.push(line.clone());
            Ok(())
        };
        let mut saver = Saver::new(&device, home.observer, Chance::new(1), &mut say);
        for has_photo in [true, false, false] {
            saver.save_one(None, has_photo).unwrap();
        }
        let scope = device.charter().charter().scopes[0].id;
        let mut draft = device.begin(&home.observer, scope, outpost::form()).unwrap();
        draft.answers.insert(TOKEN.into(), "draft".into());
        let draft = device.keep(draft).unwrap().id;
        said.push(Line::Kept("draft".into()));
        drop(device);
        Self { home, said, draft }
    }

    fn examine(&self) {
        let mut examiner = Examiner::default();
        self.said.iter().cloned().for_each(|line| examiner.heard(line));
        examiner.examine_all(self.home.path());
    }

    fn photo(&self) -> BlobHash {
        let photo = self.said.iter().find_map(|line| if let Line::Photo(_, hash) = line { Some(*hash) } else { None });
        photo.unwrap()
    }

    fn database(&self, sql: &str) {
        let connection = Connection::open(self.home.path().join("store/store.db")).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

fn blob(home: &Path, hash: BlobHash) -> std::path::PathBuf {
    let name = hash.to_string();
    home.join("store/blobs").join(&name[..2]).join(name)
}

#[test]
fn the_examiner_misses_whatever_is_gone() {
    Sample::new().examine();
    let check = |what: &str, harm: &dyn Fn(&mut Sample)| {
        let mut sample = Sample::new();
        harm(&mut sample);
        assert!(catch_unwind(AssertUnwindSafe(|| sample.examine())).is_err(), "{what}: nobody noticed");
    };
    check("an entry that was never saved", &|sample| {
        let Some(Line::Saved(_, entry, _)) = sample.said.iter_mut().find(|line| line.name() == "saved") else {
            panic!()
        };
        *entry = EntryId::from_bytes([1; 32]);
    });
    check("a draft that is lost", &|sample| {
        let device = outpost::open(sample.home.path()).unwrap();
        device.discard(sample.draft).unwrap();
    });
    check("a draft that is garbled", &|sample| sample.database("UPDATE draft SET bytes = x'00'"));
    check("a photo whose file is gone", &|sample| fs::remove_file(blob(sample.home.path(), sample.photo())).unwrap());
    check("a photo whose file is cut", &|sample| {
        let file = fs::File::options().write(true).open(blob(sample.home.path(), sample.photo())).unwrap();
        file.set_len(1_000).unwrap();
    });
    check("a photo that no row knows", &|sample| sample.database("DELETE FROM blob_name"));
    check("the newest entry", &|sample| {
        sample.database("DELETE FROM entry WHERE position = (SELECT max(position) FROM entry)");
    });
    check("an entry in the middle", &|sample| {
        sample.database(
            "DELETE FROM entry WHERE position IN (SELECT position FROM entry ORDER BY position LIMIT 1 OFFSET 1)",
        );
    });
    check("the body of an entry", &|sample| sample.database("UPDATE entry SET body = NULL, body_state = 0"));
    check("a draft that is an entry too", &|sample| {
        let device = outpost::open(sample.home.path()).unwrap();
        let bytes = device.store().draft(sample.draft).unwrap().unwrap();
        device.unlock(&vault(&device), &sample.home.observer).unwrap();
        device.save(&device.draft(sample.draft).unwrap()).unwrap();
        drop(device);
        let bytes: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        sample.database(&format!("INSERT INTO draft (id, bytes) VALUES (x'{}', x'{bytes}')", sample.draft));
    });
}
