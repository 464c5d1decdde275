//! Functions of places: `latitude longitude [altitude [accuracy]]`, several joined by `;` or one for each node.

use super::{Call, Function, function};
use crate::expr::eval::EvalError;
use crate::expr::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("area", (1, 1), |call| {
        Ok(Value::Number(points(call)?.map_or(f64::NAN, |points| to_cents(area(&points)))))
    }),
    function("enclosed-area", (1, 1), |call| {
        Ok(Value::Number(points(call)?.map_or(f64::NAN, |points| to_cents(area(&points)))))
    }),
    function("geofence", (2, 2), geofence),
    function("distance", (1, 2), |call| {
        Ok(Value::Number(points(call)?.map_or(f64::NAN, |points| to_cents(length(&points)))))
    }),
];

/// Equatorial radius in metres, as the engines in use take it.
const RADIUS_METRES: f64 = 6_378_100.0;

/// Latitude and longitude, in radians.
type Point = (f64, f64);

/// The places; `None` when one of them is none.
fn points(call: &Call<'_, '_>) -> Result<Option<Vec<Point>>, EvalError> {
    let mut texts = Vec::new();
    for value in call.all(0)? {
        let text = call.evaluator.text(&value)?;
        texts.extend(text.trim_end_matches([';', ' ']).split(';').map(|point| point.trim().to_owned()));
    }
    if texts.is_empty() {
        texts.push(String::new());
    }
    Ok(texts.iter().map(|text| point(text)).collect())
}

fn point(text: &str) -> Option<Point> {
    let numbers: Option<Vec<f64>> = text.split_whitespace().map(|number| number.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| (2..=4).contains(&numbers.len()))?;
    let (latitude, longitude) = (numbers[0], numbers[1]);
    let is_accurate = numbers.get(3).is_none_or(|accuracy| *accuracy >= 0.0);
    let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    (is_accurate && is_on_earth).then(|| (latitude.to_radians(), longitude.to_radians()))
}

/// Whether the first place lies inside the ring of the second argument's places.
fn geofence(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let (place, ring) = (point(call.text(0)?.trim()), call.text(1)?);
    let ring: Option<Vec<Point>> =
        ring.trim_end_matches([';', ' ']).split(';').map(|text| point(text.trim())).collect();
    let (Some((latitude, longitude)), Some(ring)) = (place, ring) else { return Ok(Value::Bool(false)) };
    call.evaluator.spend(ring.len())?;
    let sides = ring.iter().zip(ring.iter().cycle().skip(1));
    // A line from the place to the east crosses the ring's sides an odd number of times.
    let crossed = sides.filter(|(a, b)| {
        (a.0 > latitude) != (b.0 > latitude) && longitude < (b.1 - a.1) * (latitude - a.0) / (b.0 - a.0) + a.1
    });
    Ok(Value::Bool(crossed.count() % 2 == 1))
}

/// Square metres inside a ring of places, on a sphere.
fn area(points: &[Point]) -> f64 {
    if points.len() < 3 {
        return 0.0;
    }
    let next = points.iter().cycle().skip(1);
    let sum: f64 = points.iter().zip(next).map(|(a, b)| (b.1 - a.1) * (2.0 + a.0.sin() + b.0.sin())).sum();
    (sum * RADIUS_METRES * RADIUS_METRES / 2.0).abs()
}

/// Metres along the places, on a sphere.
fn length(points: &[Point]) -> f64 {
    let between = |a: &Point, b: &Point| {
        let cosine = a.0.sin() * b.0.sin() + a.0.cos() * b.0.cos() * (a.1 - b.1).cos();
        cosine.clamp(-1.0, 1.0).acos() * RADIUS_METRES
    };
    points.windows(2).map(|pair| between(&pair[0], &pair[1])).sum()
}

fn to_cents(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
