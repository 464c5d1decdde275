//! Texts for people: in one language or many, with the values that are put into them and the files that stand beside
//! them.

use super::Formula;

/// Most languages of a form: more than any state has official ones, and few enough to look through them for each text.
pub const LANGUAGES_MAX: usize = 256;

/// A language of a form, as it names it: `English (en)`, `Українська (uk)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Language(pub String);

impl Language {
    /// The code in parentheses at the end of the name (BCP 47), if there is one.
    pub fn code(&self) -> Option<&str> {
        let inside = self.0.trim_end().strip_suffix(')')?;
        inside.rsplit_once('(').map(|(_, code)| code.trim()).filter(|code| !code.is_empty())
    }

    /// Whether it is written from right to left.
    pub fn is_right_to_left(&self) -> bool {
        let code = self.code().unwrap_or(&self.0).to_ascii_lowercase();
        let mut parts = code.split(['-', '_']);
        let primary = parts.next().unwrap_or_default();
        let script = parts.find(|part| part.len() == 4);
        if let Some(script) = script {
            return matches!(script, "adlm" | "arab" | "aran" | "hebr" | "syrc" | "thaa");
        }
        matches!(primary, "ar" | "arc" | "ckb" | "dv" | "fa" | "he" | "iw" | "ps" | "sd" | "syr" | "ug" | "ur" | "yi")
            || self.0.chars().next().is_some_and(|c| matches!(u32::from(c), 0x0590..=0x08ff))
    }
}

/// A text for people, and the values that are put into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text without what is put into it, with its marks ([`crate::marks`]); never markup, whatever it looks like.
    pub plain: String,
    /// What is put in, in the order of the places.
    pub outputs: Vec<Output>,
}

/// A value that is put into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Before which byte of the text.
    pub at: usize,
    /// What the value comes from.
    pub formula: Formula,
}

impl Text {
    /// The text as the form writes it, marks and all, with each value as `value` writes it.
    pub fn filled(&self, mut value: impl FnMut(&Formula) -> String) -> String {
        let (mut filled, mut from) = (String::with_capacity(self.plain.len()), 0);
        for output in &self.outputs {
            filled.push_str(self.plain.get(from..output.at).unwrap_or_default());
            filled.push_str(&value(&output.formula));
            from = output.at;
        }
        filled.push_str(self.plain.get(from..).unwrap_or_default());
        filled
    }
}

impl From<String> for Text {
    fn from(plain: String) -> Self {
        Self { plain, outputs: Vec::new() }
    }
}

/// A text for people, in one or many languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The text where there is none in the language wanted.
    pub fallback: Option<Text>,
    /// With the number of the language in [`Model::languages`]; each language at most once.
    pub translated: Vec<(usize, Text)>,
}

impl Words {
    /// The text in a language: that one's, otherwise the one without a language, otherwise any.
    pub fn in_language(&self, language: Option<usize>) -> Option<&Text> {
        let own = language.and_then(|language| self.own(language));
        own.or(self.fallback.as_ref()).or_else(|| self.translated.first().map(|(_, text)| text))
    }

    /// The text in a language, if it has one of its own.
    pub fn own(&self, language: usize) -> Option<&Text> {
        self.translated.iter().find(|(own, _)| *own == language).map(|(_, text)| text)
    }

    /// Whether there is none in any language.
    pub fn is_empty(&self) -> bool {
        self.fallback.is_none() && self.translated.is_empty()
    }

    /// Gives it a text in a language, or the one without a language.
    pub(crate) fn set(&mut self, language: Option<usize>, text: Text) {
        let Some(language) = language else {
            self.fallback = Some(text);
            return;
        };
        match self.translated.iter_mut().find(|(own, _)| *own == language) {
            Some((_, known)) => *known = text,
            None => self.translated.push((language, text)),
        }
    }

    /// Every text, in whatever language.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.fallback.iter().chain(self.translated.iter().map(|(_, text)| text))
    }
}

/// What stands beside a text: names of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// A picture.
    pub image: Words,
    /// A larger picture of the same.
    pub big_image: Words,
    /// A recording.
    pub audio: Words,
    /// A film.
    pub video: Words,
}

impl Media {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        [&self.image, &self.big_image, &self.audio, &self.video].into_iter().all(Words::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_a_language_tells_its_direction() {
        let rows = [
            ("Arabic (ar)", true),
            ("العربية", true),
            ("Kurdî (ku)", false),
            ("Kurdî (ku-Arab)", true),
            ("Pulaar (ff-Adlm-SN)", true),
            ("Uzbek (uz-Latn-AF)", false),
            ("Azərbaycan (az-Arab)", true),
            ("French (fr)", false),
        ];
        for (name, wanted) in rows {
            assert_eq!(Language(name.to_owned()).is_right_to_left(), wanted, "{name}");
        }
    }
}
