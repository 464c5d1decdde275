//! The house rules: what a crate may depend on and what a source file may say.
//!
//! A rule is a function from what it reads to the breaches it found.
//! Beside each rule stands a bad sample that it must refuse, so that no rule passes by looking at nothing.
//! The rules read `cargo metadata`, the manifests, `deny.toml` and the source files; they build nothing.

mod breach;
mod carried;
mod graph;
mod licences;
mod manifests;
mod pages;
mod reach;
mod rooms;
mod sources;
