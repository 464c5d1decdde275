//! Working out what follows from a changed answer, and nothing else, in bounded work.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Filling, Place, ROWS_MAX};
use crate::answer::Answer;
use crate::expr::{EvalError, Focus, Value};
use crate::field;
use crate::form::{Job, Reader};
use crate::model::{Formula, NodeIndex, NodeKind, Preset, QuestionKind};

/// Most steps that one changed answer may cost: half a second of a phone.
const STEPS_MAX: u64 = 20_000_000;
/// Most jobs that one changed answer may cost.
const JOBS_MAX: usize = 500_000;

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
pub(super) type Agenda = BTreeSet<Due>;

impl Filling {
    /// Works out everything, as when a form begins.
    pub(super) fn settle_all(&mut self) {
        for row in 0..self.rows.len() {
            if self.rows[row].is_live {
                self.queue_row(row);
            }
        }
        self.settle();
    }

    /// Works out what is due, and then the defaults that waited for it.
    pub(super) fn settle(&mut self) {
        let (mut steps, mut jobs) = (0, 0);
        loop {
            while let Some(due) = self.due.pop_first() {
                jobs += 1;
                steps += if self.rows[due.row].is_live { self.run(due) } else { 0 };
                if steps > STEPS_MAX || jobs > JOBS_MAX {
                    self.due.clear();
                    self.is_settled = false;
                    return;
                }
            }
            let Some(place) = (!self.waiting.is_empty()).then(|| self.waiting.remove(0)) else { break };
            self.default_by_formula(place);
        }
        self.is_settled = true;
    }

    /// Every job of a row, as when it is new.
    pub(super) fn queue_row(&mut self, row: usize) {
        let form = Arc::clone(&self.form);
        let graph = form.graph();
        let repeat = self.rows[row].repeat;
        for job in graph.jobs_of(repeat) {
            self.queue(*job, row);
        }
        if let (Some(parent), false) = (self.rows[row].parent, row == 0) {
            self.touch_below(repeat, parent);
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

    /// Notes what looks at a node or anything below it, because rows came or went or it is asked or not.
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
        for row in self.rows_below(anchor, graph.context(reader.job)) {
            self.insert_due(reader.job, row);
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

    /// Does a job, and says how many steps it took.
    fn run(&mut self, due: Due) -> u64 {
        let form = Arc::clone(&self.form);
        let job = form.graph().job(due.job);
        let node = &form.model().nodes[job.node()];
        let place = Place { row: due.row, node: job.node() };
        match job {
            Job::Relevant(_) => node.relevant.as_ref().map_or(0, |formula| self.run_relevant(formula, place)),
            Job::Calculate(_) => node.calculation.as_ref().map_or(0, |formula| self.run_calculation(formula, place)),
            Job::Count(_) => match &node.kind {
                NodeKind::Repeat { count: Some(formula) } => self.run_count(formula, place),
                NodeKind::Repeat { count: None } | NodeKind::Group | NodeKind::Question(_) => 0,
            },
        }
    }

    fn run_relevant(&mut self, formula: &Formula, place: Place) -> u64 {
        let (value, steps) = self.evaluate_counted(formula, place);
        // A question whose condition cannot be worked out is asked: better one too many than one lost.
        let is_relevant = value.as_ref().map_or(true, Value::bool);
        self.note_fault(place, value.err());
        let Some(element) = self.element(place) else { return steps };
        if self.documents.is_relevant(element) != is_relevant {
            self.documents.set_relevant(element, is_relevant);
            self.touch_below(place.node, place.row);
            if is_relevant {
                self.queue_unanswered_below(place);
            }
        }
        steps
    }

    /// What is calculated and kept is not made while it is not asked; now it is.
    fn queue_unanswered_below(&mut self, place: Place) {
        let form = Arc::clone(&self.form);
        let below: BTreeSet<NodeIndex> = form.graph().outline().below(place.node).into_iter().collect();
        let planes: BTreeSet<NodeIndex> = below.iter().map(|node| form.names().plane(*node)).collect();
        for plane in planes {
            for job in form.graph().jobs_of(plane) {
                if matches!(form.graph().job(*job), Job::Calculate(node) if below.contains(&node)) {
                    for row in self.rows_below(place.row, plane) {
                        self.queue(*job, row);
                    }
                }
            }
        }
    }

    fn run_calculation(&mut self, formula: &Formula, place: Place) -> u64 {
        let is_derived = self.form.is_derived(place.node);
        if !is_derived && !self.is_relevant(place) {
            return 0;
        }
        let (value, steps) = self.evaluate_counted(formula, place);
        let text = value.as_ref().map(|value| value.text(&self.documents)).unwrap_or_default();
        self.note_fault(place, value.err());
        if is_derived {
            self.write(place, &text);
        } else {
            self.put_calculated(place, &text);
        }
        steps
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

    fn run_count(&mut self, formula: &Formula, place: Place) -> u64 {
        let around = self.form.model().nodes[place.node].parent.unwrap_or_default();
        let (value, steps) = self.evaluate_counted(formula, Place { node: around, ..place });
        let number = value.as_ref().map_or(0.0, |value| value.number(&self.documents, self.occasion.offset_minutes));
        let room = ROWS_MAX.saturating_sub(self.live_rows());
        let now = self.rows[place.row].rows.get(&place.node).map_or(0, Vec::len);
        let wanted = if number >= 1.0 { number as usize } else { 0 };
        let is_over = wanted > now + room;
        self.note_fault(Place { node: around, ..place }, value.err().or(is_over.then_some(EvalError::Budget)));
        self.count_rows(place.node, place.row, wanted.min(now + room));
        steps
    }

    fn default_by_formula(&mut self, place: Place) {
        let form = Arc::clone(&self.form);
        let Some(Preset::Formula(formula)) = &form.model().nodes[place.node].default else { return };
        let is_answered = self.key(place).is_none_or(|key| self.answers.contains_key(&key));
        if is_answered || !self.is_relevant(place) && self.form.is_derived(place.node) {
            return;
        }
        let value = self.evaluate(formula, place);
        let text = value.as_ref().map(|value| value.text(&self.documents)).unwrap_or_default();
        self.note_fault(place, value.err());
        if let Some(answer) = self.read_preset(place, &text) {
            self.put(place, answer);
        }
    }

    fn note_fault(&mut self, place: Place, fault: Option<EvalError>) {
        match fault {
            Some(fault) => drop(self.faults.insert(place, fault)),
            None => drop(self.faults.remove(&place)),
        }
    }

    /// What a formula comes to at a place.
    pub(super) fn evaluate(&self, formula: &Formula, place: Place) -> Result<Value, EvalError> {
        self.evaluate_counted(formula, place).0
    }

    fn evaluate_counted(&self, formula: &Formula, place: Place) -> (Result<Value, EvalError>, u64) {
        let Some(element) = self.element(place) else { return (Err(EvalError::NotNodes("row")), 0) };
        formula.expression.evaluate_counted(&self.documents, self, Focus::at(element))
    }
}
