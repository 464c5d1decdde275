//! What must be true of a device's folder whenever it is opened, whatever ended the process before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use merestone_core::entry::{Photo, RenditionOrReason, SignedEntry, Tip, VerifiedEntry, follows};
use merestone_core::id::{BlobHash, EntryId, LogId};
use merestone_core::key::KeyCache;
use merestone_node::{Answer, Device};
use merestone_store::{PAGE_LINKS_MAX, StoredEntry};

use crate::outpost;
use crate::saving::{Line, TOKEN};

/// How far a save had come by what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// The draft is durable, with these photos.
    Kept(Vec<BlobHash>),
    /// It was about to become an entry.
    Saving(Vec<BlobHash>),
    /// It is this entry.
    Saved(EntryId, Vec<BlobHash>),
}

/// Everything that one observer's process said was durable, over all its lives, and what was found of it.
#[derive(Debug, Default)]
pub struct Examiner {
    said: BTreeMap<String, Said>,
    /// The log as it was found last.
    log: Option<LogId>,
    chain: Vec<EntryId>,
    /// The token of each entry found, and the photos that its body names.
    found: BTreeMap<String, (EntryId, Vec<BlobHash>)>,
    keys: KeyCache,
}

impl Examiner {
    /// Takes note of what was said.
    pub fn heard(&mut self, line: Line) {
        match line {
            Line::Ready => {}
            // A draft that outlived a kill is kept already, perhaps with a photo.
            Line::Kept(token) => {
                self.said.entry(token).or_insert(Said::Kept(Vec::new()));
            }
            Line::Photo(token, hash) => {
                if let Some(Said::Kept(photos)) = self.said.get_mut(&token) {
                    photos.push(hash);
                }
            }
            Line::Saving(token) => {
                let photos = self.photos(&token);
                self.said.insert(token, Said::Saving(photos));
            }
            Line::Saved(token, entry, _) => {
                let photos = self.photos(&token);
                self.said.insert(token, Said::Saved(entry, photos));
            }
        }
    }

    /// Number of entries that were said to be saved.
    pub fn acknowledged(&self) -> usize {
        self.said.values().filter(|said| matches!(said, Said::Saved(..))).count()
    }

    /// Number of entries found.
    pub fn entries(&self) -> usize {
        self.chain.len()
    }

    /// Opens the device and compares. What was found before is only looked for; what is new is verified in full.
    ///
    /// # Panics
    /// If anything that was said is not there, or something is there by half.
    pub fn examine(&mut self, home: &Path) {
        let device = outpost::open(home).unwrap_or_else(|error| panic!("the device opens: {error:?}"));
        let new = self.walk(&device, false);
        for entry in &new {
            self.examine_entry(&device, entry);
        }
        self.examine_drafts(&device);
        self.examine_said();
        assert!(!device.room().expect("the store can be read").low_room, "the ballast is there");
    }

    /// As [`examine`](Self::examine), with everything verified again from the first entry on, every file hashed and the
    /// structure of the database checked.
    ///
    /// # Panics
    /// As [`examine`](Self::examine).
    pub fn examine_all(&mut self, home: &Path) {
        self.examine(home);
        let device = outpost::open(home).expect("the device opens again");
        let before = self.chain.clone();
        let entries = self.walk(&device, true);
        assert_eq!(self.chain, before);
        for entry in &entries {
            self.examine_entry(&device, entry);
        }
        let census = device.store().check().expect("the store can be checked");
        assert_eq!(census.structure, Vec::<String>::new(), "the database is sound");
        assert_eq!(census.aside, [], "nothing is damaged");
        assert_eq!(census.blobs_lost, [], "no photo is damaged");
        assert_eq!(census.entries, entries.len() as u64);
        let named: BTreeSet<BlobHash> = self.found.values().flat_map(|(_, photos)| photos).copied().collect();
        assert_eq!(census.blobs, named.len() as u64, "every file that an entry names is held, and no other");
    }

    /// Follows the log from where it was found last, or from seq 0; gives the entries met.
    fn walk(&mut self, device: &Device, from_start: bool) -> Vec<StoredEntry> {
        let store = device.store();
        let tips = store.tips(None, None).expect("the logs can be listed");
        let [tip] = &tips[..] else {
            assert!(tips.is_empty() && self.log.is_none(), "one installation writes one log: {tips:?}");
            return Vec::new();
        };
        assert_eq!((tip.branches, tip.top), (None, tip.height), "the log has neither fork nor gap");
        assert!(self.log.is_none_or(|log| log == tip.log), "the log is the one from before");
        self.log = Some(tip.log);

        let mut links = Vec::new();
        loop {
            let page = store.links(tip.log, links.len() as u64, PAGE_LINKS_MAX).expect("the log can be read");
            if page.is_empty() {
                break;
            }
            links.extend(page.into_iter().map(|link| link.id));
        }
        assert!(links.starts_with(&self.chain), "what was found before stands where it stood");

        let known = if from_start { 0 } else { self.chain.len() };
        let mut at = self.chain[..known].last().map(|head| Tip { log: tip.log, height: known as u64, head: *head });
        let mut entries = Vec::new();
        while (known + entries.len()) < links.len() {
            let seq = (known + entries.len()) as u64;
            let page = store.log_entries(tip.log, seq, usize::MAX).expect("the log can be read");
            assert!(!page.is_empty(), "the store lists entry {seq} and does not show it");
            for stored in &page {
                let entry = self.verified(device, stored);
                let next = follows(at.as_ref(), &entry);
                at = Some(next.unwrap_or_else(|refused| panic!("the chain breaks at {}: {refused:?}", stored.seq)));
            }
            entries.extend(page);
        }
        assert_eq!(
            (at.map(|at| at.head), links.len() as u64),
            (tip.head, tip.height),
            "the tip is the end of the chain"
        );
        self.chain = links;
        entries
    }

    fn verified(&mut self, device: &Device, stored: &StoredEntry) -> VerifiedEntry {
        let body = stored.body.bytes().expect("an entry is there with its body or not at all");
        let entry = SignedEntry::new(&stored.header, Some(body)).verify(device.mission(), &mut self.keys);
        let entry = entry.unwrap_or_else(|refused| panic!("entry {} does not verify: {refused:?}", stored.id));
        assert_eq!(entry.id(), stored.id);
        entry
    }

    /// The entry is applied, all its photos are there, and it has a token of its own.
    fn examine_entry(&mut self, device: &Device, stored: &StoredEntry) {
        let id = stored.id;
        let entry = self.verified(device, stored);
        let body = entry.body().expect("the body can be read").expect("the body is held");
        let photos: Vec<BlobHash> = body.context.photos.iter().flat_map(files).collect();
        let store = device.store();
        let mut named: Vec<BlobHash> = Vec::new();
        for (claim, _, is_whole) in store.blobs_of(id).expect("the photos of an entry can be listed") {
            assert!(is_whole, "entry {id} is held and its blob {} is not", claim.hash);
            assert!(store.verify_blob(claim.hash).expect("a blob can be read"), "blob {} is damaged", claim.hash);
            named.push(claim.hash);
        }
        let sorted = |hashes: &[BlobHash]| hashes.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(sorted(&named), sorted(&photos), "entry {id} names what its body names");

        let history = device.history(stored.record).expect("the record can be read");
        let step = history.iter().find(|step| step.entry == id).expect("the history has the entry");
        assert!(step.standing.is_applied(), "entry {id} is applied: {:?}", step.standing);
        let token = step.changes.iter().find(|change| change.key == TOKEN).map(|change| &change.after);
        let Some(Answer::Text(token)) = token else { panic!("entry {id} has no token: it is there by half") };
        let before = self.found.insert(token.clone(), (id, photos));
        assert!(before.is_none_or(|(known, _)| known == id), "draft {token} became two entries");
    }

    /// Every draft can be read and its photos are there; no draft is an entry too.
    fn examine_drafts(&self, device: &Device) {
        let drafts = device.drafts(None).expect("the drafts can be read");
        assert_eq!(drafts.len(), device.store().drafts().expect("the drafts can be read").len(), "none is garbled");
        let mut tokens = BTreeSet::new();
        for draft in &drafts {
            let Some(Answer::Text(token)) = draft.answers.get(TOKEN) else { panic!("a draft without its token") };
            tokens.insert(token.as_str());
            assert!(!self.found.contains_key(token), "draft {token} is an entry already");
            let photos: Vec<BlobHash> = draft.photos.iter().flat_map(|photo| files(&photo.photo)).collect();
            for hash in self.photos(token).iter().chain(&photos) {
                assert!(photos.contains(hash), "draft {token} lost photo {hash}");
                let written = device.store().written_blob(*hash).expect("a blob can be read");
                assert!(written.is_some(), "the file of photo {hash} of draft {token} is whole");
            }
        }
        for (token, said) in &self.said {
            let (is_draft, is_entry) = (tokens.contains(token.as_str()), self.found.contains_key(token));
            match said {
                Said::Kept(_) => assert!(is_draft, "draft {token} was kept and is lost"),
                Said::Saving(_) => assert!(is_draft != is_entry, "draft {token} is there, or an entry in its place"),
                Said::Saved(..) => assert!(is_entry && !is_draft, "draft {token} was saved"),
            }
        }
    }

    /// Every acknowledged entry is there, under its id, with the photos that were said to be durable.
    fn examine_said(&self) {
        for (token, said) in &self.said {
            let (wanted, photos) = match said {
                Said::Saved(entry, photos) => (Some(entry), photos),
                Said::Saving(photos) | Said::Kept(photos) => (None, photos),
            };
            let Some((found, held)) = self.found.get(token) else {
                assert_eq!(wanted, None, "entry {wanted:?} was acknowledged and is lost");
                continue;
            };
            assert!(wanted.is_none_or(|wanted| wanted == found), "draft {token} is entry {found}");
            assert!(photos.iter().all(|photo| held.contains(photo)), "entry {found} lost a photo");
        }
    }

    fn photos(&self, token: &str) -> Vec<BlobHash> {
        match self.said.get(token) {
            Some(Said::Kept(photos) | Said::Saving(photos) | Said::Saved(_, photos)) => photos.clone(),
            None => Vec::new(),
        }
    }
}

/// The files of a photo.
fn files(photo: &Photo) -> Vec<BlobHash> {
    let rendition = |rendition: &RenditionOrReason| match rendition {
        RenditionOrReason::Rendition(rendition) => Some(rendition.sha256),
        RenditionOrReason::Missing(_) => None,
    };
    [Some(photo.sha256), rendition(&photo.thumbnail), rendition(&photo.preview)].into_iter().flatten().collect()
}
