//! The rules: entries, records, roster, claims, ledger, sync conversation, audit. Sans-IO.
