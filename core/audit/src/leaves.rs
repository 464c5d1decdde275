//! The ledger's bundles: found, read in waves on all cores, and handed to the pass in their order.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::audit::bag::{Part, bundle_path};
use merestone_core::audit::ledger::{BUNDLE_BYTES_MAX, HashedLeaf, LedgerPass, LedgerView, Notes, read_bundle};
use merestone_core::audit::{BagCode, Findings, Place};
use merestone_core::id::ScopeId;
use merestone_core::ledger::{TILE_WIDTH, TileAddress};
use merestone_core::merkle::{NodeHash, Tree};
use merestone_core::roster::Roster;

use crate::cores::{Cores, on_cores};
use crate::folder::{Folder, Listed};
use crate::run::files_of;
use crate::{Options, Progress};

/// Bundles for each core in a wave: some 12 MB of leaves at most.
const WAVE_BUNDLES: usize = 256;

/// Reads the ledger of a bag, as far as its bundles go without a gap.
pub(crate) fn read_ledger(
    folder: &Folder,
    listed: &[Listed],
    roster: &Roster,
    notes: &Notes,
    scopes: Option<&[ScopeId]>,
    options: &Options<'_>,
    findings: &mut Findings,
) -> LedgerView {
    let bundles = bundles(listed, findings);
    let reach = bundles.iter().map(|bundle| u64::from(bundle.width())).sum();
    let mut pass = LedgerPass::new(roster, notes, scopes, reach);
    let wanted = usize::try_from(pass.end().div_ceil(TILE_WIDTH.into())).unwrap_or(usize::MAX);
    let wanted = &bundles[..wanted.min(bundles.len())];
    let mut cores = Cores::new(options.threads, || ());
    let mut done = 0;
    for wave in wanted.chunks(WAVE_BUNDLES * cores.len()) {
        for (address, read) in wave.iter().zip(on_cores(&mut cores, wave, |(), address| read(folder, *address))) {
            match read {
                Ok(leaves) => pass.take(&leaves, findings),
                Err((code, detail)) => {
                    findings.add(code, Place::file(&bundle_path(*address)), detail);
                    return pass.finish(findings);
                }
            }
        }
        done += wave.len() as u64;
        options.tell(Progress { stage: "reading the ledger", done, total: wanted.len() as u64 });
    }
    pass.finish(findings)
}

/// The roots over the first leaves of a bag, at each of these sizes that its bundles reach.
pub(crate) fn roots_at(folder: &Folder, sizes: &BTreeSet<u64>, options: &Options<'_>) -> BTreeMap<u64, NodeHash> {
    let (listed, _) = folder.list();
    let bundles = bundles(&listed, &mut Findings::new());
    let (mut tree, mut roots) = (Tree::new(), BTreeMap::new());
    let end = sizes.last().copied().unwrap_or(0);
    let mut cores = Cores::new(options.threads, || ());
    for wave in bundles.chunks(WAVE_BUNDLES * cores.len()) {
        for read in on_cores(&mut cores, wave, |(), address| read(folder, *address)) {
            let Ok(leaves) = read else { return roots };
            for (_, hash) in leaves {
                if tree.size() >= end {
                    return roots;
                }
                tree.append(hash);
                if sizes.contains(&tree.size()) {
                    roots.insert(tree.size(), tree.root());
                }
            }
        }
    }
    roots
}

/// The bundles from the first on: of each index the widest, up to the first that is not full or not there.
fn bundles(listed: &[Listed], findings: &mut Findings) -> Vec<TileAddress> {
    let files = files_of(listed, |part| match part {
        Part::Bundle(address) => Some(address),
        _ => None,
    });
    let mut widest: BTreeMap<u64, TileAddress> = BTreeMap::new();
    for (_, address) in &files {
        let held = widest.entry(address.index()).or_insert(*address);
        *held = (*held).max(*address);
    }
    let mut chosen: Vec<TileAddress> = Vec::new();
    for (index, address) in widest {
        if index != chosen.len() as u64 || chosen.last().is_some_and(|last| !last.is_full()) {
            break;
        }
        chosen.push(address);
    }
    for (file, address) in files {
        if !usize::try_from(address.index()).is_ok_and(|at| chosen.get(at) == Some(&address)) {
            findings.add(BagCode::BagForeignFile, Place::file(&file.path), "a bundle that does not follow on another");
        }
    }
    chosen
}

fn read(folder: &Folder, address: TileAddress) -> Result<Vec<HashedLeaf>, (BagCode, &'static str)> {
    let bytes = folder.read(&bundle_path(address), BUNDLE_BYTES_MAX);
    let bytes = bytes.ok_or((BagCode::BagUnreadable, "too large or not readable"))?;
    read_bundle(address, &bytes).map_err(|_| (BagCode::BundleMalformed, "not the leaves its path says"))
}
