//! The ledger at the camp that continues it: signs what it has become, and hands it out.

mod appending;

use std::collections::BTreeSet;
use std::sync::Arc;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::id::NoteHash;
use merestone_core::ledger::Growing;
use merestone_core::roster::{Class, PartyNumber};
use merestone_core::witness::CosignedNote;

use super::super::Shared;
use super::confirming::Confirming;
use super::counted::Counted;
use super::inside::Inside;
use super::tiles::LedgerTiles;
use super::{LedgerError, LedgerKey, showing, tree};

/// The ledger at the camp that continues it.
pub(in crate::replica) struct Sequencer {
    shared: Arc<Shared>,
    key: LedgerKey,
    tree: Growing,
    confirming: Confirming,
    /// What was signed and may not be shown yet.
    inside: Inside,
    /// The cosignatures that have a leaf.
    counted: Counted,
    /// Notes that were compared with the leaves.
    compared: BTreeSet<NoteHash>,
    /// The statements of this version are shown as far as final checkpoints allow.
    shown: Option<u64>,
}

impl Sequencer {
    /// Takes up the ledger in the store.
    pub(in crate::replica) fn open(shared: Arc<Shared>, key: LedgerKey) -> Result<Self, LedgerError> {
        if shared.authority.roster().charter().charter().ledger.as_ref() != Some(&key.ledger) {
            return Err(LedgerError::OtherKey);
        }
        let tree = tree::open(&shared.store)?;
        let confirming = Confirming::open(&shared)?;
        let inside = Inside::open(&shared.store, &shared.authority.roster())?;
        let counted = Counted::open(&shared.store)?;
        Ok(Self { shared, key, tree, confirming, inside, counted, compared: BTreeSet::new(), shown: None })
    }

    /// Shows to those who have no leaves what final checkpoints hold of certificates and cuts.
    pub(in crate::replica) fn show(&mut self) -> Result<(), LedgerError> {
        let version = self.shared.authority.version();
        if self.shown != Some(version) {
            showing::show(&self.shared)?;
            self.shown = Some(version);
        }
        Ok(())
    }

    /// Signs a note over all leaves; `None` if the newest note is of as many, and while one waits for its witnesses.
    ///
    /// Where there are witnesses it is kept inside until enough of them cosigned it: what nobody was shown may be forgotten
    /// with the disk, and two witnesses that never run at the same time both come to cosign it.
    pub(in crate::replica) fn note(&mut self) -> Result<Option<Checkpoint>, LedgerError> {
        self.check()?;
        self.hand_out()?;
        let size = self.tree.size();
        if self.is_waiting() || self.newest().is_some_and(|note| note.size() == size) {
            return Ok(None);
        }
        let note = self.sign(size)?;
        self.keep(&CosignedNote::new(note.clone()))?;
        Ok(Some(note))
    }

    /// Whether there are leaves that no note covers.
    pub(in crate::replica) fn has_unsigned(&self) -> bool {
        self.newest().map_or(0, |note| note.size()) < self.tree.size()
    }

    /// Whether a note waits for witnesses before it is shown to anybody.
    pub(in crate::replica) fn is_waiting(&self) -> bool {
        self.inside.checkpoint().is_some()
    }

    /// Keeps a note of this ledger and cosignatures of it; how many of these were not held.
    pub(super) fn keep(&mut self, note: &CosignedNote) -> Result<usize, LedgerError> {
        let roster = self.shared.authority.roster();
        let is_shown = roster.notes().any(|held| held.text() == note.checkpoint().text());
        drop(roster);
        if is_shown {
            return self.give_out(note);
        }
        let new = self.inside.take(&self.shared.store, note)?;
        self.hand_out()?;
        Ok(new)
    }

    /// Shows the note inside, if enough parties cosigned it.
    fn hand_out(&mut self) -> Result<(), LedgerError> {
        let ready = self.inside.ready(&self.shared.authority.roster());
        if let Some(note) = ready {
            self.give_out(&note)?;
            self.inside.clear(&self.shared.store)?;
        }
        Ok(())
    }

    /// Holds a note and its cosignatures as statements, which whoever is connected is told; how many cosignatures were news.
    fn give_out(&self, note: &CosignedNote) -> Result<usize, LedgerError> {
        let received = self.shared.take_up(Class::Note, &[note.checkpoint().as_bytes().to_vec()], None)?;
        if let Some((_, refused)) = received.refused.first() {
            return Err(LedgerError::Refused(*refused));
        }
        let cosignatures: Vec<Vec<u8>> = note.statements().collect();
        Ok(self.shared.take_up(Class::Cosignature, &cosignatures, None)?.new.len())
    }

    /// The newest note, shown or not.
    fn newest(&self) -> Option<Checkpoint> {
        let roster = self.shared.authority.roster();
        let shown = roster.newest_note();
        self.inside.checkpoint().into_iter().chain(shown).max_by_key(|note| note.size()).cloned()
    }

    /// The checkpoint that a witness which cosigned `old` leaves last is to be asked to cosign; `None` if nothing is signed yet.
    ///
    /// Before the witnesses confirmed that nothing is lost, it is over no more leaves than were signed before: those of the
    /// newest note held, or as many as the witness says, whose leaves a copy has as they were.
    pub(super) fn to_cosign(&self, old: u64) -> Result<Option<Checkpoint>, LedgerError> {
        let size = self.tree.size();
        if old > size {
            return Err(LedgerError::Lost { told: old, size });
        }
        let newest = self.newest();
        let noted = newest.as_ref().map_or(0, Checkpoint::size);
        if noted > size {
            return Err(LedgerError::Behind { noted, size });
        }
        if self.confirming.is_confirmed() {
            return Ok(newest);
        }
        match newest {
            Some(note) if noted >= old => Ok(Some(note)),
            Some(_) | None => self.sign(old).map(Some),
        }
    }

    /// The witness that was asked there, one of this party, cosigned just now.
    pub(super) fn confirmed_by(&mut self, asked: &str, party: PartyNumber) -> Result<(), LedgerError> {
        self.confirming.hear(&self.shared.store, asked, party)
    }

    /// Nothing is lost of a ledger of so many leaves, as somebody knows.
    pub(in crate::replica) fn vouch(&mut self, leaves: u64) -> Result<(), LedgerError> {
        let size = self.tree.size();
        self.confirming.vouch(&self.shared.store, leaves, size)
    }

    /// The witness that was asked there says that it cosigned so many leaves; [`LedgerError::Lost`] if that is believed.
    pub(super) fn told(&mut self, asked: &str, leaves: u64) -> Result<(), LedgerError> {
        let size = self.tree.size();
        self.confirming.told(&self.shared.store, asked, leaves, size)?;
        match self.confirming.check(size) {
            Err(LedgerError::Unconfirmed { .. }) => Ok(()),
            other => other,
        }
    }

    /// Number of leaves.
    pub(in crate::replica) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the ledger may go on: nothing was signed that these leaves do not have, as far as is known here.
    fn check(&mut self) -> Result<(), LedgerError> {
        self.check_key()?;
        let size = self.tree.size();
        self.confirming.check(size)?;
        let roster = self.shared.authority.roster();
        // A cosignature brings its note with it, and may come alone.
        let noted = roster.checkpoints().map(Checkpoint::size).max().unwrap_or(0);
        let new = roster.checkpoints().filter(|note| !self.compared.contains(&note.hash()));
        let new: Vec<Checkpoint> = new.cloned().collect();
        drop(roster);
        if noted > size {
            return Err(LedgerError::Behind { noted, size });
        }
        for note in new {
            if LedgerTiles::of(&self.shared.store).root(note.size())? != *note.root() {
                return Err(LedgerError::Split { size: note.size() });
            }
            self.compared.insert(note.hash());
        }
        Ok(())
    }

    /// The key is still the ledger's, whatever amendment came.
    fn check_key(&self) -> Result<(), LedgerError> {
        let roster = self.shared.authority.roster();
        let is_in_force = roster.charter().charter().ledger.as_ref() == Some(&self.key.ledger);
        if is_in_force { Ok(()) } else { Err(LedgerError::KeyReplaced) }
    }

    fn sign(&self, size: u64) -> Result<Checkpoint, LedgerError> {
        self.check_key()?;
        let root = match size == self.tree.size() {
            true => self.tree.root(),
            false => LedgerTiles::of(&self.shared.store).root(size)?,
        };
        Checkpoint::make(&self.key.ledger, &*self.key.signer, size, &root).map_err(LedgerError::Sign)
    }
}
