//! What records say, and who said it: the parts that lists, one record and its history have in common.

mod history;
mod list;
mod show;

pub(crate) use history::HistoryArgs;
pub(crate) use list::ListArgs;
pub(crate) use show::ShowArgs;

use merestone_core::id::ScopeId;
use merestone_core::record::{HeldWhy, Standing, WaitingFor};
use merestone_node::records::{Author, Custody};
use merestone_node::{Answer, Device};
use serde::Serialize;

use super::roster;
use crate::output;

/// The name of a scope; its id if the charter does not name it.
pub(crate) fn scope_name(device: &Device, scope: ScopeId) -> String {
    roster::scope_names(device.charter().charter(), &[scope]).concat()
}

/// Who signed, for people and programs.
#[derive(Serialize)]
struct AuthorShown {
    observer: Option<String>,
    device: Option<String>,
    party: Option<String>,
    key: String,
}

impl AuthorShown {
    fn of(author: &Author) -> Self {
        let certified = author.certified.as_ref();
        Self {
            observer: certified.map(|certified| certified.observer.clone()),
            device: certified.map(|certified| certified.device.clone()),
            party: certified.map(|certified| certified.party_name.clone()),
            key: author.key.to_string(),
        }
    }

    fn line(&self) -> String {
        match (&self.observer, &self.device, &self.party) {
            (Some(observer), Some(device), Some(party)) => format!("{observer} ({party}, {device})"),
            _ => format!("key {} (no certificate here)", self.key),
        }
    }
}

/// An entry's standing: the spec's word, and what it is about.
#[derive(Serialize)]
struct StandingShown {
    standing: &'static str,
    why: Option<String>,
}

impl StandingShown {
    fn of(standing: Standing) -> Self {
        let why = match standing {
            // A word about the key, and none about what it signed.
            Standing::Provisional => Some("the observer's certificate is in no ledger yet".to_owned()),
            Standing::Accepted | Standing::SetAside | Standing::Voided | Standing::Erased | Standing::UnknownKind => {
                None
            }
            Standing::Held(HeldWhy::Fork(entry)) => Some(format!("lost a fork to {entry}")),
            Standing::Held(HeldWhy::Ancestor(entry)) => Some(format!("builds on {entry}")),
            Standing::Held(HeldWhy::Restate) => Some("the record was erased".to_owned()),
            Standing::Unappliable(refused) | Standing::OutOfRole(refused) => Some(refused.to_string()),
            Standing::Waiting(WaitingFor::Body) => Some("its body".to_owned()),
            Standing::Waiting(WaitingFor::Certificate) => Some("its certificate".to_owned()),
            Standing::Waiting(WaitingFor::Creation) => Some("the entry that creates the record".to_owned()),
            Standing::Waiting(WaitingFor::Entry(entry)) => Some(format!("entry {entry}")),
        };
        Self { standing: standing.code(), why }
    }

    fn line(&self) -> String {
        match &self.why {
            Some(why) => format!("{} ({why})", self.standing),
            None => self.standing.to_owned(),
        }
    }
}

#[derive(Serialize)]
struct CustodyShown {
    on_peers: usize,
    at_base_camp: bool,
    photos: usize,
    photos_elsewhere: usize,
    photos_at_base_camp: usize,
}

impl CustodyShown {
    fn of(custody: Custody) -> Self {
        let Custody { peers, is_at_base_camp, photos, photos_elsewhere, photos_at_base_camp } = custody;
        Self { on_peers: peers, at_base_camp: is_at_base_camp, photos, photos_elsewhere, photos_at_base_camp }
    }

    fn line(&self) -> String {
        let camp = if self.at_base_camp { ", at base camp" } else { "" };
        let photos = match self.photos {
            0 => String::new(),
            photos => format!(
                "; of {photos} photos {} elsewhere, {} at base camp",
                self.photos_elsewhere, self.photos_at_base_camp
            ),
        };
        format!("here, on {} peers{camp}{photos}", self.on_peers)
    }
}

fn json(answer: &Answer) -> serde_json::Value {
    match answer {
        Answer::Blank => serde_json::Value::Null,
        Answer::Bool(value) => (*value).into(),
        Answer::Int(value) => (*value).into(),
        Answer::Text(value) => value.clone().into(),
    }
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "(left blank)".to_owned(),
        serde_json::Value::String(text) => output::one_line(text),
        other => other.to_string(),
    }
}
