//! What an expression looks at, found once, without evaluating it: the questions whose change can change its value.
//!
//! The answer may name more questions than any evaluation reaches, and never fewer.

use std::collections::BTreeSet;

use super::Expression;
use super::eval::same_name;
use super::parse::{Ast, Axis, Path, Start, Step, Test, parse};

/// The groups, repeats and questions of a form, as far as paths follow them. The first is the form itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    nodes: Vec<OutlineNode>,
}

#[derive(Clone, Debug)]
struct OutlineNode {
    name: String,
    parent: Option<usize>,
    children: Vec<usize>,
    /// Repeats above it, itself included.
    depth: usize,
    is_repeat: bool,
}

impl Outline {
    /// Adds a node below one that was added before.
    pub(crate) fn push(&mut self, name: &str, parent: Option<usize>, is_repeat: bool) {
        let at = self.nodes.len();
        let above = parent.and_then(|parent| self.nodes.get_mut(parent));
        let depth = above.map_or(0, |above| {
            above.children.push(at);
            above.depth
        });
        let depth = depth + usize::from(is_repeat);
        self.nodes.push(OutlineNode { name: name.to_owned(), parent, children: Vec::new(), depth, is_repeat });
    }

    /// How many repeats a node stands in, itself included.
    pub(crate) fn depth(&self, node: usize) -> usize {
        self.nodes[node].depth
    }

    /// Whether rows of it can be added.
    pub(crate) fn is_repeat(&self, node: usize) -> bool {
        self.nodes[node].is_repeat
    }

    /// The node and every one above it, nearest first.
    pub(crate) fn ancestors(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(node), |node| self.nodes[*node].parent)
    }

    /// The node and everything below it.
    pub(crate) fn below(&self, node: usize) -> Vec<usize> {
        let (mut all, mut next) = (vec![node], 0);
        while let Some(node) = all.get(next) {
            all.extend(&self.nodes[*node].children);
            next += 1;
        }
        all
    }
}

/// A question, group or repeat that an expression looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    /// Its number in the outline.
    pub(crate) node: usize,
    /// In how many of the repeats around it, from outside, only our own row is looked at.
    pub(crate) bound: usize,
}

impl Expression {
    /// What it looks at when it belongs to node `at`; `None` if finding out takes more than the `looks` that are left, of
    /// which each node on the way takes one.
    pub(crate) fn reads(&self, outline: &Outline, at: usize, looks: &mut usize) -> Option<Vec<Read>> {
        let own = Seen { node: Some(at), bound: outline.depth(at) };
        let mut looker = Looker { outline, at, is_own_row: true, found: BTreeSet::new(), left: Some(*looks) };
        looker.look(&self.ast, &[own]);
        *looks = looker.left?;
        Some(looker.found.into_iter().collect())
    }

    /// Whether it may come to something else when it is evaluated again with the same answers: later, by chance, or in
    /// another language.
    pub(crate) fn is_fleeting(&self) -> bool {
        const FLEETING: [&str; 8] =
            ["now", "today", "random", "uuid", "once", "randomize", "jr:choice-name", "jr:itext"];
        calls(&self.ast, &|name| FLEETING.contains(&name))
    }

    /// Whether it looks at data that came with the form.
    pub(crate) fn looks_elsewhere(&self) -> bool {
        calls(&self.ast, &|name| matches!(name, "instance" | "pulldata"))
    }
}

/// Whether a function is called anywhere in it.
fn calls(ast: &Ast, is_it: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    each_call(ast, &mut |name| found |= is_it(name));
    found
}

/// Tells every function that is called in it.
pub(super) fn each_call(ast: &Ast, tell: &mut dyn FnMut(&'static str)) {
    match ast {
        Ast::Number(_) | Ast::Text(_) => {}
        Ast::Negate(inner) => each_call(inner, tell),
        Ast::Chain(first, rest) => {
            each_call(first, tell);
            rest.iter().for_each(|(_, ast)| each_call(ast, tell));
        }
        Ast::Call(function, arguments) => {
            tell(function.name);
            arguments.iter().for_each(|ast| each_call(ast, tell));
        }
        Ast::Path(path) => {
            if let Start::Base(base, predicates) = &path.start {
                each_call(base, tell);
                predicates.iter().for_each(|ast| each_call(ast, tell));
            }
            path.steps.iter().flat_map(|step| &step.predicates).for_each(|ast| each_call(ast, tell));
        }
    }
}

/// A node that a path leads to; without a number it is one of another document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    node: Option<usize>,
    bound: usize,
}

const FOREIGN: Seen = Seen { node: None, bound: 0 };

struct Looker<'o> {
    outline: &'o Outline,
    at: usize,
    is_own_row: bool,
    found: BTreeSet<Read>,
    /// How many nodes may still be looked at; `None` when it was more than that, and the rest is not looked at.
    left: Option<usize>,
}

impl Looker<'_> {
    /// Counts nodes that are looked at, and says whether they still may be.
    fn spend(&mut self, nodes: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(nodes));
        self.left.is_some()
    }

    /// Follows `ast`, and notes the nodes that it comes to.
    fn look(&mut self, ast: &Ast, context: &[Seen]) {
        let nodes = self.nodes(ast, context);
        self.note_with_below(&nodes);
    }

    fn look_at_all<'a>(&mut self, asts: impl IntoIterator<Item = &'a Ast>, context: &[Seen]) {
        asts.into_iter().for_each(|ast| self.look(ast, context));
    }

    /// The nodes that `ast` comes to, which are not noted yet; everything else in it is.
    fn nodes(&mut self, ast: &Ast, context: &[Seen]) -> Vec<Seen> {
        if !self.spend(1) {
            return Vec::new();
        }
        match ast {
            Ast::Number(_) | Ast::Text(_) => Vec::new(),
            Ast::Negate(inner) => {
                self.look(inner, context);
                Vec::new()
            }
            Ast::Chain(first, rest) => {
                self.look(first, context);
                self.look_at_all(rest.iter().map(|(_, ast)| ast), context);
                Vec::new()
            }
            Ast::Call(function, arguments) => self.call(function.name, arguments, context),
            Ast::Path(path) => self.path(path, context),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Ast], context: &[Seen]) -> Vec<Seen> {
        match (name, arguments) {
            ("current", _) => return vec![Seen { node: Some(self.at), bound: self.outline.depth(self.at) }],
            ("instance", _) => {
                self.look_at_all(arguments, context);
                return vec![FOREIGN];
            }
            ("randomize", [nodes, seed @ ..]) => {
                self.look_at_all(seed, context);
                return self.nodes(nodes, context);
            }
            ("count" | "position" | "name" | "local-name", [nodes]) => {
                let nodes = self.nodes(nodes, context);
                self.note(&nodes);
            }
            ("indexed-repeat", [target, pairs @ ..]) => self.indexed_repeat(target, pairs, context),
            ("jr:choice-name", [value, Ast::Text(path)]) => {
                self.look(value, context);
                if let Ok(path) = parse(path.trim()) {
                    self.look(&path, context);
                }
            }
            ("string" | "number" | "string-length" | "normalize-space", []) => self.note_with_below(context),
            _ => self.look_at_all(arguments, context),
        }
        Vec::new()
    }

    fn indexed_repeat(&mut self, target: &Ast, pairs: &[Ast], context: &[Seen]) {
        let was = std::mem::replace(&mut self.is_own_row, false);
        self.look(target, context);
        self.is_own_row = was;
        for pair in pairs.chunks(2) {
            let was = std::mem::replace(&mut self.is_own_row, false);
            let rows = pair.first().map(|rows| self.nodes(rows, context)).unwrap_or_default();
            self.note(&rows);
            self.is_own_row = was;
            self.look_at_all(pair.get(1), context);
        }
    }

    fn path(&mut self, path: &Path, context: &[Seen]) -> Vec<Seen> {
        let (mut nodes, steps) = match &path.start {
            Start::Context => (context.to_vec(), path.steps.as_slice()),
            // An expression that stands in a choice means its own document by `/`; it has none of our questions.
            Start::Root => self.absolute(&path.steps),
            Start::Base(base, predicates) => {
                let nodes = self.nodes(base, context);
                self.look_at_all(predicates, &nodes);
                (nodes, path.steps.as_slice())
            }
        };
        for step in steps {
            nodes = self.step(&nodes, step);
        }
        nodes
    }

    /// As evaluation does it: along our own rows as far as the path follows the elements we stand in.
    fn absolute<'s>(&mut self, steps: &'s [Step]) -> (Vec<Seen>, &'s [Step]) {
        let root = Seen { node: Some(0), bound: 0 };
        let Some((first, mut rest)) = steps.split_first() else { return (vec![root], steps) };
        if first.axis != Axis::Child {
            let all = self.outline.below(0).into_iter().map(|node| Seen { node: Some(node), bound: 0 });
            // `//name` begins with `descendant-or-self::node()`, whose child may be the root itself.
            let mut nodes: Vec<Seen> = all.collect();
            self.spend(nodes.len());
            self.look_at_all(&first.predicates, &nodes);
            if let Some((next, after)) = rest.split_first() {
                nodes.retain(|seen| self.passes(*seen, &next.test));
                self.look_at_all(&next.predicates, &nodes);
                rest = after;
            }
            return (nodes, rest);
        }
        if !self.passes(root, &first.test) {
            return (Vec::new(), rest);
        }
        self.look_at_all(&first.predicates, &[root]);
        let mut node = root;
        if self.is_own_row && first.predicates.is_empty() {
            let mut way: Vec<usize> = self.outline.ancestors(self.at).collect();
            way.pop();
            while let (Some(own), Some((step, after))) = (way.pop(), rest.split_first()) {
                let follows = step.axis == Axis::Child
                    && step.predicates.is_empty()
                    && matches!(&step.test, Test::Name(name) if same_name(name, &self.outline.nodes[own].name));
                if !follows || after.is_empty() {
                    break;
                }
                (node, rest) = (Seen { node: Some(own), bound: self.outline.depth(own) }, after);
            }
        }
        (vec![node], rest)
    }

    fn step(&mut self, nodes: &[Seen], step: &Step) -> Vec<Seen> {
        let mut reached: BTreeSet<Seen> = BTreeSet::new();
        for seen in nodes {
            let near = match step.test {
                Test::Text if step.axis == Axis::Child => vec![*seen],
                _ => self.reached(*seen, step.axis),
            };
            if !self.spend(near.len()) {
                break;
            }
            reached.extend(near.into_iter().filter(|seen| self.passes(*seen, &step.test)));
        }
        let reached: Vec<Seen> = reached.into_iter().collect();
        self.look_at_all(&step.predicates, &reached);
        if !step.predicates.is_empty() {
            self.note(&reached);
        }
        reached
    }

    fn reached(&self, seen: Seen, axis: Axis) -> Vec<Seen> {
        let Some(node) = seen.node else { return vec![FOREIGN] };
        let outline = self.outline;
        let at = |node: usize, bound: usize| Seen { node: Some(node), bound: bound.min(outline.depth(node)) };
        let parent = outline.nodes[node].parent;
        match axis {
            Axis::This => vec![seen],
            Axis::Attribute => vec![FOREIGN],
            Axis::Child => outline.nodes[node].children.iter().map(|child| at(*child, seen.bound)).collect(),
            Axis::Parent => parent.map(|parent| at(parent, seen.bound)).into_iter().collect(),
            Axis::AncestorOrThis => outline.ancestors(node).map(|above| at(above, seen.bound)).collect(),
            Axis::Ancestor => outline.ancestors(node).skip(1).map(|above| at(above, seen.bound)).collect(),
            Axis::DescendantOrThis | Axis::Descendant => {
                outline.below(node).into_iter().map(|below| at(below, seen.bound)).collect()
            }
            Axis::FollowingSibling | Axis::PrecedingSibling => {
                let Some(parent) = parent else { return Vec::new() };
                let bound = seen.bound.min(outline.depth(parent));
                outline.nodes[parent].children.iter().map(|child| at(*child, bound)).collect()
            }
            Axis::Following | Axis::Preceding => outline.below(0).into_iter().map(|other| at(other, 0)).collect(),
        }
    }

    fn passes(&self, seen: Seen, test: &Test) -> bool {
        match (seen.node, test) {
            (None, _) | (_, Test::Any | Test::Node | Test::Text) => true,
            (Some(node), Test::Name(name)) => same_name(name, &self.outline.nodes[node].name),
            (_, Test::Nothing) => false,
        }
    }

    fn note(&mut self, nodes: &[Seen]) {
        let reads = nodes.iter().filter_map(|seen| seen.node.map(|node| Read { node, bound: seen.bound }));
        self.found.extend(reads);
    }

    /// The text of a group is that of everything in it.
    fn note_with_below(&mut self, nodes: &[Seen]) {
        for seen in nodes {
            let Some(node) = seen.node else { continue };
            let (bound, below) = (seen.bound, self.outline.below(node));
            if !self.spend(below.len()) {
                break;
            }
            self.found.extend(below.into_iter().map(|node| Read { node, bound }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `data` with a question `a`, a group `g` with `b`, a repeat `r` with `x`, `y` and a repeat `s` with `z`.
    fn outline() -> Outline {
        let mut outline = Outline::default();
        for (name, parent, is_repeat) in [
            ("data", None, false),
            ("a", Some(0), false),
            ("g", Some(0), false),
            ("b", Some(2), false),
            ("r", Some(0), true),
            ("x", Some(4), false),
            ("y", Some(4), false),
            ("s", Some(4), true),
            ("z", Some(7), false),
        ] {
            outline.push(name, parent, is_repeat);
        }
        outline
    }

    #[test]
    fn an_expression_looks_at_the_questions_that_it_names() {
        let (x, y, z) = (5, 6, 8);
        type Row<'a> = (usize, &'a str, &'a [(usize, usize)]);
        let rows: &[Row<'_>] = &[
            (1, "1 + 2", &[]),
            (1, "/data/g/b + 1", &[(3, 0)]),
            (1, "/data/g", &[(2, 0), (3, 0)]),
            (1, "count(/data/g)", &[(2, 0)]),
            (1, "sum(/data/r/x)", &[(x, 0)]),
            (y, "/data/r/x", &[(x, 1)]),
            (y, "../x", &[(x, 1)]),
            (y, "sum(../../r/x)", &[(x, 0)]),
            (y, "position(..)", &[(4, 1)]),
            (y, "count(/data/r)", &[(4, 0)]),
            (y, "/data/r[position() = 1]/x", &[(4, 0), (x, 0)]),
            (y, "indexed-repeat(/data/r/x, /data/r, position(..) - 1)", &[(4, 0), (4, 1), (x, 0)]),
            (z, "/data/r/x", &[(x, 1)]),
            (z, "/data/r/s/z", &[(z, 2)]),
            (z, "current()/../../y", &[(y, 1)]),
            (1, "instance('list')/root/item[name = /data/g/b]/label", &[(3, 0)]),
            (1, "jr:choice-name(/data/g/b, '/data/g/b')", &[(3, 0)]),
            (1, "once(/data/g/b)", &[(3, 0)]),
            (1, "//z", &[(z, 0)]),
            (5, "string-length() > 1", &[(x, 1)]),
            (5, ". > 1", &[(x, 1)]),
        ];
        for (at, text, wanted) in rows {
            let expression = Expression::parse(text).expect(text);
            assert_eq!(expression.reads(&outline(), *at, &mut 1), None, "{text}");
            let reads = expression.reads(&outline(), *at, &mut 1_000).expect("that is enough");
            let reads: Vec<(usize, usize)> = reads.into_iter().map(|read| (read.node, read.bound)).collect();
            assert_eq!(reads, *wanted, "{text}");
        }
    }

    #[test]
    fn time_and_chance_make_an_expression_fleeting() {
        for (text, wanted) in
            [("a + 1", false), ("if(a = 1, random(), 2)", true), ("x[today() > b]", true), ("concat(uuid(), 1)", true)]
        {
            assert_eq!(Expression::parse(text).map(|e| e.is_fleeting()), Ok(wanted), "{text}");
        }
    }
}
