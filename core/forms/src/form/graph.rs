//! What has to be worked out again when an answer changes, and in which order.
//!
//! A *job* keeps one thing of a form up to date: whether a node is asked, what a question is calculated to, how many rows
//! a repeat has. Jobs that look at what others make come after them.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::{Documents, Expression, NodeId, Outline};
use crate::model::{Choices, ChoicesFrom, Instance, Model, Node, NodeIndex, NodeKind, QuestionKind};
use crate::refused::{FormRefused, Reason};

/// Most ties between what follows from answers and what it looks at: a thousand for each question of a large form.
pub(crate) const EDGES_MAX: usize = 1_000_000;
/// Most nodes that are looked at while those ties are found, on the way of every path.
pub(crate) const LOOKS_MAX: usize = 4_000_000;

/// Something of a form that follows from answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Whether a node is asked.
    Relevant(NodeIndex),
    /// What a question's answer is calculated to.
    Calculate(NodeIndex),
    /// How many rows a repeat has.
    Count(NodeIndex),
}

impl Job {
    /// The node it is about.
    pub(crate) fn node(self) -> NodeIndex {
        let (Self::Relevant(node) | Self::Calculate(node) | Self::Count(node)) = self;
        node
    }
}

/// A job that looks at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reader {
    /// Its number in the graph.
    pub(crate) job: usize,
    /// In how many repeats, from outside, it looks at its own row only.
    pub(crate) bound: usize,
}

/// The jobs of a form.
#[derive(Debug)]
pub(crate) struct Graph {
    jobs: Vec<Job>,
    /// For each job: which circle it belongs to, in order; and its place in that. Circles of more than one go through
    /// other rows.
    ranks: Vec<(u32, u32)>,
    /// For each node, who looks at it.
    readers: Vec<Vec<Reader>>,
    /// Jobs about the nodes of each plane, in order.
    by_plane: BTreeMap<NodeIndex, Vec<usize>>,
    derived: Vec<bool>,
    /// The job that calculates each node.
    calculations: Vec<Option<usize>>,
    outline: Outline,
}

impl Graph {
    /// # Errors
    /// If something follows from itself, or there is more than [`EDGES_MAX`] or [`LOOKS_MAX`] of what looks at what.
    pub(crate) fn new(model: &Model) -> Result<Self, FormRefused> {
        let mut outline = Outline::default();
        for node in &model.nodes {
            outline.push(&node.name, node.parent, matches!(node.kind, NodeKind::Repeat { .. }));
        }
        let jobs = jobs(model);
        let mut readers: Vec<Vec<Reader>> = vec![Vec::new(); model.nodes.len()];
        let ties = || Reason::too_much("ties between expressions and what they look at", EDGES_MAX);
        let (mut looks_left, mut edges) = (LOOKS_MAX, 0);
        for (number, job) in jobs.iter().enumerate() {
            for (expression, at) in looks(model, *job) {
                let reads = expression.reads(&outline, at, &mut looks_left);
                let reads =
                    reads.ok_or_else(|| refused(model, *job, Reason::too_much("nodes to look at", LOOKS_MAX)))?;
                edges += reads.len();
                if edges > EDGES_MAX {
                    return Err(refused(model, *job, ties()));
                }
                for read in reads {
                    let is_itself = matches!(job, Job::Calculate(node) if *node == read.node)
                        && !model.nodes[read.node].triggers.is_empty();
                    if !is_itself {
                        readers[read.node].push(Reader { job: number, bound: read.bound });
                    }
                }
            }
        }
        for readers in &mut readers {
            readers.sort_unstable();
            readers.dedup();
        }
        let after = after(&jobs, &readers, &outline).map_err(|job| refused(model, jobs[job], ties()))?;
        let ranks = ranks(&after).map_err(|circle| in_a_circle(model, &jobs, &circle))?;
        let mut by_plane: BTreeMap<NodeIndex, Vec<usize>> = BTreeMap::new();
        for (number, job) in jobs.iter().enumerate() {
            by_plane.entry(context(&outline, *job)).or_default().push(number);
        }
        let derived = model.nodes.iter().map(is_derived).collect();
        let mut calculations = vec![None; model.nodes.len()];
        for (number, job) in jobs.iter().enumerate().filter(|(_, job)| matches!(job, Job::Calculate(_))) {
            calculations[job.node()] = Some(number);
        }
        Ok(Self { jobs, ranks, readers, by_plane, derived, calculations, outline })
    }

    /// How many jobs there are.
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn job(&self, number: usize) -> Job {
        self.jobs[number]
    }

    pub(crate) fn rank(&self, job: usize) -> (u32, u32) {
        self.ranks[job]
    }

    /// The plane in whose rows a job is done: a repeat's number of rows is a matter of what it stands in.
    pub(crate) fn context(&self, job: usize) -> NodeIndex {
        context(&self.outline, self.jobs[job])
    }

    /// Who looks at a node's own value.
    pub(crate) fn readers(&self, node: NodeIndex) -> &[Reader] {
        &self.readers[node]
    }

    /// Who looks at a node or anything below it.
    pub(crate) fn readers_below(&self, node: NodeIndex) -> impl Iterator<Item = Reader> + '_ {
        self.outline.below(node).into_iter().flat_map(|node| self.readers[node].iter().copied())
    }

    /// The jobs that are done once for each row of a plane.
    pub(crate) fn jobs_of(&self, plane: NodeIndex) -> &[usize] {
        self.by_plane.get(&plane).map_or(&[], Vec::as_slice)
    }

    /// The job that calculates a node, if it is calculated.
    pub(crate) fn calculation(&self, node: NodeIndex) -> Option<usize> {
        self.calculations[node]
    }

    pub(crate) fn is_derived(&self, node: NodeIndex) -> bool {
        self.derived[node]
    }

    pub(crate) fn outline(&self) -> &Outline {
        &self.outline
    }
}

fn context(outline: &Outline, job: Job) -> NodeIndex {
    let node = job.node();
    let from = usize::from(matches!(job, Job::Count(_)));
    outline.ancestors(node).skip(from).find(|above| outline.is_repeat(*above)).unwrap_or_default()
}

fn jobs(model: &Model) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (index, node) in model.nodes.iter().enumerate() {
        if node.relevant.is_some() {
            jobs.push(Job::Relevant(index));
        }
        if node.calculation.is_some() {
            jobs.push(Job::Calculate(index));
        }
        if matches!(node.kind, NodeKind::Repeat { count: Some(_) }) {
            jobs.push(Job::Count(index));
        }
    }
    jobs
}

/// The expressions whose values a job follows, and the node each belongs to.
fn looks(model: &Model, job: Job) -> Vec<(&Expression, NodeIndex)> {
    let node = &model.nodes[job.node()];
    match job {
        Job::Relevant(at) => node.relevant.iter().map(|formula| (&*formula.expression, at)).collect(),
        // With triggers it is made when those change, and not when something in it does.
        Job::Calculate(at) if !node.triggers.is_empty() => {
            node.triggers.iter().map(|formula| (&*formula.expression, at)).collect()
        }
        Job::Calculate(at) => node.calculation.iter().map(|formula| (&*formula.expression, at)).collect(),
        Job::Count(at) => match &node.kind {
            NodeKind::Repeat { count } => {
                count.iter().map(|formula| (&*formula.expression, node.parent.unwrap_or(at))).collect()
            }
            NodeKind::Group | NodeKind::Question(_) => Vec::new(),
        },
    }
}

/// What is calculated, cannot be answered by people, and comes to the same on every device.
fn is_derived(node: &Node) -> bool {
    let (NodeKind::Question(kind), Some(calculation)) = (&node.kind, &node.calculation) else { return false };
    let is_closed = matches!(kind, QuestionKind::Hidden | QuestionKind::Note)
        || node.read_only.as_ref().is_some_and(|formula| formula.text.trim() == "true()");
    is_closed && node.triggers.is_empty() && node.default.is_none() && !calculation.expression.is_fleeting()
}

/// One job that another must come after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct After {
    before: usize,
    /// Whether it looks at other rows than its own.
    in_other_rows: bool,
}

/// For each job, those it comes after.
///
/// # Errors
/// The job with which they become more than [`LOOKS_MAX`].
fn after(jobs: &[Job], readers: &[Vec<Reader>], outline: &Outline) -> Result<Vec<Vec<After>>, usize> {
    let mut left = LOOKS_MAX;
    let mut after: Vec<BTreeSet<After>> = vec![BTreeSet::new(); jobs.len()];
    let mut makers: BTreeMap<NodeIndex, Vec<usize>> = BTreeMap::new();
    for (number, job) in jobs.iter().enumerate() {
        makers.entry(job.node()).or_default().push(number);
    }
    for (node, readers) in readers.iter().enumerate() {
        // What is read depends on its own jobs, and on whether what it stands in is asked and how many rows there are.
        let made: Vec<usize> =
            outline.ancestors(node).filter_map(|above| makers.get(&above)).flatten().copied().collect();
        let made: Vec<usize> =
            made.into_iter().filter(|maker| !matches!(jobs[*maker], Job::Calculate(other) if other != node)).collect();
        for reader in readers.iter().filter(|_| !made.is_empty()) {
            left = left.checked_sub(made.len()).ok_or(reader.job)?;
            let in_other_rows = reader.bound < shared(outline, node, context(outline, jobs[reader.job]));
            after[reader.job].extend(made.iter().map(|maker| After { before: *maker, in_other_rows }));
        }
    }
    Ok(after.into_iter().map(|after| after.into_iter().collect()).collect())
}

/// How many repeats two nodes both stand in.
fn shared(outline: &Outline, one: NodeIndex, other: NodeIndex) -> usize {
    let repeats = |node| outline.ancestors(node).filter(|above| outline.is_repeat(*above)).collect::<BTreeSet<_>>();
    repeats(one).intersection(&repeats(other)).count()
}

/// An order in which each job comes after those it must come after; among jobs that lead to each other through other rows,
/// an order within one row.
///
/// # Errors
/// A circle within one row.
fn ranks(after: &[Vec<After>]) -> Result<Vec<(u32, u32)>, Vec<usize>> {
    let own: Vec<Vec<usize>> = after
        .iter()
        .map(|after| after.iter().filter(|after| !after.in_other_rows).map(|after| after.before).collect())
        .collect();
    let every: Vec<Vec<usize>> = after.iter().map(|after| after.iter().map(|after| after.before).collect()).collect();
    let mut inside = vec![0u32; after.len()];
    for (place, circle) in components(&own).into_iter().enumerate() {
        match circle.as_slice() {
            [job] if !own[*job].contains(job) => inside[*job] = u32::try_from(place).unwrap_or(u32::MAX),
            _ => return Err(circle),
        }
    }
    let mut ranks = vec![(0, 0); after.len()];
    for (place, circle) in components(&every).into_iter().enumerate() {
        for job in circle {
            ranks[job] = (u32::try_from(place).unwrap_or(u32::MAX), inside[job]);
        }
    }
    Ok(ranks)
}

/// Strongly connected components, each after those it leads to (Tarjan, without recursion).
fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, Default)]
    struct Mark {
        index: usize,
        low: usize,
        is_seen: bool,
        is_open: bool,
    }
    let mut marks = vec![Mark::default(); edges.len()];
    let (mut open, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for start in 0..edges.len() {
        if marks[start].is_seen {
            continue;
        }
        let mut way = vec![(start, 0)];
        while let Some((at, edge)) = way.last_mut() {
            let at = *at;
            if *edge == 0 {
                marks[at] = Mark { index: next, low: next, is_seen: true, is_open: true };
                next += 1;
                open.push(at);
            }
            match edges[at].get(*edge) {
                Some(to) => {
                    *edge += 1;
                    if !marks[*to].is_seen {
                        way.push((*to, 0));
                    } else if marks[*to].is_open {
                        marks[at].low = marks[at].low.min(marks[*to].index);
                    }
                    continue;
                }
                None => {
                    way.pop();
                }
            }
            if marks[at].low == marks[at].index {
                let from = open.iter().rposition(|job| *job == at).unwrap_or_default();
                let mut component = open.split_off(from);
                component.iter().for_each(|job| marks[*job].is_open = false);
                component.sort_unstable();
                found.push(component);
            }
            if let Some((above, _)) = way.last() {
                marks[*above].low = marks[*above].low.min(marks[at].low);
            }
        }
    }
    found
}

fn in_a_circle(model: &Model, jobs: &[Job], circle: &[usize]) -> FormRefused {
    let names: BTreeSet<&str> = circle.iter().map(|job| model.nodes[jobs[*job].node()].name.as_str()).collect();
    let reason = Reason::Circle(names.into_iter().map(str::to_owned).collect());
    // A circle has at least one job.
    circle.first().map(|job| refused(model, jobs[*job], reason.clone())).unwrap_or(FormRefused::whole(reason))
}

/// A refusal where the expression of a job stands.
fn refused(model: &Model, job: Job, reason: Reason) -> FormRefused {
    let column = match job {
        Job::Relevant(_) => "relevant",
        Job::Count(_) => "repeat_count",
        Job::Calculate(_) => "calculation",
    };
    FormRefused::at("survey", model.nodes[job.node()].row, column, reason)
}

/// The documents of a form: the one for the answers with its element, and secondary instances where something looks at
/// them; of a large list that is only offered, none is needed.
pub(crate) fn documents(model: &Model) -> (Documents, NodeId) {
    let mut documents = Documents::default();
    let answers = documents.add("", &model.root);
    let is_looked_at = |choices: &Choices| match &choices.from {
        ChoicesFrom::Nodes { .. } => true,
        ChoicesFrom::Instance { name, .. } => {
            choices.filter.is_some() || !matches!(model.instances.get(name), Some(Instance::List(_)))
        }
    };
    let by_choices = model.nodes.iter().filter_map(Node::choices).any(is_looked_at);
    let by_formulas = || model.formulas().any(|formula| formula.expression.looks_elsewhere());
    if by_choices || by_formulas() {
        model.add_instances(&mut documents);
    }
    (documents, answers)
}
