//! `merestone import`: what was collected with ODK or Kobo.

mod reading;
mod shown;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use merestone_core::id::RecordId;
use merestone_core::roster::PartyNumber;
use merestone_exchange::import::{Exactness, Submission};
use merestone_exchange::instance_of;
use merestone_node::Device;
use merestone_node::device::{Observer, ObserverState};
use merestone_node::forms::MissionForm;

use super::{Context, answers, choose_observer, record, roster};
use crate::exchange::{Finder, Found, How, Taker, compare};
use crate::exit::{Code, Failure};
use reading::{Batch, Read, Reading};
use shown::{ImportShown, RefusedShown};

const AFTER: &str = "Nothing is dropped unsaid: what was refused, is missing, or was not looked at is named.\n\n\
    Exit code 0: everything is taken. 1: a submission was refused or differs from what was taken over before, or \
    a link or a folder that is too deep was not looked into. 2: files are missing, two records were made of one submission, or only an edit of one was taken over.\n\n\
    Example:\n  merestone import instances --form inspection --scope North --home camp\n  \
    merestone import inspection.csv --form inspection --media photos --home phone";

/// Take over submissions of ODK or Kobo as records, signed by you and marked as imported.
///
/// From XML instances: a file, or a folder of them as ODK Collect, Briefcase and Central keep it. From CSV: the table of
/// records; the tables of repeats are those beside it whose names begin with its own. Photos are looked for beside the
/// instance or table, in `media` beside it, and in --media.
///
/// A submission that an observer of your party took over before, with the same form into the same scope, is not taken
/// twice; what was missing of it then, photos above all, is added. Running the same import again is safe, also after it
/// was cut short. If a submission was changed since, nothing is written and its answers are named; --update takes the
/// change over as a further edit of the record. So it is with records of this mission that were exported and filled in
/// elsewhere. Every answer is kept to the byte, or its submission is refused by name.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct ImportArgs {
    /// A folder of XML instances, one of them, or a CSV.
    from: PathBuf,
    /// The form, by its form_id or hash. Default: the one that the instances name; a CSV names none.
    #[arg(long)]
    form: Option<String>,
    /// The scope, by name or id. Default: the only one that the observer's certificate grants.
    #[arg(long)]
    scope: Option<String>,
    /// Another folder with photos.
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
    /// Take over submissions that were changed since they were taken over, each as a further edit of its record. What it
    /// said before stays in the history, and answers in conflict stay as they are.
    #[arg(long)]
    update: bool,
    /// Compose texts (NFC) and drop control and direction characters where they could not be kept exactly, and name each.
    #[arg(long)]
    tidy: bool,
    /// Read everything and say what would be taken and signed; sign nothing.
    #[arg(long)]
    dry_run: bool,
    /// Who signs, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
    /// The local time's offset from UTC, as +HH:MM.
    #[arg(long, value_name = "OFFSET", value_parser = answers::utc_offset, default_value = "+00:00", allow_hyphen_values = true)]
    utc_offset: i16,
}

impl ImportArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(self.utc_offset)?;
        let observer = choose_observer(&device, self.observer.as_deref())?;
        let charter = device.charter();
        let scope = match &self.scope {
            Some(name) => roster::scope_named(charter.charter(), name)?,
            None => record::only_scope(charter.charter(), &observer)?,
        };
        let finder = Finder::new(&device, party(&observer)?, scope);
        let form = self.form.as_deref().map(|name| record::form_named(&device, name)).transpose()?;
        let exactness = if self.tidy { Exactness::Tidied } else { Exactness::Exact };
        let mut reading = Reading::open(&device, &self.from, self.media.as_deref(), form, exactness)?;
        if !self.dry_run {
            context.unlock(&device, &observer)?;
            Taker::sweep(&device, &observer.key)?;
        }
        let how = How { update: self.update, dry_run: self.dry_run };
        let taker = |form: &MissionForm| Taker { device: &device, observer: observer.key, scope, form: form.hash, how };
        let mut shown = ImportShown::new(self.dry_run);
        let mut desk = Desk { finder, begun: HashMap::new(), counted: HashSet::new() };
        let mut stopped = None;
        while stopped.is_none()
            && let Some(batch) = reading.batch()
        {
            stopped = desk.take(&device, batch, taker, &mut reading, &mut shown)?;
        }
        shown.passed_over(reading.passed_over());
        shown.unnamed(reading.unnamed());
        context.screen.show(&shown)?;
        match stopped {
            Some(failure) => Err(failure),
            None => Ok(shown.code()),
        }
    }
}

fn party(observer: &Observer) -> Result<PartyNumber, Failure> {
    match observer.state {
        ObserverState::Certified { party, .. } => Ok(party),
        ObserverState::Requested | ObserverState::Cut { .. } => {
            Err(Failure::bad_input(format!("{} cannot sign now; see `merestone device show`", observer.name)))
        }
    }
}

/// Submissions one after the other.
struct Desk<'d> {
    finder: Finder<'d>,
    /// Records made in this batch, which the list does not have yet, by instance id.
    begun: HashMap<String, RecordId>,
    /// Instance ids that were only counted.
    counted: HashSet<String>,
}

impl<'d> Desk<'d> {
    /// Takes a batch. What the device holds is looked up before anything of it is saved, so that the list is brought up to
    /// date once for each batch. Gives the failure after which it is no use to go on.
    fn take(
        &mut self,
        device: &Device,
        batch: Batch,
        taker: impl Fn(&MissionForm) -> Taker<'d>,
        reading: &mut Reading<'_>,
        shown: &mut ImportShown,
    ) -> Result<Option<Failure>, Failure> {
        device.catch_up()?;
        self.begun.clear();
        self.finder.renew();
        let mut work = Vec::new();
        for read in oldest_first(batch.0) {
            match &read.submission {
                Ok((submission, form)) => {
                    let found = self.look_up(submission, form)?;
                    work.push((read, found));
                }
                Err(_) => work.push((read, Found::default())),
            }
        }
        for (read, found) in work {
            let Read { source, submission, folders, bytes } = read;
            let (submission, form) = match submission {
                Ok(read) => read,
                Err((code, why)) => {
                    reading.leave(&folders);
                    shown.refused.push(RefusedShown { source, code, why });
                    continue;
                }
            };
            reading.named(&submission, &folders);
            let one = One { source: &source, submission, form: &form, folders: &folders, bytes: bytes.as_deref() };
            let is_dry_run = shown.dry_run;
            if let Err(failure) = self.one(device, one, found, &taker(&form), reading, shown) {
                let is_over = failure.code() == Code::Storage && !is_dry_run;
                shown.refused.push(RefusedShown { source, code: "not-saved", why: failure.line().to_owned() });
                if is_over {
                    // The next would not fit either. What was taken is durable, and the next import goes on from here.
                    return Ok(Some(failure));
                }
            }
        }
        Ok(None)
    }

    /// The record of a submission, or of the one that it says it is an edit of.
    fn look_up(&self, submission: &Submission, form: &MissionForm) -> Result<Found, Failure> {
        let found = self.finder.find(&submission.instance, &form.kind)?;
        match submission.deprecates() {
            Some(earlier) if found.taken.is_none() && found.own.is_none() => {
                let of_earlier = self.finder.find(earlier, &form.kind)?;
                Ok(Found { others: found.others, ..of_earlier })
            }
            Some(_) | None => Ok(found),
        }
    }

    fn one(
        &mut self,
        device: &Device,
        one: One<'_>,
        found: Found,
        taker: &Taker<'_>,
        reading: &mut Reading<'_>,
        shown: &mut ImportShown,
    ) -> Result<(), Failure> {
        let One { source, mut submission, form, folders, bytes } = one;
        let ids = [Some(submission.instance.clone()), submission.deprecates().map(str::to_owned)];
        let Found { mut taken, own, others } = found;
        shown.also(&submission.instance, &others);
        if let Some(own) = own {
            let of = instance_of(&own.to_string());
            if submission.instance != of {
                let edit = reading.read_edit(form, bytes, &of);
                submission = edit.map_err(|why| Failure::bad_input(format!("{}: {why}", submission.instance)))?;
            }
            let returned = compare(device, form, own, &submission)?;
            shown.own(source, &submission.instance, taker.edit(own, &submission, returned, folders)?);
            return Ok(());
        }
        // What this batch wrote is newer than what was looked up before it.
        if let Some(begun) = ids.iter().flatten().find_map(|id| self.begun.get(id)) {
            taken = self.finder.known(*begun)?.map(|(_, known)| (*begun, known));
        }
        if taken.is_none() && ids.iter().flatten().any(|id| self.counted.contains(id)) {
            shown.already += 1;
            return Ok(());
        }
        // Rows of an edit are those of the submission that it is an edit of.
        if let Some((_, known)) = &taken
            && known.instance != submission.instance
            && !known.is_superseded(&submission.instance)
        {
            let edit = reading.read_edit(form, bytes, &known.instance);
            submission = edit.map_err(|why| Failure::bad_input(format!("{}: {why}", submission.instance)))?;
        }
        shown.tidied.extend(submission.tidied.iter().map(|key| format!("{source}: {key}")));
        let outcome = taker.take(&submission, taken.as_ref(), folders)?;
        // The next of a chain of edits is of the same record, also where this one was not taken over.
        for id in ids.into_iter().flatten() {
            match outcome.record {
                Some(record) => drop(self.begun.insert(id, record)),
                None => drop(self.counted.insert(id)),
            }
        }
        if let Some((record, known)) = &taken
            && known.is_superseded(&submission.instance)
            && !self.finder.was_taken(*record, &submission.instance)?
        {
            shown.superseded(source, &submission.instance, *record);
            return Ok(());
        }
        shown.took(source, &submission.instance, &outcome);
        Ok(())
    }
}

/// Submissions in their order, but each after the one that it is an edit of.
fn oldest_first(batch: Vec<Read>) -> Vec<Read> {
    let of = |read: &Read| read.submission.as_ref().ok().map(|(submission, _)| submission.instance.clone());
    let by_id: HashMap<String, usize> =
        batch.iter().enumerate().rev().filter_map(|(at, read)| Some((of(read)?, at))).collect();
    let earlier = |read: &Read| {
        let (submission, _) = read.submission.as_ref().ok()?;
        by_id.get(submission.deprecates()?).copied()
    };
    let (mut order, mut is_seen) = (Vec::with_capacity(batch.len()), vec![false; batch.len()]);
    for at in 0..batch.len() {
        let (mut chain, mut next) = (Vec::new(), Some(at));
        while let Some(one) = next.filter(|one| !is_seen[*one]) {
            is_seen[one] = true;
            chain.push(one);
            next = earlier(&batch[one]);
        }
        order.extend(chain.into_iter().rev());
    }
    let mut batch: Vec<Option<Read>> = batch.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| batch[at].take()).collect()
}

/// A submission to take.
struct One<'r> {
    source: &'r str,
    submission: Submission,
    form: &'r MissionForm,
    folders: &'r [PathBuf],
    bytes: Option<&'r [u8]>,
}
