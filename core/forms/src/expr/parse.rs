//! Tokens to a tree of operations, after the grammar of XPath 1.0.

use std::fmt;

use super::ParseError;
use super::functions::{self, Function};
use super::token::{Lexeme, Operator, Token, tokens};

/// Longest expression, in bytes; deployed forms have some of 20,000.
pub const EXPRESSION_BYTES_MAX: usize = 262_144;
/// Deepest nesting of parentheses, predicates and calls; tables of z-scores are written as some hundred `if`s in each
/// other. Parsed and evaluated within the 2 MiB of stack of a thread, in a debug build too.
pub const DEPTH_MAX: usize = 256;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Longer than [`EXPRESSION_BYTES_MAX`].
    TooLong,
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep,
    /// A text without its closing quote.
    OpenText,
    /// A number that is none.
    Number,
    /// A character that begins nothing.
    Character(char),
    /// The expression ends where something is expected.
    Ended,
    /// Something else is expected here.
    Unexpected,
    /// No such function.
    UnknownFunction(String),
    /// A function is called with too few or too many arguments.
    Arguments(&'static str),
    /// No such axis.
    UnknownAxis(String),
    /// A variable; forms have none.
    Variable,
    /// A regular expression that is none, or too large.
    Pattern,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the expression is longer than {EXPRESSION_BYTES_MAX} bytes"),
            Self::TooDeep => write!(f, "the expression is nested deeper than {DEPTH_MAX}"),
            Self::OpenText => f.write_str("a quote is not closed"),
            Self::Number => f.write_str("this is no number"),
            Self::Character(c) => write!(f, "`{}` does not belong here", c.escape_default()),
            Self::Ended => f.write_str("the expression ends too early"),
            Self::Unexpected => f.write_str("something else is expected here"),
            Self::UnknownFunction(name) => write!(f, "there is no function `{name}`"),
            Self::Arguments(name) => write!(f, "`{name}` takes another number of arguments"),
            Self::UnknownAxis(name) => write!(f, "there is no axis `{name}`"),
            Self::Variable => f.write_str("forms have no variables"),
            Self::Pattern => f.write_str("this is no regular expression that can be used"),
        }
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) enum Ast {
    Number(f64),
    Text(String),
    /// Operators of one rank, from left to right.
    Chain(Box<Ast>, Vec<(Operator, Ast)>),
    Negate(Box<Ast>),
    Call(&'static Function, Vec<Ast>),
    /// A location path; with a base it goes on from the nodes of that.
    Path(Box<Path>),
}

#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) start: Start,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Start {
    /// Above the root element.
    Root,
    Context,
    /// The nodes of an expression, filtered.
    Base(Ast, Vec<Ast>),
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Ast>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    Parent,
    This,
    Attribute,
    Ancestor,
    AncestorOrThis,
    Descendant,
    DescendantOrThis,
    Following,
    FollowingSibling,
    Preceding,
    PrecedingSibling,
}

impl Axis {
    /// Whether positions count away from the node, against the order of the document.
    pub(super) fn is_reverse(self) -> bool {
        matches!(self, Self::Parent | Self::Ancestor | Self::AncestorOrThis | Self::Preceding | Self::PrecedingSibling)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "child" => Self::Child,
            "parent" => Self::Parent,
            "self" => Self::This,
            "attribute" => Self::Attribute,
            "ancestor" => Self::Ancestor,
            "ancestor-or-self" => Self::AncestorOrThis,
            "descendant" => Self::Descendant,
            "descendant-or-self" => Self::DescendantOrThis,
            "following" => Self::Following,
            "following-sibling" => Self::FollowingSibling,
            "preceding" => Self::Preceding,
            "preceding-sibling" => Self::PrecedingSibling,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Any,
    Name(String),
    /// `node()`.
    Node,
    /// `text()`: elements with a text of their own.
    Text,
    /// `comment()` and `processing-instruction()`: our documents have none.
    Nothing,
}

/// Parses an expression.
pub(super) fn parse(text: &str) -> Result<Ast, ParseError> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(ParseError { at: 0, wrong: Wrong::TooLong });
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0, end: text.len() };
    let ast = parser.expression()?;
    match parser.peek() {
        None => Ok(ast),
        Some(_) => Err(parser.wrong(Wrong::Unexpected)),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    next: usize,
    depth: usize,
    end: usize,
}

/// The binary operators, loosest first; each rank goes from left to right. Above them stands the sign of a number, and
/// above that `|`.
const RANKS: [&[Operator]; 6] = [
    &[Operator::Or],
    &[Operator::And],
    &[Operator::Equal, Operator::NotEqual],
    &[Operator::Less, Operator::LessOrEqual, Operator::Greater, Operator::GreaterOrEqual],
    &[Operator::Plus, Operator::Minus],
    &[Operator::Times, Operator::Div, Operator::Mod],
];

impl<'t> Parser<'t> {
    fn expression(&mut self) -> Result<Ast, ParseError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong(Wrong::TooDeep));
        }
        let ast = self.operation(0)?;
        self.depth -= 1;
        Ok(ast)
    }

    /// Operands between operators of rank `least` or above.
    fn operation(&mut self, least: usize) -> Result<Ast, ParseError> {
        let mut left = self.signed()?;
        while let Some(rank) = self.peek_rank().filter(|rank| *rank >= least) {
            let mut rest = Vec::new();
            while let (Some(own), Some(Lexeme::Operator(operator))) = (self.peek_rank(), self.peek())
                && own == rank
            {
                self.next += 1;
                rest.push((*operator, self.operation(rank + 1)?));
            }
            left = Ast::Chain(Box::new(left), rest);
        }
        Ok(left)
    }

    fn peek_rank(&self) -> Option<usize> {
        let Some(Lexeme::Operator(operator)) = self.peek() else { return None };
        RANKS.iter().position(|rank| rank.contains(operator))
    }

    fn signed(&mut self) -> Result<Ast, ParseError> {
        let mut is_negative = false;
        while self.takes(&Lexeme::Operator(Operator::Minus)) {
            is_negative = !is_negative;
        }
        let first = self.path()?;
        let mut rest = Vec::new();
        while self.takes(&Lexeme::Operator(Operator::Union)) {
            rest.push((Operator::Union, self.path()?));
        }
        let ast = if rest.is_empty() { first } else { Ast::Chain(Box::new(first), rest) };
        Ok(if is_negative { Ast::Negate(Box::new(ast)) } else { ast })
    }

    /// A location path, or a primary expression with predicates and steps.
    fn path(&mut self) -> Result<Ast, ParseError> {
        if self.takes_mark("/") {
            let steps = if self.is_step() { self.steps()? } else { Vec::new() };
            return Ok(path(Start::Root, steps));
        }
        if self.peek() == Some(&Lexeme::Mark("//")) {
            let steps = self.more_steps(Vec::new())?;
            return Ok(path(Start::Root, steps));
        }
        if self.is_step() && !self.is_call() {
            let steps = self.steps()?;
            return Ok(path(Start::Context, steps));
        }
        let base = self.primary()?;
        let predicates = self.predicates()?;
        let steps = self.more_steps(Vec::new())?;
        if predicates.is_empty() && steps.is_empty() {
            Ok(base)
        } else {
            Ok(path(Start::Base(base, predicates), steps))
        }
    }

    fn primary(&mut self) -> Result<Ast, ParseError> {
        let wrong = self.wrong(Wrong::Unexpected);
        match self.take()? {
            Lexeme::Number(number) => Ok(Ast::Number(*number)),
            Lexeme::Text(text) => Ok(Ast::Text(text.clone())),
            Lexeme::Mark("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Lexeme::Name(name) => self.call(name),
            Lexeme::Mark("$") => Err(ParseError { wrong: Wrong::Variable, ..wrong }),
            _ => Err(wrong),
        }
    }

    fn call(&mut self, name: &str) -> Result<Ast, ParseError> {
        let at = self.tokens[self.next - 1].at;
        let function =
            functions::find(name).ok_or_else(|| ParseError { at, wrong: Wrong::UnknownFunction(name.to_owned()) })?;
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.takes_mark(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
                // Written by hand in many forms, and accepted by every engine.
                if self.takes_mark(")") {
                    break;
                }
            }
            arguments.push(self.expression()?);
        }
        if !function.takes(arguments.len()) {
            return Err(ParseError { at, wrong: Wrong::Arguments(function.name) });
        }
        if let ("regex", Some(Ast::Text(pattern))) = (function.name, arguments.get(1))
            && !functions::patterns::is_pattern(pattern)
        {
            return Err(ParseError { at, wrong: Wrong::Pattern });
        }
        Ok(Ast::Call(function, arguments))
    }

    fn steps(&mut self) -> Result<Vec<Step>, ParseError> {
        let first = self.step()?;
        self.more_steps(vec![first])
    }

    fn more_steps(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>, ParseError> {
        loop {
            if self.takes_mark("//") {
                steps.push(Step { axis: Axis::DescendantOrThis, test: Test::Node, predicates: Vec::new() });
            } else if !self.takes_mark("/") {
                return Ok(steps);
            }
            steps.push(self.step()?);
        }
    }

    fn step(&mut self) -> Result<Step, ParseError> {
        let mut axis = Axis::Child;
        if self.takes_mark(".") {
            return Ok(Step { axis: Axis::This, test: Test::Node, predicates: self.predicates()? });
        }
        if self.takes_mark("..") {
            return Ok(Step { axis: Axis::Parent, test: Test::Node, predicates: self.predicates()? });
        }
        if self.takes_mark("@") {
            axis = Axis::Attribute;
        } else if let (Some(Lexeme::Name(name)), Some(Lexeme::Mark("::"))) = (self.peek(), self.peek_after()) {
            axis = Axis::named(name).ok_or_else(|| self.wrong(Wrong::UnknownAxis(name.clone())))?;
            self.next += 2;
        }
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn test(&mut self) -> Result<Test, ParseError> {
        let is_kind = self.peek_after() == Some(&Lexeme::Mark("("));
        let wrong = self.wrong(Wrong::Unexpected);
        let test = match self.take()? {
            Lexeme::Star => return Ok(Test::Any),
            Lexeme::Name(name) if !is_kind => return Ok(Test::Name(name.clone())),
            Lexeme::Name(name) => match name.as_str() {
                "node" => Test::Node,
                "text" => Test::Text,
                "comment" | "processing-instruction" => Test::Nothing,
                _ => return Err(wrong),
            },
            _ => return Err(wrong),
        };
        self.expect("(")?;
        if let Some(Lexeme::Text(_)) = self.peek() {
            self.next += 1;
        }
        self.expect(")")?;
        Ok(test)
    }

    fn predicates(&mut self) -> Result<Vec<Ast>, ParseError> {
        let mut predicates = Vec::new();
        while self.takes_mark("[") {
            predicates.push(self.expression()?);
            self.expect("]")?;
        }
        Ok(predicates)
    }

    fn is_step(&self) -> bool {
        matches!(self.peek(), Some(Lexeme::Name(_) | Lexeme::Star | Lexeme::Mark("." | ".." | "@")))
    }

    /// Whether a name here calls a function, rather than testing for a kind of node.
    fn is_call(&self) -> bool {
        let is_kind = |name: &str| matches!(name, "node" | "text" | "comment" | "processing-instruction");
        match (self.peek(), self.peek_after()) {
            (Some(Lexeme::Name(name)), Some(Lexeme::Mark("("))) => !is_kind(name),
            _ => false,
        }
    }

    fn peek(&self) -> Option<&'t Lexeme> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn peek_after(&self) -> Option<&'t Lexeme> {
        self.tokens.get(self.next + 1).map(|token| &token.kind)
    }

    fn take(&mut self) -> Result<&'t Lexeme, ParseError> {
        let lexeme = self.peek().ok_or_else(|| self.wrong(Wrong::Ended))?;
        self.next += 1;
        Ok(lexeme)
    }

    fn takes(&mut self, lexeme: &Lexeme) -> bool {
        let is_it = self.peek() == Some(lexeme);
        self.next += usize::from(is_it);
        is_it
    }

    fn takes_mark(&mut self, mark: &'static str) -> bool {
        self.takes(&Lexeme::Mark(mark))
    }

    fn expect(&mut self, mark: &'static str) -> Result<(), ParseError> {
        if self.takes_mark(mark) { Ok(()) } else { Err(self.wrong(Wrong::Unexpected)) }
    }

    /// What is wrong at the next token.
    fn wrong(&self, wrong: Wrong) -> ParseError {
        match self.tokens.get(self.next) {
            Some(token) => ParseError { at: token.at, wrong },
            None if wrong == Wrong::Unexpected => ParseError { at: self.end, wrong: Wrong::Ended },
            None => ParseError { at: self.end, wrong },
        }
    }
}

fn path(start: Start, steps: Vec<Step>) -> Ast {
    Ast::Path(Box::new(Path { start, steps }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_where_it_stands() {
        let check = |text: &str, at: usize, wrong: Wrong| {
            assert_eq!(parse(text).map(|_| ()), Err(ParseError { at, wrong }), "{text}");
        };
        check("", 0, Wrong::Ended);
        check("1 +", 3, Wrong::Ended);
        check("1 1", 2, Wrong::Unexpected);
        check("'a", 0, Wrong::OpenText);
        check("a = \"b", 4, Wrong::OpenText);
        check("a # b", 2, Wrong::Character('#'));
        check("(1", 2, Wrong::Ended);
        check("a)", 1, Wrong::Unexpected);
        check("a[1", 3, Wrong::Ended);
        check("concat(1,, 2)", 9, Wrong::Unexpected);
        check("nope(1)", 0, Wrong::UnknownFunction("nope".to_owned()));
        check("1 + if(1, 2)", 4, Wrong::Arguments("if"));
        check("up::a", 0, Wrong::UnknownAxis("up".to_owned()));
        check("$a", 0, Wrong::Variable);
        check("a = 1 and", 9, Wrong::Ended);
        check("regex(a, '(')", 0, Wrong::Pattern);
    }

    #[test]
    fn what_forms_write_is_parsed() {
        let texts = [
            "selected(/data/a, 'b') and not(selected(/data/a, 'c'))",
            "concat(a, 'b',)",
            "count(../../rep[position() < 3]/x) div 2",
            "instance(\"l\")/root/item[name = current()/../a]/label",
            ". >= 0 and . <= 120",
            "if(a='x' or b>=2,1,0)*-1",
            "/data/*/x | //y[@z]",
            "jr:choice-name(/data/a, ' /data/a ')",
            "orx:meta/orx:instanceID",
            "div div mod mod div",
            "or or and",
            "text() = 'x'",
            "a/node()[2]",
            "a\u{a0}=\u{a0}1",
            "names_with.dots-and-dashes = 1",
        ];
        for text in texts {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text).map(|_| ()));
        }
    }
}
