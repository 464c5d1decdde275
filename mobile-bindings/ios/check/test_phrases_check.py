"""The comparison finds a phrase that differs, is absent, or is wanted."""

import unittest

from phrases_check import faults, phrases, said, warned

SWIFT = '"a.b": "One {x}.",\n "c#one":\n "Two "\n + "three.",'
KOTLIN = '"a.b" to "One {x}.",\n "c#one" to\n "Two " +\n "three.",'


class PhrasesCheckTest(unittest.TestCase):
    def test_the_same_phrases_in_both_languages_are_the_same(self) -> None:
        self.assertEqual(phrases(SWIFT, ":"), {"a.b": "One {x}.", "c#one": "Two three."})
        self.assertEqual(faults(phrases(SWIFT, ":"), phrases(KOTLIN, "to"), {"a.b", "c", "refused.new"}), [])

    def test_what_differs_is_named(self) -> None:
        swift, kotlin = phrases(SWIFT, ":"), phrases(KOTLIN.replace("three", "four").replace("a.b", "a.c"), "to")
        wanted = said(['Message("nowhere")', '.counting("a.b", 1)'])
        found = faults(swift, kotlin, wanted)
        self.assertEqual(
            found, ["a.c: only in Kotlin", "a.b: only in Swift", "c#one: other words", "nowhere: said, and no phrase for it"]
        )

    def test_a_warning_without_a_phrase_is_named_and_so_is_the_phrase_of_none(self) -> None:
        book = {"photo.old": "It is old."}
        codes = warned('warnings.push("new".to_owned());')
        self.assertEqual(
            faults(book, book, codes), ["photo.new: said, and no phrase for it", "photo.old: nothing says it"]
        )


if __name__ == "__main__":
    unittest.main()
