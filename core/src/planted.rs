//! Bugs that are planted on purpose, so that it can be measured whether the simulated world finds them.
//!
//! A process chooses one by [`choose`]; the code concerned asks [`is`].
//! It exists under `--cfg planted` only: no product is built so, and no Cargo feature leads here.

use std::sync::OnceLock;

static CHOSEN: OnceLock<String> = OnceLock::new();

/// Every bug that can be chosen, and what goes wrong.
pub const NAMES: &[(&str, &str)] = &[
    ("acknowledge-before-commit", "entries count as kept before they are committed"),
    ("skip-fsync", "a commit returns before it is flushed"),
    ("count-blobs", "photos are held equal when their numbers are"),
    ("last-writer-wins", "of two concurrent values the one with the later device time is shown alone"),
    ("drop-batch-tail", "the last entry of a received batch is dropped"),
    ("ignore-fork-tip", "one tip of a forked log is not compared"),
    ("apply-cut-entry", "an entry that a cut covers is applied"),
    ("forget-missing-body", "a receipt does not name bodies that are missing"),
    ("resume-unverified", "a photo resumes from what lies on the disk, unchecked"),
    ("reuse-epoch", "a restored device goes on in its old log"),
    ("fork-answers-apart", "branches of a fork that answer different questions of a record are both applied"),
    ("second-cut-known", "a party's second cut of a key is taken for the first"),
    ("coverage-outlives-fork", "what cuts cover is not worked out again when a branch arrives after them"),
    ("list-or-divide", "trees are compared wrongly where a side holds exactly as many tips as a list takes"),
    ("synced-as-we-want", "fully synced is said although the peer did not want all photos"),
    ("tips-outlive-rollback", "how far logs have come is not forgotten with the transaction that was rolled back"),
    ("main-branch-by-arrival", "the main branch of a forked log takes the sibling that came first"),
    ("resume-hashes-the-rest", "a photo that goes on after a broken link is hashed without what came before it"),
    ("pen-moves-first", "the place of the next entry is noted before the last one is durable"),
    ("courier-leaves-originals", "originals named by entries that came with a courier are never wanted"),
    ("shown-too-early", "a checkpoint is handed out when one witness cosigned it"),
    ("cut-acts-unacknowledged", "a cut of one party acts on what was final while too few parties hold it"),
    ("inclusions-ignored", "what was final before a cut is not looked at"),
    ("nothing-let-in", "what waited for a certificate or a cut goes on waiting when it comes"),
    ("not-judged-again", "what waited for an amendment goes on waiting when the amendment is in force"),
];

/// Chooses the bug of this process; the first choice stays.
pub fn choose(name: &str) {
    CHOSEN.get_or_init(|| name.to_owned());
}

/// Whether this bug was chosen.
pub fn is(name: &str) -> bool {
    CHOSEN.get().is_some_and(|chosen| chosen == name)
}
