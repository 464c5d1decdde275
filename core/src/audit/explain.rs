//! What each code means and what an auditor does about it: one table for reports, `explain` and the spec.

mod camp;

use super::finding::{Code, Weight};
use camp::CAMP;

/// What there is to say about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: &'static str,
    /// Its usual weight.
    pub weight: Weight,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// The explanation of a code; `None` if there is no such code.
pub fn explain(code: &str) -> Option<Explanation> {
    explanations().find(|explanation| explanation.code == code)
}

/// Every code of the product: of the verifier's checks, of bags, of publications, of pieces of a ledger, and those that base
/// camp and witnesses say while they run, which weigh nothing.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    let camp = CAMP.iter().map(|row| Explanation {
        code: row.code,
        weight: Weight::Note,
        meaning: row.meaning,
        advice: row.advice,
    });
    let pieces = PIECES.iter().map(|row| Explanation {
        code: row.code,
        weight: Weight::Failure,
        meaning: row.meaning,
        advice: row.advice,
    });
    of_findings().chain(pieces).chain(camp)
}

/// Those that a finding can have.
fn of_findings() -> impl Iterator<Item = Explanation> {
    Code::all().filter_map(|code| {
        if let Code::Publication(code) = code {
            let (meaning, advice) = (code.meaning(), code.advice());
            return Some(Explanation { code: code.code(), weight: code.weight(), meaning, advice });
        }
        let row = TABLE.iter().find(|row| row.code == code.as_str())?;
        Some(Explanation { code: row.code, weight: code.weight(), meaning: row.meaning, advice: row.advice })
    })
}

struct Row {
    code: &'static str,
    meaning: &'static str,
    advice: &'static str,
}

const DAMAGE: &str = "Copy the bag again; if the fault stays, ask another holder for the same file by its name.";
const FORGED: &str =
    "No version of Merestone writes this: ask another holder for the same entry or statement, and ask its signer.";
const ORIGINAL: &str =
    "Ask another holder for the original by its hash, and ask whoever handed over the bag what happened to it.";
const PUBLISHER: &str =
    "Ask whoever published it for the disclosure again; whoever holds the entry's body can make it.";
const UNAPPLIABLE: &str =
    "The entry is authentic and is not applied; it is kept and shown. Ask how the device's app was made.";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { code: "cbor-malformed", meaning: "The bytes are cut short or no CBOR at all.", advice: DAMAGE },
    Row { code: "cbor-non-minimal", meaning: "A number or length is written longer than needed; each item has one way to be written.", advice: FORGED },
    Row { code: "cbor-indefinite", meaning: "An item of indefinite length, which Merestone never writes.", advice: FORGED },
    Row { code: "cbor-float", meaning: "A floating-point number, which Merestone never writes.", advice: FORGED },
    Row { code: "cbor-tag", meaning: "A CBOR tag, which Merestone never writes.", advice: FORGED },
    Row { code: "cbor-simple", meaning: "A simple value other than false, true and null.", advice: FORGED },
    Row { code: "cbor-key-order", meaning: "Map keys are out of order.", advice: FORGED },
    Row { code: "cbor-duplicate-key", meaning: "A map key is there twice.", advice: FORGED },
    Row { code: "cbor-depth", meaning: "Items are nested deeper than 16.", advice: FORGED },
    Row { code: "cbor-trailing", meaning: "Bytes follow the item.", advice: DAMAGE },
    Row { code: "text-utf8", meaning: "A text is not UTF-8.", advice: DAMAGE },
    Row { code: "text-not-nfc", meaning: "A text is not in Unicode Normalization Form C.", advice: FORGED },
    Row { code: "text-forbidden", meaning: "A text holds a control or bidirectional format character, which could make a line read differently from what was signed.", advice: FORGED },
    Row { code: "shape", meaning: "Well-formed CBOR, but not what the format asks for at this place.", advice: DAMAGE },
    Row { code: "size-limit", meaning: "Larger than the stated maximum.", advice: DAMAGE },
    Row { code: "cose-algorithm", meaning: "The signature claims an algorithm other than Ed25519.", advice: FORGED },
    Row { code: "cose-unprotected", meaning: "Something stands where nothing is signed.", advice: FORGED },
    Row { code: "cose-type", meaning: "A statement of one type stands where another belongs.", advice: FORGED },
    Row { code: "key-not-canonical", meaning: "The signer's key is not written in its only form.", advice: FORGED },
    Row { code: "key-weak", meaning: "The signer's key is of small order: anybody could sign for it.", advice: FORGED },
    Row { code: "key-mixed-order", meaning: "The signer's key lies outside the group that signatures are safe in.", advice: FORGED },
    Row { code: "signature-invalid", meaning: "The signature does not fit the bytes: they were changed after they were signed, or never signed by this key.", advice: ORIGINAL },
    Row { code: "mission-mismatch", meaning: "It belongs to another mission than the one asked for.", advice: "Compare the mission id with the one you were given by a way of your own; ask for the right bag." },
    Row { code: "header-create", meaning: "An entry both creates a record and names one, or neither.", advice: FORGED },
    Row { code: "refs-order", meaning: "The entries named are not in ascending order.", advice: FORGED },
    Row { code: "writers-order", meaning: "The writing parties are not in ascending order.", advice: FORGED },
    Row { code: "earlier-order", meaning: "The earlier logs are not in ascending order.", advice: FORGED },
    Row { code: "log-start", meaning: "A first entry without its beginning, or a later one with it.", advice: FORGED },
    Row { code: "log-prev", meaning: "An entry does not follow the one before it in its log.", advice: "Ask several holders for the log: one of the two entries was put there, or the observer's device was restored from a backup." },
    Row { code: "log-gap", meaning: "An entry inside a log is missing: the next one names it.", advice: "Ask the observer, base camp or another holder for the entry with this id; whoever made the bag had to leave it out." },
    Row { code: "log-full", meaning: "A log beyond its limit.", advice: FORGED },
    Row { code: "log-fork", meaning: "One key signed two entries at one position: a device was restored from a backup, or its key was copied.", advice: "Ask the party whether the key should be cut; both entries are kept and shown." },
    Row { code: "body-hash", meaning: "A body is not the one that was signed.", advice: ORIGINAL },
    Row { code: "change-size", meaning: "A change is larger than allowed, or has too many parts.", advice: UNAPPLIABLE },
    Row { code: "change-compressed", meaning: "A compressed change.", advice: UNAPPLIABLE },
    Row { code: "change-malformed", meaning: "Not an Automerge change.", advice: UNAPPLIABLE },
    Row { code: "change-extra-bytes", meaning: "Bytes follow the columns of a change.", advice: UNAPPLIABLE },
    Row { code: "change-actor", meaning: "A change made under another actor than that of its log.", advice: UNAPPLIABLE },
    Row { code: "change-time", meaning: "A change with a time of its own.", advice: UNAPPLIABLE },
    Row { code: "change-seed", meaning: "A change without its seed.", advice: UNAPPLIABLE },
    Row { code: "change-empty", meaning: "A change that writes nothing.", advice: UNAPPLIABLE },
    Row { code: "change-object", meaning: "A change of something other than the root of the record.", advice: UNAPPLIABLE },
    Row { code: "change-action", meaning: "A change that does something other than put a value.", advice: UNAPPLIABLE },
    Row { code: "change-key", meaning: "A key that is no name of an answer, or keys out of order.", advice: UNAPPLIABLE },
    Row { code: "change-duplicate-key", meaning: "A change that writes one answer twice.", advice: UNAPPLIABLE },
    Row { code: "change-value", meaning: "A value of a type no record has.", advice: UNAPPLIABLE },
    Row { code: "change-deps-order", meaning: "Dependencies out of order.", advice: UNAPPLIABLE },
    Row { code: "change-deps-refs", meaning: "A change builds on other changes than its entry names.", advice: UNAPPLIABLE },
    Row { code: "change-seq", meaning: "A change is not the author's next one of this record.", advice: UNAPPLIABLE },
    Row { code: "change-own-dep", meaning: "A change does not build on the author's previous one.", advice: UNAPPLIABLE },
    Row { code: "change-start-op", meaning: "A change counts its operations from the wrong number.", advice: UNAPPLIABLE },
    Row { code: "change-pred", meaning: "A change replaces a value that it could not have seen.", advice: UNAPPLIABLE },
    Row { code: "change-not-canonical", meaning: "A change written in another way than its only one.", advice: UNAPPLIABLE },
    Row { code: "claims-mismatch", meaning: "The entry's commitments to single facts are not those its body gives.", advice: "The entry stands; nothing of it can be disclosed fact by fact. Ask how the device's app was made." },
    Row { code: "claims-unknown-question", meaning: "The entry answers a question that its form does not have.", advice: "The entry stands; that answer cannot be disclosed on its own. Ask which form the device used." },
    Row { code: "disclosure-entry", meaning: "A disclosure of an entry that is no change: it commits to no answers.", advice: PUBLISHER },
    Row { code: "disclosure-form", meaning: "The form definition given is not the one the disclosed entry names.", advice: "Take the definition whose hash the entry names from the publication, and compare that hash with the charter's." },
    Row { code: "disclosure-position", meaning: "A disclosure opens a position that the entry's form does not have.", advice: PUBLISHER },
    Row { code: "disclosure-order", meaning: "Leaves or cells of a disclosure are out of order, or one is there twice.", advice: PUBLISHER },
    Row { code: "disclosure-path", meaning: "A disclosure holds more or fewer hashes than its leaves need.", advice: PUBLISHER },
    Row { code: "disclosure-root", meaning: "What a disclosure shows is not what the observer signed.", advice: PUBLISHER },
    Row { code: "disclosure-coarse", meaning: "The observer's device committed to a coarse place or day that its exact one does not give.", advice: "Rely on neither value, and ask how the device's app was made: no version of Merestone writes this." },
    Row { code: "publication-signer", meaning: "The account of a publication is not signed by the root key of the party it names.", advice: FORGED },
    Row { code: "publication-scope", meaning: "The account of a publication is about scopes that the charter does not name, or lists a log of another scope.", advice: FORGED },
    Row { code: "publication-order", meaning: "Parts of a publication's account are out of order or there twice.", advice: FORGED },
    Row { code: "charter-signatures", meaning: "A party's signature of the charter is missing, foreign or out of order.", advice: "A mission works only with a charter that every party signed; ask for that one." },
    Row { code: "charter-keys", meaning: "Two keys of the charter are equal.", advice: "Ask for the charter that the parties signed." },
    Row { code: "charter-order", meaning: "Parties, scopes or forms of the charter are out of order, or the quorum is out of range.", advice: "Ask for the charter that the parties signed." },
    Row { code: "charter-other", meaning: "The bag was judged by another charter than the one that you named as in force.", advice: "Ask for a bag with every amendment; ask the parties for the id of the charter in force if you are not sure of it." },
    Row { code: "amendment-predecessor", meaning: "An amendment builds on a charter that is not held.", advice: "Ask for a bag with every amendment." },
    Row { code: "amendment-change", meaning: "An amendment changes nothing, or something that stays as it is.", advice: "Ask the parties for the amendment that they signed; until then the charter stays." },
    Row { code: "amendment-note", meaning: "The checkpoint on which an amendment builds is missing, in excess, before an earlier one's, or not final.", advice: "Ask the parties for the amendment that they signed; until then the charter stays." },
    Row { code: "amendment-signatures", meaning: "Signatures of an amendment are out of order, of another amendment, or by keys that have no say in it.", advice: "Ask the parties for the amendment that they signed; until then the charter stays." },
    Row { code: "amendment-quorum", meaning: "Fewer parties signed an amendment than it needs, or not those whose root keys it brings in or replaces.", advice: "Ask the parties; until then the charter stays." },
    Row { code: "certificate-signer", meaning: "The certificate is not signed by the party it names.", advice: "Ask that party whether it certified this key." },
    Row { code: "certificate-possession", meaning: "The certificate does not show that its holder had the key.", advice: "Ask the party for the enrolment request." },
    Row { code: "certificate-role", meaning: "The certificate names a role that this version does not know.", advice: "Use a newer version of this command, or ask the party." },
    Row { code: "certificate-scope", meaning: "The certificate names a scope that the charter does not.", advice: "Ask the party which scope it meant." },
    Row { code: "certificate-key", meaning: "A log rests on a certificate of another key.", advice: "Ask the party under which certificate the observer works; the log counts as out of role." },
    Row { code: "key-not-in-roster", meaning: "No certificate of the mission names the key that signed this: a stranger's entry.", advice: "Ask whoever made the bag where it came from; nothing of it is applied." },
    Row { code: "out-of-role", meaning: "The signer's certificate, or the record's writers, do not let it sign this.", advice: "Nothing: it is kept and shown, and not applied. Ask the party if it should have been." },
    Row { code: "cut-signer", meaning: "A cut is not signed by the party that certified the key.", advice: "Ask the party whether it cut the key." },
    Row { code: "cut-order", meaning: "The kept positions of a cut are out of order.", advice: "Ask the party for the cut it signed." },
    Row { code: "cut-quorum", meaning: "Fewer parties signed a cut of several than the charter asks for, or not those parties.", advice: "Ask the parties; until then it acts on nothing." },
    Row { code: "succession-order", meaning: "A succession names one key twice, or the heads of its logs out of order.", advice: "Ask the party for the succession that was signed." },
    Row { code: "succession-keys", meaning: "No party certified both keys of a succession.", advice: "Ask for a bag with every certificate." },
    Row { code: "succession-signatures", meaning: "A succession is not signed by the new key, and by the old one or their party.", advice: "Take the two keys for two observers' until the party says otherwise." },
    Row { code: "acknowledgement-signer", meaning: "No certificate lets the key that acknowledged a cut sign such a thing.", advice: "Ask for a bag with every certificate." },
    Row { code: "acknowledgement-cut", meaning: "What is acknowledged is no cut of one other party that is held.", advice: "Ask for a bag with every cut." },
    Row { code: "inclusion-signer", meaning: "No certificate lets the key that signed an inclusion sign such a thing.", advice: "Ask whoever wrote the bag where it came from; the ledger's leaves show the same without it." },
    Row { code: "inclusion-leaf", meaning: "An inclusion is about a leaf that bears on no certificate, cut or acknowledgement held.", advice: "Ask for a bag with every certificate and cut." },
    Row { code: "inclusion-proof", meaning: "The proof of an inclusion is not one of this ledger, or does not lead to the root of its checkpoint.", advice: "Ask base camp for the proof of the same leaf; keep this one." },
    Row { code: "inclusion-final", meaning: "The checkpoint of an inclusion is not cosigned by enough parties to be final.", advice: "Ask base camp for the cosigned checkpoint." },
    Row { code: "erasure-quorum", meaning: "Fewer parties signed an erasure than the charter asks for, or not those parties.", advice: "Ask the parties; until then nothing is erased." },
    Row { code: "receipt-signer", meaning: "A receipt's signer holds no certificate that lets it sign receipts.", advice: "Ask whose store it is." },
    Row { code: "statement-limit", meaning: "More statements of one signer than a mission keeps.", advice: "Ask the signer's party what happened to the key." },
    Row { code: "checkpoint-invalid", meaning: "The checkpoint note is malformed, or the mission's ledger did not sign it.", advice: "Ask the ledger's operator for the note." },
    Row { code: "cosignature-invalid", meaning: "A cosignature is not one of a witness of the mission under a note of its ledger.", advice: "Ask the witness's party for the cosigned note." },
    Row { code: "bag-unreadable", meaning: "A file or folder is missing, is not a regular file, cannot be opened, or is not what its name says.", advice: "Copy the bag again and compare; check permissions." },
    Row { code: "bag-manifest", meaning: "A file differs from the manifest, is missing, or is not listed.", advice: "Copy the bag again: manifests find accidents of copying. They prove nothing about forgery." },
    Row { code: "bag-misnamed", meaning: "A file's name is not the hash of its content.", advice: ORIGINAL },
    Row { code: "bag-version", meaning: "The bag was written by a later version.", advice: "Use a newer version of this command." },
    Row { code: "bag-foreign-file", meaning: "A file that belongs to no bag, or that nothing in the bag names. It was not read.", advice: "Nothing: ask whoever made the bag what it is." },
    Row { code: "log-misplaced", meaning: "An entry stands out of order, twice, or in the file of another log.", advice: "Ask for the bag again: its maker or somebody after him moved entries." },
    Row { code: "receipt-missing-tail", meaning: "A receipt attests entries at the end of a log that the bag does not hold. One that no base camp signed leaves it in doubt.", advice: "Ask the receipt's signer for the log: it held these entries when it signed." },
    Row { code: "receipt-other-head", meaning: "A receipt attests another entry at this position. One that no base camp signed leaves it in doubt.", advice: "Ask the receipt's signer for the log: there are two histories." },
    Row { code: "log-foreign-scope", meaning: "A bag of some scopes holds a log of another one.", advice: "Whoever made the bag chose what of that scope to show; ask for a bag that claims it." },
    Row { code: "receipt-log-absent", meaning: "A receipt attests a log of which this bag of some scopes holds nothing.", advice: "Ask for the log's scope; it may lie outside the bag's scopes." },
    Row { code: "earlier-missing", meaning: "A log names the last entry of an earlier log of the same key, and the bag does not reach it.", advice: "Ask the observer or base camp for the earlier log." },
    Row { code: "succession-head-missing", meaning: "A key took the place of another one and acknowledged the last entry of a log of it, which the bag does not hold.", advice: "Ask the observer, the party or base camp for the log of the key before." },
    Row { code: "cut-kept-missing", meaning: "A cut keeps a log up to an entry that the bag does not reach.", advice: "Ask the party that signed the cut for the log." },
    Row { code: "photo-mismatch", meaning: "A photo's bytes are not those that the entry names.", advice: ORIGINAL },
    Row { code: "photo-missing", meaning: "An entry names a photo that is not in the bag.", advice: "Ask base camp for the photo by its hash; it may not have arrived yet." },
    Row { code: "photo-facts", meaning: "An entry gives another size or chunk root than the photo has whose hash it names.", advice: "Nothing: the photo is the one that was signed. Ask how the device's app was made." },
    Row { code: "body-missing", meaning: "A body is not in the bag and no erasure covers it.", advice: "Ask for a bag with the bodies; until then only the header is checked." },
    Row { code: "body-erased", meaning: "A body that the parties' quorum erased: header only.", advice: "Nothing: the erasure is in the bag." },
    Row { code: "erased-but-held", meaning: "A body or photo that an erasure covers lies in the bag all the same.", advice: "Tell whoever made the bag to drop it, and drop your copy." },
    Row { code: "cut-finality-unknown", meaning: "A cut of one party alone covers entries of this key, and the bag does not show what a final checkpoint held before the cut: that, the party cannot cut alone.", advice: "Ask for a bag with the ledger's leaves and a final checkpoint; until then do not take these entries for set aside." },
    Row { code: "set-aside-by-cut", meaning: "An authentic entry behind the position at which its key was cut.", advice: "Nothing: it is set aside and shown. Ask the party why it cut the key." },
    Row { code: "entry-waiting", meaning: "An entry names one that is not in the bag, so it cannot be judged.", advice: "Ask for the entry it names, or for a bag of the whole record." },
    Row { code: "entry-held", meaning: "An authentic entry that is not applied because of a fork, an erasure, or the entry it builds on.", advice: "Nothing: it is kept and shown; its author may restate it." },
    Row { code: "entry-unappliable", meaning: "An authentic entry whose change does not fit the record; the rule is named.", advice: "Nothing: it is kept and shown, and not applied. Ask how the device's app was made." },
    Row { code: "record-fork", meaning: "One author made two changes of a record that do not know each other; one is applied.", advice: "Ask the party whether the device was restored or its key copied; a ruling can name the other branch." },
    Row { code: "record-too-large", meaning: "A record has more entries, or larger ones, than are judged at once; its entries are authentic and its content was not judged.", advice: "Judge it on a machine of the record's holders, or ask for the record on its own." },
    Row { code: "form-missing", meaning: "An entry's form definition is not in the bag, so its claims cannot be computed.", advice: "Ask for the form with this hash; the charter lists it." },
    Row { code: "certificate-missing", meaning: "A log rests on a certificate that is not in the bag.", advice: "Ask the party for the certificate with this id." },
    Row { code: "amendment-rivals", meaning: "Enough parties signed each of two amendments of one charter: neither acts, and the charter is never amended again.", advice: "Ask the parties that signed both, which the finding names, why they did; the parties may found a new mission." },
    Row { code: "statement-waits", meaning: "A statement rests on one of two rival amendments, neither of which acts; it counts for nothing.", advice: "See amendment-rivals. What it says is in the file, for whoever wants to rely on one of the two." },
    Row { code: "certificate-provisional", meaning: "A certificate that is not in the ledger under a final checkpoint.", advice: "Nothing: it works. Its place in time is not attested by anybody but its party." },
    Row { code: "note-malformed", meaning: "A file among the bag's checkpoints is no signed note, or is too large.", advice: "Ask base camp, or any phone that synced, for the checkpoint of this size." },
    Row { code: "cosignature-unknown", meaning: "A checkpoint has a line of a key that the charter does not name as a witness.", advice: "Ask another holder for the checkpoint: only the maker of the bag can have put the line there." },
    Row { code: "cosignature-order", meaning: "The witnesses' lines under a checkpoint are out of order, or one is there twice.", advice: FORGED },
    Row { code: "bundle-malformed", meaning: "A file of the ledger's leaves is not what its name says.", advice: DAMAGE },
    Row { code: "ledger-root", meaning: "A checkpoint signed by the ledger is of another tree than the leaves in the bag.", advice: "Fetch the ledger's leaves from the camp or a mirror and compare: leaves were changed in the bag, or the ledger showed two histories." },
    Row { code: "ledger-split-unshown", meaning: "A checkpoint that few parties' witnesses cosigned is of another tree than the ledger here.", advice: "Ask the ledger's operator whether a disk was lost: a checkpoint that was never handed out may have been forgotten with it. Keep the note." },
    Row { code: "ledger-split", meaning: "The ledger signed two trees that contradict each other: it showed two histories.", advice: "Keep both notes: they convince anybody. Every party should be told, and the ledger's operator asked." },
    Row { code: "ledger-order", meaning: "A leaf of the ledger stands where the ledger's rules do not allow it.", advice: "Ask the ledger's operator how the leaf came there: no version of Merestone writes this." },
    Row { code: "ledger-scope", meaning: "The ledger states another scope for a log than its entries do.", advice: "Ask the ledger's operator: a bag of some scopes could hide the log behind this." },
    Row { code: "entry-left-out", meaning: "The ledger has this entry, and the bag does not: it was left out, or lost.", advice: "Ask whoever made the bag for it by its id, and any other holder; the observer's own device has it." },
    Row { code: "log-left-out", meaning: "The ledger has entries of this log, and the bag has none of them.", advice: "Ask whoever made the bag for the log, and any other holder." },
    Row { code: "statement-left-out", meaning: "The ledger has this certificate, cut, erasure or amendment, and the bag does not.", advice: "Ask the parties for it by its id: without it entries are judged by less than the mission decided." },
    Row { code: "entry-displaced", meaning: "An entry beside four of the same key at one position that come before it: logged earlier, uncovered by a cut, or of lower id. Records are made of those four.", advice: "It is authentic and takes no part in its record. Ask the observer's party why the key signed five entries at one position; if it was logged or a cut keeps it, read it beside the record." },
    Row { code: "sibling-displaced", meaning: "The ledger, or a receipt, has an entry that the bag has not, and at its position stand four entries of the same key with lower ids: stores keep no more.", advice: "Ask the observer's party why the key signed five entries at one position; another holder may have kept this one." },
    Row { code: "ledger-too-large", meaning: "The ledger is larger than what is judged.", advice: "Use a newer version of this command, or judge the ledger with others' programs." },
    Row { code: "ledger-left-out", meaning: "Whoever wrote the bag held more of the ledger than is in it: the first leaf left out names something that nobody gave to them. What the bag says of completeness ends before it.", advice: "Ask the ledger's operator for what that leaf names, and for a bag from base camp: it was not synced yet, or somebody keeps it back." },
    Row { code: "ledger-cosignatures", meaning: "The ledger has more cosignature leaves than are kept; times from below rest on the first of them, and nothing else does.", advice: "Nothing, or use others' programs for the times. Ask the ledger's operator which witness signs so often." },
    Row { code: "entry-not-in-ledger", meaning: "Entries of a log that the ledger does not have yet.", advice: "Nothing: no camp had logged them when the checkpoint was signed. Nothing shows how late they were made." },
    Row { code: "note-beyond-leaves", meaning: "A checkpoint of a larger ledger than the bag has leaves of; the two were not compared.", advice: "Ask for a bag from a holder that has more of the ledger's leaves." },
    Row { code: "seen-unknown", meaning: "Entries name a checkpoint that the bag does not hold.", advice: "Ask for the checkpoint by its hash: it may be newer than those in the bag." },
    Row { code: "checkpoint-not-final", meaning: "Too few parties' witnesses cosigned the newest checkpoint whose leaves are in the bag.", advice: "Ask the silent parties why their witnesses do not sign, or for a copy of the checkpoint with more signatures." },
    Row { code: "witness-silent", meaning: "A witness that the charter names cosigned none of the bag's checkpoints.", advice: "Ask its party whether the witness still runs." },
    Row { code: "bounds-contradict", meaning: "Witnesses' times say that an entry was signed after it was in the ledger: more of them lied, or had wrong clocks, than may.", advice: "Use neither time, and ask the parties about their witnesses' clocks." },
    Row { code: "clock-jump", meaning: "Within one boot a device's wall clock went on by a minute more or less than the time since boot: it was set.", advice: "Nothing: order comes from the chain, not from clocks. Read times of that device with care." },
    Row { code: "clock-outside-bounds", meaning: "A device's clock showed a time more than ten minutes outside the bounds that witnesses give.", advice: "Use the bounds. The device's clock was wrong, or its observer wrote the entry at another time than it says." },
    Row { code: "edited-after-signature", meaning: "A record was edited after somebody concurred in it or signed it as co-author: what they signed is voided, because it names an earlier state.", advice: "Compare the entry they named with what stands now, and ask them whether they still say so." },
    Row { code: "shown-entries", meaning: "Two auditors were shown a log to different lengths.", advice: "Ask whoever made the shorter bag for the rest; the checkpoints tell whether it was logged already." },
    Row { code: "shown-log", meaning: "Only one of two auditors was shown a log, though both were shown its scope.", advice: "Ask whoever made the other bag for the log." },
    Row { code: "shown-charter", meaning: "Two auditors' bags were judged by different charters: one has amendments that the other has not.", advice: "Ask for both bags again with every amendment. What was judged by fewer may rest on keys that the parties replaced, or refuse people whose party joined." },
    Row { code: "shown-statement", meaning: "Only one of two auditors was shown a statement: a certificate, cut, erasure, amendment, receipt, form or another one.", advice: "Exchange it: what was shown without it was judged by other statements." },
    Row { code: "shown-not-compared", meaning: "Whether one log is the beginning of the other cannot be told from reports.", advice: "Compare the bags." },
    Row { code: "ledgers-not-compared", meaning: "Nothing shows whether the two ledgers are one.", advice: "Compare the bags, of which at least one has the ledger's leaves, or reports of the same checkpoint." },
    Row { code: "ledgers-agree", meaning: "Both were shown the same ledger, up to this leaf.", advice: "Nothing." },
    Row { code: "shown-note", meaning: "Only one of two auditors was shown a checkpoint.", advice: "Nothing, where it agrees with the other's leaves: bags of different days hold different checkpoints." },
    Row { code: "shown-scopes", meaning: "Two auditors were shown different scopes; only logs of scopes that both claim are compared.", advice: "Nothing, where that was agreed." },
    Row { code: "completeness-not-assessed", meaning: "Nothing in the bag shows that nothing was left out.", advice: "Ask for a bag with the ledger's leaves, or compare with a bag from another holder. Receipts in the bag still show tails that are missing." },
    Row { code: "kind-unknown", meaning: "An entry of a kind of a later version; it is kept and not applied.", advice: "Use a newer version of this command." },
    Row { code: "clock-backwards", meaning: "A device's clock went back between two entries of a log.", advice: "Nothing: order comes from the chain, not from clocks. Read times of that device with care." },
    Row { code: "context-observer", meaning: "An entry names another observer than its certificate.", advice: "Ask the party who held the device; the signature is that of the certificate's key." },
];

/// What a piece of a ledger is refused for when it is read on its own; no finding has these.
#[rustfmt::skip]
const PIECES: &[Row] = &[
    Row { code: "tile-address", meaning: "A path that names no tile of any ledger.", advice: "Ask for the tile under the path that its index gives." },
    Row { code: "tile-length", meaning: "A tile holds more or fewer hashes than its path says.", advice: DAMAGE },
    Row { code: "proof-malformed", meaning: "A file that should show a leaf of the ledger is no proof file.", advice: DAMAGE },
    Row { code: "exhibit-order", meaning: "The certificates of an exhibit do not ascend by id, or one is there twice.", advice: DAMAGE },
    Row { code: "exhibit-form", meaning: "An exhibit opens answers with a form that the charter does not list: the parties did not agree on what its names mean.", advice: "Ask whoever showed it for the form that the entry names, as the charter lists it." },
    Row { code: "fork-order", meaning: "The entries or certificates of a fork statement do not ascend by id, or one is there twice.", advice: DAMAGE },
    Row { code: "fork-place", meaning: "The two entries of a fork statement do not stand at one position of one log: they show no fork.", advice: "Ask whoever made it for the two entries that he means." },
    Row { code: "not-included", meaning: "A proof does not lead from the leaf to the checkpoint: this ledger does not have the leaf there.", advice: "Ask whoever showed it for a proof from the ledger's camp or a mirror." },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exhibit::ExhibitRefused;
    use crate::fork::ForkRefused;
    use crate::ledger::Malformed;
    use crate::publication::PublicationCode;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_explained_once_and_nothing_else_is() {
        let codes: BTreeSet<&str> = Code::all().map(Code::as_str).collect();
        let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.code).collect();
        assert_eq!(TABLE.len(), rows.len());
        let publication = PublicationCode::ALL.iter().map(|code| code.code());
        assert_eq!(codes, rows.into_iter().chain(publication).collect());
        assert_eq!(Code::all().count(), codes.len(), "a bag's code is no check's code");
        let all: Vec<&str> = explanations().map(|row| row.code).collect();
        let once: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), once.len(), "one code means one thing");
        assert!(explanations().all(|row| explain(row.code) == Some(row)));
        let pieces = [Malformed::Address, Malformed::Tile, Malformed::Bundle, Malformed::Proof].map(Malformed::code);
        let shown = ExhibitRefused::CODES.iter().chain(&ForkRefused::CODES);
        let more = shown.chain(&["not-included", "note-malformed"]);
        assert!(pieces.iter().chain(more).all(|code| once.contains(code)));
        assert!(TABLE.iter().all(|row| row.meaning.ends_with('.') && row.advice.ends_with('.')));
    }

    #[test]
    fn every_code_of_the_specs_is_explained_with_its_weight() {
        let specs = [include_str!("../../spec/bundle.md"), include_str!("../../spec/publication.md")];
        let mut seen = 0;
        for spec in specs {
            let mut is_table = false;
            for line in spec.lines() {
                is_table = line.starts_with('|') && (is_table || line.starts_with("| code | weight |"));
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                if !is_table || !cells[1].starts_with('`') {
                    continue;
                }
                for code in cells[1].split(", ") {
                    let found = explain(code.trim_matches('`')).unwrap_or_else(|| panic!("{code} is not explained"));
                    assert!(cells[2].starts_with(found.weight.as_str()), "{code}: {} in the spec", cells[2]);
                    seen += 1;
                }
            }
        }
        assert!(seen > 30 + PublicationCode::ALL.len());
    }
}
