//! What parties decide together about keys.

use crate::world::{World, text};

#[test]
fn a_cut_that_parties_agree_to_is_taken_up_once_enough_signed() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let people = world.json(&["roster", "show", "--home", "anna"]);
    let key = text(&people["people"][0], "key").to_owned();
    let propose =
        ["roster", "cut", &key, "--reason", "misuse", "--key", "a.key", "--propose", "anna.cut", "--home", "anna"];
    let proposed = world.json(&propose);
    assert_eq!((&proposed["complete"], &proposed["needed"]), (&false.into(), &2.into()));
    let early = world.run(&["roster", "add", "anna.cut", "--home", "anna"]);
    assert_eq!(early.status.code(), Some(65), "one party alone has not agreed");
    let ledger = world.run(&["roster", "agree", "anna.cut", "--charter", "charter.cbor", "--key", "l.key"]);
    assert_eq!(ledger.status.code(), Some(65), "a ledger's key is no party's");
    let agreed = world.json(&["roster", "agree", "anna.cut", "--charter", "charter.cbor", "--key", "b.key"]);
    assert_eq!(agreed["complete"], true);
    assert_eq!(world.json(&["roster", "agree", "anna.cut", "--charter", "charter.cbor"])["signed"], agreed["signed"]);
    let taken = world.json(&["roster", "add", "anna.cut", "--home", "anna"]);
    assert_eq!(taken["people"][0]["cut"], true);
    assert_eq!(taken["cuts"][0]["parties"], serde_json::json!([1, 2]));
}
