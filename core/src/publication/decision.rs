//! What is decided of each leaf, by its label, and what of an entry is then shown.

use std::collections::BTreeMap;

use crate::change::Change;
use crate::disclosure::{Chosen, Fact, NotDisclosed, make};
use crate::entry::{Content, VerifiedEntry};
use crate::form::{FormDefinition, Key, STANDARD_LEAVES, Shape, is_question};
use crate::id::FormHash;

use super::account::FormRule;

/// The labels of the standard block, by position. No question can have such a name.
pub const FACT_LABELS: [&str; STANDARD_LEAVES as usize] = [
    "context/coarse-place",
    "context/exact-place",
    "context/day",
    "context/exact-time",
    "context/post",
    "context/observer",
    "context/photos",
    "context/reserved",
];

/// Whether `label` could name a leaf of a form.
pub fn is_label(label: &str) -> bool {
    FACT_LABELS.contains(&label) || is_question(label)
}

/// The label of the leaf at `position`; `None` if the form has none there.
pub fn label_at(definition: &FormDefinition, position: u32) -> Option<&str> {
    match FACT_LABELS.get(position as usize) {
        Some(label) => Some(label),
        None => definition.leaves.get((position - STANDARD_LEAVES) as usize).map(|leaf| leaf.name.as_str()),
    }
}

/// Why something is withheld: a closed list, so that reasons can be counted and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is about a person.
    PersonalData,
    /// Somebody could be hurt by it.
    Security,
    /// It would show who said it.
    SourceProtection,
    /// A third party has not agreed.
    ThirdParty,
    /// A law or a court forbids it.
    Legal,
    /// Nobody decided yet.
    Undecided,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 6] = [
        Reason::PersonalData,
        Reason::Security,
        Reason::SourceProtection,
        Reason::ThirdParty,
        Reason::Legal,
        Reason::Undecided,
    ];

    /// Its number in an account.
    pub const fn code(self) -> u64 {
        match self {
            Reason::PersonalData => 1,
            Reason::Security => 2,
            Reason::SourceProtection => 3,
            Reason::ThirdParty => 4,
            Reason::Legal => 5,
            Reason::Undecided => 6,
        }
    }

    /// The reason with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The word for it, as people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::PersonalData => "personal-data",
            Reason::Security => "security",
            Reason::SourceProtection => "source-protection",
            Reason::ThirdParty => "third-party",
            Reason::Legal => "legal",
            Reason::Undecided => "undecided",
        }
    }

    /// The reason with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// What is decided of a leaf.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It is shown in every applied entry.
    Disclosed,
    /// It is shown in none.
    Withheld(Reason),
    /// Of a repeat the cells of some questions are shown.
    Partly {
        /// These questions; ascending, at least one.
        questions: Vec<String>,
        /// Why the other cells are not.
        rest: Reason,
    },
}

/// A publication was not made, because it would break a rule that everybody who reads it checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    /// Nothing was decided of a leaf.
    #[error("nothing is decided of {label} in form {form}")]
    NotDecided {
        /// The form.
        form: FormHash,
        /// The leaf's label.
        label: String,
    },
    /// A form says that the leaf must be disclosed.
    #[error("form {form} says that a publication must disclose {label}")]
    MustBeDisclosed {
        /// The form.
        form: FormHash,
        /// The leaf's label.
        label: String,
    },
    /// Only a repeat has cells.
    #[error("{label} of form {form} is no repeat, and cannot be disclosed in part")]
    NoRepeat {
        /// The form.
        form: FormHash,
        /// The leaf's label.
        label: String,
    },
}

/// What somebody chose, by label, for every form at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The labels about which something was said.
    pub labels: BTreeMap<String, Decision>,
    /// What holds for every other label; `None`: each must be named.
    pub rest: Option<Decision>,
}

impl Choice {
    /// What was chosen for a label.
    pub fn of(&self, label: &str) -> Option<&Decision> {
        self.labels.get(label).or(self.rest.as_ref())
    }

    /// The rule for a form.
    ///
    /// # Errors
    /// If nothing is decided of a leaf, or the form does not allow what is.
    pub fn rule(&self, form: FormHash, definition: &FormDefinition) -> Result<FormRule, NotPublished> {
        let count = STANDARD_LEAVES + definition.leaves.len() as u32;
        let mut decisions = Vec::with_capacity(count as usize);
        for position in 0..count {
            let label = label_at(definition, position).unwrap_or_default();
            if position == Fact::Reserved.position() {
                decisions.push(Decision::Disclosed);
                continue;
            }
            let not_decided = || NotPublished::NotDecided { form, label: label.to_owned() };
            let decision = self.of(label).ok_or_else(not_decided)?.clone();
            allowed(form, definition, position, &decision)?;
            decisions.push(decision);
        }
        Ok(FormRule { form, decisions })
    }
}

/// Whether a form allows a decision about one of its leaves.
///
/// # Errors
/// If the leaf must be disclosed and would not be, or is disclosed in part and is no repeat.
pub(super) fn allowed(
    form: FormHash,
    definition: &FormDefinition,
    position: u32,
    decision: &Decision,
) -> Result<(), NotPublished> {
    let label = || label_at(definition, position).unwrap_or_default().to_owned();
    if *decision != Decision::Disclosed && definition.must.contains(&position) {
        return Err(NotPublished::MustBeDisclosed { form, label: label() });
    }
    let is_partly = matches!(decision, Decision::Partly { .. });
    if is_partly && shape_at(definition, position) != Some(Shape::Repeat) {
        return Err(NotPublished::NoRepeat { form, label: label() });
    }
    Ok(())
}

/// The shape of a leaf of the form's own; `None` in the standard block and beyond the form.
pub(super) fn shape_at(definition: &FormDefinition, position: u32) -> Option<Shape> {
    let at = position.checked_sub(STANDARD_LEAVES)?;
    definition.leaves.get(at as usize).map(|leaf| leaf.shape)
}

/// What of `change` is shown under `decided`, one decision for each position.
pub fn choices<'a>(
    definition: &'a FormDefinition,
    change: &'a Change<'_>,
    decided: &[&'a Decision],
) -> Vec<Chosen<'a>> {
    let mut chosen = Vec::new();
    for (position, decision) in (0..).zip(decided) {
        let name = label_at(definition, position).unwrap_or_default();
        match (decision, shape_at(definition, position)) {
            (Decision::Withheld(_), _) => {}
            (Decision::Disclosed, None) => chosen.extend(Fact::ALL.get(position as usize).map(|&f| Chosen::Fact(f))),
            (Decision::Disclosed, Some(Shape::Answer)) => chosen.push(Chosen::Key(Key::Answer { question: name })),
            (Decision::Disclosed, Some(Shape::Repeat)) => chosen.push(Chosen::Repeat(name)),
            (Decision::Partly { questions, rest: _ }, _) => {
                chosen.push(Chosen::Presence(name));
                chosen.extend(cells(change, name, questions));
            }
        }
    }
    chosen
}

/// The cells that a change writes of these questions of a repeat.
fn cells<'a>(change: &'a Change<'_>, of: &'a str, questions: &'a [String]) -> impl Iterator<Item = Chosen<'a>> {
    change.puts().iter().filter_map(move |put| match Key::parse(put.key)? {
        key @ Key::Cell { repeat, row: _, question } => {
            let is_meant = repeat == of && questions.iter().any(|one| one == question);
            is_meant.then_some(Chosen::Key(key))
        }
        Key::Answer { question: _ } => None,
    })
}

/// The disclosure of an entry under `decided`, one decision for each position.
///
/// # Errors
/// As [`make`].
pub fn disclose(
    entry: &VerifiedEntry,
    definition: &FormDefinition,
    decided: &[&Decision],
) -> Result<Vec<u8>, NotDisclosed> {
    let id = entry.id();
    let unreadable = |source| NotDisclosed::Unreadable { entry: id, source };
    let body = entry.body().map_err(unreadable)?.ok_or(NotDisclosed::BodyMissing { entry: id })?;
    let Content::Change(chunk) = &body.content else { return Err(NotDisclosed::NoClaims { entry: id }) };
    let change = Change::decode(chunk, entry.actor()).map_err(unreadable)?;
    make(entry, definition, &choices(definition, &change, decided))
}
