//! Choices: which are offered now, and whether an answer is among them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Filling, Place};
use crate::answer::Answer;
use crate::expr::{Focus, NodeId, ParkMiller, Value};
use crate::field::Refusal;
use crate::model::{Choices, ChoicesFrom, Formula, Instance, Item, Media, NodeKind, QuestionKind, Words};

/// A choice that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// What is recorded.
    pub name: String,
    /// What is shown, in the language now shown.
    pub label: String,
    /// What stands beside the text.
    pub media: Media,
}

/// Most labels of choices that one label may look at, each by way of the one before.
const LABELS_DEPTH_MAX: u8 = 4;
/// How many choices are looked through in the time of a step.
const CHOICES_A_STEP: usize = 8;

/// A choice that is offered if it passes the filter.
#[derive(Clone, Copy)]
struct Candidate<'f> {
    item: Option<&'f Item>,
    /// Where filters look at it; none where there is no filter.
    element: Option<NodeId>,
    /// From 1.
    position: usize,
    /// How many there are.
    size: usize,
}

impl Filling {
    /// The choices of a question as things are, in the order in which they are shown; none where it has no choices.
    ///
    /// What depends on a filter that cannot be worked out is not offered.
    pub fn offered(&self, place: Place) -> Vec<Offered> {
        self.work.begin();
        let Some(choices) = self.node(place).choices() else { return Vec::new() };
        let mut offered: Vec<Offered> =
            self.passing(choices, place).filter_map(|candidate| self.shown(candidate, choices, place)).collect();
        if let Some(seed) = &choices.randomize {
            let seed = seed.as_ref().and_then(|formula| self.evaluate(formula, place).ok());
            let seed = seed.map(|value| value.number(&self.documents, self.occasion.offset_minutes));
            shuffle(&mut offered, seed.unwrap_or_else(|| self.own_seed(place)));
        }
        offered
    }

    /// The answer as it is kept: several choices stand in the order of the form, so that two who chose the same have the
    /// same answer. If the work ends before it is known what is offered, the answer stays as it is.
    ///
    /// # Errors
    /// If it names what is not offered.
    pub(super) fn chosen(&self, place: Place, answer: Answer) -> Result<Answer, Refusal> {
        let (Some(choices), Answer::Text(text)) = (self.node(place).choices(), &answer) else { return Ok(answer) };
        let NodeKind::Question(kind) = &self.node(place).kind else { return Ok(answer) };
        let is_one = matches!(kind, QuestionKind::SelectOne(_));
        let chosen: Vec<&str> = if is_one { vec![text] } else { text.split(' ').collect() };
        // A filter is asked about what was chosen, and not about a list of thousands.
        let mut missing: HashSet<&str> = chosen.iter().copied().collect();
        let mut found: Vec<&str> = Vec::new();
        for candidate in self.candidates(choices, place) {
            if missing.is_empty() {
                break;
            }
            let name = self.name_of(candidate, choices, place).unwrap_or_default();
            if missing.contains(&*name) && self.passes(candidate, choices, place) {
                found.extend(missing.take(&*name));
            }
        }
        match kind {
            _ if self.work.is_out() => Ok(answer),
            _ if !missing.is_empty() => Err(Refusal::Choice),
            _ if found.len() != chosen.len() => Err(Refusal::ChoiceTwice),
            QuestionKind::Rank(_) if self.passing(choices, place).count() != chosen.len() => Err(Refusal::Order),
            QuestionKind::SelectMultiple(_) => Ok(Answer::Text(found.join(" "))),
            _ => Ok(answer),
        }
    }

    /// The label of a choice, whether or not it is offered now; none where a label names itself by way of others.
    pub(super) fn label_of_choice(&self, place: Place, name: &str) -> Option<String> {
        let depth = self.naming.get();
        if depth >= LABELS_DEPTH_MAX || self.work.is_out() {
            return None;
        }
        self.naming.set(depth + 1);
        let label = self.label_at(place, name);
        self.naming.set(depth);
        label
    }

    fn label_at(&self, place: Place, name: &str) -> Option<String> {
        let choices = self.node(place).choices()?;
        let is_it =
            |candidate: &Candidate<'_>| self.name_of(*candidate, choices, place).is_some_and(|own| &*own == name);
        let mut named = self.candidates(choices, place).filter(is_it);
        match &choices.from {
            ChoicesFrom::Instance { .. } if self.list_of(choices).is_some() => {
                self.words_as_written(&named.next()?.item?.label, place)
            }
            ChoicesFrom::Instance { .. } | ChoicesFrom::Nodes { .. } => {
                let found = named.find(|candidate| self.passes(*candidate, choices, place))?;
                self.shown(found, choices, place).map(|choice| choice.label)
            }
        }
    }

    /// The list of the form that choices come from, if they come from one.
    fn list_of(&self, choices: &Choices) -> Option<&[Item]> {
        let ChoicesFrom::Instance { name, .. } = &choices.from else { return None };
        match self.form.model().instances.get(name) {
            Some(Instance::List(items)) => Some(items),
            _ => None,
        }
    }

    /// Everything that may be offered, in order.
    fn candidates(&self, choices: &Choices, place: Place) -> impl Iterator<Item = Candidate<'_>> + use<'_> {
        let elements: Vec<NodeId> = match &choices.from {
            ChoicesFrom::Nodes { items, .. } => match self.evaluate(items, place) {
                Ok(Value::Nodes(nodes)) => nodes,
                Ok(_) | Err(_) => Vec::new(),
            },
            // Without a filter the document of a list is not needed, and may not be there.
            ChoicesFrom::Instance { .. } if choices.filter.is_none() && self.list_of(choices).is_some() => Vec::new(),
            ChoicesFrom::Instance { name, .. } => {
                self.documents.instance(name).map(|root| self.documents.children(root).collect()).unwrap_or_default()
            }
        };
        // The document of a list has its items in the same order.
        let items = self.list_of(choices).unwrap_or_default();
        let size = items.len().max(elements.len());
        self.work.spend((size / CHOICES_A_STEP) as u64);
        let one = move |at: usize| {
            let (item, element) = (items.get(at), elements.get(at).copied());
            Candidate { item, element, position: at + 1, size }
        };
        (0..size).map(one)
    }

    /// What is offered; the rest is not when the work ends.
    fn passing<'f>(&'f self, choices: &'f Choices, place: Place) -> impl Iterator<Item = Candidate<'f>> + 'f {
        let all = self.candidates(choices, place);
        all.take_while(|_| !self.work.is_out()).filter(move |candidate| self.passes(*candidate, choices, place))
    }

    fn passes(&self, candidate: Candidate<'_>, choices: &Choices, place: Place) -> bool {
        let Some(filter) = &choices.filter else { return true };
        let (Some(element), Some(node)) = (self.element(place), candidate.element) else { return false };
        let focus = Focus { node, position: candidate.position, size: candidate.size, ..Focus::at(element) };
        match self.evaluate_at(filter, focus) {
            Ok(Value::Number(number)) => number == candidate.position as f64,
            Ok(value) => value.bool(),
            Err(_) => false,
        }
    }

    /// What is recorded; `None` where a candidate has nothing to record.
    fn name_of<'f>(&'f self, candidate: Candidate<'f>, choices: &Choices, place: Place) -> Option<Cow<'f, str>> {
        match (candidate.item, &choices.from) {
            (Some(item), _) => Some(Cow::Borrowed(&item.name)),
            (None, ChoicesFrom::Instance { value, .. }) => self.cell_of(candidate.element?, value).map(Cow::Owned),
            (None, ChoicesFrom::Nodes { value, .. }) => self.text_at(value, candidate.element?, place).map(Cow::Owned),
        }
    }

    fn shown(&self, candidate: Candidate<'_>, choices: &Choices, place: Place) -> Option<Offered> {
        if let Some(item) = candidate.item {
            return Some(self.shown_item(item, place));
        }
        let name = self.name_of(candidate, choices, place)?.into_owned();
        let label = match &choices.from {
            ChoicesFrom::Instance { label, .. } => self.cell_of(candidate.element?, label),
            ChoicesFrom::Nodes { label, .. } => self.text_at(label, candidate.element?, place),
        };
        let label = label.unwrap_or_else(|| name.clone());
        Some(Offered { name, label, media: Media::default() })
    }

    fn shown_item(&self, item: &Item, place: Place) -> Offered {
        let label = self.words_at(&item.label, place).unwrap_or_else(|| item.name.clone());
        Offered {
            name: item.name.clone(),
            label,
            media: item.media.as_ref().map(|media| in_language(media, self.language)).unwrap_or_default(),
        }
    }

    /// The text in the first element of this name in another.
    fn cell_of(&self, element: NodeId, name: &str) -> Option<String> {
        let cell = self.documents.children(element).find(|cell| self.documents.name(*cell) == name);
        cell.map(|cell| self.documents.text(cell))
    }

    /// What a formula comes to at a node that is a choice.
    fn text_at(&self, formula: &Formula, node: NodeId, place: Place) -> Option<String> {
        let value = self.evaluate_at(formula, Focus { node, ..Focus::at(self.element(place)?) });
        value.ok().map(|value| self.text_of(&value)).filter(|text| !text.is_empty())
    }

    /// The same order for one question as long as it is filled.
    fn own_seed(&self, place: Place) -> f64 {
        let seed =
            self.occasion.seed.iter().fold(place.node as u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(*byte));
        f64::from(seed >> 1)
    }
}

/// Names of files in one language.
fn in_language(media: &Media, language: Option<usize>) -> Media {
    let one = |words: &Words| Words { fallback: words.in_language(language).cloned(), ..Words::default() };
    Media {
        image: one(&media.image),
        big_image: one(&media.big_image),
        audio: one(&media.audio),
        video: one(&media.video),
    }
}

/// An order by chance, the same for the same seed (ODK XForms §randomize); that of 1 where a seed is no number.
fn shuffle(offered: &mut [Offered], seed: f64) {
    let Some(mut chance) = ParkMiller::new(seed).or_else(|| ParkMiller::new(1.0)) else { return };
    for index in (1..offered.len()).rev() {
        offered.swap(index, ((chance.fraction() * (index + 1) as f64) as usize).min(index));
    }
}
