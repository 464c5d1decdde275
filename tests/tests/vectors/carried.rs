//! What is carried beside the conversation: tickets, adverts and courier bundles, each with small codes of its own.

use merestone_core::nearby::Advert;
use merestone_core::roster::CompleteCharter;
use merestone_core::ticket::{ReadTicketError, Ticket};
use serde_json::{Value, json};

use crate::agrees;
use crate::load::{Vector, all, bytes, hex};

#[test]
fn what_is_carried_is_judged_as_its_pages_say() {
    let mut wrong = Vec::new();
    let vectors = all(&["ticket", "nearby"]);
    for vector in &vectors {
        let found = match vector.group.as_str() {
            "ticket" => ticket(vector),
            _ => advert(vector),
        };
        if !agrees(&vector.expected, &found) {
            wrong.push(format!("{}\n    wanted {}\n    found  {found}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {} vectors differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

fn ticket(vector: &Vector) -> Value {
    let text = vector.input["ticket"].as_str().expect("a text");
    match Ticket::from_text(text) {
        Ok(ticket) => {
            assert!(ticket.is_for(vector.mission()), "{}", vector.name);
            let again = Ticket::new(vector.mission(), *ticket.transport(), ticket.addresses(), ticket.name());
            let plain: String = text.split_whitespace().collect();
            assert_eq!(again.expect("it was read").to_text(), plain.to_uppercase(), "{}", vector.name);
            json!({
                "mission": hex(&vector.mission().as_bytes()[..8]), "transport": hex(ticket.transport()),
                "addresses": ticket.addresses().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "name": ticket.name(),
            })
        }
        Err(ReadTicketError::Mistyped(_)) => json!({"code": "mistyped"}),
        Err(ReadTicketError::Newer { version: _ }) => json!({"code": "newer"}),
        Err(ReadTicketError::Refused(_)) => json!({"code": "refused"}),
    }
}

fn advert(vector: &Vector) -> Value {
    let charter = CompleteCharter::verify(&bytes(&vector.input["charter"]), vector.mission()).expect("a charter");
    let Some(advert) = Advert::from_bytes(&bytes(&vector.input["advert"])) else { return json!({"code": "no-advert"}) };
    let Some(transport) = advert.recognise(&charter) else { return json!({"code": "nobody"}) };
    let salt = *advert.as_bytes().first_chunk().expect("a salt");
    assert_eq!(Advert::make(&charter, &transport, salt), advert, "{}", vector.name);
    json!({"salt": hex(&salt), "transport": hex(&transport)})
}
