//! The page for people: what was published, what was not and why, in one file without any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Decision, Reason, SignedAccount, State, Tally, label_at, values};
use crate::change::Value as Scalar;
use crate::disclosure::Disclosure;
use crate::form::{FormDefinition, Key};
use crate::id::{EntryId, FormHash, RecordId};
use crate::roster::{CompleteCharter, PartyNumber};

/// Records that the page shows; the table has all. A page that a browser still opens on an old laptop.
const RECORDS_MAX: usize = 500;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}\
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.6rem 0 .3rem}\
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}\
td{white-space:pre-wrap;overflow-wrap:anywhere}code{font-size:.85em;overflow-wrap:anywhere}.quiet{color:#595959}\
.mark{background:#fff3cd;padding:0 .3rem}@media(max-width:40rem){body{margin:1rem auto}}";

/// A page while it is written.
pub struct Page<'a> {
    out: String,
    charter: &'a CompleteCharter,
    signed: &'a SignedAccount,
    forms: &'a BTreeMap<FormHash, FormDefinition>,
    records: usize,
    shown: String,
}

impl<'a> Page<'a> {
    /// Begins the page of an account.
    pub fn begin(
        charter: &'a CompleteCharter,
        signed: &'a SignedAccount,
        forms: &'a BTreeMap<FormHash, FormDefinition>,
    ) -> Self {
        let name = escape(&charter.charter().name);
        let out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{name}: publication</title>\
             <style>{STYLE}</style></head><body>\n<h1>{name}: publication</h1>\n"
        );
        Self { out, charter, signed, forms, records: 0, shown: String::new() }
    }

    /// Shows what stands of a record.
    pub fn record(
        &mut self,
        record: RecordId,
        disclosures: &[Disclosure<'_>],
        party: impl Fn(EntryId) -> Option<PartyNumber>,
    ) {
        self.records += 1;
        if self.records > RECORDS_MAX {
            return;
        }
        let first = disclosures.iter().find(|one| one.entry().id() == record.as_entry()).or(disclosures.first());
        let form = first.and_then(|one| one.entry().header().commitment).and_then(|made| self.forms.get(&made.form));
        let kind = form.map_or("record", |form| form.kind.as_str());
        let id = record.to_string();
        let values = values(disclosures);
        let mut rows = String::new();
        for (key, written) in &values {
            let standing: Vec<_> = written.iter().filter(|value| value.stands).collect();
            let mark = if standing.len() > 1 { " <span class=\"mark\">not settled</span>" } else { "" };
            for value in &standing {
                let by = party(value.entry).map_or_else(|| "not known".into(), |party| self.party(party));
                let (label, value) = (escape(&name_of(key)), shown(value.value));
                // A String takes everything.
                _ = writeln!(rows, "<tr><td>{label}{mark}</td><td>{value}</td><td>{by}</td></tr>");
            }
        }
        let kind = escape(kind);
        let entries = disclosures.len();
        let earlier = values.values().flatten().filter(|value| !value.stands).count();
        let note = if earlier > 0 { format!("; {earlier} earlier values are in the table") } else { String::new() };
        let body = if rows.is_empty() {
            "<p class=\"quiet\">No answer of it is shown.</p>\n".to_owned()
        } else {
            format!("<table><tr><th>Answer</th><th>Value</th><th>By</th></tr>\n{rows}</table>\n")
        };
        _ = write!(
            self.shown,
            "<h3>{kind} <code>{}…</code></h3>\n<p class=\"quiet\">{entries} signed entries{note}</p>\n{body}",
            &id[..16]
        );
    }

    /// The whole page, once every record was shown; the same records in the same order give the same bytes.
    pub fn finish(mut self, tally: &Tally) -> String {
        self.say_account(tally);
        self.say_withheld();
        let Self { mut out, records, shown, charter, signed, .. } = self;
        out.push_str("<h2>What is shown</h2>\n");
        if records > RECORDS_MAX {
            _ = writeln!(
                out,
                "<p>The first {RECORDS_MAX} of {records} records; all are in <a href=\"table.csv\">table.csv</a>.</p>"
            );
        } else {
            out.push_str(
                "<p>Everything is in <a href=\"table.csv\">table.csv</a> too, with facts and earlier values.</p>\n",
            );
        }
        out.push_str(&shown);
        _ = write!(
            out,
            "<h2>Check it yourself</h2>\n<p>This page proves nothing: it was written by whoever published it. Each value lies in \
             <code>data/disclosures</code> under its observer's signature. Get the mission's id from somebody you trust and \
             run</p>\n<p><code>merestone-audit publication FOLDER --mission ID</code></p>\n<p>Whoever holds a bag of the \
             mission's evidence adds <code>--bag BAG</code> and learns whether anything was left out that is not named.</p>\n\
             <p class=\"quiet\">mission <code>{}</code><br>account <code>{}</code></p>\n</body></html>\n",
            charter.mission(),
            signed.id()
        );
        out
    }

    fn say_account(&mut self, tally: &Tally) {
        let account = self.signed.account();
        let scopes = self.charter.charter().scopes.iter().filter(|scope| account.scopes.contains(&scope.id));
        let scopes: Vec<String> = scopes.map(|scope| escape(&scope.name)).collect();
        let by = self.party(self.signed.party());
        let Tally { logs, entries, shown, records, .. } = tally;
        _ = writeln!(
            self.out,
            "<p><strong>{by}</strong> published this, signed what is withheld and why, and says that it lists every entry \
             it knew of: {entries} entries in {logs} logs of {}. Something of {shown} of them, in {records} records, is shown; \
             the observers' own signatures are on it.</p>",
            scopes.join(", ")
        );
        let rows: String = tally
            .states
            .iter()
            .filter(|(state, _)| **state != 0)
            .map(|(state, count)| format!("<tr><td>{}</td><td>{count}</td></tr>\n", state_in_words(*state)))
            .collect();
        if !rows.is_empty() {
            _ = writeln!(
                self.out,
                "<h2>Entries that are not shown</h2>\n<table><tr><th>Why</th><th>Entries</th></tr>\n{rows}</table>"
            );
        }
    }

    fn say_withheld(&mut self) {
        for rule in &self.signed.account().rules {
            let Some(form) = self.forms.get(&rule.form) else { continue };
            let mut rows = String::new();
            for (position, decision) in (0..).zip(&rule.decisions).filter(|(position, _)| *position != 7) {
                let label = escape(label_at(form, position).unwrap_or_default());
                let said = match decision {
                    Decision::Disclosed => "shown".to_owned(),
                    Decision::Withheld(reason) => format!("withheld: {}", reason_in_words(*reason)),
                    Decision::Partly { questions, rest } => {
                        format!("only {}; the rest withheld: {}", escape(&questions.join(", ")), reason_in_words(*rest))
                    }
                };
                _ = writeln!(rows, "<tr><td>{label}</td><td>{said}</td></tr>");
            }
            let title = escape(&form.title);
            _ = writeln!(
                self.out,
                "<h2>What was decided: {title}</h2>\n<table><tr><th>Answer or fact</th><th>Decision</th></tr>\n{rows}</table>"
            );
        }
        let exceptions = self.signed.account().exceptions.len();
        if exceptions > 0 {
            _ = writeln!(
                self.out,
                "<p>In {exceptions} records something was decided otherwise; the account names them.</p>"
            );
        }
    }

    fn party(&self, number: PartyNumber) -> String {
        let party = self.charter.charter().party(number);
        party.map_or_else(|| format!("party {}", number.0), |party| escape(&party.name))
    }
}

fn name_of(key: &Key<'_>) -> String {
    match key {
        Key::Answer { question } => (*question).to_owned(),
        Key::Cell { repeat, row, question } => format!("{repeat} {} {question}", &row[..row.len().min(4)]),
    }
}

fn shown(value: Scalar<'_>) -> String {
    match value {
        Scalar::Null => "<span class=\"quiet\">left blank</span>".into(),
        Scalar::Bool(value) => if value { "yes" } else { "no" }.into(),
        Scalar::Int(number) => number.to_string(),
        Scalar::Text(text) => escape(text),
    }
}

fn reason_in_words(reason: Reason) -> &'static str {
    match reason {
        Reason::PersonalData => "personal data",
        Reason::Security => "security",
        Reason::SourceProtection => "protection of a source",
        Reason::ThirdParty => "a third party has not agreed",
        Reason::Legal => "a law or a court",
        Reason::Undecided => "not decided yet",
    }
}

fn state_in_words(state: u64) -> String {
    if let Some(reason) = Reason::from_code(state) {
        return format!("left out with its whole record: {}", reason_in_words(reason));
    }
    State::words_of(state).unwrap_or("of a state of a later version").to_owned()
}

/// A text as it stands in a page.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
