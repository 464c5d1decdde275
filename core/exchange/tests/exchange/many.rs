//! Many submissions of chance: in, out and in again, with every answer to the byte.

use crate::common::{record, schema};
use crate::dice::Dice;
use merestone_exchange::export::{csv, submission};
use merestone_exchange::import::{Exactness, NamedCsv, read_csv, read_xml};
use merestone_exchange::tables;

/// Instances of the form.
trait Instances {
    fn leaf(&mut self, name: &str, text: &str) -> String;
    fn instance(&mut self, number: usize) -> String;
}

impl Instances for Dice {
    fn leaf(&mut self, name: &str, text: &str) -> String {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if self.below(7) == 0 { String::new() } else { format!("<{name}>{text}</{name}>") }
    }

    fn instance(&mut self, number: usize) -> String {
        let mut inside = String::new();
        let text = self.text();
        inside += &self.leaf("title", &text);
        let count = ["0", "-5", "+5", "007", "9223372036854775808", "1e3", "NaN", ""][self.below(8)];
        inside += &format!("<first>{}{}</first>", self.leaf("count", count), self.leaf("share", "1.50"));
        let (who, shoe) = (self.text(), self.text());
        inside += &format!("<second>{}</second>", self.leaf("who", &who));
        inside += &self.leaf("place", "48.10 37.5 0 0");
        for _ in 0..self.below(4) {
            let (what, mut people) = (self.text(), String::new());
            for age in 0..self.below(3) {
                let name = self.text();
                people +=
                    &format!("<people>{}{}</people>", self.leaf("name", &name), self.leaf("age", &age.to_string()));
            }
            inside += &format!("<visits>{}{people}</visits>", self.leaf("what", &what));
        }
        inside += &self.leaf("shoe", &shoe);
        format!("<visit id='visit'>{inside}<meta><instanceID>uuid:{number}</instanceID></meta></visit>")
    }
}

#[test]
fn ten_thousand_instances_come_back_with_the_same_answers() {
    let schema = schema();
    let mut dice = Dice(1);
    for number in 0..10_000 {
        let xml = dice.instance(number);
        let taken =
            read_xml(&schema, xml.as_bytes(), Exactness::Exact).unwrap_or_else(|refused| panic!("{refused}: {xml}"));
        let out = submission(&schema, &record(&taken, &[]));
        assert_eq!(out.left_out, [], "{xml}");
        let again = read_xml(&schema, &out.xml, Exactness::Exact).unwrap_or_else(|refused| panic!("{refused}: {xml}"));
        assert_eq!((&again.answers, &again.extras), (&taken.answers, &taken.extras), "{xml}");
    }
}

#[test]
fn a_thousand_rows_come_back_from_our_own_tables() {
    let schema = schema();
    let mut dice = Dice(2);
    let submissions: Vec<_> = (0..1_000)
        .map(|number| {
            let xml = dice.instance(number);
            read_xml(&schema, xml.as_bytes(), Exactness::Exact).unwrap_or_else(|refused| panic!("{refused}: {xml}"))
        })
        .collect();
    let mut records: Vec<_> = submissions.iter().map(|submission| record(submission, &[])).collect();
    for (number, record) in records.iter_mut().enumerate() {
        record.record = format!("{number:064x}");
    }
    let files: Vec<(String, Vec<u8>)> =
        tables(&schema, &records).iter().map(|sheet| (sheet.name.clone(), csv(sheet).expect("a table"))).collect();
    let table = |at: usize| NamedCsv { name: &files[at].0, bytes: &files[at].1 };
    let read = read_csv(&schema, table(0), &[table(1), table(2)], Exactness::Exact).expect("our own tables");
    assert_eq!(read.submissions.len(), submissions.len());
    for (again, taken) in read.submissions.iter().zip(&submissions) {
        let again = again.as_ref().expect("our own row");
        assert_eq!((&again.instance, &again.answers), (&taken.instance, &taken.answers));
    }
}
