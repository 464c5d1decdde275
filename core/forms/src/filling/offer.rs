//! Choices: which are offered now, and whether an answer is among them.

use super::{Filling, Place};
use crate::answer::Answer;
use crate::expr::{Focus, NodeId, Value};
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

impl Filling {
    /// The choices of a question as things are, in the order in which they are shown; none where it has no choices.
    ///
    /// What depends on a filter that cannot be worked out is not offered.
    pub fn offered(&self, place: Place) -> Vec<Offered> {
        let Some(choices) = self.node(place).choices() else { return Vec::new() };
        let mut offered = match &choices.from {
            ChoicesFrom::Nodes { items, value, label } => self.nodes_offered([items, value, label], choices, place),
            ChoicesFrom::Instance { name, value, label } => match self.form.model().instances.get(name) {
                Some(Instance::List(items)) => self.items_offered(name, items, choices, place),
                _ => self.elements_offered(name, (value, label), choices, place),
            },
        };
        if let Some(seed) = &choices.randomize {
            let seed = seed.as_ref().and_then(|formula| self.evaluate(formula, place).ok());
            let seed = seed.map(|value| value.number(&self.documents, self.occasion.offset_minutes));
            shuffle(&mut offered, seed.unwrap_or_else(|| self.own_seed(place)));
        }
        offered
    }

    /// Refuses an answer that names what is not offered.
    pub(super) fn check_choice(&self, place: Place, answer: &Answer) -> Result<(), Refusal> {
        let (Some(_), Answer::Text(text)) = (self.node(place).choices(), answer) else { return Ok(()) };
        let offered = self.offered(place);
        let is_offered = |name: &str| offered.iter().any(|choice| choice.name == name);
        let NodeKind::Question(kind) = &self.node(place).kind else { return Ok(()) };
        if let QuestionKind::SelectOne(_) = kind {
            return if is_offered(text) { Ok(()) } else { Err(Refusal::Choice) };
        }
        let chosen: Vec<&str> = text.split(' ').collect();
        if !chosen.iter().all(|name| is_offered(name)) {
            return Err(Refusal::Choice);
        }
        let mut once = chosen.clone();
        once.sort_unstable();
        once.dedup();
        match kind {
            _ if once.len() != chosen.len() => Err(Refusal::ChoiceTwice),
            QuestionKind::Rank(_) if chosen.len() != offered.len() => Err(Refusal::Order),
            _ => Ok(()),
        }
    }

    /// The label of a choice, whether or not it is offered now; none where a label names itself by way of others.
    pub(super) fn label_of_choice(&self, place: Place, name: &str) -> Option<String> {
        let depth = self.naming.get();
        if depth >= LABELS_DEPTH_MAX {
            return None;
        }
        self.naming.set(depth + 1);
        let label = self.label_at(place, name);
        self.naming.set(depth);
        label
    }

    fn label_at(&self, place: Place, name: &str) -> Option<String> {
        let choices = self.node(place).choices()?;
        if let ChoicesFrom::Instance { name: list, .. } = &choices.from
            && let Some(Instance::List(items)) = self.form.model().instances.get(list)
        {
            let item = items.iter().find(|item| item.name == name)?;
            return self.words_as_written(&item.label, place);
        }
        let mut offered = self.offered(place).into_iter();
        offered.find(|choice| choice.name == name).map(|choice| choice.label)
    }

    fn items_offered(&self, list: &str, items: &[Item], choices: &Choices, place: Place) -> Vec<Offered> {
        let Some(filter) = &choices.filter else { return items.iter().map(|item| self.shown(item, place)).collect() };
        // The document of the list has its items in the same order.
        let elements = self.documents.instance(list).map(|root| self.documents.children(root).collect::<Vec<_>>());
        let Some(elements) = elements else { return Vec::new() };
        let size = elements.len();
        let passes = |(at, element): (usize, &NodeId)| self.passes(filter, *element, place, at + 1, size);
        let kept = elements.iter().enumerate().zip(items).filter(|(element, _)| passes(*element));
        kept.map(|(_, item)| self.shown(item, place)).collect()
    }

    /// Choices of data that came with the form: any element with the two cells.
    fn elements_offered(&self, name: &str, cells: (&str, &str), choices: &Choices, place: Place) -> Vec<Offered> {
        let Some(root) = self.documents.instance(name) else { return Vec::new() };
        let elements: Vec<NodeId> = self.documents.children(root).collect();
        let size = elements.len();
        let cell = |element: NodeId, name: &str| {
            let cell = self.documents.children(element).find(|cell| self.documents.name(*cell) == name);
            cell.map(|cell| self.documents.text(cell))
        };
        let passes = |at: usize, element: NodeId| {
            choices.filter.as_ref().is_none_or(|filter| self.passes(filter, element, place, at + 1, size))
        };
        let kept = elements.into_iter().enumerate().filter(|(at, element)| passes(*at, *element));
        kept.filter_map(|(_, element)| {
            let name = cell(element, cells.0)?;
            let label = cell(element, cells.1).unwrap_or_else(|| name.clone());
            Some(Offered { name, label, media: Media::default() })
        })
        .collect()
    }

    fn nodes_offered(&self, [items, value, label]: [&Formula; 3], choices: &Choices, place: Place) -> Vec<Offered> {
        let Ok(Value::Nodes(nodes)) = self.evaluate(items, place) else { return Vec::new() };
        let size = nodes.len();
        let passes = |at: usize, node: NodeId| {
            choices.filter.as_ref().is_none_or(|filter| self.passes(filter, node, place, at + 1, size))
        };
        let text = |formula: &Formula, node: NodeId| {
            let value =
                formula.expression.evaluate(&self.documents, self, Focus { node, ..Focus::at(self.element(place)?) });
            value.ok().map(|value| value.text(&self.documents)).filter(|text| !text.is_empty())
        };
        let kept = nodes.into_iter().enumerate().filter(|(at, node)| passes(*at, *node));
        kept.filter_map(|(_, node)| {
            let name = text(value, node)?;
            let label = text(label, node).unwrap_or_else(|| name.clone());
            Some(Offered { name, label, media: Media::default() })
        })
        .collect()
    }

    fn passes(&self, filter: &Formula, item: NodeId, place: Place, position: usize, size: usize) -> bool {
        let Some(element) = self.element(place) else { return false };
        let focus = Focus { node: item, position, size, ..Focus::at(element) };
        match filter.expression.evaluate(&self.documents, self, focus) {
            Ok(Value::Number(number)) => number == position as f64,
            Ok(value) => value.bool(),
            Err(_) => false,
        }
    }

    fn shown(&self, item: &Item, place: Place) -> Offered {
        let label = self.words(&item.label, place).unwrap_or_else(|| item.name.clone());
        Offered {
            name: item.name.clone(),
            label,
            media: item.media.as_ref().map(|media| in_language(media, self.language)).unwrap_or_default(),
        }
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

/// An order by chance, the same for the same seed (ODK XForms §randomize).
fn shuffle(offered: &mut [Offered], seed: f64) {
    const MODULUS: i64 = 2_147_483_647;
    const MULTIPLIER: i64 = 16_807;
    let seed = if seed.is_finite() { seed.trunc() % MODULUS as f64 } else { 1.0 };
    let mut state = if seed <= 0.0 { seed as i64 + MODULUS - 1 } else { seed as i64 };
    for index in (1..offered.len()).rev() {
        state = state * MULTIPLIER % MODULUS;
        let fraction = (state - 1) as f64 / (MODULUS - 1) as f64;
        offered.swap(index, ((fraction * (index + 1) as f64) as usize).min(index));
    }
}
