//! What becomes of a charter when an amendment comes to it, and what stays of what it replaces.

use super::Changes;
use crate::check::{Check, Policy, Refused};
use crate::checkpoint::note::{parse_text, split};
use crate::id::CharterId;
use crate::key::{KEY_BYTES, PublicKey};
use crate::roster::charter::{Charter, Ledger, Party};
use crate::roster::{CompleteCharter, PartyNumber};
use crate::witness::{Confirmation, CosignedNote, Observed, Witnesses};

/// What amendments put something else in the place of.
#[derive(Clone, Debug)]
pub(in crate::roster) struct Former {
    /// Which charter stands: the mission's, or that after an amendment.
    id: CharterId,
    /// Ascending by size.
    eras: Vec<Era>,
    /// The root keys that parties had: what they signed with them stays.
    roots: Vec<(PartyNumber, PublicKey)>,
    /// The keys of witnesses and of the ledger that were replaced.
    others: Vec<PublicKey>,
    /// Who decided before the quorum or the parties became others: what they decided stays decided.
    deciders: Vec<Deciders>,
}

/// The parties of one charter, ascending, and its quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deciders {
    quorum: u64,
    parties: Vec<PartyNumber>,
}

impl Deciders {
    fn of(charter: &Charter) -> Self {
        Self { quorum: charter.quorum, parties: charter.parties.iter().map(|party| party.number).collect() }
    }

    fn decide(&self, signers: &[PartyNumber], least: u64) -> bool {
        let own = signers.iter().filter(|signer| self.parties.binary_search(signer).is_ok()).count();
        own as u64 >= self.quorum.max(least)
    }
}

/// The charter whose ledger key and witnesses judge notes of at most so many leaves.
#[derive(Clone, Debug)]
struct Era {
    /// `None` if nothing was final.
    until: Option<Observed>,
    charter: Charter,
}

impl Former {
    pub(in crate::roster) fn none(id: CharterId) -> Self {
        Self { id, eras: Vec::new(), roots: Vec::new(), others: Vec::new(), deciders: Vec::new() }
    }

    fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.roots.iter().map(|(_, key)| key).chain(&self.others)
    }
}

impl CompleteCharter {
    /// Which charter stands: the mission's own, or that after an amendment.
    pub fn id(&self) -> CharterId {
        self.former.id
    }

    /// The charter whose ledger key and witnesses judge a note of `size` leaves.
    pub fn judging(&self, size: u64) -> &Charter {
        let reaches = |era: &&Era| era.until.is_some_and(|until| size <= until.size);
        self.former.eras.iter().find(reaches).map_or(&self.charter, |era| &era.charter)
    }

    /// The charter that judges a signed note by the size it names; the one in force if it names none.
    pub fn judging_note(&self, note: &[u8]) -> &Charter {
        let size = split(note).and_then(|(text, _)| parse_text(text)).map(|(_, size, _)| size);
        size.map_or(&self.charter, |size| self.judging(size))
    }

    /// Every charter that judges notes of some size: those before, and the one in force.
    pub fn judges(&self) -> impl DoubleEndedIterator<Item = &Charter> {
        self.former.eras.iter().map(|era| &era.charter).chain([&self.charter])
    }

    /// The tree on which the witnesses in force build: a witness that has cosigned nothing larger begins with it.
    pub fn anchor(&self) -> Option<Observed> {
        self.former.eras.last().and_then(|era| era.until)
    }

    /// The party whose root key this is, or was before an amendment.
    pub fn party_by_root(&self, key: &[u8; KEY_BYTES]) -> Option<PartyNumber> {
        self.root_of(key).map(|(party, _)| party)
    }

    pub(crate) fn root_of(&self, key: &[u8; KEY_BYTES]) -> Option<(PartyNumber, PublicKey)> {
        let former = || self.former.roots.iter().find(|(_, root)| root.as_bytes() == key).copied();
        self.charter.root_of(key).or_else(former)
    }

    /// Whether these parties, ascending, decide an erasure: as many of the parties of one charter as its quorum, be it this
    /// one or one before it. So another quorum takes back nothing that was decided, and who joins later has no say by an
    /// earlier one.
    pub fn erase(&self, signers: &[PartyNumber]) -> bool {
        self.decide(signers, 1)
    }

    /// Whether these parties, ascending, decide a cut that acts at any height: as an erasure, and two at least, since one
    /// party is no agreement.
    pub fn cut(&self, signers: &[PartyNumber]) -> bool {
        self.decide(signers, 2)
    }

    fn decide(&self, signers: &[PartyNumber], least: u64) -> bool {
        let now = Deciders::of(&self.charter);
        self.former.deciders.iter().chain([&now]).any(|deciders| deciders.decide(signers, least))
    }

    /// How many of its parties an amendment of it needs.
    pub fn amending(&self) -> u64 {
        self.charter.amending()
    }

    /// The charter as it stands after `changes`, under the id `id`.
    pub(super) fn amended<P: Policy>(&self, changes: &Changes, id: CharterId, policy: P) -> Result<Self, Refused> {
        let mut next = self.clone();
        next.former.id = id;
        let before = &self.charter;
        let mut moves = false;
        for party in &changes.parties {
            moves |= next.take_party(party, policy)?;
        }
        for scope in &changes.scopes {
            policy.require(!before.has_scope(scope.id), Check::AmendmentChange, "scope")?;
            next.charter.scopes.push(scope.clone());
        }
        for form in &changes.forms {
            policy.require(before.forms.binary_search(form).is_err(), Check::AmendmentChange, "form")?;
            next.charter.forms.push(*form);
        }
        if let Some(ledger) = &changes.ledger {
            next.take_ledger(ledger, policy)?;
            moves = true;
        }
        if let Some(quorum) = changes.quorum {
            policy.require(quorum != before.quorum, Check::AmendmentChange, "quorum")?;
            next.charter.quorum = quorum;
        }
        let nothing = Changes { instead: changes.instead.clone(), ..Changes::default() };
        policy.require(*changes != nothing, Check::AmendmentChange, "nothing")?;
        policy.require(changes.instead.is_sorted_by(|a, b| a < b), Check::AmendmentChange, "instead")?;
        let order = Check::CharterOrder;
        policy.require(changes.parties.is_sorted_by(|a, b| a.number < b.number), order, "parties")?;
        policy.require(changes.scopes.is_sorted_by(|a, b| a.id < b.id), order, "scopes")?;
        policy.require(changes.forms.is_sorted_by(|a, b| a < b), order, "forms")?;
        next.settle(policy)?;
        self.check_note(changes, moves, policy)?;
        if Deciders::of(&next.charter) != Deciders::of(before) {
            next.former.deciders.push(Deciders::of(before));
        }
        if moves {
            next.former.eras.push(Era { until: self.until(changes), charter: before.clone() });
        }
        Ok(next)
    }

    /// Whether the witnesses change.
    fn take_party<P: Policy>(&mut self, party: &Party, policy: P) -> Result<bool, Refused> {
        let Some(held) = self.charter.parties.iter_mut().find(|held| held.number == party.number) else {
            self.charter.parties.push(party.clone());
            return Ok(!party.witnesses.is_empty());
        };
        let change = Check::AmendmentChange;
        policy.require(held.name == party.name, change, "party's name")?;
        policy.require(held != party, change, "party")?;
        policy.require(held.witnesses.len() <= party.witnesses.len(), change, "witnesses")?;
        if held.root != party.root {
            self.former.roots.push((held.number, held.root));
        }
        let replaced = held.witnesses.iter().filter(|witness| !party.witnesses.contains(witness));
        self.former.others.extend(replaced);
        let moves = held.witnesses != party.witnesses;
        *held = party.clone();
        Ok(moves)
    }

    fn take_ledger<P: Policy>(&mut self, ledger: &Ledger, policy: P) -> Result<(), Refused> {
        if let Some(held) = self.charter.ledger.take() {
            policy.require(held.origin == ledger.origin, Check::AmendmentChange, "ledger's origin")?;
            policy.require(held.key != ledger.key, Check::AmendmentChange, "ledger")?;
            self.former.others.push(held.key);
        }
        self.charter.ledger = Some(ledger.clone());
        Ok(())
    }

    /// Puts what was added in its place, and makes sure that the whole is a charter.
    fn settle<P: Policy>(&mut self, policy: P) -> Result<(), Refused> {
        let Charter { parties, scopes, forms, .. } = &mut self.charter;
        parties.sort_by_key(|party| party.number);
        scopes.sort_by_key(|scope| scope.id);
        forms.sort_unstable();
        let payload = self.charter.encode_under(policy)?;
        policy.require(payload.len() <= super::super::CHARTER_BYTES_MAX, Check::SizeLimit, "amended charter")?;
        // A key that was given up comes back in no place: what it signed would then be two parties'.
        let is_back = self.charter.keys().any(|key| self.former.keys().any(|former| former == key));
        policy.require(!is_back, Check::CharterKeys, "key that was replaced")
    }

    fn check_note<P: Policy>(&self, changes: &Changes, moves: bool, policy: P) -> Result<(), Refused> {
        let refused = |what| Refused { check: Check::AmendmentNote, what };
        let Some(bytes) = &changes.note else {
            // Whether anything was final nobody can tell for sure; whether anything could be, everybody can.
            let quorum = Witnesses::of(&self.charter).map(|witnesses| witnesses.quorum());
            let could_be = quorum.is_some_and(|quorum| quorum.last <= quorum.parties);
            let is_free = !could_be && self.anchor().is_none();
            return policy.require(!moves || is_free, Check::AmendmentNote, "no note");
        };
        policy.require(moves, Check::AmendmentNote, "note that nothing rests on")?;
        let (_, size, _) = split(bytes).and_then(|(text, _)| parse_text(text)).ok_or(refused("note"))?;
        let is_later = self.anchor().is_none_or(|anchor| anchor.size <= size);
        policy.require(size > 0 && is_later, Check::AmendmentNote, "size")?;
        let witnesses = Witnesses::of(self.judging(size)).ok_or(refused("ledger"))?;
        let note = CosignedNote::verify(bytes, &witnesses).map_err(|_| refused("note"))?;
        let is_final = witnesses.tally(&note).confirmation == Confirmation::Final;
        policy.require(is_final, Check::AmendmentNote, "note that is not final")
    }

    fn until(&self, changes: &Changes) -> Option<Observed> {
        let note = changes.note.as_deref()?;
        let (_, size, root) = split(note).and_then(|(text, _)| parse_text(text))?;
        Some(Observed { size, root })
    }
}
