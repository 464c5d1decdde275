//! Functions of nodes: counting, positions, repeats, secondary instances, and labels.

use std::collections::BTreeSet;

use super::numbers::fraction;
use super::{Call, Function, MANY, function};
use crate::expr::ParkMiller;
use crate::expr::eval::{EvalError, Focus};
use crate::expr::parse::Ast;
use crate::expr::tree::NodeId;
use crate::expr::value::{Value, number_text};

/// How many siblings are counted in the time of a step.
const SIBLINGS_A_STEP: usize = 16;

pub(super) const FUNCTIONS: &[Function] = &[
    function("count", (1, 1), |call| Ok(Value::Number(call.nodes(0)?.len() as f64))),
    function("count-non-empty", (1, 1), |call| {
        let nodes = call.nodes(0)?;
        call.evaluator.spend(nodes.len())?;
        Ok(Value::Number(nodes.iter().filter(|node| !call.evaluator.text_of(**node).is_empty()).count() as f64))
    }),
    function("position", (0, 1), position),
    function("last", (0, 0), |call| Ok(Value::Number(call.focus.size as f64))),
    function("current", (0, 0), |call| Ok(Value::Nodes(vec![call.focus.current]))),
    function("instance", (1, 1), |call| {
        let name = call.text(0)?;
        call.evaluator.documents.instance(&name).map(|root| Value::Nodes(vec![root])).ok_or(EvalError::NoInstance)
    }),
    function("name", (0, 1), |call| Ok(Value::Text(named(call)?.unwrap_or_default()))),
    function("local-name", (0, 1), |call| {
        let name = named(call)?.unwrap_or_default();
        Ok(Value::Text(name.rsplit_once(':').map_or(name.clone(), |(_, local)| local.to_owned())))
    }),
    function("once", (1, 1), |call| {
        let own = call.evaluator.text_of(call.focus.node);
        if own.is_empty() { call.value(0) } else { Ok(Value::Text(own)) }
    }),
    function("randomize", (1, 2), randomize),
    function("indexed-repeat", (3, MANY), indexed_repeat),
    function("pulldata", (4, 4), pulldata),
    function("jr:choice-name", (2, 2), choice_name),
    function("jr:itext", (1, 1), |call| {
        Ok(Value::Text(call.evaluator.surroundings.translation(&call.text(0)?).unwrap_or_default()))
    }),
];

fn named(call: &Call<'_, '_>) -> Result<Option<String>, EvalError> {
    let node = if call.count() == 0 { Some(call.focus.node) } else { call.nodes(0)?.first().copied() };
    Ok(node.map(|node| call.evaluator.documents.name(node).to_owned()))
}

/// Of a path: which among its siblings of the same name; otherwise which among those looked at.
fn position(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    if call.count() == 0 {
        return Ok(Value::Number(call.focus.position as f64));
    }
    // A row keeps its place also while it is not asked.
    let nodes = match &call.arguments[0] {
        Ast::Path(path) => call.evaluator.path(path, call.focus)?,
        _ => call.nodes(0)?,
    };
    match nodes.first() {
        Some(node) => {
            let position = call.evaluator.documents.position(*node);
            call.evaluator.note(position / SIBLINGS_A_STEP);
            Ok(Value::Number(position as f64))
        }
        None => call.wrong(),
    }
}

/// The nodes in an order by chance; with a seed, always in the same (ODK XForms §randomize, Park–Miller).
fn randomize(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let nodes = call.nodes(0)?;
    call.evaluator.spend(nodes.len())?;
    let mut seeded = match call.count() {
        1 => None,
        _ => match ParkMiller::new(call.number(1)?) {
            None => return call.wrong(),
            seeded => seeded,
        },
    };
    let mut next = || seeded.as_mut().map_or_else(|| fraction(call), ParkMiller::fraction);
    let mut shuffled: Vec<NodeId> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.into_iter().enumerate() {
        let at = (next() * (index + 1) as f64).floor() as usize;
        shuffled.push(node);
        shuffled.swap(index, at.min(index));
    }
    Ok(Value::Nodes(shuffled))
}

/// `indexed-repeat(question, repeat, index[, repeat, index …])`: the question in the row of that number.
fn indexed_repeat(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    if call.count().is_multiple_of(2) {
        return call.wrong();
    }
    let documents = call.evaluator.documents;
    let everywhere = Focus { is_own_row: false, ..*call.focus };
    let all = |index: usize| match call.evaluator.value(&call.arguments[index], &everywhere)? {
        Value::Nodes(nodes) => Ok(nodes),
        _ => Err(EvalError::NotNodes("indexed-repeat")),
    };
    let mut targets = all(0)?;
    for pair in (1..call.count()).step_by(2) {
        let (rows, index) = (all(pair)?, call.number(pair + 1)?);
        let named = rows_named(call, rows, index)?;
        call.evaluator.spend(targets.len())?;
        targets.retain(|target| documents.ancestors(*target).any(|above| named.contains(&above)));
    }
    Ok(Value::Nodes(targets))
}

/// Those of some rows that have this number among the siblings of their name.
fn rows_named(call: &Call<'_, '_>, rows: Vec<NodeId>, index: f64) -> Result<BTreeSet<NodeId>, EvalError> {
    let documents = call.evaluator.documents;
    call.evaluator.spend(rows.len())?;
    let mut named = BTreeSet::new();
    let mut asked: BTreeSet<(NodeId, &str)> = BTreeSet::new();
    let at = if index >= 1.0 && index.fract() == 0.0 { index as usize - 1 } else { return Ok(named) };
    let all: BTreeSet<NodeId> = rows.into_iter().collect();
    for row in &all {
        let (name, Some(parent)) = (documents.name(*row), documents.parent(*row)) else { continue };
        if asked.insert((parent, name)) {
            let siblings = documents.children(parent);
            call.evaluator.note(siblings.len() / SIBLINGS_A_STEP);
            let mut of_name = siblings.filter(|sibling| documents.name(*sibling) == name);
            named.extend(of_name.nth(at).filter(|row| all.contains(row)));
        }
    }
    Ok(named)
}

/// `pulldata(instance, column, key column, key)`: of the first item whose key is this one.
fn pulldata(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let documents = call.evaluator.documents;
    let (name, column, key_column, key) = (call.text(0)?, call.text(1)?, call.text(2)?, call.text(3)?);
    let root = documents.instance(&name).ok_or(EvalError::NoInstance)?;
    let cell = |item: NodeId, column: &str| documents.children(item).find(|cell| documents.name(*cell) == column);
    for item in documents.children(root) {
        call.evaluator.spend(1)?;
        if cell(item, &key_column).is_some_and(|cell| documents.own_text(cell) == key) {
            return Ok(Value::Text(cell(item, &column).map(|cell| call.evaluator.text_of(cell)).unwrap_or_default()));
        }
    }
    Ok(Value::Text(String::new()))
}

/// `jr:choice-name(value, 'path')`: the label of a choice of the question that the quoted path names.
fn choice_name(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let value = match call.value(0)? {
        Value::Number(number) => number_text(number),
        value => call.evaluator.text(&value)?,
    };
    let path = match call.value(1)? {
        Value::Nodes(nodes) => nodes,
        value => {
            let text = call.evaluator.text(&value)?;
            let ast = crate::expr::parse::parse(text.trim()).map_err(|_| EvalError::Argument(call.function.name))?;
            match call.evaluator.value(&ast, call.focus)? {
                Value::Nodes(nodes) => nodes,
                _ => return call.wrong(),
            }
        }
    };
    let label = path.first().and_then(|question| call.evaluator.surroundings.choice_label(*question, &value));
    Ok(Value::Text(label.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use crate::expr::{Documents, EvalError, Expression, Focus, Moment, NodeId, Surroundings};

    /// A label is the choice's name, in capitals.
    struct Labels;

    impl Surroundings for Labels {
        fn now(&self) -> Moment {
            Moment::read("2024-05-06T07:08:09Z", 0).expect("this is a moment")
        }
        fn random(&self) -> u64 {
            1 << 63
        }
        fn choice_label(&self, _: NodeId, name: &str) -> Option<String> {
            (name != "none").then(|| name.to_uppercase())
        }
        fn translation(&self, id: &str) -> Option<String> {
            Some(format!("<{id}>"))
        }
    }

    /// Two households, each with a name and its people.
    fn documents() -> (Documents, NodeId, Vec<NodeId>) {
        let mut documents = Documents::default();
        let data = documents.add("", "data");
        let mut people = Vec::new();
        for (name, ages) in [("h1", vec!["30", "4"]), ("h2", vec!["50", "7", "9"])] {
            let house = documents.append(data, "house");
            let cell = documents.append(house, "name");
            documents.set_text(cell, name);
            for age in ages {
                let person = documents.append(house, "person");
                let cell = documents.append(person, "age");
                documents.set_text(cell, age);
                people.push(cell);
            }
        }
        (documents, data, people)
    }

    fn text(documents: &Documents, at: NodeId, text: &str) -> Result<String, EvalError> {
        let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        expression.evaluate(documents, &Labels, Focus::at(at)).map(|value| value.text(documents))
    }

    #[test]
    fn absolute_paths_mean_the_rows_that_the_question_stands_in() {
        let (documents, data, people) = documents();
        let check =
            |at: NodeId, of: &str, wanted: &str| assert_eq!(text(&documents, at, of).as_deref(), Ok(wanted), "{of}");
        check(people[2], "/data/house/name", "h2");
        check(people[3], "/data/house/person/age", "7");
        check(people[3], "sum(/data/house/person/age)", "7");
        check(people[3], "count(/data/house/person)", "3");
        check(people[3], "count(/data/house)", "2");
        check(people[3], "position(/data/house/person)", "1");
        check(people[3], "position(..)", "2");
        check(data, "sum(/data/house/person/age)", "100");
        check(data, "count(/data/house/person)", "5");
        check(people[3], "sum(../../person/age)", "66");
    }

    #[test]
    fn indexed_repeat_finds_the_question_in_the_rows_of_those_numbers() {
        let (documents, data, people) = documents();
        let check =
            |at: NodeId, of: &str, wanted: &str| assert_eq!(text(&documents, at, of).as_deref(), Ok(wanted), "{of}");
        check(data, "indexed-repeat(/data/house/name, /data/house, 2)", "h2");
        check(people[0], "indexed-repeat(/data/house/name, /data/house, 2)", "h2");
        check(data, "indexed-repeat(/data/house/person/age, /data/house, 2, /data/house/person, 3)", "9");
        check(people[4], "indexed-repeat(/data/house/name, /data/house, position(../..) - 1)", "h1");
        check(data, "indexed-repeat(/data/house/name, /data/house, 9)", "");
        assert_eq!(
            text(&documents, data, "indexed-repeat(1, /data/house, 1)"),
            Err(EvalError::NotNodes("indexed-repeat"))
        );
    }

    #[test]
    fn labels_come_from_outside() {
        let (documents, data, _) = documents();
        let check = |of: &str, wanted: &str| assert_eq!(text(&documents, data, of).as_deref(), Ok(wanted), "{of}");
        check("jr:choice-name('yes', ' /data/house ')", "YES");
        check("jr:choice-name(/data/house/name, /data/house)", "H1");
        check("jr:choice-name('none', '/data/house')", "");
        check("jr:choice-name('yes', '/data/nothing')", "");
        check("jr:itext('a')", "<a>");
        check("random()", "0.5");
        check("today()", "2024-05-06");
        assert_eq!(text(&documents, data, "instance('none')/root"), Err(EvalError::NoInstance));
        assert_eq!(text(&documents, data, "pulldata('none', 'a', 'b', 'c')"), Err(EvalError::NoInstance));
    }

    #[test]
    fn a_seed_gives_the_same_order_everywhere() {
        let (mut documents, data, _) = documents();
        let list = documents.add("l", "root");
        for name in ["a", "b", "c", "d", "e", "f"] {
            let item = documents.append(list, "item");
            documents.set_text(item, name);
        }
        // What Enketo comes to with these seeds.
        for (seed, wanted) in [("42", "afcbde"), ("42.9", "afcbde"), ("-3", "facbed"), ("0", "cbeafd"), ("1", "bfeacd")]
        {
            let found = text(&documents, data, &format!("join('', randomize(instance('l')/root/item, {seed}))"));
            assert_eq!(found.as_deref(), Ok(wanted), "{seed}");
        }
    }
}
