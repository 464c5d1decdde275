//! What only a publication shows, each with its code, its weight and what to do about it.

use crate::audit::Weight;

macro_rules! codes {
    ($($name:ident = $code:literal $weight:ident, $meaning:literal, $advice:expr;)*) => {
        /// What only a publication as a whole shows (`spec/publication.md`, Checks).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PublicationCode { $(#[doc = $meaning] $name,)* }

        impl PublicationCode {
            /// Every code.
            pub const ALL: &'static [PublicationCode] = &[$(PublicationCode::$name,)*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(PublicationCode::$name => $code,)* }
            }

            /// Its weight.
            pub const fn weight(self) -> Weight {
                match self { $(PublicationCode::$name => Weight::$weight,)* }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(PublicationCode::$name => $meaning,)* }
            }

            /// What to do.
            pub const fn advice(self) -> &'static str {
                match self { $(PublicationCode::$name => $advice,)* }
            }
        }
    };
}

const PUBLISHER: &str = "Ask the party that signed the account to publish again, and why this stands in it.";
const DAMAGE: &str = "Get the publication again; if the fault stays, ask the party that signed the account.";
const COMPARE: &str = "Ask the party that signed the account which of the two is right, and compare with another bag.";

codes! {
    Unreadable = "publication-unreadable" Failure, "A file of the publication is missing, or cannot be read as what it should be.", DAMAGE;
    Form = "publication-form" Failure, "The rule for a form does not fit the form, or the form is not there.", PUBLISHER;
    Missing = "publication-missing" Failure, "The account counts an entry as disclosed, and nothing of it is there.", DAMAGE;
    Foreign = "publication-foreign" Failure, "Something is shown that the account does not count as disclosed, or in another place.", PUBLISHER;
    Place = "publication-place" Failure, "An entry stands at another position, log or scope than the account says.", PUBLISHER;
    Leaf = "publication-leaf" Failure, "Of an entry other leaves or cells are shown than the account decides.", PUBLISHER;
    Label = "publication-label" Failure, "One label is decided in two ways in one record.", PUBLISHER;
    Picked = "publication-picked" Failure, "Of one record some entries are shown and others are left out by decision.", PUBLISHER;
    Must = "publication-must" Failure, "A leaf is withheld that its form says a publication must disclose.", PUBLISHER;
    Uncounted = "publication-uncounted" Failure, "An entry that is shown names another one that the account does not list.", PUBLISHER;
    Gap = "publication-gap" Doubt, "The account does not list some positions of a log.", COMPARE;
    FormUnsigned = "publication-form-unsigned" Note, "The charter does not list a form, so the parties did not agree on what its names mean.", "Read the form's questions before you rely on the names.";
    Table = "publication-table" Failure, "The table is not what the disclosures give.", DAMAGE;
    Incomplete = "publication-incomplete" Failure, "The bag holds an entry that the account leaves out, of a log that it lists further, or in the ledger before the checkpoint that it names.", COMPARE;
    Later = "publication-later" Doubt, "The bag holds entries that came after those the account lists, or in logs it does not list.", "If they were there when the account was signed, it hides them: ask the party, and look at the note that the account names.";
    Own = "publication-own" Doubt, "The bag holds entries of the publisher's own party that the account does not list.", "The party knew its own entries first: ask it when these were written, and whether it publishes again.";
    Note = "publication-note" Note, "Nothing shows which entries were in the ledger when the account was signed.", "Ask for a bag with the ledger's leaves, or the party to name the checkpoint up to which its account is whole.";
    NotInBag = "publication-not-in-bag" Doubt, "The account lists an entry that the bag does not hold.", "Compare with a bag that holds it.";
    Standing = "publication-standing" Doubt, "An entry has another state in the bag than in the account.", COMPARE;
    Denied = "publication-denied" Failure, "The account says of an entry what its signed header or the bag's statements disprove.", COMPARE;
    Party = "publication-party" Failure, "The account attributes a log to another party than its certificate does.", COMPARE;
    Page = "publication-page" Failure, "The page is not what the disclosures and the account give.", DAMAGE;
    Bag = "publication-bag" Doubt, "The bag that the publication is compared with is FAILED itself.", "Audit the bag, and compare with one that is not.";
    Cells = "publication-cells" Failure, "An entry writes cells of a disclosed question that are not shown.", PUBLISHER;
    Current = "publication-current" Failure, "What stands in the bag is not what stands in the publication.", COMPARE;
}
