//! A device's home, and the process that works in it until it is killed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use merestone_core::key::PublicKey;
use merestone_tests::outpost;
use merestone_tests::saving::Line;
use tempfile::TempDir;

pub(crate) const SAVER: &str = env!("CARGO_BIN_EXE_saver");

/// A device with one observer, closed.
pub(crate) struct Home {
    folder: TempDir,
    pub(crate) observer: PublicKey,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mission = outpost::found();
        let observer = mission.enrol(&outpost::create(&mission, folder.path()), 0, "Олена");
        Self { folder, observer }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A running saver.
pub(crate) struct Victim {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Victim {
    pub(crate) fn start(home: &Home, seed: u64) -> Self {
        let mut command = Command::new(SAVER);
        command.arg(home.path()).arg(home.observer.to_string()).arg(seed.to_string());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Waits for the next line.
    pub(crate) fn next(&mut self) -> Line {
        let mut text = String::new();
        self.lines.read_line(&mut text).unwrap();
        let Some(line) = Line::read(text.trim_end_matches('\n')) else {
            let mut said = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the saver ended by itself after {text:?}: {said}");
        };
        line
    }

    /// Kills it, and gives the lines that it had written before that nobody had read.
    pub(crate) fn kill(mut self) -> Vec<Line> {
        self.child.kill().unwrap();
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        if status.signal() != Some(9) {
            let mut said = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the saver ended by itself ({status}): {said}");
        }
        // The last line may be cut; what it would have said was not said.
        rest.split_inclusive('\n').filter_map(|line| Line::read(line.strip_suffix('\n')?)).collect()
    }
}
