//! What a [`site`](super::site) can be told to do, and what it says of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use merestone_core::id::{BlobHash, LogId};
use merestone_link::{Class, close_code};
use merestone_node::Answer;
use merestone_node::records::RecordFilter;
use merestone_node::replica::{Camp, Meet, Serving, SyncOutcome, SyncProgress, TalkOptions};
use merestone_store::LogTip;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::site::{Member, Peer, cpu_s, digest};
use crate::corpus;
use crate::mission::{self, Mission};
use crate::timing::time_ms;

/// Longer than any measurement takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Every member meets the peer, all at the same time, each until it holds the same as the peer or the peer has nothing more.
pub(super) async fn meet(members: &[Member], peer: Peer) -> Value {
    all_meet(members, peer.meet()).await
}

/// The same, and whoever misses what the peer misses too stays until it comes.
pub(super) async fn gather(members: &[Member], peer: Peer) -> Value {
    all_meet(members, peer.stay()).await
}

async fn all_meet(members: &[Member], meet: Meet) -> Value {
    let (began, stays) = (Instant::now(), meet.stay);
    let meetings: Vec<_> = members
        .iter()
        .map(|member| {
            let mut meeting = member.replica.sync_with(meet.clone());
            tokio::spawn(async move {
                // A person is told now; good-bye comes after it.
                while meeting.changed().await.is_some_and(|progress| !progress.is_fully_synced) {}
                let (ms, is_synced) = (began.elapsed().as_secs_f64() * 1e3, meeting.progress().is_fully_synced);
                if stays {
                    meeting.stop();
                }
                (ms, is_synced, meeting.outcome().await)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for meeting in meetings {
        let (ms, is_synced, outcome) = meeting.await.expect("a meeting does not panic");
        answers.push(match outcome {
            Ok(outcome) => told(ms, if stays { is_synced } else { outcome.is_fully_synced }, &outcome),
            Err(error) => {
                let end = error.to_string();
                json!({ "ms": ms, "is_fully_synced": false, "end": end, "frame_bytes": 0, "entries": 0, "photo_bytes": 0 })
            }
        });
    }
    Value::Array(answers)
}

fn told(ms: f64, is_synced: bool, outcome: &SyncOutcome) -> Value {
    let carried = &outcome.progress;
    let photo_bytes: u64 = carried.blobs.iter().map(|class| class.bytes_sent + class.bytes_received).sum();
    json!({
        "entries": carried.entries_sent + carried.entries_received,
        "photo_bytes": photo_bytes,
        "ms": ms,
        "is_fully_synced": is_synced,
        "end": format!("{:?}, {:?}", outcome.end, outcome.rest),
        "frame_bytes": outcome.frame_bytes_sent + outcome.frame_bytes_received,
    })
}

/// Meets the peer for its photos; cuts the link once `cut_at` bytes are durable here, and says what had arrived by then.
pub(super) async fn pull_until(member: &Member, peer: Peer, cut_at: u64) -> Value {
    let endpoint = member.replica.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a loopback");
    let connection = endpoint.connect(peer.address, Some(peer.key)).await.expect("the sender answers");
    let mut meeting = member.replica.sync_over(connection.clone(), TalkOptions::default());
    let mut is_cut = false;
    while let Ok(Some(progress)) = timeout(PATIENCE, meeting.changed()).await {
        if !is_cut && received(&progress) >= cut_at && !progress.is_fully_synced {
            // At once, with whatever is on its way.
            connection.close(close_code::DONE, "cut");
            is_cut = true;
        }
    }
    let outcome = meeting.outcome().await;
    let is_done = outcome.as_ref().is_ok_and(|outcome| outcome.is_fully_synced);
    let end = outcome.map_or_else(|error| error.to_string(), |outcome| format!("{:?}", outcome.end));
    let stats = connection.stats();
    let photos = [Class::Thumbnails, Class::Previews, Class::Originals].map(|class| stats.class(class));
    let arrived: u64 = photos.iter().map(|class| class.bytes_received + class.bytes_unfinished).sum();
    endpoint.close(close_code::DONE, "");
    json!({ "arrived": arrived, "is_over": !is_cut, "is_fully_synced": is_done, "end": end })
}

/// Meets the peer for its photos; says after each step how many bytes are durable here.
pub(super) async fn pull(member: &Member, peer: Peer, say: &(dyn Fn(&Value) + Sync)) -> Value {
    let mut meeting = member.replica.sync_with(peer.meet());
    let mut durable = 0;
    while let Ok(Some(progress)) = timeout(PATIENCE, meeting.changed()).await {
        let now = received(&progress);
        if now != durable {
            say(&json!({ "bytes": now, "is_over": false }));
        }
        durable = now;
    }
    let outcome = meeting.outcome().await;
    let is_done = outcome.as_ref().is_ok_and(|outcome| outcome.is_fully_synced);
    let end = outcome.map_or_else(|error| error.to_string(), |outcome| format!("{:?}", outcome.end));
    json!({ "bytes": durable, "is_over": true, "is_fully_synced": is_done, "end": end })
}

fn received(progress: &SyncProgress) -> u64 {
    progress.progress.blobs.iter().map(|class| class.bytes_received).sum()
}

/// Bytes of photos sent in the conversation that ended last, once it has ended.
pub(super) async fn sent(serving: &Serving) -> Value {
    let began = Instant::now();
    loop {
        let callers = serving.callers();
        if callers.iter().all(|caller| caller.connections == 0) || began.elapsed() > PATIENCE {
            let outcomes = callers.iter().filter_map(|caller| caller.outcome.as_ref());
            let bytes: u64 = outcomes.flat_map(|outcome| outcome.progress.blobs).map(|class| class.bytes_sent).sum();
            return json!({ "bytes": bytes });
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// Saves while connected; says how long each took, from the call until the peer said that the entry is durable there.
pub(super) async fn live(mission: &Mission, member: &Member, peer: Peer, count: u64, gap_ms: u64) -> Value {
    let mut meeting = member.replica.sync_with(peer.stay());
    let mut chance = crate::chance::Chance::new(count);
    // Photos may be on their way for long; what was written before is there once its entries are.
    let is_ready = |progress: &SyncProgress| {
        progress.peer.is_some()
            && (progress.is_fully_synced || progress.progress.entries_sent >= progress.progress.entries_to_send.max(1))
    };
    while !is_ready(&meeting.progress()) {
        if timeout(PATIENCE, meeting.changed()).await.ok().flatten().is_none() {
            return json!({ "ms": [], "end": "the meeting ended before anything was saved" });
        }
    }
    let (mut samples, mut saves) = (Vec::new(), Vec::new());
    for number in 0..count {
        sleep(Duration::from_millis(chance.below(gap_ms + 1))).await;
        let before = meeting.progress().progress.entries_sent;
        let start = Instant::now();
        tokio::task::block_in_place(|| save_new(mission, member, 9_000_000 + number));
        saves.push(start.elapsed().as_secs_f64() * 1e3);
        tokio::task::block_in_place(|| member.replica.notify()).expect("a store that reads");
        while meeting.progress().progress.entries_sent <= before {
            if timeout(PATIENCE, meeting.changed()).await.ok().flatten().is_none() {
                return json!({ "ms": samples, "end": "the meeting ended" });
            }
        }
        samples.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let progress = meeting.progress();
    let photos: u64 = progress.progress.blobs.iter().map(|class| class.bytes_sent).sum();
    meeting.stop();
    if gap_ms == 0 || progress.is_fully_synced {
        let _ = timeout(PATIENCE, meeting.outcome()).await;
    }
    json!({ "ms": samples, "save_ms": saves, "photo_bytes": photos })
}

/// Edits as many inspections, each once: two answers, as a correction does.
pub(super) fn edit(member: &Member, count: usize) -> Value {
    let filter = RecordFilter::default();
    let (mut after, mut done) = (None, 0);
    member.device.catch_up().expect("a store that can be indexed");
    while done < count {
        let page = member.device.list(&filter, after, 100.min(count - done)).expect("a store that reads");
        for line in &page.lines {
            let mut draft = member.device.begin_edit(&member.observer, line.id).expect("a record of this device");
            draft.answers.insert("q00".into(), Answer::Int(777));
            draft.answers.insert("q03".into(), Answer::Text(format!("corrected after a call, visit {done}")));
            member.device.save(&draft).expect("answers that differ");
            done += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    json!({ "count": done })
}

/// Saves as many new inspections.
pub(super) fn add(mission: &Mission, member: &Member, count: u64) -> Value {
    (0..count).for_each(|number| save_new(mission, member, 8_000_000 + number));
    json!({ "count": count })
}

fn save_new(mission: &Mission, member: &Member, number: u64) {
    let form = mission::form_hash(&corpus::document());
    let mut draft = member.device.begin(&member.observer, mission.scope(), form).expect("a system with random bytes");
    draft.answers.extend(corpus::answers(number));
    member.device.save(&draft).expect("an inspection");
}

/// What the first device holds. Two devices that hold the same say the same.
pub(super) fn holding(member: &Member) -> Value {
    let store = member.device.store();
    let (mut tips, mut after) = (Vec::<LogTip>::new(), None::<LogId>);
    loop {
        let page = store.tips(None, after).expect("a store that reads");
        let Some(last) = page.last() else { break };
        after = Some(last.log);
        tips.extend(page);
    }
    let (mut blobs, mut after) = (Vec::<BlobHash>::new(), None::<BlobHash>);
    loop {
        let page = store.whole_blobs(after).expect("a store that reads");
        let Some(last) = page.last() else { break };
        after = Some(*last);
        blobs.extend(page);
    }
    let counts = store.counts().expect("a store that reads");
    // A log's head fixes everything before it.
    let tip = |tip: &LogTip| format!("{} {} {:?};", tip.log, tip.height, tip.head).into_bytes();
    json!({
        "entries": counts.entries,
        "bodies_missing": counts.bodies_missing,
        "tips": digest(tips.iter().map(tip)),
        "blobs": digest(blobs.iter().map(|hash| hash.as_bytes().to_vec())),
        "blob_count": blobs.len(),
        "blobs_missing": counts.blobs_missing,
    })
}

/// Works out the lists that a person sees: what *materialisation* is here.
pub(super) fn index(member: &Member) -> Value {
    let cpu = cpu_s();
    let (ms, ()) = time_ms(|| member.device.catch_up().expect("a store that can be indexed"));
    json!({ "ms": ms, "cpu_s": cpu_s() - cpu })
}

/// Takes everything into the ledger.
pub(super) fn checkpoint(camp: &Camp) -> Value {
    let cpu = cpu_s();
    let (ms, note) = time_ms(|| camp.checkpoint().expect("a ledger that goes on"));
    json!({ "ms": ms, "cpu_s": cpu_s() - cpu, "is_new": note.is_some() })
}
