import Merestone
import XCTest

@testable import MerestoneScreens

final class PhrasebookTests: XCTestCase {
    func test_a_phrase_takes_what_it_names_a_plural_its_form_and_a_gap_the_next_book() {
        let ukrainian = PhraseTable(
            language: "uk", phrases: ["count.photos#one": "{count} фото", "count.photos#few": "{count} фотографії"],
            otherwise: English.book
        ) { $0 % 10 == 1 && $0 % 100 != 11 ? "one" : "few" }
        XCTAssertEqual(ukrainian.say(.counting("count.photos", 21)), "21 фото")
        XCTAssertEqual(ukrainian.say(.counting("count.photos", 2)), "2 фотографії")
        XCTAssertEqual(ukrainian.say(.counting("count.drafts", 2)), "2 drafts")
        XCTAssertEqual(English.book.say(Message("photo.not-there")), "There is no file {path}.")
    }

    func test_braces_that_name_nothing_stay_as_they_are_written() {
        let table = PhraseTable(language: "en", phrases: ["x": "{A} {} {a}{b} {open"])
        XCTAssertEqual(table.say(Message("x", ["a": "1", "b": "{a}"])), "{A} {} 1{a} {open")
    }

    func test_what_has_no_phrase_is_said_in_the_words_of_the_library_and_never_with_nothing() {
        XCTAssertEqual(English.book.say(Message("refused.tomorrow", detail: "too much")), "Too much.")
        XCTAssertEqual(English.book.say(Message("refused.tomorrow")), "refused.tomorrow")
        XCTAssertEqual(English.book.say(Message("x", detail: "Why?")), "Why?")
    }
}
