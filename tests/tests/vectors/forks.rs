//! Two entries of one key at one position, shown to somebody who holds nothing but the mission's id.

use merestone_core::fork::{Certified, FORK_BYTES_MAX, Fork, write};
use serde_json::{Value, json};

use crate::agrees;
use crate::load::{Vector, all, bytes, hex};

#[test]
fn fork_statements_show_what_the_page_says_and_others_are_refused() {
    let vectors = all(&["fork"]);
    let mut wrong = Vec::new();
    for vector in &vectors {
        let found = judge(vector);
        if !agrees(&vector.expected, &found) {
            wrong.push(format!("{}\n    wanted {}\n    found  {found}", vector.name, vector.expected));
        }
    }
    assert!(vectors.len() > 30);
    assert!(wrong.is_empty(), "{} of {} vectors differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    assert_eq!(FORK_BYTES_MAX, 1_126_656, "as the page says");
}

fn judge(vector: &Vector) -> Value {
    let data = bytes(&vector.input["fork"]);
    let fork = match Fork::read(&data, vector.mission()) {
        Ok(fork) => fork,
        Err(refused) => return json!({"code": refused.code()}),
    };
    let [first, second] = &fork.entries;
    let certified = fork.certified.as_ref();
    let certificates: Vec<_> = certified.iter().flat_map(|certified| &certified.certificates).collect();
    let parts = certified.map(|Certified { charter, certificates: _ }| (charter, certificates.as_slice()));
    assert_eq!(write([second, first], parts), data, "{}", vector.name);
    json!({
        "entries": [first.id().to_string(), second.id().to_string()],
        "key": hex(first.key().as_bytes()),
        "log": first.log().to_string(),
        "seq": first.header().seq,
        "charter": certified.map(|certified| certified.charter.charter().id().to_string()),
        "certificates": certified.map(|certified| {
            certified.certificates.iter().map(|one| one.id().to_string()).collect::<Vec<_>>()
        }),
    })
}
