//! Evaluation: operators, location paths and predicates (XPath 1.0 §2 and §3), in a bounded number of steps.

use std::cell::Cell;

use merestone_core::change::TEXT_BYTES_MAX;

use super::functions::Call;
use super::parse::{Ast, Axis, Path, Start, Step, Test};
use super::token::Operator;
use super::tree::{Documents, Kind, NodeId};
use super::value::{Moment, Value};

/// Most nodes and operations that one evaluation may take: some 50 ms of a phone.
pub const STEPS_MAX: u64 = 2_000_000;
/// Most steps of all evaluations that one action of a person leads to: half a second of a phone.
pub const ACTION_STEPS_MAX: u64 = 20_000_000;

/// How many bytes of a text are copied in the time of a step.
pub(crate) const BYTES_A_STEP: usize = 16;

/// What an expression may ask of the world outside its form.
pub trait Surroundings {
    /// The time, on the clock of where we are.
    fn now(&self) -> Moment;
    /// 64 bits that were not given before.
    fn random(&self) -> u64;
    /// The label of choice `name` of the question at `question`, in the language now shown.
    fn choice_label(&self, question: NodeId, name: &str) -> Option<String>;
    /// The text with this id, in the language now shown.
    fn translation(&self, id: &str) -> Option<String>;
}

/// Where an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Focus {
    /// The context node.
    pub node: NodeId,
    /// The node the expression belongs to, `current()`.
    pub current: NodeId,
    /// Position of the node among those looked at, from 1.
    pub position: usize,
    /// How many are looked at.
    pub size: usize,
    /// Whether an absolute path through the repeats we stand in means our own rows.
    pub is_own_row: bool,
}

impl Focus {
    /// At the node that the expression belongs to.
    pub fn at(node: NodeId) -> Self {
        Self { node, current: node, position: 1, size: 1, is_own_row: true }
    }
}

/// An evaluation that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// It would take more than [`STEPS_MAX`] steps.
    #[error("the expression takes more than {STEPS_MAX} steps")]
    Budget,
    /// All that is worked out at once takes more steps than it may, and this was left over.
    #[error("all that is worked out at once takes more than {ACTION_STEPS_MAX} steps")]
    Exhausted,
    /// A text longer than an answer may be.
    #[error("it comes to more than {TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// Nodes are needed.
    #[error("`{0}` needs a path to questions here")]
    NotNodes(&'static str),
    /// An argument is not what the function can take.
    #[error("`{0}` cannot take that argument")]
    Argument(&'static str),
    /// A regular expression that is none, or too large.
    #[error("this is no regular expression that can be used")]
    Pattern,
    /// There is no secondary instance of that name.
    #[error("there is no such instance")]
    NoInstance,
}

pub(super) struct Evaluator<'a> {
    pub(super) documents: &'a Documents,
    pub(super) surroundings: &'a dyn Surroundings,
    steps: Cell<u64>,
    steps_max: u64,
}

impl<'a> Evaluator<'a> {
    /// `steps_max` is at most [`STEPS_MAX`].
    pub(super) fn new(documents: &'a Documents, surroundings: &'a dyn Surroundings, steps_max: u64) -> Self {
        Self { documents, surroundings, steps: Cell::new(0), steps_max }
    }

    /// How much was done.
    pub(super) fn spent(&self) -> u64 {
        self.steps.get()
    }

    /// Counts work.
    pub(super) fn spend(&self, steps: usize) -> Result<(), EvalError> {
        self.note(steps);
        match self.steps.get() {
            total if total <= self.steps_max => Ok(()),
            _ if self.steps_max < STEPS_MAX => Err(EvalError::Exhausted),
            _ => Err(EvalError::Budget),
        }
    }

    /// Counts work that was done; if it was too much, the next step is refused.
    pub(super) fn note(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps as u64));
    }

    /// What `ast` comes to.
    pub(super) fn value(&self, ast: &Ast, focus: &Focus) -> Result<Value, EvalError> {
        self.spend(1)?;
        match ast {
            Ast::Number(number) => Ok(Value::Number(*number)),
            Ast::Text(text) => {
                self.note(text.len() / BYTES_A_STEP);
                Ok(Value::Text(text.clone()))
            }
            Ast::Negate(inner) => Ok(Value::Number(-self.number(&self.value(inner, focus)?))),
            Ast::Chain(first, rest) => self.chain(first, rest, focus),
            Ast::Call(function, arguments) => function.apply(&Call { evaluator: self, focus, function, arguments }),
            Ast::Path(path) => self.path(path, focus).map(|nodes| Value::Nodes(self.asked(nodes))),
        }
    }

    /// Those that are asked: nothing else is counted, summed or compared.
    fn asked(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        nodes.retain(|node| self.documents.is_asked(*node));
        nodes
    }

    pub(super) fn number(&self, value: &Value) -> f64 {
        match value {
            Value::Nodes(nodes) => {
                let text = nodes.first().map(|node| self.text_of(*node)).unwrap_or_default();
                Value::Text(text).number(self.documents, self.offset())
            }
            single => single.number(self.documents, self.offset()),
        }
    }

    pub(super) fn text(&self, value: &Value) -> Result<String, EvalError> {
        let text = match value {
            Value::Nodes(nodes) => nodes.first().map(|node| self.text_of(*node)).unwrap_or_default(),
            single => {
                let text = single.text(self.documents);
                self.note(text.len() / BYTES_A_STEP);
                text
            }
        };
        self.spend(0)?;
        Ok(text)
    }

    /// A node's string value; each node that it is gathered from is a step.
    pub(super) fn text_of(&self, node: NodeId) -> String {
        let (text, nodes) = self.documents.gathered(node);
        self.note(nodes + text.len() / BYTES_A_STEP);
        text
    }

    /// Minutes east of UTC, where we are.
    pub(super) fn offset(&self) -> i32 {
        self.surroundings.now().offset_minutes
    }

    fn chain(&self, first: &Ast, rest: &[(Operator, Ast)], focus: &Focus) -> Result<Value, EvalError> {
        let mut value = self.value(first, focus)?;
        for (operator, next) in rest {
            value = match operator {
                Operator::Or => Value::Bool(value.bool() || self.value(next, focus)?.bool()),
                Operator::And => Value::Bool(value.bool() && self.value(next, focus)?.bool()),
                _ => self.operation(*operator, value, self.value(next, focus)?)?,
            };
        }
        Ok(value)
    }

    fn operation(&self, operator: Operator, left: Value, right: Value) -> Result<Value, EvalError> {
        let numbers = || (self.number(&left), self.number(&right));
        Ok(match operator {
            Operator::Plus => Value::Number(numbers().0 + numbers().1),
            Operator::Minus => Value::Number(numbers().0 - numbers().1),
            Operator::Times => Value::Number(numbers().0 * numbers().1),
            Operator::Div => Value::Number(numbers().0 / numbers().1),
            Operator::Mod => Value::Number(numbers().0 % numbers().1),
            Operator::Union => match (left, right) {
                (Value::Nodes(mut nodes), Value::Nodes(more)) => {
                    nodes.extend(more);
                    Value::Nodes(self.in_order(nodes))
                }
                _ => return Err(EvalError::NotNodes("|")),
            },
            Operator::Or | Operator::And => Value::Bool(false),
            Operator::Equal | Operator::NotEqual => Value::Bool(self.equal(operator, &left, &right)?),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                Value::Bool(self.ordered(operator, &left, &right)?)
            }
        })
    }

    /// `=` and `!=`: of nodes it is enough that one pair holds (XPath 1.0 §3.4).
    fn equal(&self, operator: Operator, left: &Value, right: &Value) -> Result<bool, EvalError> {
        let holds = |is_equal: bool| is_equal == (operator == Operator::Equal);
        if let (Value::Bool(_), _) | (_, Value::Bool(_)) = (left, right) {
            return Ok(holds(left.bool() == right.bool()));
        }
        match (left, right) {
            (Value::Nodes(nodes), Value::Nodes(others)) => {
                self.spend(nodes.len().saturating_mul(others.len()))?;
                let others: Vec<Value> = others.iter().map(|node| self.node_text(*node)).collect();
                let mut pairs = nodes.iter().flat_map(|node| {
                    let text = self.node_text(*node);
                    others.iter().map(move |other| self.same(&text, other)).collect::<Vec<_>>()
                });
                Ok(pairs.any(holds))
            }
            (Value::Nodes(nodes), other) | (other, Value::Nodes(nodes)) => {
                self.spend(nodes.len())?;
                Ok(nodes.iter().any(|node| holds(self.same(&self.node_text(*node), other))))
            }
            _ => Ok(holds(self.same(left, right))),
        }
    }

    /// Whether two single values are the same; two dates are, when they are the same moment.
    fn same(&self, left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Text(a), Value::Text(b)) => {
                a == b || {
                    let days = |text: &str| Moment::read(text, self.offset()).map(|moment| moment.days());
                    matches!((days(a), days(b)), (Some(a), Some(b)) if a == b)
                }
            }
            _ => self.number(left) == self.number(right),
        }
    }

    /// `<`, `<=`, `>`, `>=`: of nodes it is enough that one pair holds.
    fn ordered(&self, operator: Operator, left: &Value, right: &Value) -> Result<bool, EvalError> {
        let numbers = |value: &Value| match value {
            Value::Nodes(nodes) => nodes.iter().map(|node| self.number(&self.node_text(*node))).collect(),
            single => vec![self.number(single)],
        };
        let (left, right) = (numbers(left), numbers(right));
        self.spend(left.len().saturating_mul(right.len()))?;
        let holds = |a: f64, b: f64| match operator {
            Operator::Less => a < b,
            Operator::LessOrEqual => a <= b,
            Operator::Greater => a > b,
            _ => a >= b,
        };
        Ok(left.iter().any(|a| right.iter().any(|b| holds(*a, *b))))
    }

    fn node_text(&self, node: NodeId) -> Value {
        Value::Text(self.text_of(node))
    }

    /// Sorted as in their documents, each once.
    pub(super) fn in_order(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        self.note(nodes.len().saturating_mul(4));
        nodes.sort_by_cached_key(|node| (self.documents.order(*node), *node));
        nodes.dedup();
        nodes
    }

    /// The nodes that a location path leads to, asked or not.
    pub(super) fn path(&self, path: &Path, focus: &Focus) -> Result<Vec<NodeId>, EvalError> {
        let (mut nodes, steps) = match &path.start {
            Start::Context => (vec![focus.node], path.steps.as_slice()),
            Start::Root => self.rooted(&path.steps, focus)?,
            Start::Base(base, predicates) => {
                let Value::Nodes(mut nodes) = self.value(base, focus)? else { return Err(EvalError::NotNodes("/")) };
                for predicate in predicates {
                    nodes = self.filter(nodes, predicate, focus)?;
                }
                match path.steps.split_first() {
                    Some((first, rest)) if is_instance(base) && self.is_root(&nodes, first) => {
                        for predicate in &first.predicates {
                            nodes = self.filter(nodes, predicate, focus)?;
                        }
                        (nodes, rest)
                    }
                    _ => (nodes, path.steps.as_slice()),
                }
            }
        };
        for step in steps {
            nodes = self.step(&nodes, step, focus)?;
        }
        Ok(nodes)
    }

    /// Whether a step from an instance names its root element: `instance('x')/root` means that, where W3C's XForms
    /// would have `instance('x')` mean it.
    fn is_root(&self, nodes: &[NodeId], step: &Step) -> bool {
        step.axis == Axis::Child && nodes.iter().all(|node| self.passes(*node, &step.test))
    }

    /// An absolute path's first nodes: the root element, or as far as the path follows the elements we stand in,
    /// those, so that inside a repeat it means our own row. The last step always means all.
    fn rooted<'s>(&self, steps: &'s [Step], focus: &Focus) -> Result<(Vec<NodeId>, &'s [Step]), EvalError> {
        let root = self.documents.root(focus.current);
        let Some((first, mut rest)) = steps.split_first() else { return Ok((vec![root], steps)) };
        let is_child = first.axis == Axis::Child;
        let mut nodes = match first.axis {
            Axis::Child if self.passes(root, &first.test) => vec![root],
            Axis::Child => Vec::new(),
            Axis::DescendantOrThis | Axis::Descendant => {
                let all = self.reached(root, Axis::DescendantOrThis)?;
                all.into_iter().filter(|node| self.passes(*node, &first.test)).collect()
            }
            _ => Vec::new(),
        };
        for predicate in &first.predicates {
            nodes = self.filter(nodes, predicate, focus)?;
        }
        // `//name`: the step after `descendant-or-self::node()` may be the root element itself.
        if let (Axis::DescendantOrThis, Some(next)) = (first.axis, rest.first())
            && next.axis == Axis::Child
            && next.predicates.is_empty()
        {
            nodes.retain(|node| self.passes(*node, &next.test));
            return Ok((nodes, &rest[1..]));
        }
        if focus.is_own_row && is_child && first.predicates.is_empty() && nodes == [root] {
            let mut way: Vec<NodeId> = self.documents.ancestors(focus.current).collect();
            way.pop();
            while let (Some(own), Some((step, after))) = (way.pop(), rest.split_first()) {
                let follows = step.axis == Axis::Child
                    && step.predicates.is_empty()
                    && matches!(&step.test, Test::Name(name) if same_name(name, self.documents.name(own)));
                if !follows || after.is_empty() {
                    break;
                }
                (nodes, rest) = (vec![own], after);
            }
        }
        Ok((nodes, rest))
    }

    fn step(&self, nodes: &[NodeId], step: &Step, focus: &Focus) -> Result<Vec<NodeId>, EvalError> {
        let mut found = Vec::new();
        for node in nodes {
            let mut reached = match step.test {
                // There are no text nodes: an element's text stands for it.
                Test::Text if step.axis == Axis::Child => vec![*node],
                _ => self.reached(*node, step.axis)?,
            };
            reached.retain(|node| self.passes(*node, &step.test));
            for predicate in &step.predicates {
                reached = self.filter(reached, predicate, focus)?;
            }
            found.extend(reached);
        }
        let is_sorted = nodes.len() <= 1 && !step.axis.is_reverse()
            || matches!(step.axis, Axis::Child | Axis::Attribute | Axis::This);
        Ok(if is_sorted { found } else { self.in_order(found) })
    }

    fn filter(&self, nodes: Vec<NodeId>, predicate: &Ast, focus: &Focus) -> Result<Vec<NodeId>, EvalError> {
        let size = nodes.len();
        let mut kept = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let position = index + 1;
            let passes = match self.value(predicate, &Focus { node, position, size, ..*focus })? {
                Value::Number(number) => number == position as f64,
                value => value.bool(),
            };
            if passes {
                kept.push(node);
            }
        }
        Ok(kept)
    }

    /// The nodes on an axis, nearest first.
    fn reached(&self, node: NodeId, axis: Axis) -> Result<Vec<NodeId>, EvalError> {
        let documents = self.documents;
        let nodes = match axis {
            Axis::This => vec![node],
            Axis::Child => documents.children(node).collect(),
            Axis::Attribute => documents.attributes(node).collect(),
            Axis::Parent => documents.parent(node).into_iter().collect(),
            Axis::AncestorOrThis => documents.ancestors(node).collect(),
            Axis::Ancestor => documents.ancestors(node).skip(1).collect(),
            Axis::FollowingSibling => documents.siblings(node, true),
            Axis::PrecedingSibling => documents.siblings(node, false).into_iter().rev().collect(),
            Axis::DescendantOrThis => self.below(&[node], true),
            Axis::Descendant => self.below(&[node], false),
            Axis::Following | Axis::Preceding => {
                let after = axis == Axis::Following;
                let beside =
                    documents.ancestors(node).flat_map(|above| documents.siblings(above, after)).collect::<Vec<_>>();
                let mut all = self.in_order(self.below(&beside, true));
                if !after {
                    all.reverse();
                }
                all
            }
        };
        self.spend(nodes.len())?;
        Ok(nodes)
    }

    fn below(&self, from: &[NodeId], with_these: bool) -> Vec<NodeId> {
        let mut waiting: Vec<NodeId> = from.iter().rev().copied().collect();
        let mut all = Vec::new();
        while let Some(node) = waiting.pop() {
            all.push(node);
            waiting.extend(self.documents.children(node).rev());
        }
        if !with_these {
            all.drain(..from.len().min(1));
        }
        all
    }

    fn passes(&self, node: NodeId, test: &Test) -> bool {
        match test {
            Test::Any | Test::Node => true,
            Test::Name(name) => same_name(name, self.documents.name(node)),
            Test::Text => self.documents.kind(node) == Kind::Element && !self.documents.own_text(node).is_empty(),
            Test::Nothing => false,
        }
    }
}

fn is_instance(base: &Ast) -> bool {
    matches!(base, Ast::Call(function, _) if function.name == "instance")
}

/// Whether a name in an expression means an element of this name. Prefixes need not be the same: forms of one
/// dialect write `orx:meta` where others write `meta`.
pub(super) fn same_name(wanted: &str, name: &str) -> bool {
    // Most names end otherwise, and are many.
    if wanted.as_bytes().last() != name.as_bytes().last() {
        return wanted.ends_with(":*");
    }
    let local = |name: &str| name.rfind(':').map_or(0, |at| at + 1);
    wanted == name || wanted[local(wanted)..] == name[local(name)..] || wanted.ends_with(":*")
}
