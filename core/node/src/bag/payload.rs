//! The evidence itself: charter, statements, forms, logs, photos.

use std::io::Read as _;

use merestone_core::audit::bag::statement_path;
use merestone_core::cbor::Writer;
use merestone_core::id::{BlobHash, MissionId, ScopeId};
use merestone_core::merkle::CHUNK_BYTES;
use merestone_core::roster::{Class, Roster};
use merestone_store::{BlobClass, BlobError, DisplacedWhole, LogTip, PAGE_ENTRIES_MAX, Store};

use super::displaced::{Displaced, Row};
use super::error::BagError;
use super::folder::{Building, Writing};
use super::manifest::Manifest;
use super::{LeftOut, WrittenBag};
use crate::authority::Authority;

pub(super) fn write(
    store: &Store,
    authority: &Authority,
    scopes: Option<&[ScopeId]>,
    building: &mut Building,
    manifest: &mut Manifest,
    written: &mut WrittenBag,
) -> Result<(), BagError> {
    let all: Vec<ScopeId>;
    let chosen = match scopes {
        Some(scopes) => scopes,
        None => {
            all = authority.roster().charter().charter().scopes.iter().map(|scope| scope.id).collect();
            &all
        }
    };
    let roster = authority.roster().clone();
    let displaced = Displaced::read(store, roster.mission())?;
    let mut parts = Parts { store, mission: roster.mission(), building, manifest, written };
    parts.statements(&roster, scopes)?;
    // Before the logs: no leaf may speak of an entry that came after they were read.
    parts.ledger(&roster, scopes, &displaced)?;
    parts.logs(scopes, &displaced)?;
    parts.photos(chosen)
}

/// A bag while its evidence is written.
pub(super) struct Parts<'a> {
    pub(super) store: &'a Store,
    mission: MissionId,
    building: &'a mut Building,
    manifest: &'a mut Manifest,
    pub(super) written: &'a mut WrittenBag,
}

impl Parts<'_> {
    fn statements(&mut self, roster: &Roster, scopes: Option<&[ScopeId]>) -> Result<(), BagError> {
        self.put("data/charter.cbor".to_owned(), roster.charter().as_bytes())?;
        for class in Class::ALL {
            for id in roster.ids(class) {
                // The charter, forms and notes have places of their own.
                let Some(path) = statement_path(class, id) else { continue };
                let Some(bytes) = roster.bytes(class, id) else { continue };
                if class == Class::Receipt && self.speaks_of_others(roster, id, scopes)? {
                    self.written.left_out.push(LeftOut::Receipt(id));
                    continue;
                }
                self.put(path, bytes)?;
            }
        }
        // What rests on one of two rival amendments is evidence, though it counts for nothing.
        for (class, id, bytes, _) in roster.waiting().filter(|_| roster.frozen().is_some()) {
            if let Some(path) = statement_path(class, id) {
                self.put(path, bytes)?;
            }
        }
        for id in roster.ids(Class::Form) {
            if let Some(bytes) = roster.bytes(Class::Form, id) {
                self.put(format!("data/forms/{id}.cbor"), bytes)?;
            }
        }
        Ok(())
    }

    /// Whether a receipt names logs that are not in the scopes asked for, as far as they are known here.
    fn speaks_of_others(
        &self,
        roster: &Roster,
        id: merestone_core::id::StatementId,
        scopes: Option<&[ScopeId]>,
    ) -> Result<bool, BagError> {
        let Some(scopes) = scopes else { return Ok(false) };
        let Some(receipt) = roster.receipts().find(|receipt| receipt.id() == id) else { return Ok(false) };
        for held in receipt.logs() {
            let tip = self.store.tip(held.log)?;
            if tip.is_none_or(|tip| !scopes.contains(&tip.scope)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn logs(&mut self, scopes: Option<&[ScopeId]>, displaced: &Displaced) -> Result<(), BagError> {
        if displaced.beyond > 0 {
            self.written.left_out.push(LeftOut::Siblings(displaced.beyond));
        }
        let store = self.store;
        for tip in store.each_tip(None) {
            let tip = tip?;
            if scopes.is_none_or(|scopes| scopes.contains(&tip.scope)) {
                self.log(&tip, displaced)?;
            }
        }
        Ok(())
    }

    /// All entries of a log that are held: siblings, also those set aside, and those after a gap, are evidence too.
    fn log(&mut self, tip: &LogTip, displaced: &Displaced) -> Result<(), BagError> {
        let mut page = self.store.log_entries(tip.log, 0, PAGE_ENTRIES_MAX)?;
        if page.is_empty() {
            return Ok(());
        }
        let path = format!("data/logs/{}.cborseq", tip.log);
        let mut file = self.building.file(&path)?;
        let mut siblings = displaced.of_log(tip.log).iter().peekable();
        while let Some(last) = page.last() {
            let next = last.seq + 1;
            for entry in &page {
                while let Some(before) = siblings.next_if(|sibling| (sibling.seq, sibling.id) < (entry.seq, entry.id)) {
                    self.sibling(before, &mut file)?;
                }
                self.item(&entry.header, entry.body.bytes(), &mut file)?;
            }
            page = self.store.log_entries(tip.log, next, PAGE_ENTRIES_MAX)?;
        }
        for sibling in siblings {
            self.sibling(sibling, &mut file)?;
        }
        self.manifest.add(path, file.finish()?);
        self.written.logs += 1;
        Ok(())
    }

    fn sibling(&mut self, row: &Row, file: &mut Writing) -> Result<(), BagError> {
        match row.read(self.store, self.mission)? {
            Some(DisplacedWhole { header, body }) => self.item(&header, body.as_deref(), file),
            None => Ok(()),
        }
    }

    fn item(&mut self, header: &[u8], body: Option<&[u8]>, file: &mut Writing) -> Result<(), BagError> {
        let mut writer = Writer::with_capacity(header.len() + 1_024);
        writer.array(2).bytes(header);
        match body {
            Some(body) => {
                writer.bytes(body);
            }
            None => {
                writer.null();
                self.written.bodies_absent += 1;
            }
        }
        file.write(&writer.finish())?;
        self.written.entries += 1;
        Ok(())
    }

    fn photos(&mut self, scopes: &[ScopeId]) -> Result<(), BagError> {
        let classes = [BlobClass::Thumbnail, BlobClass::Preview, BlobClass::Original];
        let census = self.store.blob_census(scopes, &classes)?;
        for hash in census.whole {
            if !self.photo(hash)? {
                self.written.left_out.push(LeftOut::DamagedPhoto(hash));
            }
        }
        self.written.left_out.extend(census.missing.into_iter().map(LeftOut::AbsentPhoto));
        Ok(())
    }

    /// Copies one photo; `false` when its file is not what its name says, or gone.
    fn photo(&mut self, hash: BlobHash) -> Result<bool, BagError> {
        let Some(mut content) = self.store.open_blob(hash).map_err(BagError::Photo)? else { return Ok(false) };
        let path = format!("data/photos/{hash}");
        let mut file = self.building.file(&path)?;
        let mut piece = vec![0; CHUNK_BYTES];
        let is_right = loop {
            match content.read(&mut piece) {
                Ok(0) => break file.hash_so_far() == hash,
                Ok(len) => file.write(&piece[..len])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(BagError::Photo(BlobError::from(error))),
            }
        };
        if !is_right {
            file.discard()?;
            // Sets the file aside, so that it is fetched again.
            self.store.verify_blob(hash).map_err(BagError::Photo)?;
            return Ok(false);
        }
        self.manifest.add(path, file.finish()?);
        self.written.photos += 1;
        Ok(true)
    }

    pub(super) fn put(&mut self, path: String, content: &[u8]) -> Result<(), BagError> {
        let file = self.building.put(&path, content)?;
        self.manifest.add(path, file);
        Ok(())
    }
}
