//! The project's own set: invented posts and drawn pictures, inside the program.

use std::collections::BTreeMap;

use merestone_core::entry::{Place, PlaceSource};
use merestone_node::Answer;
use serde::Deserialize;

use super::{FormName, Material, Observation, Photo, place};

#[derive(Deserialize)]
struct OwnObservation {
    form: FormName,
    answers: BTreeMap<String, OwnAnswer>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OwnAnswer {
    Int(i64),
    Text(String),
}

impl OwnObservation {
    fn text(&self, key: &str) -> Option<&str> {
        match self.answers.get(key) {
            Some(OwnAnswer::Text(text)) => Some(text),
            Some(OwnAnswer::Int(_)) | None => None,
        }
    }

    fn observation(&self) -> Observation {
        let answer = |answer: &OwnAnswer| match answer {
            OwnAnswer::Int(value) => Answer::Int(*value),
            OwnAnswer::Text(text) => Answer::text(text),
        };
        Observation {
            form: self.form,
            answers: self.answers.iter().map(|(key, value)| (key.clone(), answer(value))).collect(),
            place: self.text("location").and_then(place_of),
            post: ["post", "place", "number"].iter().find_map(|key| self.text(key)).unwrap_or_default().to_owned(),
        }
    }
}

/// The place that an answer names: `latitude longitude altitude accuracy`.
fn place_of(answer: &str) -> Option<Place> {
    let numbers: Vec<f64> = answer.split(' ').map_while(|number| number.parse().ok()).collect();
    let [lat, lon, _altitude, accuracy_m] = numbers[..] else { return None };
    let e7 = |degrees: f64| (degrees * 1e7).round() as i64;
    place(e7(lat), e7(lon), accuracy_m as u64, PlaceSource::Hand)
}

macro_rules! own_photos {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../../../fixtures/demo/photos/", $name)).as_slice()),)*]
    };
}

pub(super) fn read() -> Material {
    let own: Vec<OwnObservation> = serde_json::from_str(include_str!("../../../../fixtures/demo/observations.json"))
        .expect("the project's own observations, which a test reads");
    let of = |form| own.iter().filter(|own| own.form == form).map(OwnObservation::observation).collect();
    let photos = own_photos!(
        "post-01.jpg" "post-02.jpg" "post-03.jpg" "post-04.jpg" "post-05.jpg" "post-06.jpg" "post-07.jpg"
        "post-08.jpg" "post-09.jpg" "post-10.jpg" "post-11.jpg" "post-12.jpg" "post-13.jpg" "post-14.jpg"
    );
    let photo = |(name, bytes): (&str, &[u8])| Photo {
        bytes: bytes.to_vec(),
        credit: format!("{name}: drawn by this project; CC0-1.0"),
    };
    Material {
        credits: vec![
            "the project's own set: invented posts, drawn pictures, nothing in it happened (CC0-1.0)".to_owned(),
        ],
        inspections: of(FormName::Inspection),
        incidents: of(FormName::Incident),
        counts: of(FormName::CrossingCount),
        patrols: of(FormName::Patrol),
        restrictions: of(FormName::AccessRestriction),
        photos: photos.into_iter().map(photo).collect(),
        is_external: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_set_has_three_scripts_and_at_least_twelve_photos() {
        let own = read();
        let texts: String = [&own.inspections, &own.incidents, &own.patrols]
            .into_iter()
            .flatten()
            .flat_map(|observation| &observation.answers)
            .filter_map(|(_, answer)| match answer {
                Answer::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        for script in ['a'..='z', 'а'..='я', '\u{627}'..='\u{64a}'] {
            assert!(texts.chars().any(|c| script.contains(&c)), "{script:?}");
        }
        assert!(own.photos.len() >= 12);
        assert!(own.inspections.len() >= 12 && own.incidents.len() >= 12 && own.counts.len() >= 12);
    }

    #[test]
    fn every_observation_says_its_day_source_and_licence() {
        let own = read();
        for observation in own.inspections.iter().chain(&own.incidents).chain(&own.counts).chain(&own.restrictions) {
            assert_eq!(observation.day().len(), 10);
            for key in ["source", "licence"] {
                assert!(observation.answers.iter().any(|(name, _)| name == key), "{key}");
            }
        }
    }
    #[test]
    fn every_observation_is_what_its_form_asks_for() {
        use merestone_forms::{Filling, Form, Occasion, standard};

        let own = read();
        let all = [
            (standard::INSPECTION, &own.inspections),
            (standard::INCIDENT, &own.incidents),
            (standard::CROSSING_COUNT, &own.counts),
            (standard::PATROL, &own.patrols),
            (standard::ACCESS_RESTRICTION, &own.restrictions),
        ];
        for (document, observations) in all {
            let form = std::sync::Arc::new(Form::read_tables(document).unwrap());
            assert!(!observations.is_empty());
            for Observation { answers, post, .. } in observations {
                let filling = Filling::resume(form.clone(), answers.clone(), Occasion::default());
                let wrong: Vec<String> = filling.problems().iter().map(ToString::to_string).collect();
                assert_eq!(wrong, [""; 0], "{post}");
                assert!(answers.iter().all(|(key, _)| filling.place(key).is_some()), "{post}");
            }
        }
    }

    #[test]
    fn a_patrol_with_nothing_to_report_names_its_places_and_says_so_of_each() {
        let own = read();
        let says = |patrol: &&Observation, key: &str, text: &str| {
            patrol.answers.iter().any(|(own, answer)| own == key && *answer == Answer::text(text))
        };
        let nil = own.patrols.iter().find(|patrol| says(patrol, "nil_report", "yes")).unwrap();
        let observed: Vec<&Answer> =
            nil.answers.iter().filter(|(key, _)| key.ends_with("/observed")).map(|(_, answer)| answer).collect();
        assert_eq!(observed, vec![&Answer::text("nothing"); 3]);
        assert!(says(&nil, "nil_confirmed", "OK"));
    }
}
