//! What is decided about a publication: said on the command line, or in a file with one decision on each line.

use std::collections::BTreeMap;

use merestone_core::id::RecordId;
use merestone_core::publication::{Choice, Decision, FACT_LABELS, Reason, is_label};

/// Largest policy, in bytes.
pub(super) const POLICY_BYTES_MAX: usize = 1_048_576;

/// Decisions as they were said, before they are put together.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    everywhere: Said,
    records: BTreeMap<RecordId, Said>,
    left_out: BTreeMap<RecordId, Reason>,
    rest: Option<Reason>,
}

/// What was said of labels.
#[derive(Debug, Default)]
struct Said {
    /// `None`: the label as a whole; else the questions of a repeat.
    disclosed: BTreeMap<String, Option<Vec<String>>>,
    withheld: BTreeMap<String, Reason>,
}

impl Decisions {
    /// Reads a file: lines of words, `#` begins a remark.
    pub(super) fn read(&mut self, text: &str) -> Result<(), String> {
        for (line, number) in text.lines().zip(1_u64..) {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            let known = match words.as_slice() {
                [] => Ok(()),
                ["disclose", label] => self.disclose(label),
                ["withhold", label, reason] => self.withhold(label, reason),
                ["withhold-rest", reason] => self.withhold_rest(reason),
                ["leave-out", record, reason] => self.leave_out(record, reason),
                ["in", record, "disclose", label] => self.in_record(record)?.disclose(label),
                ["in", record, "withhold", label, reason] => self.in_record(record)?.withhold(label, reason),
                _ => Err("not understood; see `merestone publish --help`".to_owned()),
            };
            known.map_err(|why| format!("line {number} of the policy: {why}"))?;
        }
        Ok(())
    }

    pub(super) fn disclose(&mut self, label: &str) -> Result<(), String> {
        self.everywhere.disclose(label)
    }

    pub(super) fn withhold(&mut self, label: &str, why: &str) -> Result<(), String> {
        self.everywhere.withhold(label, why)
    }

    pub(super) fn withhold_rest(&mut self, why: &str) -> Result<(), String> {
        match self.rest.replace(reason(why)?) {
            None => Ok(()),
            Some(_) => Err("the reason for the rest is said twice".to_owned()),
        }
    }

    pub(super) fn leave_out(&mut self, record: &str, why: &str) -> Result<(), String> {
        match self.left_out.insert(record_id(record)?, reason(why)?) {
            None => Ok(()),
            Some(_) => Err(format!("record {record} is left out twice")),
        }
    }

    fn in_record(&mut self, record: &str) -> Result<&mut Said, String> {
        Ok(self.records.entry(record_id(record)?).or_default())
    }

    /// The decisions: for every form, in single records, and the records that are left out.
    pub(super) fn decide(self) -> Result<Decided, String> {
        let Self { everywhere, records, left_out, rest } = self;
        let labels = everywhere.decide(rest)?;
        let decided = |(record, said): (RecordId, Said)| Ok::<_, String>((record, said.decide(rest)?));
        let exceptions = records.into_iter().map(decided).collect::<Result<_, _>>()?;
        Ok(Decided { choice: Choice { labels, rest: rest.map(Decision::Withheld) }, exceptions, left_out })
    }
}

/// A policy put together.
pub(super) struct Decided {
    pub(super) choice: Choice,
    pub(super) exceptions: BTreeMap<RecordId, BTreeMap<String, Decision>>,
    pub(super) left_out: BTreeMap<RecordId, Reason>,
}

impl Said {
    fn disclose(&mut self, label: &str) -> Result<(), String> {
        let twice = || format!("{label} is named twice");
        if is_label(label) {
            return match self.disclosed.insert(label.to_owned(), None) {
                None => Ok(()),
                Some(_) => Err(twice()),
            };
        }
        // What stands below `context` are facts, and each has its own name.
        let cell = label.split_once('/').filter(|(repeat, _)| *repeat != "context");
        let cell = cell.filter(|(repeat, question)| is_name(repeat) && is_name(question));
        let (repeat, question) = cell.ok_or_else(|| unknown(label))?;
        let Some(questions) = self.disclosed.entry(repeat.to_owned()).or_insert(Some(Vec::new())) else {
            return Err(twice());
        };
        if questions.iter().any(|one| one == question) {
            return Err(twice());
        }
        questions.push(question.to_owned());
        questions.sort_unstable();
        Ok(())
    }

    fn withhold(&mut self, label: &str, why: &str) -> Result<(), String> {
        if !is_label(label) {
            return Err(unknown(label));
        }
        match self.withheld.insert(label.to_owned(), reason(why)?) {
            None => Ok(()),
            Some(_) => Err(format!("{label} is withheld twice")),
        }
    }

    fn decide(self, rest: Option<Reason>) -> Result<BTreeMap<String, Decision>, String> {
        let Self { disclosed, mut withheld } = self;
        let mut decided = BTreeMap::new();
        for (label, questions) in disclosed {
            let why = withheld.remove(&label);
            let decision = match (questions, why) {
                (None, None) => Decision::Disclosed,
                (None, Some(_)) => return Err(format!("{label} is both disclosed and withheld")),
                (Some(questions), why) => {
                    let why = why
                        .or(rest)
                        .ok_or_else(|| format!("say why the rest of {label} is withheld: --withhold {label}=REASON"))?;
                    Decision::Partly { questions, rest: why }
                }
            };
            decided.insert(label, decision);
        }
        decided.extend(withheld.into_iter().map(|(label, why)| (label, Decision::Withheld(why))));
        Ok(decided)
    }
}

fn is_name(text: &str) -> bool {
    is_label(text) && !text.contains('/')
}

fn reason(word: &str) -> Result<Reason, String> {
    Reason::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("{word} is no reason; the reasons are {}", known.join(", "))
    })
}

fn record_id(text: &str) -> Result<RecordId, String> {
    RecordId::from_hex(text).ok_or_else(|| format!("{text} is no record's id, which has 64 hex digits"))
}

fn unknown(label: &str) -> String {
    let facts: Vec<&str> = FACT_LABELS.into_iter().filter(|label| !label.ends_with("reserved")).collect();
    format!("{label} is no label: name a question, a repeat, REPEAT/QUESTION, or one of {}", facts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(text: &str) -> Result<Decided, String> {
        let mut policy = Decisions::default();
        policy.read(text).and_then(|()| policy.decide())
    }

    #[test]
    fn a_policy_says_each_decision_once_and_with_a_reason() {
        let record = "0f".repeat(32);
        let text = format!(
            "# what the three parties agreed on\ndisclose context/day\ndisclose people/name\ndisclose people/age\n\
             withhold people personal-data\nwithhold-rest security\nleave-out {record} legal\nin {record} disclose note"
        );
        let Ok(Decided { choice, exceptions, left_out }) = decided(&text) else { panic!("a good policy") };
        assert_eq!(choice.of("context/day"), Some(&Decision::Disclosed));
        let questions = vec!["age".to_owned(), "name".to_owned()];
        assert_eq!(choice.of("people"), Some(&Decision::Partly { questions, rest: Reason::PersonalData }));
        assert_eq!(choice.of("anything"), Some(&Decision::Withheld(Reason::Security)));
        assert_eq!((left_out.len(), exceptions.len()), (1, 1));
    }

    #[test]
    fn what_is_said_twice_or_without_a_reason_is_refused_with_its_line() {
        for (text, wanted) in [
            ("disclose note\ndisclose note", "line 2"),
            ("disclose note\nwithhold note security", "both"),
            ("withhold note because", "the reasons are"),
            ("disclose people/name", "say why"),
            ("disclose context/name", "no label"),
            ("publish everything", "not understood"),
            ("leave-out 12 legal", "64 hex digits"),
        ] {
            let refused = decided(text).err().unwrap_or_default();
            assert!(refused.contains(wanted), "{text}: {refused}");
        }
    }
}
