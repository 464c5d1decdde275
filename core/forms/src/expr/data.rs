//! An expression as data, for programs that evaluate it elsewhere.
//!
//! `["n", 1]` a number, `["t", "x"]` a text, `["-", e]` negated, `["o", e, [[operator, e], …]]` operators of one rank,
//! `["c", name, [e, …]]` a call, `["p", start, [[axis, test, [e, …]], …]]` a path, whose start is `"/"`, `"."` or
//! `[e, [predicate, …]]`; a test is a name, `*`, `node()`, `text()`, or `!` for what no document has.

use super::Expression;
use super::parse::{Ast, Axis, Path, Start, Test};
use super::token::Operator;
use crate::json::Json;

impl Expression {
    /// It as JSON, for programs that evaluate it elsewhere; what it looks like is at the top of this page's source.
    pub fn data(&self) -> String {
        let mut json = Json::default();
        self.write(&mut json);
        json.finish()
    }

    /// Writes it.
    pub(crate) fn write(&self, json: &mut Json) {
        write(&self.ast, json);
    }

    /// The names of the functions it calls.
    pub(crate) fn calls(&self, found: &mut std::collections::BTreeSet<&'static str>) {
        super::reads::each_call(&self.ast, &mut |name| _ = found.insert(name));
    }
}

fn write(ast: &Ast, json: &mut Json) {
    match ast {
        Ast::Number(number) => json.raw("[\"n\",").number(*number).raw("]"),
        Ast::Text(text) => json.raw("[\"t\",").string(text).raw("]"),
        Ast::Negate(inner) => {
            json.raw("[\"-\",");
            write(inner, json);
            json.raw("]")
        }
        Ast::Chain(first, rest) => {
            json.raw("[\"o\",");
            write(first, json);
            json.raw(",").list(rest, |json, (operator, ast)| {
                json.raw("[").string(sign(*operator)).raw(",");
                write(ast, json);
                json.raw("]");
            });
            json.raw("]")
        }
        Ast::Call(function, arguments) => {
            // The path that is quoted in a choice's name is written as a path, so that who evaluates it need not parse.
            let is_quoted = function.name == "jr:choice-name";
            json.raw("[\"c\",").string(function.name).raw(",").list(arguments, |json, ast| match ast {
                Ast::Text(path) if is_quoted => match super::parse::parse(path.trim()) {
                    Ok(path) => write(&path, json),
                    Err(_) => write(ast, json),
                },
                ast => write(ast, json),
            });
            json.raw("]")
        }
        Ast::Path(path) => write_path(path, json),
    };
}

fn write_path<'j>(path: &Path, json: &'j mut Json) -> &'j mut Json {
    json.raw("[\"p\",");
    match &path.start {
        Start::Root => json.string("/"),
        Start::Context => json.string("."),
        Start::Base(base, predicates) => {
            json.raw("[");
            write(base, json);
            json.raw(",").list(predicates, |json, ast| write(ast, json)).raw("]")
        }
    };
    json.raw(",").list(&path.steps, |json, step| {
        json.raw("[").string(axis(step.axis)).raw(",").string(test(&step.test)).raw(",");
        json.list(&step.predicates, |json, ast| write(ast, json)).raw("]");
    });
    json.raw("]")
}

fn test(test: &Test) -> &str {
    match test {
        Test::Any => "*",
        Test::Node => "node()",
        Test::Text => "text()",
        Test::Nothing => "!",
        Test::Name(name) => name,
    }
}

fn axis(axis: Axis) -> &'static str {
    match axis {
        Axis::Child => "child",
        Axis::Parent => "parent",
        Axis::This => "self",
        Axis::Attribute => "attribute",
        Axis::Ancestor => "ancestor",
        Axis::AncestorOrThis => "ancestor-or-self",
        Axis::Descendant => "descendant",
        Axis::DescendantOrThis => "descendant-or-self",
        Axis::Following => "following",
        Axis::FollowingSibling => "following-sibling",
        Axis::Preceding => "preceding",
        Axis::PrecedingSibling => "preceding-sibling",
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Or => "or",
        Operator::And => "and",
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Plus => "+",
        Operator::Minus => "-",
        Operator::Times => "*",
        Operator::Div => "div",
        Operator::Mod => "mod",
        Operator::Union => "|",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_written_as_it_was_parsed() {
        let rows = [
            ("1 + -2", r#"["o",["n",1],[["+",["-",["n",2]]]]]"#),
            (
                "selected(../a, 'b')",
                r#"["c","selected",[["p",".",[["parent","node()",[]],["child","a",[]]]],["t","b"]]]"#,
            ),
            ("/d/r[1]", r#"["p","/",[["child","d",[]],["child","r",[["n",1]]]]]"#),
            ("current()/x", r#"["p",[["c","current",[]],[]],[["child","x",[]]]]"#),
        ];
        for (text, wanted) in rows {
            let mut json = Json::default();
            Expression::parse(text).expect(text).write(&mut json);
            assert_eq!(json.finish(), wanted, "{text}");
        }
    }
}
