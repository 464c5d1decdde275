//! Working out what follows from a changed answer, and nothing else, in bounded work.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use merestone_core::change::TEXT_BYTES_MAX;

use super::problems::Part;
use super::{Filling, Place};
use crate::answer::Answer;
use crate::expr::{EvalError, Focus, Value};
use crate::field;
use crate::form::{Job, Reader};
use crate::model::{Formula, NodeIndex, NodeKind, QuestionKind};

/// What a job costs beside its expression, in steps: half a million of them are all that one action may cost.
const JOB_STEPS: u64 = 32;

/// A job that has to be done in a row; in the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    /// Which group of jobs that lead to each other.
    group: u32,
    /// The row, so that what leads from row to row goes along them.
    id: super::RowId,
    /// The order within a row.
    inside: u32,
    job: usize,
    row: usize,
}

/// What is due.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BTreeSet<Due>,
    /// Jobs that are due in all rows below one, so that they need not be put there again.
    spread: HashMap<usize, HashSet<usize>>,
}

impl Agenda {
    fn insert(&mut self, due: Due) {
        self.due.insert(due);
    }

    fn pop(&mut self) -> Option<Due> {
        let due = self.due.pop_first()?;
        self.spread.remove(&due.job);
        Some(due)
    }

    /// Whether a job is not yet due in all rows below one. It is from now on.
    fn spreads(&mut self, job: usize, anchor: usize) -> bool {
        self.spread.entry(job).or_default().insert(anchor)
    }

    /// A row came, in which what is due everywhere else is not.
    fn forget_spread(&mut self) {
        self.spread.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

impl Filling {
    /// Works out everything, as when a form begins.
    pub(super) fn settle_all(&mut self) {
        let live: Vec<usize> = (0..self.rows.len()).filter(|row| self.rows[*row].is_live).collect();
        for row in &live {
            self.queue_row(*row);
        }
        for row in live {
            let repeats: Vec<NodeIndex> = self.rows[row].rows.keys().copied().collect();
            repeats.into_iter().for_each(|repeat| self.touch_rows(repeat, row, false));
        }
        self.settle();
    }

    /// Works out what is due, and then the defaults that waited for it. What the budget does not reach stays due, and is
    /// done with the next action.
    pub(super) fn settle(&mut self) {
        while self.work.is_enough() {
            if let Some(due) = self.due.pop() {
                if self.rows[due.row].is_live {
                    self.work.spend(JOB_STEPS);
                    self.run(due);
                }
                if self.work.is_out() {
                    self.due.insert(due);
                }
            } else if let Some(place) = self.waiting.pop_front() {
                self.work.spend(JOB_STEPS);
                self.default_by_formula(place);
            } else {
                return;
            }
        }
    }

    /// Every job of a row, as when it is new.
    pub(super) fn queue_row(&mut self, row: usize) {
        self.due.forget_spread();
        let form = Arc::clone(&self.form);
        for job in form.graph().jobs_of(self.rows[row].repeat) {
            self.queue(*job, row);
        }
    }

    /// Notes what looks at rows of a repeat in the row `parent`, because some came or went; `is_moved` if the numbers of
    /// others changed by that. What looks only at the row it stands in has nothing to do with other rows.
    pub(super) fn touch_rows(&mut self, repeat: NodeIndex, parent: usize, is_moved: bool) {
        let form = Arc::clone(&self.form);
        let own = form.graph().outline().depth(repeat);
        for reader in form.graph().readers_below(repeat).filter(|reader| reader.bound < own) {
            self.queue_reader(reader, parent, false);
        }
        for reader in form.graph().readers(repeat).iter().filter(|reader| is_moved && reader.bound >= own) {
            self.queue_reader(*reader, parent, false);
        }
    }

    /// Writes a place's text, and notes what looks at it.
    pub(super) fn write(&mut self, place: Place, text: &str) {
        let Some(element) = self.element(place) else { return };
        if self.documents.own_text(element) == text {
            return;
        }
        self.documents.set_text(element, text);
        let form = Arc::clone(&self.form);
        for reader in form.graph().readers(place.node) {
            self.queue_reader(*reader, place.row, true);
        }
    }

    /// Notes what looks at a node or anything below it, because it is asked now or not any more.
    pub(super) fn touch_below(&mut self, node: NodeIndex, row: usize) {
        let form = Arc::clone(&self.form);
        for reader in form.graph().readers_below(node) {
            self.queue_reader(reader, row, false);
        }
    }

    /// A job that looks at something in `row`, in each of its own rows for which that is true.
    fn queue_reader(&mut self, reader: Reader, row: usize, is_answered: bool) {
        let form = Arc::clone(&self.form);
        let graph = form.graph();
        if let (Job::Calculate(node), false) = (graph.job(reader.job), is_answered)
            && !form.model().nodes[node].triggers.is_empty()
        {
            return;
        }
        let mut anchor = row;
        while form.graph().outline().depth(self.rows[anchor].repeat) > reader.bound {
            let Some(parent) = self.rows[anchor].parent else { break };
            anchor = parent;
        }
        let context = graph.context(reader.job);
        if self.rows[anchor].repeat == context {
            self.insert_due(reader.job, anchor);
        } else if self.due.spreads(reader.job, anchor) {
            let rows = self.rows_below(anchor, context);
            self.work.spend(rows.len() as u64);
            rows.into_iter().for_each(|row| self.insert_due(reader.job, row));
        }
    }

    /// A row's own rows in a plane; itself in its own.
    fn rows_below(&self, row: usize, plane: NodeIndex) -> Vec<usize> {
        let outline = self.form.graph().outline();
        let mut way: Vec<NodeIndex> = outline.ancestors(plane).filter(|above| outline.is_repeat(*above)).collect();
        way.reverse();
        let from = outline.depth(self.rows[row].repeat).min(way.len());
        let mut rows = vec![row];
        for repeat in &way[from..] {
            rows = rows.iter().flat_map(|row| self.rows[*row].rows.get(repeat).cloned().unwrap_or_default()).collect();
        }
        rows
    }

    /// A job because its row is new; what was answered before is not calculated again, and what waits for a trigger waits.
    fn queue(&mut self, job: usize, row: usize) {
        if let Job::Calculate(node) = self.form.graph().job(job) {
            let place = Place { row, node };
            let is_kept = !self.form.is_derived(node);
            let is_answered = self.key(place).is_some_and(|key| self.answers.contains_key(&key));
            if !self.node(place).triggers.is_empty() || (is_kept && is_answered) {
                return;
            }
        }
        self.insert_due(job, row);
    }

    fn insert_due(&mut self, job: usize, row: usize) {
        let (group, inside) = self.form.graph().rank(job);
        self.due.insert(Due { group, id: self.rows[row].id, inside, job, row });
    }

    /// Does a job.
    fn run(&mut self, due: Due) {
        let form = Arc::clone(&self.form);
        let job = form.graph().job(due.job);
        let node = &form.model().nodes[job.node()];
        let place = Place { row: due.row, node: job.node() };
        match job {
            Job::Relevant(_) => node.relevant.iter().for_each(|formula| self.run_relevant(formula, place)),
            Job::Calculate(_) => node.calculation.iter().for_each(|formula| self.run_calculation(formula, place)),
            Job::Count(_) => match &node.kind {
                NodeKind::Repeat { count } => count.iter().for_each(|formula| self.run_count(formula, place)),
                NodeKind::Group | NodeKind::Question(_) => {}
            },
        }
    }

    fn run_relevant(&mut self, formula: &Formula, place: Place) {
        let value = self.evaluate(formula, place);
        // A question whose condition cannot be worked out is asked: better one too many than one lost.
        let is_relevant = value.as_ref().map_or(true, Value::bool);
        self.note_fault(place, Part::Relevant, value.err());
        let Some(element) = self.element(place) else { return };
        if self.documents.is_relevant(element) != is_relevant {
            self.documents.set_relevant(element, is_relevant);
            self.touch_below(place.node, place.row);
            if is_relevant {
                self.queue_unanswered_below(place);
            }
        }
    }

    /// What is calculated and kept is not made while it is not asked; now it is.
    fn queue_unanswered_below(&mut self, place: Place) {
        let form = Arc::clone(&self.form);
        for node in form.graph().outline().below(place.node) {
            let Some(job) = form.graph().calculation(node) else { continue };
            for row in self.rows_below(place.row, form.names().plane(node)) {
                self.queue(job, row);
            }
        }
    }

    fn run_calculation(&mut self, formula: &Formula, place: Place) {
        let is_derived = self.form.is_derived(place.node);
        if !is_derived && !self.is_relevant(place) {
            return;
        }
        let text = self.evaluate(formula, place).map(|value| self.outcome(&value));
        let text = text.and_then(|text| if text.len() > TEXT_BYTES_MAX { Err(EvalError::TooLong) } else { Ok(text) });
        self.note_fault(place, Part::Calculation, text.as_ref().err().copied());
        let text = text.unwrap_or_default();
        if is_derived {
            self.write(place, &text);
        } else {
            self.put_calculated(place, &text);
        }
    }

    fn put_calculated(&mut self, place: Place, text: &str) {
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return };
        let answer = match field::read(kind, &node.parameters, text) {
            Ok(answer) => answer,
            // A calculation may come to what no person may type: a number in a text, a fraction in a whole number.
            Err(_) => field::read(&QuestionKind::Text, &node.parameters, text).unwrap_or(Answer::Blank),
        };
        let is_new = self.key(place).is_some_and(|key| !self.answers.contains_key(&key));
        if !(is_new && answer == Answer::Blank) {
            self.put(place, answer);
        }
    }

    fn run_count(&mut self, formula: &Formula, place: Place) {
        let around = self.form.model().nodes[place.node].parent.unwrap_or_default();
        let value = self.evaluate(formula, Place { node: around, ..place });
        let now = self.rows[place.row].rows.get(&place.node).map_or(0, Vec::len);
        let wanted = match value.as_ref().map(|value| value.number(&self.documents, self.occasion.offset_minutes)) {
            Ok(number) if number >= 1.0 => number as usize,
            Ok(_) => 0,
            // Nobody knows how many there are: those stay that somebody answered something in.
            Err(_) => self.known.get(&(place.node, self.id_of(place.row))).map_or(0, BTreeSet::len).max(now),
        };
        self.note_fault(place, Part::Count, value.err());
        let most = now + self.room_for(place.node);
        if wanted > most {
            self.overfull.insert(place);
        } else {
            self.overfull.remove(&place);
        }
        self.count_rows(place.node, place.row, wanted.min(most));
    }

    pub(super) fn note_fault(&mut self, place: Place, part: Part, fault: Option<EvalError>) {
        match fault {
            Some(fault) => drop(self.faults.insert((place, part), fault)),
            None => drop(self.faults.remove(&(place, part))),
        }
    }

    /// What a formula comes to at a place.
    pub(super) fn evaluate(&self, formula: &Formula, place: Place) -> Result<Value, EvalError> {
        let element = self.element(place).ok_or(EvalError::NotNodes("row"))?;
        self.evaluate_at(formula, Focus::at(element))
    }
}
