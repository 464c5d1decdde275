//! The way through a form with a person: one question after the other, back, to any of them, and to the end.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use merestone_forms::filling::{Event, Filling, Offered, Place, RowId, Screen};
use merestone_forms::model::{Language, NodeIndex};
use merestone_forms::{Form, Refusal};
use merestone_node::Device;
use merestone_node::capture::{PhotoError, PhotoSource, Saved};
use merestone_node::filling::{
    Interview, InterviewError, before, chosen, find, first_open, is_only_read, is_other_file, is_photo,
};

use super::talk::Talk;
use crate::exit::Failure;

/// How it ended.
pub(super) enum Ended {
    Saved(Saved),
    /// The draft is there for the next time.
    Kept,
    Discarded,
}

/// A form being asked.
pub(super) struct Asking<'a, R, W> {
    device: &'a Device,
    interview: Interview,
    talk: &'a mut Talk<R, W>,
    /// The question whose problem was said; a second Enter goes on.
    warned: Option<Place>,
}

/// Where to go.
enum Go {
    Stay,
    Next,
    Back,
    To(usize),
    End,
    Out(Ended),
}

const HELP: &str = "Enter goes on; - leaves a question blank; :back  :jump NAME  :list  :language CODE  :remove (this row)  \
                    :save  :quit (and keep)  :discard; :: begins a text with a colon";
/// Most choices below a question: some screens of a terminal. How many more there are is said, and any can be typed.
const CHOICES_LISTED_MAX: usize = 60;

impl<'a, R: BufRead, W: Write> Asking<'a, R, W> {
    pub(super) fn new(device: &'a Device, interview: Interview, talk: &'a mut Talk<R, W>) -> Self {
        Self { device, interview, talk, warned: None }
    }

    /// Asks until it is saved, kept or discarded.
    pub(super) fn run(mut self, is_resumed: bool) -> Result<Ended, Failure> {
        let title = self.filling().form().model().title.clone();
        self.talk.say(&format!("{title}. :help says what can be typed."))?;
        if is_resumed {
            self.talk.say("Going on with what was begun before; --anew begins another.")?;
        }
        let mut at = if is_resumed { first_open(self.filling()) } else { 0 };
        loop {
            let screens = self.filling().screens();
            let screen = screens.get(at).copied();
            let go = match screen {
                None => self.end()?,
                Some(screen) => self.show(screen, at, &screens)?,
            };
            at = match go {
                Go::Stay => self.index_of(screen).unwrap_or(at),
                Go::Next => self.index_of(screen).map_or(at, |at| at + 1),
                Go::Back => before(self.filling(), &screens, at),
                Go::To(index) => index,
                Go::End => self.filling().screens().len(),
                Go::Out(ended) => return Ok(ended),
            };
        }
    }

    fn filling(&self) -> &Filling {
        self.interview.filling()
    }

    fn show(&mut self, screen: Screen, at: usize, screens: &[Screen]) -> Result<Go, Failure> {
        match screen {
            Screen::Group(place) => {
                let label = self.filling().node(place).label.is_empty();
                if !label {
                    let label = self.filling().label(place);
                    self.talk.say(&format!("\n== {label}"))?;
                }
                Ok(Go::Next)
            }
            Screen::Row { place, number, .. } => {
                let label = self.filling().label(place);
                self.talk.say(&format!("\n-- {label} {number}"))?;
                Ok(Go::Next)
            }
            Screen::Question(place) if is_only_read(self.filling(), place) => {
                let label = self.filling().label(place);
                self.talk.say(&format!("\n{label}"))?;
                Ok(Go::Next)
            }
            Screen::Question(place) => self.ask(place, at, screens),
            Screen::Add { repeat, within } => self.ask_row(repeat, within),
        }
    }

    fn ask(&mut self, place: Place, at: usize, screens: &[Screen]) -> Result<Go, Failure> {
        let Some(key) = self.filling().key(place) else { return Ok(Go::Next) };
        let asked = screens.iter().filter(|screen| matches!(screen, Screen::Question(_))).count();
        let number = screens[..=at].iter().filter(|screen| matches!(screen, Screen::Question(_))).count();
        let label = self.filling().label(place);
        self.talk.say(&format!("\n[{number}/{asked}] {label}  ({key})"))?;
        let node = self.filling().node(place);
        if let Some(hint) = self.filling().words(&node.hint, place) {
            self.talk.say(&format!("    {hint}"))?;
        }
        let offered = self.filling().offered(place);
        for (index, choice) in offered.iter().enumerate().take(CHOICES_LISTED_MAX) {
            self.talk.say(&format!("    {}  {}  {}", index + 1, choice.name, choice.label))?;
        }
        if let Some(more) = offered.len().checked_sub(CHOICES_LISTED_MAX).filter(|more| *more > 0) {
            self.talk.say(&format!("    {more} more; type the name"))?;
        }
        let begun = (now_ms(), self.filling().value(place).to_owned());
        if self.filling().given(&key).is_some() {
            self.talk.say(&format!("    now: {}", if begun.1.is_empty() { "left blank" } else { &begun.1 }))?;
        }
        let prompt = if is_photo(self.filling(), place) { "path of a photo > " } else { "> " };
        let Some(typed) = self.talk.ask(prompt)? else { return self.leave() };
        let go = self.hear(place, &key, &typed, &offered)?;
        let (from, before) = begun;
        let event = Event::Question { place, from, to: now_ms(), before, now: self.filling().value(place).to_owned() };
        self.interview.track(self.device, &event)?;
        Ok(go)
    }

    /// What was typed at a question.
    fn hear(&mut self, place: Place, key: &str, typed: &str, offered: &[Offered]) -> Result<Go, Failure> {
        let (typed, command) = match typed.strip_prefix(':') {
            Some(rest) if rest.starts_with(':') => (rest, None),
            Some(command) => (typed, Some(command)),
            None => (typed, None),
        };
        if let Some(command) = command {
            return self.command(command, Some(key));
        }
        if typed.trim().is_empty() {
            return self.pass(place);
        }
        let typed = if typed.trim() == "-" { "" } else { typed };
        let taken = if is_other_file(self.filling(), place) && !typed.is_empty() {
            Err("a sound, a film or a file cannot be attached at a terminal".to_owned())
        } else if is_photo(self.filling(), place) && !typed.is_empty() {
            self.attach(key, Path::new(typed.trim()))?
        } else {
            let answer = chosen(self.filling(), place, typed, offered);
            refused(self.interview.answer_typed(self.device, key, &answer))?
        };
        if let Err(reason) = taken {
            self.talk.say(&format!("  ! {reason}"))?;
            return Ok(Go::Stay);
        }
        if self.filling().problem(place).is_some() { self.pass(place) } else { Ok(Go::Next) }
    }

    /// Goes on from a question; where something is wrong with it, that is said first, once.
    fn pass(&mut self, place: Place) -> Result<Go, Failure> {
        match self.filling().problem(place) {
            Some(problem) if self.warned != Some(place) => {
                let reason = problem.message.unwrap_or_else(|| problem.wrong.to_string());
                self.talk.say(&format!("  ! {reason} (Enter goes on all the same)"))?;
                self.warned = Some(place);
                Ok(Go::Stay)
            }
            Some(_) | None => {
                self.warned = None;
                Ok(Go::Next)
            }
        }
    }

    fn ask_row(&mut self, repeat: NodeIndex, within: Option<RowId>) -> Result<Go, Failure> {
        let name = self.filling().form().name(repeat).to_owned();
        let label = self.filling().label_of_repeat(repeat, within);
        let Some(typed) = self.talk.ask(&format!("\nAdd to {label}? y/N > "))? else { return self.leave() };
        match typed.trim() {
            "y" | "Y" | "yes" => {
                let added = self.interview.add_row(self.device, &name, within).map(|_| ());
                if let Err(reason) = refused(added)? {
                    self.talk.say(&format!("  ! {reason}"))?;
                    return Ok(Go::Next);
                }
                // The row stands before the question that added it, where that was.
                let screens = self.filling().screens();
                let add = Screen::Add { repeat, within };
                let at = screens.iter().position(|screen| *screen == add).unwrap_or_default();
                let row = screens[..at]
                    .iter()
                    .rposition(|screen| matches!(screen, Screen::Row { place, .. } if place.node() == repeat));
                Ok(row.map_or(Go::Next, Go::To))
            }
            typed => match typed.strip_prefix(':') {
                Some(command) => self.command(command, None),
                None => Ok(Go::Next),
            },
        }
    }

    fn command(&mut self, command: &str, key: Option<&str>) -> Result<Go, Failure> {
        let (verb, rest) = command.trim().split_once(' ').unwrap_or((command.trim(), ""));
        match verb {
            "back" => return Ok(Go::Back),
            "save" => return Ok(Go::End),
            "quit" => return self.leave(),
            "discard" => {
                self.device.discard(self.interview.draft().id)?;
                return Ok(Go::Out(Ended::Discarded));
            }
            "jump" => return self.jump(rest.trim()),
            "list" => self.list()?,
            "language" => self.set_language(rest.trim())?,
            "remove" => return self.remove(key),
            _ => self.talk.say(HELP)?,
        }
        Ok(Go::Stay)
    }

    fn jump(&mut self, to: &str) -> Result<Go, Failure> {
        match find(self.filling(), to) {
            Some(at) => {
                self.interview.track(self.device, &Event::Jump { at: now_ms() })?;
                Ok(Go::To(at))
            }
            None => {
                self.talk.say("  ! no question of that name is asked now; :list shows them")?;
                Ok(Go::Stay)
            }
        }
    }

    fn list(&mut self) -> Result<(), Failure> {
        for screen in self.filling().screens() {
            if let Screen::Question(place) = screen
                && let Some(key) = self.filling().key(place)
                && !is_only_read(self.filling(), place)
            {
                let mark = if self.filling().problem(place).is_some() { "!" } else { " " };
                let line = format!("  {mark} {key}  {}  {}", self.filling().label(place), self.filling().value(place));
                self.talk.say(&line)?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: Option<&str>) -> Result<Go, Failure> {
        match self.interview.withdraw_row_of(self.device, key.unwrap_or_default()) {
            Err(InterviewError::Refused(Refusal::NoRow)) => {
                self.talk.say("  ! this question is in no row")?;
                return Ok(Go::Stay);
            }
            withdrawn => {
                if let Err(reason) = refused(withdrawn)? {
                    self.talk.say(&format!("  ! {reason}"))?;
                }
            }
        }
        Ok(Go::Back)
    }

    fn set_language(&mut self, wanted: &str) -> Result<(), Failure> {
        match language_named(self.filling().form(), wanted) {
            Ok(language) => {
                self.interview.set_language(Some(language));
                Ok(())
            }
            Err(line) => self.talk.say(&format!("  ! {line}")),
        }
    }

    /// Attaches a photo to a question; one that cannot be attached leaves the one that was there.
    fn attach(&mut self, key: &str, file: &Path) -> Result<Result<(), String>, Failure> {
        match self.interview.attach(self.device, key, PhotoSource::File(file), None).map(|_| ()) {
            Err(InterviewError::Photo(error)) => {
                let is_named = matches!(error, PhotoError::File { .. });
                let failure = Failure::from(error);
                let failure = if is_named { failure } else { failure.about(file.display()) };
                Ok(Err(failure.line().to_owned()))
            }
            attached => refused(attached),
        }
    }

    /// What is still to mend, and whether to save.
    fn end(&mut self) -> Result<Go, Failure> {
        let problems = self.filling().problems();
        for problem in &problems {
            let reason = problem.message.clone().unwrap_or_else(|| problem.wrong.to_string());
            let key = if problem.key.is_empty() { "the form" } else { &problem.key };
            self.talk.say(&format!("  ! {key}: {reason}"))?;
        }
        let prompt = match problems.len() {
            0 => "\nSave? Y/n > ".to_owned(),
            many => format!("\n{many} to mend: Enter goes to the first, save saves it as it is > "),
        };
        let Some(typed) = self.talk.ask(&prompt)? else { return self.leave() };
        match (typed.trim(), problems.first()) {
            ("save", _) | ("" | "y" | "Y" | "yes", None) => self.save(),
            ("", Some(problem)) => self.jump(&problem.key.clone()),
            (typed, _) => match typed.strip_prefix(':') {
                Some("save") => self.save(),
                Some(command) => self.command(command, None),
                None => Ok(Go::Back),
            },
        }
    }

    fn save(&mut self) -> Result<Go, Failure> {
        Ok(Go::Out(Ended::Saved(self.interview.save(self.device)?)))
    }

    fn leave(&mut self) -> Result<Go, Failure> {
        self.interview.leave(self.device)?;
        Ok(Go::Out(Ended::Kept))
    }

    fn index_of(&self, screen: Option<Screen>) -> Option<usize> {
        self.filling().screens().iter().position(|other| Some(*other) == screen)
    }
}

/// What the form does not take is said, and asked again; that nothing can be kept ends the filling.
fn refused(taken: Result<(), InterviewError>) -> Result<Result<(), String>, Failure> {
    match taken {
        Ok(()) => Ok(Ok(())),
        Err(InterviewError::Refused(refusal)) => Ok(Err(refusal.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The language of a form that has this name or code; or why there is none, for people.
pub(super) fn language_named(form: &Form, wanted: &str) -> Result<usize, String> {
    let languages = &form.model().languages;
    let is_it = |language: &Language| language.0 == wanted || language.code() == Some(wanted);
    languages.iter().position(is_it).ok_or_else(|| {
        let names = languages.iter().map(|language| language.0.as_str()).collect::<Vec<_>>().join(", ");
        match names.as_str() {
            "" => "the form names no languages".to_owned(),
            names => format!("the form has no such language; it has {names}"),
        }
    })
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
