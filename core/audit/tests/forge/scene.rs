//! Missions of many shapes, each from one seed: who signs, what they write, what is attested, cut, erased and logged.

use merestone_core::change::Value;
use merestone_core::entry::{LogHead, VerifiedEntry};
use merestone_core::erasure::Erased;
use merestone_core::id::{BlobHash, EntryId, RecordId};
use merestone_core::roster::{Class, Role};

use crate::chance::Chance;
use crate::ledger::Logbook;
use crate::support::{Bag, Device, Made, Mission, Plan, item, log_path, photo, raw_item};

/// An observer's log and what became of it.
pub(crate) struct Author {
    pub(crate) party: u8,
    pub(crate) device: Device,
    pub(crate) is_forked: bool,
    pub(crate) is_cut: bool,
    /// How many of its entries the camp's receipt attests.
    pub(crate) attested: usize,
}

impl Author {
    /// One chain of a key that is in good standing.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_forked && !self.is_cut
    }

    pub(crate) fn entries(&self) -> &[VerifiedEntry] {
        &self.device.entries
    }

    /// Where the log's file lies.
    pub(crate) fn path(&self) -> String {
        log_path(self.device.log())
    }
}

pub(crate) struct Scene {
    pub(crate) mission: Mission,
    pub(crate) authors: Vec<Author>,
    pub(crate) camp: Device,
    /// Originals with their thumbnails, and the entries that name them.
    pub(crate) photos: Vec<(Vec<u8>, Vec<u8>, EntryId)>,
    pub(crate) records: Vec<Made>,
    /// Records of which only headers are left.
    pub(crate) erased: Vec<RecordId>,
    pub(crate) logbook: Option<Logbook>,
}

/// A record while the scene is played: its newest change, and who wrote in it.
struct Thread {
    newest: Made,
    last_by: usize,
    authors: Vec<usize>,
}

impl Scene {
    pub(crate) fn play(seed: u64) -> Self {
        let mut chance = Chance::named(seed, "scene");
        let parties = chance.between(2, 5) as u8;
        // Every other scene has a ledger, with witnesses of two parties or more.
        let witnessed = if seed.is_multiple_of(2) { chance.between(2, usize::from(parties)) as u8 } else { 0 };
        let mut mission = Mission::found_by(Plan { parties, witnessed, nonce: seed });
        let camp = mission.enrol(parties, 60, "Camp", Role::Camp);
        let mut authors = Vec::new();
        for party in 1..=parties {
            for _ in 0..chance.between(1, if parties < 4 { 2 } else { 1 }) {
                let number = 30 + authors.len() as u8;
                let name = ["Anna", "Борис", "ليلى", "Chloé & <Co>"][chance.below(4)];
                let device = mission.enrol(party, number, name, Role::Observer);
                authors.push(Author { party, device, is_forked: false, is_cut: false, attested: 0 });
            }
        }
        let mut scene =
            Self { mission, authors, camp, photos: Vec::new(), records: Vec::new(), erased: Vec::new(), logbook: None };
        scene.write(&mut chance);
        if chance.percent(60) {
            scene.begin_epoch(&mut chance);
        }
        if chance.percent(35) {
            scene.fork(&mut chance);
        }
        if chance.percent(80) {
            scene.attest(&mut chance);
        }
        if chance.percent(60) {
            scene.cut(&mut chance);
        }
        if chance.percent(50) {
            scene.erase(&mut chance);
        }
        scene.logbook = (witnessed > 0).then(|| Logbook::write(&scene, &mut chance));
        scene
    }

    fn write(&mut self, chance: &mut Chance) {
        let mut threads: Vec<Thread> = Vec::new();
        // Each writes twice before chance decides, so that every log has a middle.
        let first = (0..self.authors.len()).flat_map(|author| [author, author]);
        let turns: Vec<usize> = first.collect();
        let more: Vec<usize> = (0..chance.between(2, 9)).map(|_| chance.below(self.authors.len())).collect();
        for author in turns.into_iter().chain(more) {
            let may = |thread: &&mut Thread| thread.last_by == author || !thread.authors.contains(&author);
            let mut open: Vec<&mut Thread> = threads.iter_mut().filter(may).collect();
            let which = chance.below(open.len() + 1);
            match open.get_mut(which) {
                Some(thread) if chance.percent(70) => {
                    // On what the author saw: also when somebody else wrote since.
                    let answers =
                        [("count_best", Value::Int(chance.below(90) as i64)), ("note", Value::Text("seen again"))];
                    let edit = self.authors[author].device.edit(&self.mission, &thread.newest, &answers);
                    if chance.percent(60) || thread.last_by == author {
                        thread.newest = edit;
                        thread.last_by = author;
                    }
                    thread.authors.push(author);
                }
                Some(thread) => {
                    self.authors[author].device.object(&thread.newest, "It was closed.");
                }
                None => {
                    let newest = self.create(author, chance);
                    self.records.push(newest.clone());
                    threads.push(Thread { newest, last_by: author, authors: vec![author] });
                }
            }
        }
    }

    fn create(&mut self, author: usize, chance: &mut Chance) -> Made {
        let device = &mut self.authors[author].device;
        let answers = [
            ("post_state", Value::Text("open")),
            ("count_best", Value::Int(chance.below(500) as i64)),
            ("note", Value::Text("</td><script>alert(1)</script> مفتوح")),
        ];
        if !chance.percent(30) {
            return device.create(&self.mission, &answers[..chance.between(1, 3)], Vec::new());
        }
        let (bytes, small) = (chance.between(1, 140_000), chance.between(1, 900));
        let (original, thumbnail) = (chance.bytes(bytes), chance.bytes(small));
        let file = BlobHash::of(&original).to_string();
        let row = [answers[0], ("photos/0000000000000001/file", Value::Text(&file))];
        let made = device.create(&self.mission, &row, vec![photo(&original, &thumbnail)]);
        self.photos.push((original, thumbnail, made.id));
        made
    }

    fn begin_epoch(&mut self, chance: &mut Chance) {
        let author = &self.authors[chance.below(self.authors.len())];
        let (party, mut device) = (author.party, author.device.next_epoch());
        for _ in 0..chance.between(1, 3) {
            let made = device.create(&self.mission, &[("count_best", Value::Int(1))], Vec::new());
            self.records.push(made);
        }
        self.authors.push(Author { party, device, is_forked: false, is_cut: false, attested: 0 });
    }

    fn fork(&mut self, chance: &mut Chance) {
        let author = chance.below(self.authors.len());
        let author = &mut self.authors[author];
        if author.device.entries.len() < 2 {
            return;
        }
        let mut twin = author.device.twin();
        twin.entries.pop();
        twin.create(&self.mission, &[("note", Value::Text("twin"))], Vec::new());
        let at = twin.entries.len() - 1;
        author.device.entries.extend(twin.entries.pop());
        author.device.entries[at..].sort_by_key(VerifiedEntry::id);
        author.is_forked = true;
    }

    fn attest(&mut self, chance: &mut Chance) {
        let held: Vec<&mut Author> = self.authors.iter_mut().filter(|author| !author.is_forked).collect();
        let mut devices = Vec::new();
        for author in held {
            if chance.percent(70) {
                author.attested = author.device.entries.len();
                devices.push(&author.device);
            }
        }
        if !devices.is_empty() {
            self.mission.receipt(&self.camp, 1, &devices);
        }
    }

    /// A phone was stolen: what it signed up to some position stays.
    fn cut(&mut self, chance: &mut Chance) {
        let number = chance.below(self.authors.len());
        let key = *self.authors[number].device.key.public().as_bytes();
        let own = |author: &Author| *author.device.key.public().as_bytes() == key;
        if self.authors.iter().any(|author| own(author) && author.is_forked) {
            return;
        }
        let mut kept: Vec<LogHead> = Vec::new();
        for author in self.authors.iter_mut().filter(|author| own(author)) {
            author.is_cut = true;
            let last = author.device.entries.len() - 1;
            kept.push(author.device.head(last - chance.below(last.min(1) + 1)));
        }
        kept.sort_by_key(|head| (head.scope, head.epoch));
        self.mission.cut(self.authors[number].party, &self.authors[number].device, &kept);
    }

    /// A record that nobody built on, or a photo, is erased by two parties.
    fn erase(&mut self, chance: &mut Chance) {
        if let Some((original, thumbnail, _)) = chance.pick(&self.photos).cloned().filter(|_| chance.percent(40)) {
            let record = self.records[0].record;
            for blob in [original, thumbnail] {
                self.mission.erase(record, Erased::Photo(BlobHash::of(&blob)));
            }
            return;
        }
        let plain = self.authors.iter().filter(|author| author.is_plain());
        let headers: Vec<&VerifiedEntry> = plain.flat_map(Author::entries).collect();
        let all: Vec<&VerifiedEntry> = self.authors.iter().flat_map(Author::entries).collect();
        let is_alone = |entry: &&&VerifiedEntry| {
            entry.record().as_entry() == entry.id()
                && all.iter().filter(|other| other.record() == entry.record()).count() == 1
        };
        let alone: Vec<&VerifiedEntry> = headers.iter().filter(is_alone).copied().collect();
        if let Some(entry) = chance.pick(&alone) {
            self.mission.erase(entry.record(), Erased::Heads(vec![entry.id()]));
            self.erased.push(entry.record());
        }
    }

    /// The items of a log as the bag holds them: without the bodies that were erased.
    pub(crate) fn items(&self, author: &Author) -> Vec<Vec<u8>> {
        let item_of = |entry: &VerifiedEntry| match self.erased.contains(&entry.record()) {
            true => raw_item(entry.header_bytes(), None),
            false => item(entry),
        };
        author.entries().iter().map(item_of).collect()
    }

    pub(crate) fn bag(&self) -> Bag {
        let mut bag = Bag::of(&self.mission, &[], &[]);
        for author in &self.authors {
            bag.put(&author.path(), &self.items(author).concat());
        }
        for (original, thumbnail, entry) in &self.photos {
            for blob in [original, thumbnail] {
                let hash = BlobHash::of(blob);
                let record = RecordId::from_bytes(*entry.as_bytes());
                if !self.mission.roster.is_photo_erased(hash) && !self.erased.contains(&record) {
                    bag.put(&format!("data/photos/{hash}"), blob);
                }
            }
        }
        if let Some(logbook) = &self.logbook {
            logbook.put(&mut bag);
        }
        bag
    }

    /// Whether the mission's checkpoints can be final: only there a cut by one party leaves something open.
    pub(crate) fn has_ledger(&self) -> bool {
        self.logbook.is_some()
    }

    /// The plain logs of `least` entries or more.
    pub(crate) fn plain(&self, least: usize) -> Vec<&Author> {
        self.authors.iter().filter(|author| author.is_plain() && author.entries().len() >= least).collect()
    }

    /// The ids of the statements of a class.
    pub(crate) fn statements(&self, class: Class) -> Vec<merestone_core::id::StatementId> {
        self.mission.roster.ids(class)
    }
}
