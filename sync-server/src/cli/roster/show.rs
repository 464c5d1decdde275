//! `merestone roster show`.

use std::io::{self, Write};

use merestone_core::key::PublicKey;
use merestone_core::roster::{Certificate, Charter, Shown};
use merestone_node::Device;
use serde::Serialize;

use super::acts::ActsShown;
use super::cut::KeptShown;
use super::named::NamedShown;
use super::{reason_name, scope_names};
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::output::{self, Report};

pub(super) fn show(context: &Context, device: &Device) -> Result<Code, Failure> {
    let authority = device.authority();
    let roster = authority.roster();
    let charter = roster.charter().charter();
    let person = |certificate: &Certificate| {
        let is_cut = roster.cuts().any(|cut| cut.ends(certificate.key().as_bytes(), certificate.party()));
        let own = certificate.key();
        let same = roster.same_observer(own.as_bytes()).into_iter().filter(|key| key != own.as_bytes());
        let same = same.filter_map(|key| Some(PublicKey::admit(&key).ok()?.to_string())).collect();
        PersonShown { same_observer: same, ..PersonShown::of(certificate, charter, is_cut) }
    };
    let mut people: Vec<_> = roster.certificates().map(person).collect();
    people.sort_by(|a, b| (a.party, &a.observer, &a.device, &a.key).cmp(&(b.party, &b.observer, &b.device, &b.key)));
    let in_ledger = Shown::of(&roster);
    let cuts = roster.cuts().map(|cut| CutShown {
        cut: cut.id().to_string(),
        parties: cut.by().parties().iter().map(|party| party.0).collect(),
        key: PublicKey::admit(cut.key()).map_or_else(|_| String::new(), |key| key.to_string()),
        reason: reason_name(cut.reason()),
        text: cut.text().map(str::to_owned),
        kept: cut.kept().iter().map(KeptShown::of).collect(),
        acts: ActsShown::of(&roster, &in_ledger, cut),
    });
    let parties = charter.parties.iter().map(|party| (party.number.0, party.name.clone())).collect();
    let shown = RosterShown { mission: roster.mission().to_string(), parties, people, cuts: cuts.collect() };
    drop(roster);
    context.screen.show(&shown)?;
    Ok(Code::Done)
}

#[derive(Serialize)]
/// One certified key.
pub(super) struct PersonShown {
    certificate: String,
    party: u64,
    observer: String,
    device: String,
    key: String,
    role: &'static str,
    scopes: Vec<String>,
    cut: bool,
    #[serde(flatten)]
    named: NamedShown,
    /// Other keys of the same observer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    same_observer: Vec<String>,
}

impl PersonShown {
    pub(super) fn of(certificate: &Certificate, charter: &Charter, is_cut: bool) -> Self {
        Self {
            certificate: certificate.id().to_string(),
            party: certificate.party().0,
            observer: certificate.request().observer().to_owned(),
            device: certificate.request().device().to_owned(),
            key: certificate.key().to_string(),
            role: certificate.role().name(),
            scopes: scope_names(charter, certificate.scopes()),
            cut: is_cut,
            named: NamedShown::of(certificate.request()),
            same_observer: Vec::new(),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl Report for PersonShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let cut = if self.cut { " · cut" } else { "" };
        let Self { observer, device, role, party, key, .. } = self;
        writeln!(out, "{observer} · {device} · {role} of party {party} in {}{cut}", self.scopes.join(", "))?;
        writeln!(out, "    key {key}")?;
        self.named.lines("    ", out)?;
        self.same_observer.iter().try_for_each(|key| writeln!(out, "    the same observer as key {key}"))
    }
}

#[derive(Serialize)]
struct CutShown {
    cut: String,
    /// Those that signed: one alone cuts nothing that was final before.
    parties: Vec<u64>,
    key: String,
    reason: &'static str,
    text: Option<String>,
    kept: Vec<KeptShown>,
    /// Of a cut of one party, where the ledger can make something final.
    #[serde(skip_serializing_if = "Option::is_none")]
    acts: Option<ActsShown>,
}

#[derive(Serialize)]
struct RosterShown {
    mission: String,
    parties: Vec<(u64, String)>,
    people: Vec<PersonShown>,
    cuts: Vec<CutShown>,
}

impl Report for RosterShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "mission {}", self.mission)?;
        for (number, name) in &self.parties {
            writeln!(out, "party {number}: {name}")?;
            for person in self.people.iter().filter(|person| person.party == *number) {
                write!(out, "  ")?;
                person.human(out)?;
            }
            for cut in self.cuts.iter().filter(|cut| cut.parties.first() == Some(number)) {
                let text = cut.text.as_deref().map_or_else(String::new, |text| format!(": {}", output::one_line(text)));
                let with = match cut.parties.len() {
                    0 | 1 => String::new(),
                    parties => format!(", agreed by {parties} parties"),
                };
                writeln!(out, "  cut: key {} ({}{with}){text}", cut.key, cut.reason)?;
                if let Some(acts) = &cut.acts {
                    writeln!(out, "       {acts}")?;
                }
            }
        }
        Ok(())
    }
}
