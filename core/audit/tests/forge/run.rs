//! A run over seeds and kinds: what was tried, what was found, and what was wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use merestone_audit::{Finding, Pass, Report, Verdict};

use crate::chance::Chance;
use crate::kind::{BOTH, Kind};
use crate::kinds;
use crate::scene::Scene;
use crate::support::Bag;

/// Seeds of a run in the suite.
const SEEDS: u64 = 6;
/// In the suite each seed tries every so many of the kinds, so that a run takes seconds and sees many missions.
const SHARE: usize = 4;
/// Further seeds in which kinds that found no place yet look for one.
const MORE: u64 = 60;

/// Which part of the table a run is for; both together are all of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// What is done to entries and logs.
    Logs,
    /// What is done to everything else.
    Around,
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seeds asked for.
fn seeds() -> Range<u64> {
    let first = number("FORGE_FIRST").unwrap_or(0);
    first..first + number("FORGE_SEEDS").unwrap_or(SEEDS)
}

/// The only kind asked for.
pub(crate) fn wanted() -> Option<String> {
    std::env::var("FORGE_KIND").ok()
}

#[derive(Clone, Copy, Default)]
struct Count {
    tried: u64,
    found: u64,
    no_place: u64,
}

pub(crate) struct Run {
    kinds: Vec<(&'static str, Kind)>,
    counts: BTreeMap<&'static str, Count>,
    untouched: u64,
    pub(crate) wrong: Vec<String>,
}

impl Run {
    /// A run of every kind of a half over the seeds asked for; without any asked for, each seed tries a share.
    pub(crate) fn of(half: Half) -> Self {
        let mut run = Self::new(half);
        let share = if number("FORGE_SEEDS").is_some() { 1 } else { SHARE };
        let seeds = seeds();
        for seed in seeds.clone() {
            run.seed(seed, |number, _| (number as u64 + seed).is_multiple_of(share as u64));
        }
        for seed in seeds.end..seeds.end + MORE {
            if run.idle().is_empty() || wanted().is_some() {
                break;
            }
            run.seed(seed, |_, tried| tried == 0);
        }
        run
    }

    fn new(half: Half) -> Self {
        let mut kinds = kinds::all();
        kinds.retain(|(layer, _)| (kinds::OF_LOGS.contains(layer)) == (half == Half::Logs));
        if let Some(wanted) = wanted() {
            kinds.retain(|(_, kind)| kind.name == wanted);
        }
        Self { kinds, counts: BTreeMap::new(), untouched: 0, wrong: Vec::new() }
    }

    /// One mission, untouched and then forged in every way.
    fn seed(&mut self, seed: u64, is_due: impl Fn(usize, u64) -> bool) {
        let scene = Scene::play(seed);
        let bag = scene.bag();
        let before: BTreeMap<Pass, Report> = audit(&bag, BOTH, "untouched").into_iter().collect();
        for report in before.values() {
            self.untouched += 1;
            if let Err(alarm) = unprovoked(&scene, report).and(presentable(report)) {
                self.wrong.push(format!("seed {seed} untouched: {alarm}"));
            }
        }
        for number in 0..self.kinds.len() {
            let tried = self.counts.get(self.kinds[number].1.name).map_or(0, |count| count.tried);
            if is_due(number, tried) {
                self.forge(seed, number, &scene, &bag, &before);
            }
        }
    }

    fn forge(&mut self, seed: u64, number: usize, scene: &Scene, bag: &Bag, before: &BTreeMap<Pass, Report>) {
        let kind = &self.kinds[number].1;
        let count = self.counts.entry(kind.name).or_default();
        let mut forged = bag.clone();
        let Some(expected) = (kind.forge)(&mut forged, scene, &mut Chance::named(seed, kind.name)) else {
            count.no_place += 1;
            return;
        };
        let unknown = expected.unknown_codes();
        assert!(unknown.is_empty(), "{}: no report has {unknown:?}", kind.name);
        for (pass, report) in audit(&forged, kind.passes, kind.name) {
            count.tried += 1;
            let known = before[&pass].findings();
            let is_asked = expected.named().any(|code| code == OPEN_CUT);
            let verdict = |report: &Report| if is_asked { report.verdict() } else { but_for_open_cuts(report, scene) };
            let fresh: Vec<Finding> =
                report.findings().into_iter().filter(|finding| !known.contains(finding)).collect();
            let is_open = |finding: &Finding| !is_asked && scene.has_ledger() && finding.code.as_str() == OPEN_CUT;
            let fresh: Vec<Finding> = fresh.into_iter().filter(|finding| !is_open(finding)).collect();
            let compared = expected.compare(verdict(&before[&pass]), verdict(&report), &fresh);
            match compared.and(presentable(&report)) {
                Ok(()) => count.found += 1,
                Err(why) => {
                    let said: Vec<String> = fresh
                        .iter()
                        .take(6)
                        .map(|finding| {
                            format!(
                                "    {} {} {} {:?}",
                                finding.weight.as_str(),
                                finding.code,
                                finding.detail,
                                finding.place
                            )
                        })
                        .collect();
                    self.wrong.push(format!("seed {seed} {} {}: {why}\n{}", kind.name, pass.as_str(), said.join("\n")));
                }
            }
        }
    }

    /// Kinds that found no place in any scene.
    pub(crate) fn idle(&self) -> Vec<&'static str> {
        let is_idle = |kind: &&Kind| self.counts.get(kind.name).is_none_or(|count| count.tried == 0);
        self.kinds.iter().map(|(_, kind)| kind).filter(is_idle).map(|kind| kind.name).collect()
    }

    /// What was tried of each kind.
    pub(crate) fn table(&self) -> String {
        let mut table =
            format!("{:<10}{:<46}{:<10}{:>6}{:>6}{:>9}\n", "layer", "kind", "forger", "tried", "found", "no place");
        for (layer, kind) in &self.kinds {
            let Count { tried, found, no_place } = self.counts.get(kind.name).copied().unwrap_or_default();
            let by = format!("{:?}", kind.by).to_lowercase();
            table += &format!("{layer:<10}{:<46}{by:<10}{tried:>6}{found:>6}{no_place:>9}\n", kind.name);
        }
        let tried: u64 = self.counts.values().map(|count| count.tried).sum();
        let found: u64 = self.counts.values().map(|count| count.found).sum();
        table
            + &format!(
                "{} kinds, {tried} audits of forged bags, {found} right; {} of untouched bags; {} wrong answers\n",
                self.kinds.len(),
                self.untouched,
                self.wrong.len()
            )
    }
}

/// Both passes over one folder, which stays in `FORGE_OUT` under the kind's name where that is set.
fn audit(bag: &Bag, passes: &[Pass], name: &str) -> Vec<(Pass, Report)> {
    let folder = match std::env::var_os("FORGE_OUT") {
        Some(out) => {
            let prefix = format!("{name}-");
            tempfile::Builder::new().prefix(&prefix).disable_cleanup(true).tempdir_in(out).unwrap()
        }
        None => tempfile::tempdir().unwrap(),
    };
    bag.write(folder.path());
    passes.iter().map(|&pass| (pass, bag.audit_in(folder.path(), pass))).collect()
}

/// What a scene's own cut leaves open, because nobody acknowledged it: what it covers may have been final before.
const OPEN_CUT: &str = "cut-finality-unknown";

/// The verdict without that, in a scene that has such a cut.
fn but_for_open_cuts(report: &Report, scene: &Scene) -> Verdict {
    let all = report.findings();
    let counted = all.iter().filter(|finding| !scene.has_ledger() || finding.code.as_str() != OPEN_CUT);
    match counted.map(|finding| finding.weight).min() {
        Some(merestone_audit::Weight::Failure) => Verdict::Failed,
        Some(merestone_audit::Weight::Doubt) => Verdict::Indeterminate,
        Some(merestone_audit::Weight::Note) | None => Verdict::Passed,
    }
}

/// A false alarm over an untouched bag. The only doubt a scene raises by itself is a fork that nobody cut.
fn unprovoked(scene: &Scene, report: &Report) -> Result<(), String> {
    let is_forked = scene.authors.iter().any(|author| author.is_forked);
    for finding in report.findings() {
        let is_intended = (is_forked && finding.code.as_str() == "log-fork")
            || (scene.has_ledger() && finding.code.as_str() == OPEN_CUT);
        if finding.weight != merestone_audit::Weight::Note && !is_intended {
            return Err(format!("{} {} {} {:?}", finding.weight.as_str(), finding.code, finding.detail, finding.place));
        }
    }
    let wanted = if is_forked { Verdict::Indeterminate } else { Verdict::Passed };
    if but_for_open_cuts(report, scene) == wanted { Ok(()) } else { Err(format!("{}, not {wanted}", report.verdict())) }
}

/// What somebody else wrote steers no terminal and no browser that shows the report.
fn presentable(report: &Report) -> Result<(), String> {
    let text = report.to_text();
    if let Some(found) = text.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("the text holds {found:?}"));
    }
    let page = report.to_html();
    for markup in ["<script", "<img src=x", "onerror=\"", "</td><b>"] {
        if page.contains(markup) {
            return Err(format!("the page holds {markup}"));
        }
    }
    let json = report.to_json();
    match json.chars().find(|c| c.is_control() && *c != '\n') {
        Some(found) => Err(format!("the JSON holds {found:?}")),
        None => Ok(()),
    }
}
