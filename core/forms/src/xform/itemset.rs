//! `nodeset` of an itemset, taken apart: where choices come from, which are offered, and in what order.

/// An itemset's parts, as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Itemset<'t> {
    /// The instance whose items they are, if they are `instance('…')/root/item`.
    pub(super) instance: Option<&'t str>,
    /// The path to the nodes.
    pub(super) nodes: &'t str,
    /// The predicates at its end, joined.
    pub(super) filter: Option<String>,
    /// Whether the order is by chance, and the seed of it.
    pub(super) randomize: Option<Option<&'t str>>,
}

/// Takes a nodeset apart. What is no itemset at all is found when its expressions are parsed.
pub(super) fn parse(nodeset: &str) -> Itemset<'_> {
    let mut itemset = Itemset::default();
    let mut path = nodeset.trim();
    let inside = path.strip_prefix("randomize").map(str::trim_start).and_then(|rest| rest.strip_prefix('('));
    if let Some(inside) = inside.and_then(|rest| rest.strip_suffix(')')) {
        let comma = outside(inside).find(|(_, c)| *c == ',').map(|(at, _)| at);
        itemset.randomize = Some(comma.map(|at| inside[at + 1..].trim()));
        path = comma.map_or(inside, |at| &inside[..at]).trim();
    }
    let (nodes, predicates) = predicates(path);
    itemset.nodes = nodes.trim();
    itemset.filter = match predicates.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        several => Some(several.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" and ")),
    };
    itemset.instance = instance(itemset.nodes);
    itemset
}

/// The name in `instance('name')/root/item`.
fn instance(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("instance")?.trim_start().strip_prefix('(')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, rest) = rest[1..].split_once(quote)?;
    let steps: String = rest.trim_start().strip_prefix(')')?.split_whitespace().collect();
    (steps.strip_prefix('/') == Some("root/item")).then_some(name)
}

/// A path, and the predicates at its end.
fn predicates(path: &str) -> (&str, Vec<&str>) {
    let open: Vec<usize> = outside(path).filter(|(_, c)| *c == '[').map(|(at, _)| at).collect();
    let close: Vec<usize> = outside(path).filter(|(_, c)| *c == ']').map(|(at, _)| at).collect();
    // A predicate with steps behind it belongs to the path.
    let last_step = outside(path).filter(|(_, c)| *c == '/').last().map_or(0, |(at, _)| at);
    let at_end = open.iter().zip(&close).filter(|(open, _)| **open > last_step);
    let predicates: Vec<&str> =
        at_end.clone().filter_map(|(open, close)| path.get(open + 1..*close)).map(str::trim).collect();
    let end = at_end.map(|(open, _)| *open).next().unwrap_or(path.len());
    (&path[..end], predicates)
}

/// The characters outside quotes, parentheses and brackets; the outermost brackets themselves are among them.
fn outside(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quote, mut depth) = (None, 0_i32);
    text.char_indices().filter(move |(_, c)| match (quote, *c) {
        (Some(open), c) => {
            if c == open {
                quote = None;
            }
            false
        }
        (None, '\'' | '"') => {
            quote = Some(*c);
            false
        }
        (None, '(' | '[') => {
            depth += 1;
            depth == 1
        }
        (None, ')' | ']') => {
            depth -= 1;
            depth == 0
        }
        (None, _) => depth == 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn itemsets_fall_into_their_parts() {
        let check = |text: &str, instance, nodes: &str, filter: Option<&str>, randomize| {
            let filter = filter.map(str::to_owned);
            assert_eq!(parse(text), Itemset { instance, nodes, filter, randomize }, "{text}");
        };
        check("instance('a b')/root/item", Some("a b"), "instance('a b')/root/item", None, None);
        check(
            " instance(\"x\")/root/item[city=/d/c and (x = ']')] ",
            Some("x"),
            "instance(\"x\")/root/item",
            Some("city=/d/c and (x = ']')"),
            None,
        );
        check("/data/rep[./name != ''][a]", None, "/data/rep", Some("(./name != '') and (a)"), None);
        check("/data/rep[1]/sub", None, "/data/rep[1]/sub", None, None);
        check(
            "randomize(instance('x')/root/item[a=1], /d/seed)",
            Some("x"),
            "instance('x')/root/item",
            Some("a=1"),
            Some(Some("/d/seed")),
        );
        check("randomize( ../rep )", None, "../rep", None, Some(None));
        check("instance('x')/root/group[a=1]/item", None, "instance('x')/root/group[a=1]/item", None, None);
    }
}
