//! What is promised of an answer shown alone.

use merestone_tests::shown::Inspection;

#[test]
fn one_answer_of_an_inspection_takes_at_most_a_kilobyte_beside_the_header() {
    let (answers, cells) = Inspection::new().each_alone();
    assert!(answers.len() >= 20 && cells.len() >= 100, "{} answers, {} cells", answers.len(), cells.len());
    let largest = answers.iter().chain(&cells).copied().fold(0.0, f64::max);
    assert!(largest <= 1_000.0, "{largest} bytes");
}
