//! What a request of version 2 names, as `device request` and `roster` show it.

use std::io::{self, Write};

use merestone_core::id::hex;
use merestone_core::key::PublicKey;
use merestone_core::roster::{Attestation, EnrolmentRequest};
use serde::Serialize;

/// The attestation and the key that is to be followed.
#[derive(Serialize)]
pub(in crate::cli) struct NamedShown {
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<AttestationShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
}

#[derive(Serialize)]
struct AttestationShown {
    bytes: u64,
    sha256: String,
    /// Always false: a file that is the one named may say anything.
    checked: bool,
    #[serde(skip)]
    line: String,
}

impl NamedShown {
    pub(in crate::cli) fn new(attestation: Option<&Attestation>, replaces: Option<&PublicKey>) -> Self {
        let shown = |named: &Attestation| AttestationShown {
            bytes: named.bytes(),
            sha256: hex(named.digest()),
            checked: false,
            line: named.to_string(),
        };
        Self { attestation: attestation.map(shown), replaces: replaces.map(ToString::to_string) }
    }

    pub(super) fn of(request: &EnrolmentRequest) -> Self {
        let replaces = request.replaces().and_then(|key| PublicKey::admit(key).ok());
        Self::new(request.attestation(), replaces.as_ref())
    }

    /// A line for each, after `margin`.
    pub(in crate::cli) fn lines(&self, margin: &str, out: &mut dyn Write) -> io::Result<()> {
        if let Some(attestation) = &self.attestation {
            writeln!(out, "{margin}{}", attestation.line)?;
        }
        self.replaces.iter().try_for_each(|key| writeln!(out, "{margin}asks to follow key {key}"))
    }
}
