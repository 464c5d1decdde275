//! A process of its own that holds a device and meets another one over whatever network there is.
//!
//! ```text
//! rough_peer serve HOME                  says where it answers and its transport key, and answers until its input ends
//! rough_peer sync HOME ADDRESS KEY       meets the peer until both hold the same; a line for each conversation
//! ```
//!
//! A conversation's line says: entries that the peer made durable, bytes of photos handed to the link, and whether
//! both sides hold the same.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use merestone_link::PeerKey;
use merestone_node::Device;
use merestone_node::replica::{Meet, Replica, Retry, SyncError, SyncOutcome};
use merestone_tests::mission::vault;
use merestone_tests::outpost;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let result = match arguments[..] {
        ["serve", home] => runtime.block_on(serve(Path::new(home))),
        ["sync", home, address, key] => runtime.block_on(sync(Path::new(home), address, key)),
        _ => Err("usage: rough_peer serve HOME | sync HOME ADDRESS KEY".into()),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::FAILURE
}

fn replica(home: &Path) -> Result<Replica, Box<dyn Error>> {
    let device: Device = outpost::open(home)?;
    let observer = device.observers().first().ok_or("nobody is enrolled here")?.key;
    device.unlock(&vault(&device), &observer)?;
    Ok(Arc::new(device).replica(&observer)?)
}

async fn serve(home: &Path) -> Result<(), Box<dyn Error>> {
    let replica = replica(home)?;
    let serving = replica.serve(replica.bind("127.0.0.1:0".parse()?)?)?;
    let key: String = replica.transport_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    say(&format!("{} {key}", serving.address()))?;
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    serving.stop().await;
    Ok(())
}

async fn sync(home: &Path, address: &str, key: &str) -> Result<(), Box<dyn Error>> {
    let replica = replica(home)?;
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(key.get(2 * index..2 * index + 2).ok_or("a key has 64 digits")?, 16)?;
    }
    let meet = Meet::new(address.parse()?, PeerKey::from_bytes(bytes));
    let mut said = Ok(());
    let tell = |result: &Result<SyncOutcome, SyncError>| {
        let Ok(outcome) = result else { return };
        let photo_bytes: u64 = outcome.progress.blobs.iter().map(|blobs| blobs.bytes_sent).sum();
        let line = format!("{} {photo_bytes} {}", outcome.progress.entries_sent, outcome.is_fully_synced);
        if let Err(error) = say(&line) {
            said = Err(error);
        }
    };
    let outcome = replica.sync_until_done_telling(meet, Retry::default(), tell).await?;
    said?;
    if outcome.is_fully_synced { Ok(()) } else { Err(format!("not done: {}", outcome.end).into()) }
}

/// One write for one line, and nothing kept back.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
