//! A small mission at work, always the same.

use merestone_core::change::Value;
use merestone_core::id::BlobHash;
use merestone_core::roster::Role;

use super::{Bag, Device, Made, Mission, photo, tiny_jpeg};

/// A mission at work: two observers on one record, a stolen phone that was cut, a camp's receipt, a photo.
pub(crate) struct Scene {
    pub(crate) mission: Mission,
    pub(crate) anna: Device,
    pub(crate) boris: Device,
    pub(crate) stolen: Device,
    pub(crate) camp: Device,
    pub(crate) records: Vec<Made>,
    pub(crate) original: Vec<u8>,
    pub(crate) thumbnail: Vec<u8>,
}

impl Scene {
    pub(crate) fn play() -> Self {
        let mut mission = Mission::found();
        let mut anna = mission.enrol(1, 30, "Anna", Role::Observer);
        let mut boris = mission.enrol(2, 31, "Борис", Role::Observer);
        let mut stolen = mission.enrol(1, 32, "ليلى", Role::Observer);
        let camp = mission.enrol(3, 40, "Camp", Role::Camp);
        let (original, thumbnail) = (vec![7; 70_000], tiny_jpeg());
        let file = BlobHash::of(&original).to_string();
        let first = anna.create(
            &mission,
            &[
                ("count_best", Value::Int(3)),
                ("note", Value::Text("Hello\nمعبر مفتوح")),
                ("photos/0000000000000001/file", Value::Text(&file)),
                ("source", Value::Text("Example events")),
                ("source_licence", Value::Text("CC BY 4.0")),
            ],
            vec![photo(&original, &thumbnail)],
        );
        let second = anna.create(&mission, &[("note", Value::Text("Second <b>post</b>"))], Vec::new());
        anna.edit(&mission, &first, &[("count_best", Value::Int(4))]);
        let third = anna.create(&mission, &[("post_state", Value::Text("open"))], Vec::new());
        boris.edit(&mission, &first, &[("count_best", Value::Int(5))]);
        boris.object(&second, "It was closed.");
        let fourth = stolen.create(&mission, &[("note", Value::Null)], Vec::new());
        stolen.create(&mission, &[("count_best", Value::Int(0))], Vec::new());
        mission.receipt(&camp, 1, &[&anna, &boris, &stolen]);
        let kept = [stolen.head(1)];
        mission.cut(1, &stolen, &kept);
        Self { mission, anna, boris, stolen, camp, records: vec![first, second, third, fourth], original, thumbnail }
    }

    pub(crate) fn bag(&self) -> Bag {
        Bag::of(&self.mission, &[&self.anna, &self.boris, &self.stolen], &[&self.original, &self.thumbnail])
    }
}
