//! Two auditors compare what they were shown: the bags of the vectors, and reports of them.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use merestone_audit::{CompareError, Compared, Options, Verdict, audit_folder, compare_shown};
use merestone_core::id::MissionId;
use serde_json::Value;
use tempfile::TempDir;

/// Vectors unpacked as bags, and reports of them.
struct Desk {
    home: TempDir,
    mission: MissionId,
}

impl Desk {
    fn new() -> Self {
        let mission = vector("valid/one-record")["mission"].as_str().unwrap().to_owned();
        Self { home: tempfile::tempdir().unwrap(), mission: MissionId::from_hex(&mission).unwrap() }
    }

    fn bag(&self, name: &str) -> PathBuf {
        let folder = self.home.path().join(name);
        for (path, content) in vector(name)["files"].as_object().unwrap() {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, HEXLOWER.decode(content.as_str().unwrap().as_bytes()).unwrap()).unwrap();
        }
        folder
    }

    fn report(&self, name: &str) -> PathBuf {
        let report = audit_folder(&self.bag(name), self.mission, &Options::default()).unwrap();
        let path = self.home.path().join(format!("{}.json", name.replace('/', "-")));
        fs::write(&path, report.to_json()).unwrap();
        path
    }

    fn compare(&self, a: &Path, b: &Path) -> Compared {
        compare_shown(a, b, Some(self.mission), &Options::default()).unwrap()
    }

    /// Bags and reports of two vectors, in both orders: one verdict and these codes among the findings.
    fn check(&self, [a, b]: [&str; 2], verdict: Verdict, bags: &[&str], reports: &[&str]) {
        let (bag, report) = ([self.bag(a), self.bag(b)], [self.report(a), self.report(b)]);
        for (paths, codes) in [(bag, bags), (report, reports)] {
            for (a, b) in [(&paths[0], &paths[1]), (&paths[1], &paths[0])] {
                let compared = self.compare(a, b);
                let found: Vec<&str> = compared.findings().counts().map(|(_, code, _)| code.as_str()).collect();
                assert_eq!(found, codes, "{}", compared.to_text());
                assert_eq!(compared.verdict(), verdict, "{}", compared.to_text());
                assert!(compared.to_json().contains(verdict.as_str()));
            }
        }
    }
}

fn vector(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors/bundle");
    serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

#[test]
fn who_were_shown_the_same_agree() {
    let desk = Desk::new();
    let same = ["ledgers-agree"];
    desk.check(["valid/ledger-final"; 2], Verdict::Passed, &same, &same);
    // Fewer cosignatures of the same tree.
    desk.check(
        ["valid/ledger-final", "valid/ledger-nobody"],
        Verdict::Passed,
        &["ledgers-agree", "shown-note"],
        &["ledgers-agree", "shown-note"],
    );
}

#[test]
fn what_only_one_was_shown_is_named() {
    let desk = Desk::new();
    let of_bags = ["shown-entries", "ledgers-agree"];
    let of_reports = ["shown-entries", "shown-not-compared", "ledgers-agree"];
    desk.check(["valid/ledger-final", "invalid/ledger-entry-left-out"], Verdict::Indeterminate, &of_bags, &of_reports);
    let log = ["shown-log", "ledgers-agree"];
    desk.check(["valid/ledger-final", "invalid/ledger-log-left-out"], Verdict::Indeterminate, &log, &log);
    // An older bag: its leaves are the beginning of the other's, which reports cannot show.
    let older = ["valid/ledger-nobody", "valid/ledger-behind"].map(|name| (desk.bag(name), desk.report(name)));
    let of_bags = desk.compare(&older[0].0, &older[1].0);
    assert_eq!(of_bags.verdict(), Verdict::Passed, "{}", of_bags.to_text());
    let of_reports = desk.compare(&older[0].1, &older[1].1);
    assert!(of_reports.to_text().contains("ledgers-not-compared"), "{}", of_reports.to_text());
}

#[test]
fn two_histories_fail_from_bags_and_from_reports() {
    let desk = Desk::new();
    let [a, b] = [desk.report("valid/ledger-final"), desk.report("invalid/ledger-scope")];
    let compared = desk.compare(&a, &b);
    assert_eq!(compared.verdict(), Verdict::Failed, "{}", compared.to_text());
    let [a, b] = [desk.bag("valid/ledger-behind"), desk.bag("invalid/ledger-scope")];
    let compared = desk.compare(&a, &b);
    assert!(compared.to_text().contains("ledger-split"), "{}", compared.to_text());
}

#[test]
fn what_is_neither_is_refused_by_name() {
    let desk = Desk::new();
    let bag = desk.bag("valid/ledger-final");
    let nothing = desk.home.path().join("nothing.json");
    fs::write(&nothing, "{}").unwrap();
    let compare = |a: &Path, b: &Path, mission| compare_shown(a, b, mission, &Options::default()).unwrap_err();
    assert!(matches!(compare(&nothing, &bag, Some(desk.mission)), CompareError::Report { .. }));
    assert!(matches!(compare(&bag, &bag, None), CompareError::Mission { .. }));
    assert!(matches!(compare(&desk.home.path().join("absent"), &bag, None), CompareError::Open(_)));
}
