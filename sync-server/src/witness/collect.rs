//! Collecting cosignatures: each witness is asked after every checkpoint, and what becomes of it is told.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::witness::{Confirmation, Tally, Witnesses};
use merestone_node::replica::{Camp, Signed};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ask::{Asked, Trouble, ask};
use crate::http::Url;
use crate::output::{Report, Screen};
use crate::time;

/// How long to wait after the first trouble with a witness, doubled each time.
const PATIENCE_MIN: Duration = Duration::from_secs(1);
/// And at most: it may be a laptop that is switched on in the evening.
const PATIENCE_MAX: Duration = Duration::from_secs(300);
/// A witness's clock so far ahead of this machine's is worth a word; nothing follows from it.
const AHEAD_S: u64 = 3_600;

/// The witnesses of a camp's ledger, asked until this is dropped.
pub(crate) struct Collecting {
    _asking: JoinSet<()>,
}

/// What is shared between those who ask.
struct Teller {
    camp: Arc<Camp>,
    screen: Screen,
    told: Mutex<BTreeMap<u64, Confirmation>>,
}

impl Collecting {
    /// Begins to ask each of these witnesses, and tells what happens.
    pub(crate) fn begin(screen: Screen, camp: &Arc<Camp>, witnesses: &[Url]) -> Self {
        let teller = Arc::new(Teller { camp: Arc::clone(camp), screen, told: Mutex::default() });
        let mut asking = JoinSet::new();
        if let Some(signed) = camp.signed() {
            for url in witnesses {
                asking.spawn(attend(Arc::clone(&teller), url.clone(), signed.clone()));
            }
        }
        Self { _asking: asking }
    }
}

/// Asks one witness: at once, after each checkpoint, and again after trouble.
async fn attend(teller: Arc<Teller>, url: Url, mut signed: watch::Receiver<Option<Signed>>) {
    let (mut old, mut patience, mut said) = (0, PATIENCE_MIN, None);
    loop {
        let newest = *signed.borrow_and_update();
        match ask(&teller.camp, &url, &mut old).await {
            Ok(asked) => {
                (patience, said) = (PATIENCE_MIN, None);
                if let Some(asked) = asked {
                    teller.cosigned(&url, &asked, newest);
                }
                if signed.changed().await.is_err() {
                    return;
                }
            }
            Err(trouble) => {
                // Said once, and again when it is another.
                if said.replace(trouble.code()) != Some(trouble.code()) {
                    teller.trouble(&url, &trouble, patience);
                }
                // A new checkpoint is no reason to press whoever does not answer.
                tokio::time::sleep(patience).await;
                patience = (patience * 2).min(PATIENCE_MAX);
            }
        }
    }
}

impl Teller {
    fn cosigned(&self, url: &Url, asked: &Asked, newest: Option<Signed>) {
        let size = asked.checkpoint.size();
        // The empty tree is asked about to learn whether anything is lost.
        if size == 0 {
            return;
        }
        let Some((tally, silent)) = self.tally(&asked.checkpoint) else { return };
        // Of several that come at once the one that changed something tells.
        let confirmation = tally.confirmation;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = told.get(&size).is_none_or(|told| *told < confirmation);
        if is_new {
            told.insert(size, confirmation);
            while told.len() > 16 {
                told.pop_first();
            }
        }
        drop(told);
        let took = newest.filter(|signed| signed.size == size).map(|signed| signed.at.elapsed());
        let shown = CosignedShown {
            event: "cosigned",
            witness: url.to_string(),
            leaves: size,
            parties: asked.cosigned.parties.iter().map(|party| party.0).collect(),
            new: asked.cosigned.new,
            clock_ahead_s: asked.cosigned.latest.checked_sub(time::now_s() + AHEAD_S).map(|more| more + AHEAD_S),
            confirmation: confirmation.code(),
            words: tally.to_string(),
            silent_witnesses: silent,
            took_ms: took.map(|took| took.as_secs_f64() * 1_000.0),
            is_news: is_new,
        };
        // Whoever reads the output has gone; the camp goes on, and ends for its own reasons.
        let _ = self.screen.show(&shown);
    }

    fn trouble(&self, url: &Url, trouble: &Trouble, again: Duration) {
        let shown = TroubleShown {
            event: "witness-trouble",
            witness: url.to_string(),
            code: trouble.code(),
            why: trouble.to_string(),
            again_in_s: again.as_secs(),
        };
        let _ = self.screen.show(&shown);
    }

    /// Who confirmed a checkpoint, and which witnesses never cosigned any that is held.
    fn tally(&self, checkpoint: &Checkpoint) -> Option<(Tally, Vec<String>)> {
        let roster = self.camp.replica().authority().roster();
        let note = roster.cosigned(checkpoint);
        let witnesses = Witnesses::at(roster.charter(), checkpoint.size())?;
        let notes = roster.cosigned_notes();
        let silent = witnesses.silent_in(notes.iter()).into_iter();
        let silent = silent.map(|witness| format!("{} of party {}", witness.key, witness.party)).collect();
        Some((witnesses.tally(&note), silent))
    }
}

/// A witness cosigned.
#[derive(Serialize)]
pub(crate) struct CosignedShown {
    event: &'static str,
    witness: String,
    leaves: u64,
    parties: Vec<u64>,
    new: usize,
    clock_ahead_s: Option<u64>,
    confirmation: &'static str,
    words: String,
    silent_witnesses: Vec<String>,
    /// From signing the checkpoint until this cosignature was durable here.
    took_ms: Option<f64>,
    #[serde(skip)]
    is_news: bool,
}

impl Report for CosignedShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(ahead) = self.clock_ahead_s {
            writeln!(out, "witness    {}: its clock is {ahead} s ahead of this machine's", self.witness)?;
        }
        if !self.is_news {
            return Ok(());
        }
        writeln!(out, "ledger     {} leaves {}", self.leaves, self.words)?;
        for silent in &self.silent_witnesses {
            writeln!(out, "silent     {silent}: cosigned no checkpoint that is held here")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct TroubleShown {
    event: &'static str,
    witness: String,
    code: &'static str,
    why: String,
    again_in_s: u64,
}

impl Report for TroubleShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { event: _, witness, code, why, again_in_s } = self;
        writeln!(out, "witness    {witness}: {code}: {why}; again in {again_in_s} s, then less often")
    }
}
