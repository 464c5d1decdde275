//! A network namespace of one's own, so that the counters of its loopback interface belong to one measurement alone.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How namespaces can be made here, if they can: as root, or in a user namespace of one's own.
const WAYS: [&str; 2] = ["-n", "-rn"];

/// A command that starts `program` in a namespace of its own where the system allows one, and in this one where it does not.
pub fn apart(program: &Path) -> Command {
    let Some(way) = WAYS.into_iter().find(|way| can(way)) else { return Command::new(program) };
    let mut command = Command::new("unshare");
    command.args([way, "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]).arg(program);
    command
}

/// Whether [`apart`] is apart. If not, the counters hold everybody's traffic.
pub fn is_available() -> bool {
    WAYS.into_iter().any(can)
}

fn can(way: &str) -> bool {
    let words =
        [OsStr::new(way), OsStr::new("ip"), OsStr::new("link"), OsStr::new("set"), "lo".as_ref(), "up".as_ref()];
    let status = Command::new("unshare").args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Bytes that the loopback interface of this namespace has carried: Ethernet, IP and UDP headers included.
///
/// Read from `/proc`, because `/sys` shows the namespace in which it was mounted.
pub(super) fn loopback_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("lo:"));
    // The ninth column is what was sent; on loopback that is what was received.
    line.and_then(|counters| counters.split_whitespace().nth(8)).and_then(|sent| sent.parse().ok()).unwrap_or(0)
}

/// [`loopback_bytes`] once nothing has moved for 60 ms: good-byes and late acknowledgements count.
#[expect(clippy::disallowed_methods, reason = "that nothing moves any more is no event that could be waited for")]
pub(super) fn settled_loopback_bytes() -> u64 {
    let began = Instant::now();
    let mut bytes = loopback_bytes();
    loop {
        thread::sleep(Duration::from_millis(60));
        let now = loopback_bytes();
        if now == bytes || began.elapsed() > Duration::from_secs(3) {
            return now;
        }
        bytes = now;
    }
}
