//! Six forged copies of one bag, by a forger who recomputes every manifest, and what an audit must say of each.

mod copy;
mod stranger;

use std::path::{Path, PathBuf};

use merestone_core::audit::bag::photo_path;
use merestone_core::audit::{BagCode, Code, Place, Verdict};
use merestone_core::check::Check;
use merestone_core::entry::{SignedEntry, VerifiedEntry};
use merestone_core::id::EntryId;
use merestone_core::key::PublicKey;
use merestone_node::clock::{ClockReading, Entropy};

use self::copy::{Copy, Item, Log, item, logs, photos};
use super::mission::{Mission, own_fault};
use crate::exit::Failure;

/// A forged copy, and what has to be found in it.
pub(super) struct Forgery {
    /// Its folder's name.
    pub(super) name: &'static str,
    /// What the forger did, for the story.
    pub(super) what: String,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What the audit must find.
    pub(super) code: Code,
    /// At which entry.
    pub(super) entry: EntryId,
    pub(super) log: merestone_core::id::LogId,
    pub(super) seq: u64,
    /// Whether the bag must still not be failed: the forger only added what a cut covers.
    pub(super) is_set_aside: bool,
}

impl Forgery {
    /// Whether a finding is the one that must be there.
    pub(super) fn is_named_by(&self, code: Code, place: &Place) -> bool {
        code == self.code && place.entry == Some(self.entry)
    }

    /// Whether a verdict is one that this forgery may end with.
    pub(super) fn allows(&self, verdict: Verdict) -> bool {
        (verdict == Verdict::Failed) != self.is_set_aside
    }
}

/// What a forger has to work with.
pub(super) struct Workshop<'a> {
    /// The honest bag.
    pub(super) bag: &'a Path,
    /// Where the copies go.
    pub(super) out: &'a Path,
    pub(super) mission: &'a Mission,
    /// The lost device's key, which was cut.
    pub(super) cut: PublicKey,
    /// Header and body of an entry that the lost device signed after the cut.
    pub(super) after_cut: (Vec<u8>, Vec<u8>),
    pub(super) clock: ClockReading,
    pub(super) entropy: &'a dyn Entropy,
}

/// How many entries the forger takes off the end of a log.
const TAIL: usize = 3;
/// A log must be so long that a forger finds a middle in it.
const LOG_ITEMS_MIN: usize = 3;

impl Workshop<'_> {
    /// Makes all six.
    ///
    /// # Errors
    /// If a copy cannot be written.
    pub(super) fn forge(&self) -> Result<[Forgery; 6], Failure> {
        let logs = logs(self.bag, self.mission.charter.mission())?;
        let honest: Vec<&Log> =
            logs.iter().filter(|log| log.entries.iter().all(|entry| *entry.key() != self.cut)).collect();
        let [first, second, third, ..] = honest[..] else { return Err(own_fault("too few logs to forge")) };
        if second.items.len() <= TAIL || third.items.len() < LOG_ITEMS_MIN {
            return Err(own_fault("logs too short to forge"));
        }
        Ok([
            self.flip_byte(first)?,
            self.remove_tail(second)?,
            self.remove_middle(third)?,
            self.swap_photo(&logs)?,
            self.add_after_cut(&logs)?,
            self.add_stranger()?,
        ])
    }

    fn flip_byte(&self, log: &Log) -> Result<Forgery, Failure> {
        let at = log.items.len() / 2;
        let mut items = log.items.clone();
        let body = items[at].body.as_mut().ok_or_else(|| own_fault("a body of the bag"))?;
        let middle = body.len() / 2;
        body[middle] ^= 1;
        let what = "one bit of an observer's words turned".to_owned();
        self.rewrite("flipped-byte", what, Check::BodyHash.into(), log, &log.entries[at], &items)
    }

    fn remove_tail(&self, log: &Log) -> Result<Forgery, Failure> {
        let items = &log.items[..log.items.len() - TAIL];
        let last = &log.entries[log.entries.len() - 1];
        let what = format!("the last {TAIL} entries of a log taken away");
        self.rewrite("tail-removed", what, BagCode::ReceiptMissingTail.into(), log, last, items)
    }

    fn remove_middle(&self, log: &Log) -> Result<Forgery, Failure> {
        let at = log.items.len() / 2;
        let mut items = log.items.clone();
        items.remove(at);
        let what = "an entry taken out of the middle of a log".to_owned();
        self.rewrite("middle-removed", what, Check::LogGap.into(), log, &log.entries[at], &items)
    }

    fn swap_photo(&self, logs: &[Log]) -> Result<Forgery, Failure> {
        let photos = photos(logs);
        let [(hash, entry), .., (other, _)] = photos[..] else { return Err(own_fault("too few photos to swap")) };
        let (name, path) = self.folder("photo-swapped");
        let mut copy = Copy::of(self.bag, &path)?;
        let foreign = copy.read(&photo_path(other))?;
        copy.put(&photo_path(hash), &foreign)?;
        copy.seal()?;
        Ok(forgery(
            name,
            "another picture in the place of a photo".to_owned(),
            path,
            BagCode::PhotoMismatch.into(),
            entry,
        ))
    }

    fn add_after_cut(&self, logs: &[Log]) -> Result<Forgery, Failure> {
        let (header, body) = &self.after_cut;
        let (added, entry) = item(&SignedEntry::new(header, Some(body)), self.mission.charter.mission())?;
        let log =
            logs.iter().find(|log| log.id == entry.log()).ok_or_else(|| own_fault("the log of the lost device"))?;
        let items: Vec<Item> = log.items.iter().cloned().chain([added]).collect();
        let what = "an entry added with the lost phone's key, after the cut".to_owned();
        let code = BagCode::SetAsideByCut.into();
        Ok(Forgery { is_set_aside: true, ..self.rewrite("entry-after-cut", what, code, log, &entry, &items)? })
    }

    fn add_stranger(&self) -> Result<Forgery, Failure> {
        let entry = stranger::entry(self.mission, self.clock, self.entropy)?;
        let (name, path) = self.folder("stranger");
        let item = Item { header: entry.header_bytes().to_vec(), body: entry.body_bytes().map(<[u8]>::to_vec) };
        let mut copy = Copy::of(self.bag, &path)?;
        copy.put_log(entry.log(), &[item])?;
        copy.seal()?;
        let what = "a well-signed entry of somebody no party certified".to_owned();
        Ok(forgery(name, what, path, Check::KeyNotInRoster.into(), &entry))
    }

    fn rewrite(
        &self,
        name: &'static str,
        what: String,
        code: Code,
        log: &Log,
        entry: &VerifiedEntry,
        items: &[Item],
    ) -> Result<Forgery, Failure> {
        let (name, path) = self.folder(name);
        let mut copy = Copy::of(self.bag, &path)?;
        copy.put_log(log.id, items)?;
        copy.seal()?;
        Ok(forgery(name, what, path, code, entry))
    }

    fn folder(&self, name: &'static str) -> (&'static str, PathBuf) {
        (name, self.out.join(name))
    }
}

fn forgery(name: &'static str, what: String, path: PathBuf, code: Code, entry: &VerifiedEntry) -> Forgery {
    let (log, seq) = (entry.log(), entry.header().seq);
    Forgery { name, what, path, code, entry: entry.id(), log, seq, is_set_aside: false }
}
