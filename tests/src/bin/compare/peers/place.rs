//! Where the benches of others are, and where they are built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folders.
pub(crate) struct Place {
    /// The benches, never written to.
    shared: PathBuf,
    /// Copies and what is built from them.
    build: PathBuf,
}

impl Place {
    /// The benches named by `MERESTONE_SHARED`, or those beside the project.
    pub(crate) fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        let shared = std::env::var_os("MERESTONE_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
        let program = std::env::current_exe().unwrap_or_default();
        let target = program.parent().and_then(Path::parent).unwrap_or(Path::new("target"));
        Self { shared: shared.join("peers"), build: target.join("peers") }
    }

    /// Copies a bench, where it is not copied yet.
    pub(super) fn copy(&self, bench: &str) -> Result<PathBuf, String> {
        let (from, to) = (self.shared.join(bench), self.build.join("src").join(bench));
        if !from.is_dir() {
            return Err(format!("no bench at {}: set MERESTONE_SHARED", from.display()));
        }
        if !to.is_dir() {
            copy_all(&from, &to).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
        }
        Ok(to)
    }

    pub(super) fn log(&self, bench: &str) -> PathBuf {
        self.build.join(format!("{bench}.log"))
    }
}

/// Builds a bench in Rust, stripped, all benches in one target folder; its program.
pub(super) fn cargo(place: &Place, bench: &str) -> Result<PathBuf, String> {
    let folder = place.copy(bench)?;
    let target = place.build.join("cargo");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--locked"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_STRIP", "true");
    logged(&mut command, &place.log(bench))?;
    Ok(target.join("release").join(format!("peer-{bench}")))
}

/// Runs a step of building; its output goes to a file, of which the last line is the reason of a failure.
pub(super) fn logged(command: &mut Command, log: &Path) -> Result<(), String> {
    let file = fs::File::create(log).map_err(|error| error.to_string())?;
    let errors = file.try_clone().map_err(|error| error.to_string())?;
    let status = command.stdin(Stdio::null()).stdout(file).stderr(errors).status();
    let name = command.get_program().to_string_lossy().into_owned();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let said = fs::read_to_string(log).unwrap_or_default();
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Err(format!("not built: {name}: {status}: {last}"))
        }
        Err(error) => Err(format!("not built: {name}: {error}")),
    }
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_all(&path, &to)?;
        } else {
            // Read and written, because a copy would keep a mode that forbids writing.
            fs::write(&to, fs::read(&path)?)?;
        }
    }
    Ok(())
}
