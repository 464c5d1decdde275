//! Statements before entries: the peer gets the authority before the data it judges (`spec/sync.md` §Statements before entries).

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use super::close::Close;
use super::config::statements_digest;
use super::frame::{Difference, FRAME_BYTES_MAX, Frame, STATEMENT_IDS_MAX, StatementClass};
use super::io::Request;
use super::outbox::{Outbox, Pending};
use super::receipts::{Next, Receipts};
use super::version::Version;
use crate::check::{Check, Refused};
use crate::id::StatementId;
use crate::receipt::RECEIPT_BYTES_MAX;

/// Most ids of one class that a peer may name: 64 signers with as many statements as they may have.
const CLASS_IDS_MAX: usize = 64 * 4_096;
/// Most ids in one request to the store.
const PAGE_IDS_MAX: usize = 256;
/// Most bytes in one frame of statements, with room for the largest receipt.
const PAGE_BYTES_MAX: usize = 262_144;
/// Frames of statements that may wait for the store before the link is left unread.
const ADMITTING_MAX: usize = 2;
/// Refused statements of one peer after which it is left: an honest peer that knows another authority, or a later version of
/// the forms, has a few.
const REFUSED_MAX: usize = 64;
/// Most ids that are remembered as exchanged: two full classes, 32 MiB.
const EXCHANGED_MAX: usize = 2 * CLASS_IDS_MAX;
/// Frames of statements that wait although the link should have been left unread.
const ADMITTING_LIMIT: usize = 32;

/// The exchange of all classes of statements.
#[derive(Debug)]
pub(super) struct Statements {
    version: Version,
    /// Classes whose digests differed.
    classes: BTreeMap<StatementClass, Class>,
    /// What the peer lacks, by class, and what was committed since.
    to_send: BTreeMap<StatementClass, VecDeque<StatementId>>,
    is_loading: bool,
    /// What is being read is not to be sent any more.
    is_dropping: bool,
    /// Frames that wait for the link.
    frames: VecDeque<Vec<u8>>,
    /// What the peer named and we lack, by class.
    lacking: BTreeMap<StatementClass, HashSet<StatementId>>,
    /// How many of these the peer says that it does not hold any more.
    gone: BTreeMap<StatementClass, usize>,
    admitting: usize,
    /// Sent to or received from the peer in this session, and not refused.
    exchanged: HashSet<StatementId>,
    refused: usize,
    receipts: Receipts,
    is_ready: bool,
    has_begun: bool,
}

/// One class whose digests differed.
#[derive(Debug, Default)]
struct Class {
    ours: Option<Vec<StatementId>>,
    ids_told: usize,
    is_told: bool,
    theirs: Vec<StatementId>,
    are_theirs_complete: bool,
    is_compared: bool,
}

impl Statements {
    pub(super) fn new(version: Version) -> Self {
        Self {
            version,
            classes: BTreeMap::new(),
            to_send: BTreeMap::new(),
            is_loading: false,
            is_dropping: false,
            frames: VecDeque::new(),
            lacking: BTreeMap::new(),
            gone: BTreeMap::new(),
            admitting: 0,
            exchanged: HashSet::new(),
            refused: 0,
            receipts: Receipts::default(),
            is_ready: false,
            has_begun: false,
        }
    }

    /// Begins the exchange of the classes whose digests differ.
    ///
    /// A peer whose key is cut is told of `only` and of nothing else.
    pub(super) fn begin(
        &mut self,
        ours: &BTreeMap<StatementClass, [u8; 32]>,
        theirs: &[(u64, [u8; 32])],
        only: Option<&BTreeSet<(StatementClass, StatementId)>>,
        out: &mut Outbox,
    ) {
        self.has_begun = true;
        let nothing = statements_digest(&[]);
        for class in StatementClass::ALL.into_iter().filter(|class| self.version.speaks_of(*class)) {
            let their = theirs.iter().find(|(of, _)| *of == class.code()).map(|(_, digest)| digest);
            // From version 3 on a peer names every class that it knows.
            if self.version >= Version::V3 && their.is_none() {
                continue;
            }
            if ours.get(&class).unwrap_or(&nothing) == their.unwrap_or(&nothing) {
                if class == StatementClass::Receipt {
                    self.receipts.are_equal();
                }
                continue;
            }
            let mut state = Class::default();
            match only {
                Some(only) => {
                    state.ours =
                        Some(if is_told_of_cuts(self.version, class) { ids_of(only, class) } else { Vec::new() })
                }
                None => out.load(Request::StatementIds(class), Pending::StatementIds(class)),
            }
            self.classes.insert(class, state);
        }
    }

    /// The statements of both sides are the same: nothing is exchanged, and nobody says `ready`.
    pub(super) fn are_equal(&mut self) {
        (self.has_begun, self.is_ready) = (true, true);
        self.receipts.are_equal();
    }

    pub(super) fn on_own_ids(&mut self, class: StatementClass, ids: Vec<StatementId>) {
        // A restriction may have come first.
        if let Some(state) = self.classes.get_mut(&class) {
            state.ours.get_or_insert(ids);
        }
        self.compare(class);
    }

    pub(super) fn on_ids(&mut self, class: StatementClass, ids: Vec<StatementId>) -> Result<(), Close> {
        let state = self.classes.get_mut(&class).filter(|state| !state.are_theirs_complete);
        let Some(state) = state else { return Err(Close::malformed("statement ids")) };
        if let (Some(last), Some(next)) = (state.theirs.last(), ids.first())
            && last >= next
        {
            return Err(Close::malformed("statement ids"));
        }
        state.are_theirs_complete = ids.len() < STATEMENT_IDS_MAX;
        state.theirs.extend(ids);
        if state.theirs.len() > CLASS_IDS_MAX {
            return Err(Close::limit("statements"));
        }
        self.compare(class);
        Ok(())
    }

    fn compare(&mut self, class: StatementClass) {
        let Some(state) = self.classes.get_mut(&class) else { return };
        let Some(ours) = state.ours.as_ref().filter(|_| state.are_theirs_complete && !state.is_compared) else {
            return;
        };
        let (our_set, their_set): (BTreeSet<_>, BTreeSet<_>) = (ours.iter().collect(), state.theirs.iter().collect());
        let lacked_there = ours.iter().filter(|id| !their_set.contains(id)).copied();
        self.to_send.entry(class).or_default().extend(lacked_there);
        let lacked_here = state.theirs.iter().filter(|id| !our_set.contains(id) && !self.exchanged.contains(id));
        self.lacking.entry(class).or_default().extend(lacked_here.copied());
        if class == StatementClass::Receipt && self.version >= Version::V2 {
            self.receipts.on_both(our_set.intersection(&their_set).map(|id| **id).collect());
        }
        state.is_compared = true;
        state.theirs = Vec::new();
    }

    /// Statements arrived: those named before, or new ones.
    pub(super) fn on_statements(
        &mut self,
        class: StatementClass,
        statements: Vec<Vec<u8>>,
        out: &mut Outbox,
    ) -> Result<(), Close> {
        let (gone, held): (Vec<_>, Vec<_>) = statements.into_iter().partition(Vec::is_empty);
        for statement in &held {
            self.arrived(class, class.id_of(statement));
        }
        // What nobody named cannot be gone.
        let lacking = self.lacking.get(&class).map_or(0, HashSet::len);
        let said = self.gone.entry(class).or_default();
        *said = (*said + gone.len()).min(lacking);
        let is_own = |statement: &Vec<u8>| class == StatementClass::Receipt && self.receipts.on_heard(statement);
        let (own, others): (Vec<_>, Vec<_>) = held.into_iter().partition(is_own);
        for (statements, is_own) in [(own, true), (others, false)] {
            if !statements.is_empty() {
                self.admitting += 1;
                out.admit(class, statements, is_own);
            }
        }
        self.check()
    }

    /// The peer's receipt arrived.
    pub(super) fn on_receipt(&mut self, receipt: Vec<u8>, out: &mut Outbox) -> Result<(), Close> {
        self.arrived(StatementClass::Receipt, StatementId::of(&receipt));
        self.receipts.on_heard(&receipt);
        self.admitting += 1;
        out.admit(StatementClass::Receipt, vec![receipt], true);
        self.check()
    }

    /// A receipt arrived as what differs from another one.
    pub(super) fn on_difference(&mut self, difference: Difference, out: &mut Outbox) -> Result<(), Close> {
        self.lacking.entry(StatementClass::Receipt).or_default().insert(difference.id);
        self.admitting += 1;
        self.receipts.on_difference(difference);
        self.rebuild(out);
        self.check()
    }

    /// The store was asked for the receipt that a difference builds on.
    pub(super) fn on_difference_base(&mut self, base: Option<Vec<u8>>, out: &mut Outbox) -> Result<(), Close> {
        let next = self.receipts.on_read(base);
        self.take_rebuilt(next, out);
        self.rebuild(out);
        self.check()
    }

    fn rebuild(&mut self, out: &mut Outbox) {
        loop {
            let next = self.receipts.next();
            if !self.take_rebuilt(next, out) {
                return;
            }
        }
    }

    /// Whether more may follow.
    fn take_rebuilt(&mut self, next: Next, out: &mut Outbox) -> bool {
        match next {
            Next::Nothing => return false,
            Next::Read(base) => {
                let (class, ids) = (StatementClass::Receipt, vec![base]);
                let request = Request::Statements { class, ids, bytes_max: RECEIPT_BYTES_MAX };
                out.load(request, Pending::DifferenceBase);
                return false;
            }
            Next::Rebuilt(id, bytes, is_own) => {
                self.arrived(StatementClass::Receipt, id);
                out.admit(StatementClass::Receipt, vec![bytes], is_own);
            }
            Next::Lost(id) => {
                self.admitting -= 1;
                out.say(&Frame::Whole(id));
            }
        }
        true
    }

    /// The peer could not rebuild a receipt.
    pub(super) fn on_whole(&mut self, id: StatementId) -> Result<(), Close> {
        if !self.receipts.on_whole(id) {
            return Err(Close::malformed("whole"));
        }
        self.to_send.entry(StatementClass::Receipt).or_default().push_back(id);
        Ok(())
    }

    /// Gives the peer our own receipt; `earlier` is the one before it.
    pub(super) fn give(&mut self, receipt: Vec<u8>, earlier: Option<Vec<u8>>, out: &mut Outbox) {
        self.exchanged.insert(StatementId::of(&receipt));
        let is_known = |id| self.receipts.is_at_peer(id) || self.exchanged.contains(&id);
        let earlier = earlier.filter(|earlier| is_known(StatementId::of(earlier)));
        out.say(&match self.version {
            Version::V1 => Frame::Receipt(receipt),
            Version::V2 | Version::V3 => {
                self.receipts.give(true, receipt, earlier).map_or_else(Frame::Receipt, Frame::Difference)
            }
        });
    }

    /// The store was asked for a receipt that both sides hold.
    pub(super) fn on_receipt_base(&mut self, base: Option<Vec<u8>>) {
        // Nothing of what was being read is for the peer, so nothing of it is dropped.
        (self.is_loading, self.is_dropping) = (false, false);
        self.receipts.on_base(base);
    }

    /// Statements that arrived were stored or refused; those refused are forgotten, and too many of them are an end.
    ///
    /// A statement beyond `statement-limit` is not counted, nor one that rests on another which is not held here, perhaps for
    /// that reason: a peer that holds other ones of a prolific signer passes them on in good faith.
    pub(super) fn on_admitted(&mut self, refused: &[(StatementId, Refused)]) -> Result<(), Close> {
        self.admitting = self.admitting.saturating_sub(1);
        for (id, refused) in refused {
            self.exchanged.remove(id);
            let is_in_good_faith = matches!(
                refused.check,
                Check::StatementLimit
                    | Check::CutSigner
                    | Check::AcknowledgementSigner
                    | Check::AcknowledgementCut
                    | Check::InclusionLeaf
                    | Check::InclusionSigner
                    | Check::ReceiptSigner
            );
            self.refused += usize::from(!is_in_good_faith);
        }
        if self.refused < REFUSED_MAX { Ok(()) } else { Err(Close::limit("refused statements")) }
    }

    /// Something new was committed here.
    pub(super) fn on_local_change(&mut self, statements: &[(StatementClass, StatementId)]) {
        let version = self.version;
        for (class, id) in statements.iter().filter(|(class, _)| version.speaks_of(*class)) {
            if self.exchanged.insert(*id) {
                self.to_send.entry(*class).or_default().push_back(*id);
            }
        }
    }

    /// Sends these and nothing more: they are the cuts of the peer's key, and what shows what these leave.
    pub(super) fn restrict(&mut self, only: &BTreeSet<(StatementClass, StatementId)>) {
        self.to_send.clear();
        self.frames.clear();
        self.receipts.restrict();
        self.is_dropping = self.is_loading;
        self.tell_cut(only.iter().copied());
        let version = self.version;
        for (class, state) in &mut self.classes {
            if state.ids_told == 0 && !state.is_told {
                state.ours = Some(if is_told_of_cuts(version, *class) { ids_of(only, *class) } else { Vec::new() });
            }
        }
    }

    /// A peer whose key is cut is told of these.
    pub(super) fn tell_cut(&mut self, only: impl Iterator<Item = (StatementClass, StatementId)>) {
        let version = self.version;
        let only: Vec<_> = only.filter(|(class, _)| is_told_of_cuts(version, *class)).collect();
        self.on_local_change(&only);
    }

    /// Says `ready` once everything the peer named is here, and reads what the peer lacks.
    pub(super) fn drive(&mut self, out: &mut Outbox) {
        if self.has_begun && !self.is_ready && self.is_settled() {
            self.is_ready = true;
            out.say(&Frame::Ready);
        }
        if self.is_loading || !self.frames.is_empty() || !self.has_begun {
            return;
        }
        self.to_send.retain(|_, ids| !ids.is_empty());
        let Some((&class, ids)) = self.to_send.first_key_value() else { return };
        // A cut is refused before its certificate is held: an earlier class may still have something to send.
        if self.classes.range(..class).any(|(_, state)| !state.is_compared) {
            return;
        }
        if class == StatementClass::Receipt
            && let Some(base) = self.receipts.lacks_base()
        {
            self.is_loading = true;
            let request = Request::Statements { class, ids: vec![base], bytes_max: RECEIPT_BYTES_MAX };
            out.load(request, Pending::ReceiptBase);
            return;
        }
        let ids: Vec<_> = ids.iter().take(PAGE_IDS_MAX).copied().collect();
        self.is_loading = true;
        let request = Request::Statements { class, ids: ids.clone(), bytes_max: PAGE_BYTES_MAX };
        out.load(request, Pending::Statements(class, ids));
    }

    pub(super) fn on_loaded(
        &mut self,
        class: StatementClass,
        ids: &[StatementId],
        statements: Vec<Option<Vec<u8>>>,
    ) -> Result<(), Close> {
        let storage = Close::new(super::CloseCode::Storage, "statements");
        if statements.is_empty() || statements.len() > ids.len() {
            return Err(storage);
        }
        self.is_loading = false;
        if std::mem::take(&mut self.is_dropping) {
            return Ok(());
        }
        let queue = self.to_send.entry(class).or_default();
        for id in &ids[..statements.len()] {
            if queue.front() == Some(id) {
                queue.pop_front();
            }
            self.exchanged.insert(*id);
        }
        let statements: Vec<Vec<u8>> = statements.into_iter().map(Option::unwrap_or_default).collect();
        let frames = match (class, self.version) {
            (StatementClass::Receipt, Version::V2 | Version::V3) => self.receipt_frames(statements),
            _ => vec![Frame::Statements(class, statements)],
        };
        for frame in frames {
            let frame = frame.encode();
            if frame.len() > FRAME_BYTES_MAX {
                return Err(storage);
            }
            self.frames.push_back(frame);
        }
        Ok(())
    }

    /// Receipts, each as what differs from the one before where that is shorter.
    fn receipt_frames(&mut self, receipts: Vec<Vec<u8>>) -> Vec<Frame> {
        let frame = |receipt: Vec<u8>| {
            if receipt.is_empty() {
                return Frame::Statements(StatementClass::Receipt, vec![receipt]);
            }
            let whole = |receipt| Frame::Statements(StatementClass::Receipt, vec![receipt]);
            self.receipts.give(false, receipt, None).map_or_else(whole, Frame::Difference)
        };
        receipts.into_iter().map(frame).collect()
    }

    pub(super) fn next_frame(&mut self) -> Option<Vec<u8>> {
        for (class, state) in &mut self.classes {
            let Some(ours) = state.ours.as_ref().filter(|_| !state.is_told) else { continue };
            let page: Vec<_> = ours[state.ids_told..].iter().take(STATEMENT_IDS_MAX).copied().collect();
            state.ids_told += page.len();
            state.is_told = page.len() < STATEMENT_IDS_MAX;
            return Some(Frame::StatementIds(*class, page).encode());
        }
        self.frames.pop_front()
    }

    /// Whether we said `ready`.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Whether nothing is on its way to the peer.
    pub(super) fn is_idle(&self) -> bool {
        self.is_ready
            && self.admitting == 0
            && self.are_here()
            && !self.is_loading
            && self.frames.is_empty()
            && self.to_send.values().all(VecDeque::is_empty)
            && self.classes.values().all(|state| state.is_told)
    }

    pub(super) fn is_receiving(&self) -> bool {
        self.admitting <= ADMITTING_MAX
    }

    /// Whether all that arrived was stored or refused.
    pub(super) fn are_all_admitted(&self) -> bool {
        self.admitting == 0
    }

    /// Whether the peer named a statement that does not make way, and says that it is gone.
    pub(super) fn are_withheld(&self) -> bool {
        self.lacking.iter().any(|(class, lacking)| !class.makes_way() && !lacking.is_empty())
    }

    fn arrived(&mut self, class: StatementClass, id: StatementId) {
        if let Some(lacking) = self.lacking.get_mut(&class) {
            lacking.remove(&id);
        }
        self.exchanged.insert(id);
    }

    /// Whether everything that the peer named came or is gone.
    fn are_here(&self) -> bool {
        let gone = |class| self.gone.get(class).copied().unwrap_or(0);
        self.lacking.iter().all(|(class, lacking)| lacking.len() <= gone(class))
    }

    /// How many ids are remembered, for the tests of what a peer can make grow.
    #[cfg(test)]
    pub(super) fn exchanged_count(&self) -> usize {
        self.exchanged.len()
    }

    fn check(&self) -> Result<(), Close> {
        let is_within = self.admitting <= ADMITTING_LIMIT
            && self.exchanged.len() <= EXCHANGED_MAX
            && self.lacking.values().map(HashSet::len).sum::<usize>() <= EXCHANGED_MAX;
        if is_within { Ok(()) } else { Err(Close::limit("statements")) }
    }

    fn is_settled(&self) -> bool {
        let is_compared = self.classes.values().all(|state| state.is_compared);
        is_compared && self.are_here() && self.admitting == 0
    }
}

/// Whether a peer whose key is cut is told of statements of this class: before version 3 of its cuts alone.
fn is_told_of_cuts(version: Version, class: StatementClass) -> bool {
    version >= Version::V3 || class == StatementClass::Cut
}

/// Those of one class, ascending.
fn ids_of(statements: &BTreeSet<(StatementClass, StatementId)>, class: StatementClass) -> Vec<StatementId> {
    statements.iter().filter(|(of, _)| *of == class).map(|(_, id)| *id).collect()
}
