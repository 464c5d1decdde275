//! Judging a bag through the crossing: verdict, findings, and every record page by page.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use merestone_ffi::{AuditOptions, AuditReport, audit_bag, explain_code};
use merestone_node::bag;
use merestone_tests::mission::replayed;

use super::*;

const RECORDS: usize = 7;

/// The bag of a phone on which some inspections were saved.
async fn bag_of(mission: &Mission, folder: &Path) -> PathBuf {
    let phone = folder.join("phone");
    let (open, observer) = enrolled(mission, &phone, "Olena").await;
    let scope = open.mission().await.unwrap().scopes[0].id.clone();
    let form = inspection(&open).await;
    for number in 0..RECORDS {
        let post = merestone_ffi::AnswerValue::Text { text: format!("Post {number}") };
        let answers = [("post".to_owned(), post)].into();
        open.save_new(observer.clone(), scope.clone(), form.clone(), answers, None).await.unwrap();
    }
    open.shut().await.unwrap();
    drop(open);
    let home = merestone_node::device::Home::new(&phone);
    let key = merestone_node::StoreKey::from_bytes([0; 32]);
    let device = merestone_node::device::Device::open(&home, key, replayed("crossing")).unwrap();
    let target = folder.join("bag");
    bag::write(device.store(), device.authority(), None, &target).unwrap();
    target
}

async fn judged(bag: &Path, mission: &Mission, is_fast: bool) -> Result<Arc<AuditReport>, PhoneError> {
    let options = AuditOptions { is_fast, records_max: 2 };
    audit_bag(bag.to_string_lossy().into_owned(), mission.id().to_string(), options).await
}

/// All records, in pages of so many.
async fn paged(report: &AuditReport, records_max: u32) -> Result<Vec<String>, PhoneError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = report.records(after, records_max).await?;
        assert!(page.records.len() <= records_max.max(1) as usize);
        all.extend(page.records);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

#[tokio::test]
async fn a_bag_is_judged_and_every_record_of_it_shown_in_pages_of_any_size() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let bag = bag_of(&mission, folder.path()).await;
    let report = judged(&bag, &mission, false).await.unwrap();
    assert_eq!(report.verdict(), "PASSED", "{}", report.text());
    assert!(report.json().contains("\"records_shown\": 2,"), "the report keeps what it was told to");
    let all = paged(&report, 100).await.unwrap();
    assert_eq!(all.len(), RECORDS);
    for records_max in [0, 1, 3, 7, u32::MAX] {
        assert_eq!(paged(&report, records_max).await.unwrap(), all);
    }
    let id = |shown: &str| shown[11..75].to_owned();
    assert!(all.iter().is_sorted_by_key(|shown| id(shown)));
    for shown in &all {
        assert_eq!(report.record(id(shown)).await.unwrap().as_ref(), Some(shown));
    }
    assert_eq!(report.record("0".repeat(64)).await.unwrap(), None);
    assert!(matches!(report.record("x".into()).await, Err(PhoneError::Refused { .. })));
    for finding in report.findings() {
        assert_eq!(explain_code(finding.code.clone()).unwrap().code, finding.code);
    }
    assert_eq!(explain_code("no-such-code".into()), None);
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused_and_what_changed_since_is_not_shown() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let absent = judged(&folder.path().join("absent"), &mission, false).await;
    assert!(matches!(absent, Err(PhoneError::NotThere { .. })));
    let no_bag = judged(folder.path(), &mission, false).await;
    assert!(matches!(no_bag, Err(PhoneError::Refused { code, .. }) if code == "no-bag"));

    let bag = bag_of(&mission, folder.path()).await;
    let fast = judged(&bag, &mission, true).await.unwrap();
    assert!(!fast.has_records() && paged(&fast, 10).await.unwrap().is_empty());
    let report = judged(&bag, &mission, false).await.unwrap();
    assert!(report.has_records());
    for log in std::fs::read_dir(bag.join("data/logs")).unwrap() {
        std::fs::write(log.unwrap().path(), b"").unwrap();
    }
    assert!(matches!(paged(&report, 10).await, Err(PhoneError::Refused { code, .. }) if code == "changed"));
    assert_eq!(judged(&bag, &mission, false).await.unwrap().verdict(), "FAILED");
}
