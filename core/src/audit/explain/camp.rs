//! What base camp, a witness and a copy of the ledger say while they run: no finding has these codes, and none weighs anything.

use super::Row;

/// Each with who is to do what.
#[rustfmt::skip]
pub(super) const CAMP: &[Row] = &[
    Row { code: "witness-unreachable", meaning: "Base camp asked a witness, and nobody answered there.", advice: "Nothing, if it is a machine that runs in the evening: it is asked again. Otherwise compare the address with what `merestone witness serve` prints." },
    Row { code: "witness-slow", meaning: "A witness did not answer within the time for an exchange.", advice: "Look at the link, and at the witness's disk: it flushes before it answers." },
    Row { code: "witness-too-long", meaning: "What answers in a witness's place sent more bytes than an answer has.", advice: "Compare the address: something else answers there." },
    Row { code: "witness-garbage", meaning: "What answers in a witness's place does not answer as a witness does.", advice: "Compare the address: something else answers there." },
    Row { code: "witness-unknown", meaning: "A witness's answer holds no cosignature of this checkpoint by a witness that the charter names.", advice: "Ask its party which key it runs with: the charter names another." },
    Row { code: "witness-conflict", meaning: "A witness names a number of leaves that it cosigned last, and takes no proof from there: it was shown another tree, this ledger lost leaves, or it answers anything.", advice: "Ask its party for the folder in which it keeps what it cosigned, and compare the notes. One witness alone that says so stops nothing." },
    Row { code: "witness-refuses", meaning: "A witness does not cosign; the line says with which status and what that means.", advice: "Ask its party: another charter, another ledger, or a tree that is not the beginning of this one." },
    Row { code: "ledger-lost", meaning: "Checkpoints were signed of more leaves than this store has: it was restored from a copy.", advice: "Take the leaves back with `merestone ledger mirror URL` from whoever holds a copy of the ledger, and serve again. Nothing is signed until then." },
    Row { code: "ledger-stopped", meaning: "The ledger does not go on, or its copy cannot be read; the line says why.", advice: "Run `merestone doctor`, and see what the line advises. What arrives is kept." },
    Row { code: "mirror-unreachable", meaning: "Nobody shows a ledger at the address that is to be copied.", advice: "Compare the address with what `merestone serve --http` prints there." },
    Row { code: "mirror-slow", meaning: "Whoever shows the ledger did not answer within the time for an exchange.", advice: "Look at the link; it is asked again." },
    Row { code: "mirror-garbage", meaning: "What is shown at the address is no ledger of this mission, or nothing was handed out there yet.", advice: "Compare the address. A ledger that has witnesses shows nothing before enough of them cosigned." },
    Row { code: "mirror-unproved", meaning: "The leaves that are shown are not proved to follow those that are held here; nothing of them was kept.", advice: "Ask who shows the ledger, and copy it from somebody else: tiles are signed by nobody. Two histories that can be shown are `ledger-split`." },
];
