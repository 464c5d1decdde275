//! What the audit says of a bag: the auditor's own code, on nothing but the folder and the mission id.

use std::fs;
use std::path::Path;

use merestone_audit::{OpenError, Options, Report, audit_folder};
use merestone_core::id::MissionId;

use crate::exit::{Code, Failure};

/// Audits a bag in full.
///
/// # Errors
/// If there is no bag.
pub(super) fn of(bag: &Path, mission: MissionId) -> Result<Report, Failure> {
    audit_folder(bag, mission, &Options::default())
        .map_err(|error: OpenError| Failure::new(Code::Failed, error.to_string()))
}

/// Writes a report as JSON and as a page into the new folder `folder`.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(report: &Report, folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::output_file(folder, &error))?;
    for (name, text) in [("report.json", report.to_json()), ("report.html", report.to_html())] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| Failure::output_file(&path, &error))?;
    }
    Ok(())
}
