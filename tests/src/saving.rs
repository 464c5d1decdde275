//! An observer who saves entry after entry and says aloud what is durable: the one who gets killed.
//!
//! What is said is a line on a pipe, so that it outlives the process:
//!
//! ```text
//! ready                          the device is open and the key unlocked
//! kept TOKEN                     the draft that answers TOKEN to the first question is durable
//! photo TOKEN SHA-256            and now with this photo
//! saving TOKEN                   the draft is about to become an entry
//! saved TOKEN ENTRY RECORD       it is one
//! ```

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use merestone_core::id::{BlobHash, EntryId, FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_node::capture::PhotoSource;
use merestone_node::draft::Draft;
use merestone_node::{Answer, Device};

use crate::chance::Chance;
use crate::outpost::{self, QUESTIONS};

/// What the process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The device is open and the key unlocked.
    Ready,
    /// The draft with this token is durable.
    Kept(String),
    /// The draft has this photo, durably.
    Photo(String, BlobHash),
    /// The draft is about to be saved.
    Saving(String),
    /// The draft is an entry.
    Saved(String, EntryId, RecordId),
}

impl Line {
    /// Reads a line without its end; `None` if it is none of these, for instance because it was cut.
    pub fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["ready"] => Some(Self::Ready),
            ["kept", token] => Some(Self::Kept(token.to_owned())),
            ["photo", token, hash] => Some(Self::Photo(token.to_owned(), BlobHash::from_hex(hash)?)),
            ["saving", token] => Some(Self::Saving(token.to_owned())),
            ["saved", token, entry, record] => {
                Some(Self::Saved(token.to_owned(), EntryId::from_hex(entry)?, RecordId::from_hex(record)?))
            }
            _ => None,
        }
    }

    /// What it says, without of what.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Kept(_) => "kept",
            Self::Photo(..) => "photo",
            Self::Saving(_) => "saving",
            Self::Saved(..) => "saved",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Ready => Ok(()),
            Self::Kept(token) | Self::Saving(token) => write!(f, " {token}"),
            Self::Photo(token, hash) => write!(f, " {token} {hash}"),
            Self::Saved(token, entry, record) => write!(f, " {token} {entry} {record}"),
        }
    }
}

/// The question whose answer names a save: another one for each.
pub const TOKEN: &str = "token";

/// Records that are edited: the newest ones, so that none gets a long history.
const EDITED_MAX: u64 = 8;

/// One observer at work on an open device.
pub struct Saver<'a> {
    device: &'a Device,
    observer: PublicKey,
    scope: ScopeId,
    form: FormHash,
    chance: Chance,
    say: &'a mut dyn FnMut(&Line) -> io::Result<()>,
}

impl<'a> Saver<'a> {
    /// The observer with this key, in the first scope of the mission, with the outpost's form.
    pub fn new(
        device: &'a Device,
        observer: PublicKey,
        chance: Chance,
        say: &'a mut dyn FnMut(&Line) -> io::Result<()>,
    ) -> Self {
        let scope = device.charter().charter().scopes[0].id;
        Self { device, observer, scope, form: outpost::form(), chance, say }
    }

    /// Saves the drafts that a kill left behind, then goes on for ever.
    ///
    /// # Errors
    /// Whatever the device says, or nobody listens any more.
    pub fn work(&mut self) -> Result<(), Box<dyn Error>> {
        self.finish_drafts()?;
        loop {
            self.step()?;
        }
    }

    /// Saves the drafts that are there.
    ///
    /// # Errors
    /// As [`work`](Self::work).
    pub fn finish_drafts(&mut self) -> Result<(), Box<dyn Error>> {
        for draft in self.device.drafts(Some(&self.observer))? {
            self.go_on(draft)?;
        }
        Ok(())
    }

    /// Saves one creation or edit, sometimes with a photo.
    ///
    /// # Errors
    /// As [`work`](Self::work).
    pub fn step(&mut self) -> Result<(), Box<dyn Error>> {
        let newest = self.newest_records()?;
        let edited = if self.chance.once_in(3) { self.chance.pick(&newest).copied() } else { None };
        let has_photo = self.chance.once_in(4);
        self.save_one(edited, has_photo)
    }

    /// Saves a creation, or an edit of a record.
    ///
    /// # Errors
    /// As [`work`](Self::work).
    pub fn save_one(&mut self, edited: Option<RecordId>, has_photo: bool) -> Result<(), Box<dyn Error>> {
        let token = format!("{:016x}", self.chance.number());
        let mut draft = match edited {
            Some(record) => self.device.begin_edit(&self.observer, record)?,
            None => self.device.begin(&self.observer, self.scope, self.form)?,
        };
        draft.answers.insert(TOKEN.into(), Answer::text(&token));
        if draft.is_new() {
            draft.answers.extend(self.answers());
        }
        let draft = self.device.keep(draft)?;
        (self.say)(&Line::Kept(token.clone()))?;
        if has_photo {
            let photo = photo(&mut self.chance)?;
            self.device.attach(draft.id, PhotoSource::Bytes(&photo), None, Some(&token))?;
            (self.say)(&Line::Photo(token, BlobHash::of(&photo)))?;
        }
        self.go_on(draft)
    }

    /// Answers one question more in a draft, and saves it.
    fn go_on(&mut self, draft: Draft) -> Result<(), Box<dyn Error>> {
        let number = self.chance.below(1 << 31).cast_signed();
        let draft = self.device.put(draft.id, "n01", number)?;
        let Some(Answer::Text(token)) = draft.answers.get(TOKEN).cloned() else {
            return Err("a draft without its token".into());
        };
        (self.say)(&Line::Saving(token.clone()))?;
        let saved = self.device.save(&draft)?;
        (self.say)(&Line::Saved(token, saved.entry, saved.record))?;
        Ok(())
    }

    /// Answers to all questions but the token.
    fn answers(&mut self) -> Vec<(String, Answer)> {
        const WORDS: [&str; 5] = ["Міст закрито", "الجسر مغلق", "the bridge is closed", "Müllheim", "čekáme"];
        let (texts, numbers) = outpost::questions();
        let mut answers = Vec::with_capacity(QUESTIONS);
        for name in texts {
            answers.push((name, Answer::text(self.chance.pick(&WORDS).copied().unwrap_or_default())));
        }
        for name in numbers {
            answers.push((name, Answer::Int(self.chance.below(1 << 20).cast_signed())));
        }
        answers
    }

    /// The records of the newest entries of the observer's log.
    fn newest_records(&self) -> Result<Vec<RecordId>, Box<dyn Error>> {
        let store = self.device.store();
        let Some(tip) = store.tips(None, None)?.into_iter().find(|tip| tip.key == *self.observer.as_bytes()) else {
            return Ok(Vec::new());
        };
        let newest = store.log_entries(tip.log, tip.height.saturating_sub(EDITED_MAX), usize::MAX)?;
        Ok(newest.into_iter().map(|entry| entry.record).collect())
    }
}

/// One of the project's photos, with a comment that makes its bytes new.
///
/// # Errors
/// If the photos cannot be read.
pub fn photo(chance: &mut Chance) -> io::Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos");
    let mut photos: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|file| file.map(|file| file.path())).collect::<Result<_, _>>()?;
    photos.sort();
    let picked = chance.pick(&photos).ok_or(io::ErrorKind::NotFound)?;
    let mut bytes = std::fs::read(picked)?;
    // A JPEG segment "comment" after the two bytes that begin every JPEG: its length with itself, and its text.
    let mut comment = vec![0xff, 0xfe, 0, 10];
    comment.extend(chance.number().to_be_bytes());
    bytes.splice(2..2, comment);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_said_and_a_cut_one_does_not() {
        let (entry, record, hash) =
            (EntryId::from_bytes([1; 32]), RecordId::from_bytes([2; 32]), BlobHash::from_bytes([3; 32]));
        let lines = [
            Line::Ready,
            Line::Kept("a".into()),
            Line::Photo("b".into(), hash),
            Line::Saving("c".into()),
            Line::Saved("d".into(), entry, record),
        ];
        for line in lines {
            assert_eq!(Line::read(&line.to_string()), Some(line));
        }
        let saved = Line::Saved("d".into(), entry, record).to_string();
        assert_eq!(Line::read(&saved[..saved.len() - 1]), None);
    }

    #[test]
    fn every_photo_is_a_new_one() {
        let mut chance = Chance::new(1);
        let (one, other) = (photo(&mut chance).unwrap(), photo(&mut chance).unwrap());
        assert_ne!(BlobHash::of(&one), BlobHash::of(&other));
        assert_eq!(&one[..4], [0xff, 0xd8, 0xff, 0xfe]);
    }
}
