//! The form of an outpost, with thirty questions, in a mission of its own; and real devices, on the machine's own clock
//! and random bytes, that may refuse to open.

use std::fmt::Write as _;
use std::path::Path;

use merestone_core::id::FormHash;
use merestone_node::Device;
use merestone_node::device::{Home, OpenDeviceError, System};

use crate::mission::{Mission, form_hash, store_key};

/// Questions of the form: `token`, then texts `t01` … and whole numbers `n01` ….
pub const QUESTIONS: usize = 30;

const TEXTS: usize = 9;

/// The mission with the outpost's form.
pub fn found() -> Mission {
    Mission::found_with(&[&document()])
}

/// That mission, and another one whose parties have witnesses.
pub struct Missions {
    /// Without witnesses: nothing is ever final.
    pub bare: Mission,
    /// With a witness of each party.
    pub witnessed: Mission,
}

impl Missions {
    /// Both.
    pub fn found() -> Self {
        Self { bare: found(), witnessed: Mission::found_witnessed(&[&document()]) }
    }
}

/// The outpost's form.
pub fn form() -> FormHash {
    form_hash(&document())
}

/// Makes a device of the mission in `folder`.
pub fn create(mission: &Mission, folder: &Path) -> Device {
    mission.create_device(folder, system())
}

/// Opens the device in `folder`; nobody is unlocked.
///
/// # Errors
/// As [`Device::open`].
pub fn open(folder: &Path) -> Result<Device, OpenDeviceError> {
    Device::open(&Home::new(folder), store_key(), system())
}

/// The names of the form's questions after `token`: texts, then whole numbers.
pub fn questions() -> (Vec<String>, Vec<String>) {
    let texts = (1..=TEXTS).map(|n| format!("t{n:02}"));
    let numbers = (1..QUESTIONS - TEXTS).map(|n| format!("n{n:02}"));
    (texts.collect(), numbers.collect())
}

fn system() -> System {
    System::real(0).expect("the system gives random bytes")
}

fn document() -> String {
    let (texts, numbers) = questions();
    let mut rows =
        String::from("| survey | | | |\n| | type | name | label::English (en) |\n| | text | token | Token |\n");
    for (kind, names) in [("text", texts), ("integer", numbers)] {
        for name in names {
            let _ = writeln!(rows, "| | {kind} | {name} | {name} |");
        }
    }
    rows.push_str("| | begin_repeat | photos | Photos |\n| | image | file | Photo |\n");
    rows.push_str("| | text | caption | Caption |\n| | end_repeat | | |\n");
    rows.push_str("| settings | | | |\n| | form_id | form_title | version |\n| | outpost | Outpost | 1 |\n");
    rows
}
