//! Questions with choices: where those come from, and what stands beside them.

use super::Tree;
use crate::model::{Choices, ChoicesFrom, Node, NodeKind, QuestionKind, note};
use crate::refused::{FormRefused, Reason};
use crate::xlsform::choices::add_other;
use crate::xlsform::columns::Line;
use crate::xlsform::parameters;
use crate::xlsform::pending::{Pending, Role};
use crate::xlsform::types::Select;

impl Tree<'_> {
    pub(super) fn select_list(
        &mut self,
        line: Line<'_>,
        how: Select,
        list: &str,
        or_other: bool,
    ) -> Result<(), FormRefused> {
        if list.starts_with("${") {
            // Before the filter, which depends on where the choices come from.
            self.pending.push(Pending { node: self.nodes.len(), ..self.pending(line, "type", list, Role::Rows) });
            return self.select(line, how, String::new(), ("name", "label"));
        }
        let Some(items) = self.lists.get_mut(list) else {
            return Err(line.refused("type", Reason::UnknownList(list.to_owned())));
        };
        if or_other {
            add_other(items);
        }
        let spaced = (how != Select::One).then(|| items.iter().find(|item| item.name.contains(' '))).flatten();
        if let Some(item) = spaced {
            let text = format!("the choice of row {} has a space, which separates choices here", item.row);
            note(&mut self.notices, line.notice("type", &text));
        }
        self.select(line, how, list.to_owned(), ("name", "label"))?;
        if or_other { self.other(line) } else { Ok(()) }
    }

    pub(super) fn select(
        &mut self,
        line: Line<'_>,
        how: Select,
        name: String,
        usual: (&str, &str),
    ) -> Result<(), FormRefused> {
        let parameters = parameters::read(line)?;
        let of = |key: &str, usual: &str| parameters.get(key).cloned().unwrap_or_else(|| usual.to_owned());
        let from = ChoicesFrom::Instance { name, value: of("value", usual.0), label: of("label", usual.1) };
        let is_random = parameters.get("randomize").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let choices = Choices { from, filter: None, randomize: is_random.then_some(None) };
        let kind = match how {
            Select::One => QuestionKind::SelectOne(choices),
            Select::Multiple => QuestionKind::SelectMultiple(choices),
            Select::Rank => QuestionKind::Rank(choices),
        };
        self.push(line, NodeKind::Question(kind))?;
        if line.cell("appearance").contains("search(") {
            let text = "`search()` is not carried out: the list is offered as it stands";
            note(&mut self.notices, line.notice("appearance", text));
        }
        self.wait(line, "choice_filter", Role::Filter);
        if let Some(seed) = parameters.get("seed").filter(|_| is_random) {
            let pending = self.pending(line, "parameters", seed, Role::Seed);
            self.pending.push(pending);
        }
        Ok(())
    }

    /// The question for a text that stands beside `other`, as every XLSForm converter adds it.
    fn other(&mut self, line: Line<'_>) -> Result<(), FormRefused> {
        let asked = self.nodes.len() - 1;
        let name = format!("{}_other", self.nodes[asked].name);
        let kind = NodeKind::Question(QuestionKind::Text);
        let mut node = Node::new(&name, kind, self.open.last().copied(), line.number());
        node.label.set(None, "Specify other.".to_owned().into());
        let chosen = format!("selected(../{}, 'other')", self.nodes[asked].name);
        self.add(line, node)?;
        let pending = self.pending(line, "type", &chosen, Role::Relevant);
        self.pending.push(pending);
        Ok(())
    }
}
