//! `itext`: the texts of a form in its languages; and texts that stand in the body itself.

use std::cell::Cell;
use std::collections::HashMap;

use roxmltree::Node as Xml;

use super::source::{Source, attribute, elements};
use crate::model::{Formula, LANGUAGES_MAX, Language, Media, Notice, Output, Text, Words, note};
use crate::refused::{FormRefused, Reason};
use crate::workbook::FILE_BYTES_MAX;

/// Most bytes of texts that other parts of a form refer to, a text counted once for each time: as much as a form may have.
pub(crate) const LENT_BYTES_MAX: usize = FILE_BYTES_MAX;
/// A language that stands for none.
const NO_LANGUAGE: &str = "default";

/// The texts by id.
#[derive(Default)]
pub(super) struct Itext {
    pub(super) languages: Vec<Language>,
    pub(super) default_language: Option<usize>,
    texts: HashMap<String, Entry>,
    /// Bytes of the texts that were referred to.
    lent: Cell<usize>,
}

/// A text, and what stands beside it.
#[derive(Clone, Default)]
pub(super) struct Entry {
    pub(super) words: Words,
    pub(super) guidance: Words,
    pub(super) media: Media,
}

impl Itext {
    /// Reads the element `itext`.
    pub(super) fn read(
        source: &Source<'_>,
        itext: Xml<'_, '_>,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, FormRefused> {
        let (mut all, mut has_default) = (Self::default(), false);
        for translation in elements(itext) {
            let name = translation.attribute("lang").unwrap_or(NO_LANGUAGE);
            let language = (name != NO_LANGUAGE).then(|| {
                all.languages.push(Language(name.to_owned()));
                all.languages.len() - 1
            });
            if all.languages.len() > LANGUAGES_MAX {
                return Err(source.refused(translation, "", Reason::too_much("languages", LANGUAGES_MAX)));
            }
            let is_default = translation.attribute("default").is_some_and(|value| !value.starts_with("false"));
            // Without one that says so, the first.
            if is_default || (!has_default && all.default_language.is_none()) {
                all.default_language = language;
            }
            has_default |= is_default;
            for text in elements(translation) {
                let id = attribute(text, "id").ok_or_else(|| source.refused(text, "id", Reason::Empty))?;
                let entry = all.texts.entry(id.to_owned()).or_default();
                for value in elements(text) {
                    entry.value(source, value, language, notices)?;
                }
            }
        }
        Ok(all)
    }

    /// The text with this id.
    ///
    /// # Errors
    /// If all that is referred to is more than a form may have.
    pub(super) fn get(&self, id: &str) -> Result<Option<Entry>, Reason> {
        let Some(entry) = self.texts.get(id) else { return Ok(None) };
        self.lent.set(self.lent.get().saturating_add(entry.bytes()));
        if self.lent.get() > LENT_BYTES_MAX {
            Err(Reason::too_much("bytes of texts that are referred to", LENT_BYTES_MAX))
        } else {
            Ok(Some(entry.clone()))
        }
    }

    /// The plain texts of all ids.
    pub(super) fn words(&self) -> impl Iterator<Item = (&String, &Words)> {
        self.texts.iter().map(|(id, entry)| (id, &entry.words))
    }

    /// The text of an element `label`, `hint` and the like: by its id, or as it stands there.
    pub(super) fn of(&self, source: &Source<'_>, element: Xml<'_, '_>) -> Result<Entry, FormRefused> {
        let Some(reference) = element.attribute("ref") else {
            let mut entry = Entry::default();
            let text = content(source, element)?;
            if !text.plain.is_empty() || !text.outputs.is_empty() {
                entry.words.set(None, text);
            }
            return Ok(entry);
        };
        let entry = self.by_reference(reference).map_err(|reason| source.refused(element, "ref", reason))?;
        entry.ok_or_else(|| source.refused(element, "ref", Reason::UnknownReference(reference.to_owned())))
    }

    /// The text that `jr:itext('id')` means.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) fn by_reference(&self, reference: &str) -> Result<Option<Entry>, Reason> {
        quoted(reference).map_or(Ok(None), |id| self.get(id))
    }
}

/// The id in `jr:itext('id')`.
fn quoted(reference: &str) -> Option<&str> {
    let inside = reference.trim().strip_prefix("jr:itext(")?.strip_suffix(')')?.trim();
    let id = inside.strip_prefix('\'').and_then(|id| id.strip_suffix('\''));
    id.or_else(|| inside.strip_prefix('"').and_then(|id| id.strip_suffix('"')))
}

impl Entry {
    /// What it takes, with what is beside the letters.
    fn bytes(&self) -> usize {
        let Media { image, big_image, audio, video } = &self.media;
        let all = [&self.words, &self.guidance, image, big_image, audio, video];
        let output = |output: &Output| size_of::<Output>() + output.formula.text.len();
        let text = |text: &Text| {
            size_of::<(usize, Text)>() + text.plain.len() + text.outputs.iter().map(output).sum::<usize>()
        };
        all.into_iter().flat_map(Words::texts).map(text).sum()
    }

    fn value(
        &mut self,
        source: &Source<'_>,
        value: Xml<'_, '_>,
        language: Option<usize>,
        notices: &mut Vec<Notice>,
    ) -> Result<(), FormRefused> {
        let words = match value.attribute("form") {
            None | Some("long") => &mut self.words,
            Some("guidance") => &mut self.guidance,
            Some("image") => &mut self.media.image,
            Some("big-image") => &mut self.media.big_image,
            Some("audio") => &mut self.media.audio,
            Some("video") => &mut self.media.video,
            Some(_) => {
                note(notices, source.notice(value, "form", "this form of the text is not used"));
                return Ok(());
            }
        };
        let mut text = content(source, value)?;
        if value.attribute("form").is_some_and(|form| form != "long" && form != "guidance")
            && let Some((_, file)) = text.plain.strip_prefix("jr://").and_then(|rest| rest.split_once('/'))
        {
            text = file.to_owned().into();
        }
        if !text.plain.is_empty() || !text.outputs.is_empty() {
            words.set(language, text);
        }
        Ok(())
    }
}

/// The text of an element with the values that are put in; other markup in it is text.
pub(super) fn content(source: &Source<'_>, element: Xml<'_, '_>) -> Result<Text, FormRefused> {
    let mut text = Text::default();
    for node in element.descendants().skip(1) {
        if node.is_text() {
            let own = node.text().unwrap_or_default();
            let own = if text.plain.is_empty() && text.outputs.is_empty() { own.trim_start() } else { own };
            text.plain.push_str(own);
        } else if node.is_element() && node.tag_name().name() == "output" {
            let (name, value) = match (node.attribute("value"), node.attribute("ref")) {
                (Some(value), _) => ("value", value),
                (None, reference) => ("ref", reference.unwrap_or_default()),
            };
            let refused = |error| source.refused(node, name, Reason::Expression(error));
            let formula = Formula::parse(value.trim()).map_err(refused)?;
            text.outputs.push(Output { at: text.plain.len(), formula });
        }
    }
    let floor = text.outputs.last().map_or(0, |output| output.at);
    let end = text.plain.trim_end().len().max(floor);
    text.plain.truncate(end);
    Ok(text)
}
