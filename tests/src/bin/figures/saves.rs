//! Saves against bare SQLite commits of as many bytes, on the same disk, one after the other in the same rounds.

use merestone_core::key::PublicKey;
use merestone_node::capture::Saved;
use merestone_node::device::System;
use merestone_node::{Answer, Device};
use merestone_store::Batch;
use merestone_tests::mission::{self, Mission};

use crate::bare::Bare;
use crate::row::{Row, Target};
use merestone_tests::corpus::{self, Author, BATCH, Crew, batch};
use merestone_tests::timing::{median, percentile, time_ms};

const ROUNDS: usize = 7;

/// Saves of each sort in one round: the 99th percentile is the third worst.
const SAVES: usize = 300;

/// Entries that are there before the first save, a month's work of a post.
const ENTRIES_BEFORE: u64 = 10_000;

/// Records that are edited in turn: those a person has open in a day, which the device has at hand.
const RECORDS_AT_HAND: usize = 16;

/// Records that are edited in turn and that the device must read first: more than it has at hand.
const RECORDS_AWAY: usize = 256;

/// A sort of save.
#[derive(Clone, Copy)]
enum Sort {
    Ready,
    Edit,
    EditAway,
    EditKept,
    Creation,
}

impl Sort {
    const ALL: [Self; 5] = [Self::Ready, Self::Edit, Self::EditAway, Self::EditKept, Self::Creation];

    fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Edit => "edit",
            Self::EditAway => "edit-away",
            Self::EditKept => "edit-kept",
            Self::Creation => "creation",
        }
    }

    /// What is promised of the p50, as a multiple of the commit's.
    fn ratio_max(self) -> Option<f64> {
        match self {
            Self::Ready => Some(1.3),
            Self::Edit => Some(1.6),
            Self::EditAway | Self::EditKept => None,
            Self::Creation => Some(2.6),
        }
    }

    fn note(self) -> &'static str {
        match self {
            Self::Ready => "a composed change of 30 answers: sign, hash, commit",
            Self::Edit => "begin, set one answer, save: of a record at hand; the draft is not kept before",
            Self::EditAway => "the same, of a record that must be read and judged first",
            Self::EditKept => "begin, set one answer, keep the draft, save: two commits",
            Self::Creation => "begin, set 30 answers, save: the draft is not kept before",
        }
    }
}

/// Header and body of one entry.
#[derive(Clone, Default)]
struct Bytes(Vec<u8>, Vec<u8>);

/// A device in use, and who uses it.
struct Phone<'a> {
    mission: &'a Mission,
    device: Device,
    observer: PublicKey,
    author: Author<'a>,
    at_hand: Vec<Saved>,
    away: Vec<Saved>,
    drawn: u64,
}

pub(crate) fn measure() -> Vec<Row> {
    let mission = corpus::found();
    let crew = Crew::certify(&mission);
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut phone = Phone::in_use(&mission, &crew, home.path());
    let bare = Sort::ALL.map(|sort| Bare::create(&home.path().join(format!("{}.db", sort.name()))));
    let before = crew.inspections(ENTRIES_BEFORE).concat();
    for bare in &bare {
        bare.fill(before.iter().map(|entry| (entry.header_bytes(), entry.body_bytes().unwrap_or_default())));
    }
    let mut bytes = Sort::ALL.map(|sort| phone.save(sort, 0).1);
    let mut rounds: [Rounds; Sort::ALL.len()] = Default::default();
    for round in 0..ROUNDS {
        let mut saves: [Vec<f64>; Sort::ALL.len()] = Default::default();
        let mut commits = saves.clone();
        // Turns go on from round to round, so that the records at hand stay at hand.
        for turn in round * SAVES..(round + 1) * SAVES {
            for (at, sort) in Sort::ALL.into_iter().enumerate() {
                let commit = |bytes: &Bytes| time_ms(|| bare[at].commit(&bytes.0, &bytes.1)).0;
                // Who goes first changes, so that neither always finds the disk as the other left it.
                if turn % 2 == 0 {
                    commits[at].push(commit(&bytes[at]));
                }
                let (ms, saved) = phone.save(sort, turn);
                saves[at].push(ms);
                if turn % 2 == 1 {
                    commits[at].push(commit(&saved));
                }
                bytes[at] = saved;
            }
        }
        for (at, rounds) in rounds.iter_mut().enumerate() {
            rounds.add(&saves[at], &commits[at]);
        }
    }
    Sort::ALL.into_iter().zip(&rounds).flat_map(|(sort, rounds)| rounds.rows(sort)).collect()
}

#[derive(Default)]
struct Rounds {
    save_p50: Vec<f64>,
    commit_p50: Vec<f64>,
    ratio: Vec<f64>,
    above_p99: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, saves: &[f64], commits: &[f64]) {
        self.save_p50.push(median(saves));
        self.commit_p50.push(median(commits));
        self.ratio.push(median(saves) / median(commits));
        self.above_p99.push(percentile(saves, 99) - percentile(commits, 99));
    }

    fn rows(&self, sort: Sort) -> [Row; 3] {
        let name = |what: &str| format!("save/{}-{what}", sort.name());
        let ratio = Row::median(&name("p50"), "× commit", &self.ratio).floor(1.0).note(sort.note());
        let above = Row::median(&name("p99"), "ms above commit", &self.above_p99).floor(0.0);
        let absolute = Row::median(&name("ms"), "ms", &self.save_p50)
            .floor(median(&self.commit_p50))
            .note("p50 of the save; the floor is that of the commit");
        match sort.ratio_max() {
            Some(ratio_max) => [ratio.target(Target::AtMost(ratio_max)), above.target(Target::AtMost(1.0)), absolute],
            None => [ratio, above, absolute],
        }
    }
}

impl<'a> Phone<'a> {
    fn in_use(mission: &'a Mission, crew: &'a Crew<'a>, home: &std::path::Path) -> Self {
        let device = mission.create_device(&home.join("device"), System::real(120).expect("a system with a clock"));
        crew.introduce(&device);
        let observer = mission.enrol(&device, 0, "Olena");
        for log in crew.inspections(ENTRIES_BEFORE) {
            for page in log.chunks(BATCH) {
                device.store().commit(batch(page)).expect("room on the disk");
            }
        }
        let author = crew.spare_author();
        let mut phone =
            Self { mission, device, observer, author, at_hand: vec![], away: vec![], drawn: ENTRIES_BEFORE };
        phone.away = (0..RECORDS_AWAY).map(|_| phone.create().0).collect();
        phone.at_hand = (0..RECORDS_AT_HAND).map(|_| phone.create().0).collect();
        phone
    }

    /// Milliseconds that a save takes, and what was saved.
    fn save(&mut self, sort: Sort, turn: usize) -> (f64, Bytes) {
        match sort {
            Sort::Ready => self.ready(),
            Sort::Edit => self.edit(self.at_hand[turn % RECORDS_AT_HAND], false),
            Sort::EditAway => self.edit(self.away[turn % RECORDS_AWAY], false),
            Sort::EditKept => self.edit(self.at_hand[turn % RECORDS_AT_HAND], true),
            Sort::Creation => {
                let (saved, ms) = self.create();
                (ms, self.bytes_of(saved))
            }
        }
    }

    fn ready(&mut self) -> (f64, Bytes) {
        let number = self.next();
        let draft = self.author.draft(number);
        let (ms, entry) = time_ms(|| {
            let entry = self.author.sign(draft);
            let mut batch = Batch::new();
            batch.entry(entry.clone());
            self.device.store().commit(batch).expect("room on the disk");
            entry
        });
        (ms, Bytes(entry.header_bytes().to_vec(), entry.body_bytes().unwrap_or_default().to_vec()))
    }

    fn edit(&mut self, record: Saved, is_kept: bool) -> (f64, Bytes) {
        let count = self.next().cast_signed();
        let (ms, saved) = time_ms(|| {
            let mut draft = self.device.begin_edit(&self.observer, record.record).expect("a record of this device");
            draft.answers.insert("q05".into(), Answer::Int(count));
            if is_kept {
                draft = self.device.keep(draft).expect("a small draft");
            }
            self.device.save(&draft).expect("an answer that differs")
        });
        (ms, self.bytes_of(saved))
    }

    fn create(&mut self) -> (Saved, f64) {
        let answers = corpus::answers(self.next());
        let form = mission::form_hash(&corpus::document());
        let (ms, saved) = time_ms(|| {
            let draft = self.device.begin(&self.observer, self.mission.scope(), form);
            let mut draft = draft.expect("a system with random bytes");
            draft.answers.extend(answers);
            self.device.save(&draft).expect("an inspection")
        });
        (saved, ms)
    }

    fn bytes_of(&self, saved: Saved) -> Bytes {
        let stored = self.device.store().entry(saved.entry).expect("a store that reads").expect("saved just now");
        let body = stored.body.bytes().unwrap_or_default().to_vec();
        Bytes(stored.header, body)
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }
}
