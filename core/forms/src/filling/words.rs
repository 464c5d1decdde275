//! Texts for people, with the answers that they name.

use merestone_core::change::TEXT_BYTES_MAX;

use super::{Filling, Place, RowId};
use crate::model::{Formula, NodeIndex, Words};

/// Most bytes of answers that one text shows: as many as one answer may have.
const SHOWN_BYTES_MAX: usize = TEXT_BYTES_MAX;

impl Filling {
    /// A text in the language now shown, without its marks and with the answers that it names; `None` if there is none.
    pub fn words(&self, words: &Words, place: Place) -> Option<String> {
        self.work.begin();
        self.words_at(words, place)
    }

    /// As [`words`](Self::words), as a part of an action.
    pub(super) fn words_at(&self, words: &Words, place: Place) -> Option<String> {
        let text = words.in_language(self.language)?;
        Some(text.shown(self.named(place)))
    }

    /// The same as the form writes it, marks and all: what an expression makes of it is nobody's to read differently.
    pub(super) fn words_as_written(&self, words: &Words, place: Place) -> Option<String> {
        let text = words.in_language(self.language)?;
        Some(text.filled(self.named(place)))
    }

    /// What a text names, one after the other; with an ellipsis where it is more than people are shown.
    fn named(&self, place: Place) -> impl FnMut(&Formula) -> String {
        let mut left = SHOWN_BYTES_MAX;
        move |formula| {
            if left == 0 {
                return String::new();
            }
            let mut text = self.evaluate(formula, place).map(|value| self.text_of(&value)).unwrap_or_default();
            if text.len() > left {
                text.truncate(text.floor_char_boundary(left));
                text.push('…');
                left = 0;
            }
            left = left.saturating_sub(text.len());
            text
        }
    }

    /// The question's text; its name where it has none.
    pub fn label(&self, place: Place) -> String {
        let node = self.node(place);
        self.words(&node.label, place).filter(|label| !label.is_empty()).unwrap_or_else(|| node.name.clone())
    }
    /// The text of a repeat, also of one that has no row yet; `within` is the row that it stands in. Its name where it has
    /// no text.
    pub fn label_of_repeat(&self, repeat: NodeIndex, within: Option<RowId>) -> String {
        let row = within.and_then(|within| self.row_ids.iter().find(|((_, id), _)| *id == within));
        self.label(Place { row: row.map_or(0, |(_, row)| *row), node: repeat })
    }
}
