//! The story, act by act: each does something real, checks that it came out, and tells it with its figures.

mod evidence;
mod field;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::cast::{LEADER_A, LEADER_B, LOST};
use super::forge::Workshop;
use super::loss;
use super::replay::entropy;
use super::source::Material;
use super::story::Story;
use crate::exit::Failure;

/// What the story came to, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    mission: String,
    /// By name, as in `tamper.json`.
    forgeries: BTreeMap<&'static str, evidence::Tamper>,
}

/// Plays the whole story into `out`, an empty folder.
///
/// # Errors
/// If something does not come out as it must.
pub(super) async fn play(
    story: &mut Story,
    out: &Path,
    material: &Material,
    seed: Option<u64>,
) -> Result<Played, Failure> {
    field::say_material(story, material)?;
    let (mission, keys) = field::found(story, &out.join("parties"), seed)?;
    let cast = field::enrol(story, out, &mission, seed)?;
    let recorded = field::record(story, &cast, &mission, material)?;
    let [a, b] = [&cast.phones[LEADER_A], &cast.phones[LEADER_B]];
    field::meet_on_a_road(story, a, b).await?;
    field::part_and_meet(story, a, b, &recorded.shared).await?;

    let mut camp = evidence::come_in(story, out, &cast, &mission, keys, seed).await?;
    let lost = evidence::lose(story, &cast, &mission, &mut camp).await?;
    let bag = out.join("bag");
    evidence::write_bag(story, &bag, camp, &mission).await?;
    let workshop = Workshop {
        bag: &bag,
        out: &out.join("forged"),
        mission: &mission,
        cut: lost,
        after_cut: loss::write_on(&cast.phones[LOST], &mission)?,
        clock: cast.phones[LOST].device.now(),
        entropy: &*entropy(seed, "stranger"),
    };
    let forgeries = evidence::forge(story, out, &workshop)?;
    evidence::where_to_look(story, out, &mission)?;
    Ok(Played { mission: mission.charter.mission().to_string(), forgeries })
}
