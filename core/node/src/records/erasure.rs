//! What follows from statements that arrived: a cut changes what is applied, an erasure takes content away.

use std::collections::BTreeSet;

use merestone_core::entry::Photo;
use merestone_core::erasure::{Erased, Erasure};
use merestone_core::id::{BlobHash, EntryId, RecordId, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::record::HeldEntry;
use merestone_core::roster::Class;
use merestone_store::{Batch, StoredBody, StoredEntry};

use crate::capture::photo_files;
use crate::device::{AccessError, Device};

impl Device {
    /// Draws the consequences of new statements of a class.
    pub(crate) fn follow_statements(&self, class: Class, new: &[StatementId]) -> Result<(), AccessError> {
        match class {
            Class::Charter | Class::Form | Class::Note | Class::Cosignature | Class::Succession | Class::Receipt => {
                Ok(())
            }
            Class::Certificate | Class::Cut | Class::Acknowledgement | Class::Inclusion => {
                self.shelf.clear();
                // Standings in lists may be others now. They are worked out again when a list is shown.
                let mut batch = Batch::new();
                batch.touch_keys(self.keys_of(class, new)).refetchable();
                self.store.commit(batch)?;
                Ok(())
            }
            // Anything may hold now that did not, and the other way round.
            Class::Amendment => {
                self.shelf.clear();
                let mut batch = Batch::new();
                batch.touch_all().refetchable();
                self.store.commit(batch)?;
                self.apply_erasures(|_| true)
            }
            Class::Erasure => {
                self.shelf.clear();
                self.apply_erasures(|erasure| new.contains(&erasure.id()))
            }
        }
    }

    /// Applies every erasure held; each changes nothing the second time.
    pub(crate) fn erase_everything_erased(&self) -> Result<(), AccessError> {
        self.apply_erasures(|_| true)
    }

    fn apply_erasures(&self, is_meant: impl Fn(&Erasure) -> bool) -> Result<(), AccessError> {
        let erased: Vec<(RecordId, Erased)> = {
            let roster = self.authority.roster();
            let meant = roster.erasures().filter(|erasure| is_meant(erasure));
            meant.map(|erasure| (erasure.record(), erasure.erased().clone())).collect()
        };
        for (record, erased) in erased {
            match erased {
                Erased::Heads(_) => self.erase_bodies(record)?,
                Erased::Photo(original) => self.erase_photo(record, original)?,
            }
        }
        Ok(())
    }

    /// The keys that new certificates, cuts, acknowledgements or inclusions are about.
    fn keys_of(&self, class: Class, new: &[StatementId]) -> BTreeSet<[u8; 32]> {
        let roster = self.authority.roster();
        match class {
            Class::Certificate => {
                new.iter().filter_map(|id| Some(*roster.certificate(*id)?.key().as_bytes())).collect()
            }
            Class::Cut => roster.cuts().filter(|cut| new.contains(&cut.id())).map(|cut| *cut.key()).collect(),
            Class::Acknowledgement => {
                let cuts = new.iter().filter_map(|id| roster.cut(roster.acknowledgement(*id)?.cut()));
                cuts.map(|cut| *cut.key()).collect()
            }
            Class::Inclusion => {
                let new = roster.inclusions().filter(|inclusion| new.contains(&inclusion.id()));
                new.filter_map(|inclusion| Some(*inclusion.about(&roster)?)).collect()
            }
            Class::Charter
            | Class::Amendment
            | Class::Erasure
            | Class::Receipt
            | Class::Note
            | Class::Cosignature
            | Class::Succession
            | Class::Form => BTreeSet::new(),
        }
    }

    /// Applies the erasures of a record to entries that arrived after them.
    pub(crate) fn erase_arrived(&self, records: &BTreeSet<RecordId>) -> Result<(), AccessError> {
        self.apply_erasures(|erasure| records.contains(&erasure.record()))
    }

    /// Drops the bodies that the erasures of a record name, and the photos that nothing else names.
    fn erase_bodies(&self, record: RecordId) -> Result<(), AccessError> {
        let held = self.held(record)?;
        let erased = self.judged(record, &held, |judged, _| judged.erased().collect::<BTreeSet<_>>());
        // A body that is still missing is erased too: it is refused when it comes.
        let stored = self.store.record_entries(record)?;
        let is_open = |stored: &&StoredEntry| stored.body != StoredBody::Erased;
        let open: BTreeSet<EntryId> = stored.iter().filter(is_open).map(|stored| stored.id).collect();
        // What a lower sibling displaced is of the record too, though nobody judges it.
        let displaced = self.store.bodies_aside(record)?;
        if erased.is_disjoint(&open) && displaced.is_empty() {
            return Ok(());
        }
        let erased: BTreeSet<EntryId> = erased.into_iter().chain(displaced).collect();
        let mut batch = Batch::new();
        let mut photos = BTreeSet::new();
        for entry in &erased {
            batch.erase_body(*entry);
            for (claim, _, _) in self.store.blobs_of(*entry)? {
                photos.insert(claim.hash);
            }
        }
        for photo in photos {
            let names = self.store.entries_naming(photo)?.into_iter().filter(|entry| !erased.contains(entry));
            if !self.is_named_by_any(names, photo, |_| true)? {
                batch.erase_blob(photo);
            }
        }
        batch.touch(record);
        self.store.commit(batch)?;
        self.store.remove_erased()?;
        Ok(())
    }

    /// Whether one of `entries` names `file` as part of a photo that counts. An entry without its body names nothing.
    fn is_named_by_any(
        &self,
        entries: impl IntoIterator<Item = EntryId>,
        file: BlobHash,
        counts: impl Fn(&Photo) -> bool,
    ) -> Result<bool, AccessError> {
        let mut keys = KeyCache::with_capacity(16);
        for id in entries {
            let Some(stored) = self.store.entry(id)? else { continue };
            if stored.body == StoredBody::Missing {
                // It was held once, for its files are known: it comes again, with what it names.
                return Ok(true);
            }
            let body = self.verified(&stored, &mut keys).and_then(|entry| entry.body().ok().flatten());
            let photos = body.map(|body| body.context.photos).unwrap_or_default();
            if photos.iter().any(|photo| counts(photo) && photo_files(photo).any(|other| other == file)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Drops a photo's original and its renditions; the entries stay.
    ///
    /// The parties named the original. That a file is a rendition of it is what one author says, who may say it of
    /// somebody else's photo: a file that is named for another photo too stays.
    fn erase_photo(&self, record: RecordId, original: BlobHash) -> Result<(), AccessError> {
        let mut batch = Batch::new();
        batch.erase_blob(original);
        for held in self.held(record)? {
            for file in files_of(&held, original).filter(|file| *file != original) {
                let names = self.store.entries_naming(file)?;
                if !self.is_named_by_any(names, file, |photo| photo.sha256 != original)? {
                    batch.erase_blob(file);
                }
            }
        }
        batch.touch(record);
        self.store.commit(batch)?;
        self.store.remove_erased()?;
        Ok(())
    }
}

fn files_of(held: &HeldEntry, original: BlobHash) -> impl Iterator<Item = BlobHash> {
    let photos = held.body().map_or(&[][..], |body| &body.context.photos);
    photos.iter().filter(move |photo| photo.sha256 == original).flat_map(photo_files)
}
