//! One entry, to be shown to somebody who holds nothing but the mission's id (`core/spec/exhibit.md`).

use merestone_core::checkpoint::Leaf;
use merestone_core::disclosure::NotDisclosed;
use merestone_core::entry::VerifiedEntry;
use merestone_core::exhibit::{self, CERTIFICATES_MAX, Exhibit, ExhibitRefused, Parts, Shown};
use merestone_core::form::FormDefinition;
use merestone_core::id::{EntryId, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::ledger::LedgerProof;
use merestone_core::publication::{Decision, Reason, disclose, label_at};
use merestone_core::roster::{CharterFile, Class, Roster};
use merestone_store::ReadError;

use crate::device::{AccessError, Device};
use crate::replica::{LedgerTiles, TilesError};

/// No exhibit was made.
#[derive(Debug, thiserror::Error)]
pub enum ExhibitError {
    /// The entry is not here.
    #[error("entry {entry} is not held here")]
    NotHeld {
        /// The entry.
        entry: EntryId,
    },
    /// The form has no such leaf, or the entry is no change and has none at all.
    #[error("entry {entry} has no answer called {label}")]
    Label {
        /// The entry.
        entry: EntryId,
        /// The name that was asked for.
        label: String,
    },
    /// The definition of the form is not held.
    #[error("the form of entry {entry} is not on this device")]
    NoForm {
        /// The entry.
        entry: EntryId,
    },
    /// The answers cannot be shown.
    #[error(transparent)]
    NotDisclosed(#[from] NotDisclosed),
    /// The leaves in the store do not give a proof.
    #[error(transparent)]
    Tiles(#[from] TilesError),
    /// Whoever is shown it would refuse it.
    #[error("a verifier would refuse it: {}", .0.code())]
    Refused(#[from] ExhibitRefused),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl From<ReadError> for ExhibitError {
    fn from(error: ReadError) -> Self {
        Self::Access(error.into())
    }
}

impl Device {
    /// An exhibit of an entry with the answers of these labels; without any, only that it was signed.
    ///
    /// Where this device has the ledger's leaves it shows that the ledger has the entry, under the earliest final note that
    /// does, or under the newest note.
    ///
    /// # Errors
    /// [`ExhibitError`].
    pub fn exhibit(&self, entry: EntryId, labels: &[String]) -> Result<Vec<u8>, ExhibitError> {
        let stored = self.store.entry(entry)?.ok_or(ExhibitError::NotHeld { entry })?;
        let verified =
            self.verified(&stored, &mut KeyCache::with_capacity(1)).ok_or(ExhibitError::NotHeld { entry })?;
        let roster = self.authority.roster();
        let opened = match labels {
            [] => None,
            labels => Some(opened(&verified, &roster, labels)?),
        };
        let shown = match &opened {
            None => Shown::Header(verified.header_bytes()),
            Some((disclosure, form)) => Shown::Disclosure { disclosure, form },
        };
        let header = verified.header();
        let mut certificates: Vec<_> = roster.certificates_of(verified.key().as_bytes()).collect();
        certificates.sort_by_key(|certificate| !certificate.grants(header.scope, header.kind));
        certificates.truncate(CERTIFICATES_MAX);
        let proof = self.proof(&verified, &roster)?;
        let charter = &CharterFile::of(&roster);
        let bytes = exhibit::write(Parts { charter, certificates: &certificates, shown, proof: proof.as_ref() });
        Exhibit::read(&bytes, self.mission())?;
        Ok(bytes)
    }

    /// That the ledger has an entry; `None` where nothing here shows it.
    fn proof(&self, entry: &VerifiedEntry, roster: &Roster) -> Result<Option<LedgerProof>, ExhibitError> {
        let size = self.store.ledger_size()?;
        let leaf = Leaf::Entry { log: entry.log(), seq: entry.header().seq, id: entry.id() }.encode();
        let places = self.store.ledger_places_of(entry.log(), entry.header().seq, size)?;
        let Some((index, _)) = places.into_iter().find(|(_, bytes)| *bytes == leaf) else { return Ok(None) };
        let mut notes = roster.cosigned_notes();
        notes.retain(|note| (index + 1..=size).contains(&note.checkpoint().size()));
        let first_final = notes.iter().find(|note| note.is_final(roster.charter()));
        let Some(note) = first_final.or(notes.last()) else { return Ok(None) };
        let path = LedgerTiles::of(&self.store).inclusion_proof(index, note.checkpoint().size())?;
        Ok(path.map(|path| LedgerProof { index, path, note: note.encode() }))
    }
}

/// The disclosure of these answers of an entry, and the definition of its form.
fn opened(entry: &VerifiedEntry, roster: &Roster, labels: &[String]) -> Result<(Vec<u8>, Vec<u8>), ExhibitError> {
    let id = entry.id();
    let no_label = |label: &String| ExhibitError::Label { entry: id, label: label.clone() };
    let commitment = entry.header().commitment.ok_or_else(|| no_label(&labels[0]))?;
    let definition = roster.form(commitment.form).ok_or(ExhibitError::NoForm { entry: id })?;
    let form = roster.bytes(Class::Form, StatementId::from_bytes(*commitment.form.as_bytes()));
    let form = form.ok_or(ExhibitError::NoForm { entry: id })?.to_vec();
    let names = names(definition);
    if let Some(unknown) = labels.iter().find(|label| !names.contains(&label.as_str())) {
        return Err(no_label(unknown));
    }
    let closed = Decision::Withheld(Reason::Undecided);
    let is_asked = |name: &&str| labels.iter().any(|label| label == name);
    let decided: Vec<&Decision> =
        names.iter().map(|name| if is_asked(name) { &Decision::Disclosed } else { &closed }).collect();
    Ok((disclose(entry, definition, &decided)?, form))
}

/// The labels of a form's leaves, by position.
fn names(definition: &FormDefinition) -> Vec<&str> {
    (0..).map_while(|position| label_at(definition, position)).collect()
}
