//! How checkpoints become final, and what that keeps from cuts: worked out here from the leaves alone.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::checkpoint::Leaf;
use merestone_core::id::{EntryId, StatementId};
use merestone_core::roster::{Class, PartyNumber};
use merestone_node::Device;
use merestone_node::replica::AnswerError;
use merestone_store::PAGE_LEAVES_MAX;

use super::World;
use crate::world::check::{Violation, chain, violated};
use crate::world::model::Chain;
use crate::world::witnesses::time_s;

/// Rounds of questions after which everything at the camp is final: one confirms that nothing is lost, one cosigns what was
/// held back until then, one what came since.
const ROUNDS: usize = 3;

/// What the ledger holds of entries and statements, under its largest final checkpoint.
#[derive(Default)]
struct Leaves {
    entries: Vec<(u64, EntryId)>,
    statements: BTreeMap<StatementId, u64>,
    finals: u64,
}

impl World<'_> {
    /// Somebody at the camp asks the witnesses; some do not run, and some are reached by sticks only.
    pub(super) fn go_round(&mut self) -> Result<(), Violation> {
        for at in 0..self.witnesses.all.len() {
            if self.chance.once_in(6) || !self.awake(0)? {
                continue;
            }
            self.arm(0, 24);
            let by_stick = self.chance.once_in(4);
            let asked = self.ask(at, by_stick);
            let was_armed = self.sites[0].disk.is_armed() || self.sites[0].is_shaken;
            match asked {
                Ok(()) => {}
                Err(_) if was_armed => {}
                Err(error) => return violated("ledger-continues", error),
            }
            self.recover(0)?;
        }
        Ok(())
    }

    /// Nothing goes wrong, and everybody's witness is there.
    pub(super) fn make_final(&mut self) -> Result<(), Violation> {
        let said = |error: String| Violation { invariant: "ledger-continues", found: error };
        for _ in 0..ROUNDS {
            for at in 0..self.witnesses.all.len() {
                self.ask(at, false).map_err(said)?;
            }
            let Some(camp) = self.sites[0].camp() else { return Ok(()) };
            camp.checkpoint().map_err(|error| said(error.to_string()))?;
        }
        Ok(())
    }

    /// One witness is asked, or an answer of it comes back; in words what went wrong.
    fn ask(&mut self, at: usize, by_stick: bool) -> Result<(), String> {
        let now_ms = self.time.now_ms();
        let Some(camp) = self.sites[0].camp() else { return Ok(()) };
        if let Some(answer) = self.witnesses.all[at].stick.take() {
            match camp.take_carried(answer.as_bytes()) {
                Ok(_) => self.tally.cosigned += 1,
                // A later stick went to the same witness, or its question was lost in a kill.
                Err(AnswerError::NotAsked) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        let (old, key) = (self.witnesses.all[at].old(), *self.witnesses.all[at].key.public());
        let question = match by_stick {
            true => camp.carried_question(&key, old, time_s(now_ms)),
            false => camp.question(old),
        };
        let Some(question) = question.map_err(|error| error.to_string())? else { return Ok(()) };
        let answer = self.witnesses.answer(at, &question.body, now_ms);
        let answer = answer.map_err(|refusal| format!("witness {at} does not cosign: {refusal}"))?;
        if by_stick {
            self.witnesses.all[at].stick = Some(answer);
            return Ok(());
        }
        let taken = camp.take_answer(&question.checkpoint, answer.as_bytes(), &at.to_string());
        taken.map_err(|error| error.to_string())?;
        self.tally.cosigned += 1;
        Ok(())
    }

    /// No device holds a checkpoint that too few parties cosigned to show it.
    pub(super) fn only_shown_what_enough_cosigned(&self) -> Result<(), Violation> {
        let needed = self.witnesses.quorum().shown();
        for site in &self.sites {
            let Some(up) = &site.up else { continue };
            let roster = up.device.authority().roster();
            let early = roster.checkpoints().find(|note| self.witnesses.parties_of(note.text()) < needed);
            if let Some(note) = early {
                let found = format!("{} holds a checkpoint of {} leaves", site.name(), note.size());
                return violated("shown-when-enough-cosigned", found);
            }
        }
        Ok(())
    }

    /// The entries that a final checkpoint holds now, as far as the camp knows.
    pub(super) fn final_now(&self) -> Result<BTreeSet<EntryId>, Violation> {
        Ok(self.leaves()?.entries.into_iter().map(|(_, id)| id).collect())
    }

    /// Works out what was final before each cut.
    pub(super) fn settle_cuts(&mut self) -> Result<(), Violation> {
        let leaves = self.leaves()?;
        self.tally.finals += u64::from(leaves.finals > 0);
        let Some(up) = &self.sites[0].up else { return Ok(()) };
        let chain = chain(&up.device).map_err(|found| Violation { invariant: "store-readable", found })?;
        let roster = up.device.authority().roster();
        let needed = self.witnesses.quorum().liars;
        let (mut acknowledged, mut settled) = (0, 0);
        for cut in &mut self.model.cuts {
            let mut parties: BTreeMap<PartyNumber, u64> = BTreeMap::new();
            for said in roster.acknowledgements_of(cut.id) {
                let Some(index) = leaves.statements.get(&said.id()) else { continue };
                let least = parties.entry(said.party()).or_insert(*index);
                *least = (*least).min(*index);
            }
            let mut places: Vec<u64> = parties.into_values().collect();
            places.sort_unstable();
            let from = places.get(needed - 1).copied();
            acknowledged += u64::from(from.is_some());
            let before = leaves.entries.iter().filter(|(index, _)| from.is_none_or(|from| *index < from));
            cut.settled = before.flat_map(|(_, id)| below(*id, &chain)).collect();
            settled += cut.was_final.len() as u64;
        }
        drop(roster);
        self.tally.acknowledged += acknowledged;
        self.tally.settled += settled;
        Ok(())
    }

    /// Whoever is not cut holds the same statements, and is under the same charter.
    pub(super) fn one_roster(&self, there: &[usize]) -> Result<(), Violation> {
        let honest = there.iter().map(|number| &self.sites[*number]).filter(|site| !site.is_cut);
        let honest: Vec<_> = honest.filter_map(|site| Some((site.name(), &site.up.as_ref()?.device))).collect();
        let Some(((first, reference), others)) = honest.split_first() else { return Ok(()) };
        for (name, device) in others {
            let [charter, theirs] = [reference, device].map(|device| device.authority().roster().charter().id());
            if charter != theirs {
                return violated("one-roster", format!("{first} and {name} are under other charters"));
            }
            // Receipts are made at every meeting.
            for class in Class::ALL.into_iter().filter(|class| *class != Class::Receipt) {
                if let Some(difference) = differ(reference, device, class) {
                    return violated("one-roster", format!("{first} and {name} differ in {class:?}: {difference}"));
                }
            }
        }
        Ok(())
    }

    /// What the camp's leaves say, under its largest final checkpoint.
    fn leaves(&self) -> Result<Leaves, Violation> {
        let Some(up) = self.sites[0].up.as_ref().filter(|_| self.luck.witnesses) else { return Ok(Leaves::default()) };
        let mut leaves = Leaves { finals: self.final_size(&up.device), ..Leaves::default() };
        let mut index = 0;
        while index < leaves.finals {
            let page = up.device.store().ledger_leaves(index, PAGE_LEAVES_MAX);
            let page = page.map_err(|error| Violation { invariant: "store-readable", found: error.to_string() })?;
            let page = page.into_iter().zip(index..leaves.finals);
            let before = index;
            for (bytes, at) in page {
                match Leaf::decode(&bytes) {
                    Ok(Leaf::Entry { log: _, seq: _, id }) => leaves.entries.push((at, id)),
                    Ok(Leaf::Statement(id)) => _ = leaves.statements.entry(id).or_insert(at),
                    Ok(_) => {}
                    Err(refused) => return violated("ledger-continues", format!("leaf {at}: {refused}")),
                }
                index = at + 1;
            }
            if index == before {
                return violated(
                    "ledger-continues",
                    format!("{} leaves are final and {index} are held", leaves.finals),
                );
            }
        }
        Ok(leaves)
    }

    /// The leaves of the largest checkpoint that enough parties' cosignatures, held at a device, make final.
    fn final_size(&self, device: &Device) -> u64 {
        let needed = self.witnesses.quorum().last;
        let roster = device.authority().roster();
        let notes = roster.cosigned_notes();
        let is_final = |note: &&merestone_core::witness::CosignedNote| {
            let keys: BTreeSet<&[u8; 32]> = note.cosignatures().map(|by| by.key().as_bytes()).collect();
            self.witnesses.all.iter().filter(|witness| keys.contains(witness.key.public().as_bytes())).count() >= needed
        };
        notes.iter().filter(is_final).map(|note| note.checkpoint().size()).max().unwrap_or(0)
    }
}

/// An entry and all before it in its chain, if they are held down to the first.
fn below(id: EntryId, chain: &Chain) -> Vec<EntryId> {
    let (mut all, mut next) = (Vec::new(), Some(id));
    while let Some(id) = next {
        let Some(before) = chain.get(&id) else { return Vec::new() };
        all.push(id);
        next = *before;
    }
    all
}

/// The first statement of a class that one of two devices lacks, in words.
fn differ(one: &Device, other: &Device, class: Class) -> Option<String> {
    let ids =
        |device: &Device| -> BTreeSet<StatementId> { device.authority().roster().ids(class).into_iter().collect() };
    let (one, other) = (ids(one), ids(other));
    one.symmetric_difference(&other).next().map(|id| format!("{} and {}, {id} is with one", one.len(), other.len()))
}
