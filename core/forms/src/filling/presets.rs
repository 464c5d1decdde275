//! What is answered before anybody answers: what the device knows by itself, and what the form begins with.

use std::sync::Arc;

use super::problems::Part;
use super::{Filling, Place};
use crate::answer::Answer;
use crate::expr::Moment;
use crate::field;
use crate::model::{Metadata, NodeIndex, NodeKind, Preset, QuestionKind};

impl Filling {
    /// What the device knows by itself when a record begins.
    pub(super) fn introduce(&mut self) {
        for place in self.everywhere() {
            let NodeKind::Question(QuestionKind::Metadata(metadata)) = self.node(place).kind else { continue };
            let now = self.now();
            let text = match metadata {
                Metadata::Start => now.text(),
                Metadata::Today => Moment { local: now.local.date().at(0, 0, 0, 0), ..now }.text(),
                Metadata::DeviceId => self.occasion.device_id.clone(),
                Metadata::UserName => self.occasion.user_name.clone(),
                Metadata::Email => self.occasion.email.clone(),
                Metadata::PhoneNumber => self.occasion.phone_number.clone(),
                Metadata::InstanceId if self.form.has_answer(place.node) => self.make_instance_id(),
                Metadata::InstanceId | Metadata::End | Metadata::StartPlace | Metadata::Audit => String::new(),
            };
            // What people are called is never a reason against a record.
            let answer = Answer::text(&text);
            if !text.is_empty() {
                self.put(place, answer);
            }
        }
    }

    /// A name for this record among all others, as ODK makes them: a version 4 UUID (RFC 9562 §5.4).
    fn make_instance_id(&self) -> String {
        let bits = (u128::from(self.draw()) << 64) | u128::from(self.draw());
        let bits = bits & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
        let digits = format!("{bits:032x}");
        format!("uuid:{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
    }

    /// Gives the questions of a row the answers that the form has for them; those that are worked out wait.
    pub(super) fn default_plane(&mut self, row: usize, plane: NodeIndex) {
        for node in self.form.names().members(plane).to_vec() {
            let place = Place { row, node };
            let answer = match &self.node(place).default {
                Some(Preset::Text(text)) => self.read_preset(place, text),
                Some(Preset::Formula(_)) => {
                    self.waiting.push_back(place);
                    None
                }
                None => None,
            };
            if let Some(answer) = answer {
                self.put(place, answer);
            }
        }
    }

    /// Gives a question what its default comes to, unless somebody answered before.
    pub(super) fn default_by_formula(&mut self, place: Place) {
        let form = Arc::clone(&self.form);
        let Some(Preset::Formula(formula)) = &form.model().nodes[place.node].default else { return };
        let is_answered = self.key(place).is_none_or(|key| self.answers.contains_key(&key));
        if is_answered || !self.is_relevant(place) && self.form.is_derived(place.node) {
            return;
        }
        let value = self.evaluate(formula, place);
        let text = value.as_ref().map(|value| self.outcome(value)).unwrap_or_default();
        self.note_fault(place, Part::Default, value.err());
        if let Some(answer) = self.read_preset(place, &text) {
            self.put(place, answer);
        }
    }

    /// A default as an answer; one that the question itself would refuse is none.
    pub(super) fn read_preset(&self, place: Place, text: &str) -> Option<Answer> {
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return None };
        field::read(kind, &node.parameters, text).ok().filter(|answer| *answer != Answer::Blank)
    }
}
