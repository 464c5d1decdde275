//! The forms that come with the project.

/// A visit to a border post.
pub const INSPECTION: &str = include_str!("../definitions/inspection.md");
/// An incident, with low, best and high counts.
pub const INCIDENT: &str = include_str!("../definitions/incident.md");
/// A count of crossings.
pub const CROSSING_COUNT: &str = include_str!("../definitions/crossing-count.md");
/// All of them.
pub const ALL: [&str; 3] = [INSPECTION, INCIDENT, CROSSING_COUNT];
