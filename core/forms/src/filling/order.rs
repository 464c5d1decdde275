//! The way through a form: what is shown, in order, as things are.

use super::{Filling, Place, RowId};
use crate::model::{NodeIndex, NodeKind, QuestionKind};

/// One step of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A group begins: its label stands above what follows.
    Group(Place),
    /// A row of a repeat begins.
    Row {
        /// Its repeat, in this row.
        place: Place,
        /// Its id.
        id: RowId,
        /// Its number among the rows shown, from 1.
        number: usize,
    },
    /// A question, or a note that asks nothing.
    Question(Place),
    /// Another row may be added here.
    Add {
        /// The repeat.
        repeat: NodeIndex,
        /// The row that it stands in, where there is one.
        within: Option<RowId>,
    },
}

impl Filling {
    /// Everything that is shown as things are, in the order of the form.
    pub fn screens(&self) -> Vec<Screen> {
        self.work.begin();
        let mut screens = Vec::new();
        self.walk(Place { row: 0, node: 0 }, &mut screens);
        screens
    }

    fn walk(&self, place: Place, screens: &mut Vec<Screen>) {
        for child in &self.node(place).children {
            let child = Place { node: *child, ..place };
            match &self.node(child).kind {
                NodeKind::Repeat { count } => self.walk_rows(child, count.is_none(), screens),
                _ if !self.is_itself_relevant(child) => {}
                NodeKind::Group => {
                    screens.push(Screen::Group(child));
                    self.walk(child, screens);
                }
                NodeKind::Question(kind) if is_shown(kind) => screens.push(Screen::Question(child)),
                NodeKind::Question(_) => {}
            }
        }
    }

    fn walk_rows(&self, place: Place, can_add: bool, screens: &mut Vec<Screen>) {
        let rows = self.rows[place.row].rows.get(&place.node).cloned().unwrap_or_default();
        let shown = rows.iter().map(|row| Place { row: *row, ..place }).filter(|row| self.is_itself_relevant(*row));
        for (index, row) in shown.enumerate() {
            screens.push(Screen::Row { place: row, id: self.rows[row.row].id, number: index + 1 });
            self.walk(row, screens);
        }
        if can_add && self.is_repeat_asked(place) {
            screens.push(Screen::Add { repeat: place.node, within: self.id_of(place.row) });
        }
    }

    fn is_itself_relevant(&self, place: Place) -> bool {
        self.element(place).is_some_and(|element| self.documents.is_relevant(element))
    }

    /// Whether rows of a repeat may be added in a row around it. Its condition belongs to rows, of which there may be none:
    /// beside one it means the same.
    fn is_repeat_asked(&self, place: Place) -> bool {
        let node = self.node(place);
        let Some(relevant) = &node.relevant else { return true };
        let above = Place { node: node.parent.unwrap_or_default(), ..place };
        let beside = self.node(above).children.iter().map(|sibling| Place { node: *sibling, ..place });
        let beside = beside.into_iter().find(|sibling| self.element(*sibling).is_some()).unwrap_or(above);
        self.evaluate(relevant, beside).map_or(true, |value| value.bool())
    }
}

fn is_shown(kind: &QuestionKind) -> bool {
    !matches!(kind, QuestionKind::Hidden | QuestionKind::Metadata(_))
}
