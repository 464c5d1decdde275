//! The rule of `spec/record.md`, Applied entries: six steps from what is held to what is applied.

use std::collections::{BTreeMap, HashMap};

use super::forks::{Fork, Tree};
use super::item::{Item, Signer, Writers, out_of_role};
use super::{ChangeEntry, ENTRIES_MAX, HeldBody, HeldEntry, HeldWhy, Judged, Setting, Standing, WaitingFor};
use crate::change::{Admission, RecordIndex, Step};
use crate::check::{Check, Full, Policy, Refused};
use crate::entry::Kind;
use crate::erasure::Erased;
use crate::id::{EntryId, RecordId};

/// Judges a record from its held entries, in whatever order; entries of other records among them are left out.
///
/// Takes time in proportion to the entries and what they name.
pub fn judge<'a>(record: RecordId, held: &'a [HeldEntry], setting: &Setting<'_>) -> Judged<'a> {
    judge_under(record, held, setting, Full)
}

/// [`judge`] under `policy`.
pub fn judge_under<'a, P: Policy>(
    record: RecordId,
    held: &'a [HeldEntry],
    setting: &Setting<'_>,
    policy: P,
) -> Judged<'a> {
    judge_first(ENTRIES_MAX, record, held, setting, policy)
}

/// [`judge_under`] for the first `entries_max` entries in canonical order; those beyond are unappliable.
pub(super) fn judge_first<'a, P: Policy>(
    entries_max: usize,
    record: RecordId,
    held: &'a [HeldEntry],
    setting: &Setting<'_>,
    policy: P,
) -> Judged<'a> {
    let mut case = Case::open(record, held, setting, policy);
    case.find_erased(setting);
    case.find_waiting();
    case.refuse_beyond(entries_max);
    case.judge_each(policy);
    let forks = case.tree.settle(&case.canonical());
    case.set_aside_covered();
    case.judge_roles();
    case.close(forks)
}

/// All that is known while a record is judged. Entries are numbered in ascending order of their ids.
struct Case<'a> {
    record: RecordId,
    items: Vec<Item<'a>>,
    numbers: HashMap<EntryId, usize>,
    creation: Option<usize>,
    index: RecordIndex,
    tree: Tree,
}

impl<'a> Case<'a> {
    fn open<P: Policy>(record: RecordId, held: &'a [HeldEntry], setting: &Setting<'_>, policy: P) -> Self {
        let own = held.iter().filter(|held| held.entry.record() == record);
        let own: BTreeMap<EntryId, &HeldEntry> = own.map(|held| (held.id(), held)).collect();
        let numbers: HashMap<EntryId, usize> = own.keys().enumerate().map(|(number, &id)| (id, number)).collect();
        let mut tree = Tree::with_entries(own.len());
        let items: Vec<Item<'a>> = own.values().map(|held| Item::open(held, &numbers, setting, policy)).collect();
        for (number, item) in items.iter().enumerate() {
            tree.entries[number].id = item.held.id();
            tree.entries[number].is_covered = item.is_covered(setting);
            tree.entries[number].party = item.party;
        }
        let creation = numbers.get(&record.as_entry()).copied();
        Self { record, items, numbers, creation, index: RecordIndex::new(), tree }
    }

    /// Entries that an erasure names, their ancestors, and what their authors' parties said about them.
    fn find_erased(&mut self, setting: &Setting<'_>) {
        let mut queue = Vec::new();
        for erasure in setting.roster.erasures_of(self.record) {
            match erasure.erased() {
                Erased::Heads(heads) => queue.extend(heads.iter().filter_map(|head| self.numbers.get(head).copied())),
                Erased::Photo(_) => {}
            }
        }
        queue.retain(|&number| self.items[number].held.is_change());
        while let Some(number) = queue.pop() {
            if self.tree.entries[number].standing.replace(Standing::Erased).is_none() {
                let items = &self.items;
                queue.extend(items[number].named.iter().filter(|&&named| items[named].held.is_change()));
            }
        }
        for number in 0..self.items.len() {
            if !self.items[number].held.is_change() && self.is_own_word_on_erased(number) {
                self.tree.entries[number].standing = Some(Standing::Erased);
            }
        }
    }

    fn is_own_word_on_erased(&self, number: usize) -> bool {
        let entries = &self.tree.entries;
        let Some(party) = entries[number].party else { return false };
        self.items[number].named.iter().any(|&named| {
            let is_erased = entries[named].standing == Some(Standing::Erased);
            is_erased && self.items[named].held.is_change() && entries[named].party == Some(party)
        })
    }

    /// Step 1, and the depth of every entry that does not wait.
    fn find_waiting(&mut self) {
        let mut naming = vec![Vec::new(); self.items.len()];
        let mut open: Vec<usize> = self.items.iter().map(|item| item.named.len()).collect();
        for (number, item) in self.items.iter().enumerate() {
            item.named.iter().for_each(|&named| naming[named].push(number));
        }
        let mut ready: Vec<usize> = (0..open.len()).filter(|&number| open[number] == 0).collect();
        while let Some(number) = ready.pop() {
            self.decide_waiting(number);
            for &above in &naming[number] {
                open[above] -= 1;
                if open[above] == 0 {
                    ready.push(above);
                }
            }
        }
    }

    fn decide_waiting(&mut self, number: usize) {
        let item = &self.items[number];
        let depths = item.named.iter().map(|&named| self.items[named].depth.map(|depth| depth + 1));
        let depth = depths.collect::<Option<Vec<u32>>>().map(|depths| depths.into_iter().max().unwrap_or(0));
        // Readers that do not know co-authorships have them all at hand: what waits here must not wait for one.
        let is_stuck = |&&named: &&usize| {
            let is_known = self.items[named].held.entry.header().kind != Kind::CoAuthorship;
            is_known && matches!(self.tree.entries[named].standing, Some(Standing::Waiting(_)))
        };
        let stuck = item.named.iter().find(is_stuck);
        let standing = if let Kind::Unknown(_) = item.held.entry.header().kind {
            Some(Standing::UnknownKind)
        } else if self.creation.is_none() {
            Some(Standing::Waiting(WaitingFor::Creation))
        } else if let Some(missing) = item.missing {
            Some(Standing::Waiting(WaitingFor::Entry(missing)))
        } else if let Some(&stuck) = stuck {
            Some(Standing::Waiting(WaitingFor::Entry(self.items[stuck].held.id())))
        } else if matches!(item.signer, Signer::Unknown) {
            Some(Standing::Waiting(WaitingFor::Certificate))
        } else if matches!(item.held.body, HeldBody::NotHeld) {
            Some(Standing::Waiting(WaitingFor::Body))
        } else {
            None
        };
        self.items[number].depth = depth;
        let entry = &mut self.tree.entries[number];
        entry.standing = entry.standing.or(standing);
    }

    /// Waiting entries come last in canonical order and go on waiting.
    fn refuse_beyond(&mut self, entries_max: usize) {
        let beyond = Refused { check: Check::SizeLimit, what: "entries of the record" };
        for number in self.canonical().into_iter().skip(entries_max) {
            let standing = &mut self.tree.entries[number].standing;
            *standing = standing.or(Some(Standing::Unappliable(beyond)));
        }
    }

    /// Steps 2 and 3, in canonical order.
    fn judge_each<P: Policy>(&mut self, policy: P) {
        let creation = self.creation.map(|number| &self.items[number]);
        let writers = Writers::of(self.record, creation);
        let is_closed = self
            .items
            .iter()
            .zip(&self.tree.entries)
            .any(|(item, entry)| item.held.is_change() && entry.standing == Some(Standing::Erased));
        for number in self.canonical() {
            if self.tree.entries[number].standing.is_some() {
                continue;
            }
            let standing = if self.items[number].held.is_change() {
                self.judge_change(number, &writers, is_closed, policy)
            } else {
                self.judge_role_alone(number, &writers)
            };
            self.tree.entries[number].standing = standing;
            self.plant(number);
        }
    }

    fn canonical(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        // Numbers ascend with the ids, and the sort is stable.
        order.sort_by_key(|&number| self.items[number].depth.unwrap_or(u32::MAX));
        order
    }

    fn judge_change<P: Policy>(
        &mut self,
        number: usize,
        writers: &Writers,
        is_closed: bool,
        policy: P,
    ) -> Option<Standing> {
        let item = &self.items[number];
        if let Err(refused) = writers.admit(item) {
            return Some(Standing::OutOfRole(refused));
        }
        if item.foreign || item.named.iter().any(|&named| !self.items[named].held.is_change()) {
            return Some(Standing::OutOfRole(out_of_role("refs")));
        }
        if is_closed {
            return Some(Standing::Held(HeldWhy::Restate));
        }
        if let Some(&below) = item.named.iter().find(|&&named| self.tree.entries[named].standing.is_some()) {
            return Some(Standing::Held(HeldWhy::Ancestor(self.items[below].held.id())));
        }
        self.fit(number, policy).err().map(Standing::Unappliable)
    }

    /// Checks a change against the entries it names.
    fn fit<P: Policy>(&mut self, number: usize, policy: P) -> Result<(), Refused> {
        let item = &self.items[number];
        if let HeldBody::Malformed(refused) = item.held.body {
            return Err(refused);
        }
        let absent = Refused { check: Check::Shape, what: "change" };
        let change = item.change.as_ref().ok_or(absent)?.as_ref().map_err(|&refused| refused)?;
        let step = Step { entry: item.held.id(), refs: item.held.entry.header().refs() };
        match self.index.admit_under(change, step, policy)? {
            Admission::Admitted => Ok(()),
            // Every entry it names remains, so each of them was admitted before.
            Admission::Waiting(_) => Err(Refused { check: Check::ChangeDepsRefs, what: "refs" }),
        }
    }

    /// What a signature role is, whatever becomes of the entries it names.
    fn judge_role_alone(&self, number: usize, writers: &Writers) -> Option<Standing> {
        let item = &self.items[number];
        if let Err(refused) = writers.admit_role(item) {
            return Some(Standing::OutOfRole(refused));
        }
        if item.foreign {
            return Some(Standing::OutOfRole(out_of_role("refs")));
        }
        match item.held.body {
            HeldBody::Malformed(refused) => Some(Standing::Unappliable(refused)),
            HeldBody::Read(_) | HeldBody::Unread | HeldBody::NotHeld => None,
        }
    }

    /// Puts an entry that remains into the tree that forks are settled in.
    fn plant(&mut self, number: usize) {
        let item = &self.items[number];
        if self.tree.entries[number].standing.is_some() {
            return;
        }
        match (&item.change, item.held.entry.header().kind) {
            (Some(Ok(change)), Kind::Change) => {
                let seat = (change.actor(), change.seq());
                // A branch that answers other questions takes a seat of its own: nobody sees a fork, and both are applied.
                #[cfg(planted)]
                let seat = match crate::planted::is("fork-answers-apart") && self.answers_apart(number) {
                    true => (change.actor(), u64::MAX - number as u64),
                    false => seat,
                };
                self.tree.plant_change(number, seat, &item.named);
            }
            // Readers that do not know this kind must choose the same sibling.
            (_, Kind::CoAuthorship) => {}
            (_, kind) => self.tree.plant_role(number, kind == Kind::Ruling, &item.named),
        }
    }

    /// Whether no other change at the same place of its author's line answers a question that this one does.
    #[cfg(planted)]
    fn answers_apart(&self, number: usize) -> bool {
        let Some(Ok(own)) = &self.items[number].change else { return false };
        let others = self.items.iter().enumerate().filter(|(other, _)| *other != number);
        let others = others.filter_map(|(_, item)| item.change.as_ref()?.as_ref().ok());
        let mut siblings = others.filter(|other| (other.actor(), other.seq()) == (own.actor(), own.seq()));
        siblings.all(|other| other.puts().iter().all(|put| own.puts().iter().all(|own| own.key != put.key)))
    }

    /// Step 5: a covered change stays only under an uncovered one.
    fn set_aside_covered(&mut self) {
        // Planted: what a cut covers stays.
        #[cfg(planted)]
        if crate::planted::is("apply-cut-entry") {
            return;
        }
        for number in self.canonical().into_iter().rev() {
            if !self.items[number].held.is_change() || self.tree.entries[number].standing.is_some() {
                continue;
            }
            let entries = &self.tree.entries;
            let is_needed = entries[number].children.iter().any(|&child| entries[child].standing.is_none());
            if entries[number].is_covered && !is_needed {
                self.tree.entries[number].standing = Some(Standing::SetAside);
            }
        }
    }

    /// What signature roles are, now that it is known what is applied.
    fn judge_roles(&mut self) {
        for number in self.canonical() {
            let item = &self.items[number];
            if self.tree.entries[number].standing.is_some() {
                continue;
            }
            let entries = &self.tree.entries;
            // What still has no standing is applied, or speaks.
            let is_applied = |number: usize| entries[number].standing.is_none_or(Standing::is_applied);
            let is_overtaken = |&named: &usize| {
                let is_changed = entries[named].children.iter().any(|&child| is_applied(child));
                self.items[named].held.is_change() && (!is_applied(named) || is_changed)
            };
            let in_force = if item.is_ledgered { Standing::Accepted } else { Standing::Provisional };
            let standing = if item.held.is_change() {
                in_force
            } else if entries[number].is_covered {
                Standing::SetAside
            } else if item.named.iter().any(is_overtaken) {
                Standing::Voided
            } else {
                in_force
            };
            self.tree.entries[number].standing = Some(standing);
        }
    }

    fn close(self, forks: Vec<Fork>) -> Judged<'a> {
        let order = self.canonical();
        let Self { record, mut items, index, tree, .. } = self;
        let (mut applied, mut unapplied, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        let mut standings = BTreeMap::new();
        for number in order {
            let item = &mut items[number];
            // Every entry has a standing by now; an entry in a circle of refs would wait for ever.
            let waiting = Standing::Waiting(WaitingFor::Entry(item.held.id()));
            let standing = tree.entries[number].standing.unwrap_or(waiting);
            standings.insert(item.held.id(), standing);
            let Some(Ok(change)) = item.change.take() else {
                unread.extend(Some(item.held).filter(|held| held.is_change()));
                continue;
            };
            let entry = ChangeEntry { held: item.held, change, depth: item.depth.unwrap_or(u32::MAX) };
            if standing.is_applied() { applied.push(entry) } else { unapplied.push(entry) }
        }
        Judged { record, standings, applied, unapplied, unread, forks, index }
    }
}
