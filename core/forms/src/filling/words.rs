//! Texts for people, with the answers that they name.

use super::{Filling, Place};
use crate::model::Words;

impl Filling {
    /// A text in the language now shown, with the answers that it names; `None` if there is none.
    pub fn words(&self, words: &Words, place: Place) -> Option<String> {
        let text = words.in_language(self.language)?;
        let value = |formula: &_| self.evaluate(formula, place).map(|value| value.text(&self.documents));
        Some(text.filled(|formula| value(formula).unwrap_or_default()))
    }

    /// The question's text; its name where it has none.
    pub fn label(&self, place: Place) -> String {
        let node = self.node(place);
        self.words(&node.label, place).filter(|label| !label.is_empty()).unwrap_or_else(|| node.name.clone())
    }
}
