//! Places in answers, as ODK writes them: `latitude longitude [altitude [accuracy]]`, several separated by `;`.

/// One point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    pub(crate) altitude: Option<f64>,
    pub(crate) accuracy_m: Option<f64>,
}

/// What an answer draws on a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Geometry {
    Point(Point),
    /// At least two points.
    Line(Vec<Point>),
    /// At least four points, the last equal to the first, counter-clockwise (RFC 7946 §3.1.6).
    Area(Vec<Point>),
}

impl Point {
    /// Reads one; none unless it is whole, finite and on the globe.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut numbers = Vec::with_capacity(4);
        for word in text.split_ascii_whitespace() {
            let number: f64 = word.parse().ok().filter(|number: &f64| number.is_finite())?;
            numbers.push(number);
        }
        let (&lat, &lon) = (numbers.first()?, numbers.get(1)?);
        let is_on_globe = numbers.len() <= 4 && (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        let (altitude, accuracy_m) = (numbers.get(2).copied(), numbers.get(3).copied().filter(|metres| *metres > 0.0));
        is_on_globe.then_some(Self { lat, lon, altitude, accuracy_m })
    }
}

impl Geometry {
    /// The worst accuracy of its points, if they state any.
    pub(crate) fn accuracy_m(&self) -> Option<f64> {
        let worst = |points: &[Point]| points.iter().filter_map(|point| point.accuracy_m).reduce(f64::max);
        match self {
            Self::Point(point) => point.accuracy_m,
            Self::Line(points) | Self::Area(points) => worst(points),
        }
    }

    /// Reads a trace.
    pub(crate) fn line(text: &str) -> Option<Self> {
        points(text).filter(|points| points.len() > 1).map(Self::Line)
    }

    /// Reads an area; one that is not closed is closed.
    pub(crate) fn area(text: &str) -> Option<Self> {
        let mut points = points(text)?;
        let (first, last) = (*points.first()?, *points.last()?);
        if (first.lat, first.lon) != (last.lat, last.lon) {
            points.push(first);
        }
        if points.len() < 4 {
            return None;
        }
        let doubled: f64 =
            points.windows(2).map(|pair| (pair[1].lon - pair[0].lon) * (pair[1].lat + pair[0].lat)).sum();
        if doubled > 0.0 {
            points.reverse();
        }
        Some(Self::Area(points))
    }
}

/// Points of a trace: longer ones are no walk of a person.
const POINTS_MAX: usize = 65_536;

fn points(text: &str) -> Option<Vec<Point>> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.take(POINTS_MAX).map(Point::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_on_the_globe_or_none() {
        let rows = [
            ("48.1 37.5", true),
            ("48.1 37.5 0 0", true),
            ("-90 180 12.5 4.2", true),
            ("91 0", false),
            ("0 180.1", false),
            ("48.1", false),
            ("NaN 0", false),
            ("1e400 0", false),
            ("1 2 3 4 5", false),
            ("", false),
        ];
        for (text, is_point) in rows {
            assert_eq!(Point::read(text).is_some(), is_point, "{text}");
        }
        assert_eq!(Point::read("1 2 0 0").and_then(|point| point.accuracy_m), None, "0 is ODK's word for not known");
    }

    #[test]
    fn areas_are_closed_and_run_against_the_clock() {
        let clockwise = "0 0 0 0;1 0 0 0;1 1 0 0;0 1 0 0";
        let Some(Geometry::Area(points)) = Geometry::area(clockwise) else { panic!("an area") };
        let at = |point: &Point| (point.lat, point.lon);
        assert_eq!(points.iter().map(at).collect::<Vec<_>>(), [(0., 0.), (0., 1.), (1., 1.), (1., 0.), (0., 0.)]);
        assert_eq!(Geometry::area("0 0;1 1"), None);
        assert!(Geometry::line("0 0;1 1;").is_some());
    }
}
