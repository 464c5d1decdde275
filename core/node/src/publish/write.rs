//! The folder of a publication: disclosures record by record, what lies beside them, and the pages for people.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use merestone_core::audit::Weight;
use merestone_core::audit::bag::{CHARTER, photo_path};
use merestone_core::disclosure::Disclosure;
use merestone_core::id::{BlobHash, EntryId, RecordId};
use merestone_core::publication::{
    ACCOUNT, Examination, HEADER, NOTE, PAGE, Page, TABLE, VERSION, disclose, disclosures_path, lines,
};
use merestone_core::roster::CharterFile;
use merestone_media::{ORIGINAL_BYTES_MAX, is_bare};
use merestone_store::BlobError;

use super::gather::Gathered;
use super::{PhotoLeftOut, PublishError, Published};
use crate::bag::folder::Building;
use crate::bag::manifest::Manifest;
use crate::device::Device;

pub(super) fn write(device: &Device, gathered: &Gathered, target: &Path) -> Result<Published, PublishError> {
    let building = Building::begin(target)?;
    let mut folder = Folder { building, manifest: Manifest::default() };
    let file = CharterFile::of(&device.authority().roster());
    folder.evidence(CHARTER, file.as_bytes())?;
    folder.evidence(ACCOUNT, gathered.signed.as_bytes())?;
    for (form, definition) in &gathered.forms {
        let bytes = definition.encode().map_err(|refused| PublishError::Account(refused.into()))?;
        folder.evidence(&format!("data/forms/{form}.cbor"), &bytes)?;
    }
    if let Some(note) = &gathered.note {
        folder.evidence(NOTE, note)?;
    }

    let charter = file.charter();
    let account = gathered.signed.account();
    let mut examination = Examination::begin(account, charter, &gathered.forms);
    let mut table = folder.building.file(TABLE)?;
    table.write(HEADER.as_bytes())?;
    let mut page = Page::begin(charter, &gathered.signed, &gathered.forms);
    for (&record, shown) in &gathered.records {
        let bytes = disclosures(device, gathered, record, shown)?;
        let read: Vec<Disclosure<'_>> = examination.record(record, &bytes);
        let party = |id| examination.party(id);
        table.write(lines(record, &read, party, |form| gathered.forms.get(&form)).as_bytes())?;
        page.record(record, &read, party);
        folder.evidence(&disclosures_path(record), &bytes)?;
    }
    folder.manifest.add_tag(TABLE, table.finish()?);
    let (photos, photos_left_out) = photos(device, examination.photos(), &mut folder)?;
    let (findings, tally) = examination.finish();
    if let Some(worst) = findings.iter().find(|finding| finding.weight == Weight::Failure) {
        return Err(PublishError::Faulty { finding: Box::new(worst) });
    }
    folder.page(PAGE, page.finish(&tally).as_bytes())?;
    let (files, bytes) = folder.finish(device)?;
    let (party, account) = (gathered.signed.party(), gathered.signed.id());
    Ok(Published { party, account, tally, photos, photos_left_out, files, bytes })
}

/// The disclosures of one record, ascending by entry.
fn disclosures(
    device: &Device,
    gathered: &Gathered,
    record: RecordId,
    shown: &BTreeSet<EntryId>,
) -> Result<Vec<u8>, PublishError> {
    let held = device.held(record)?;
    let mut items: BTreeMap<EntryId, Vec<u8>> = BTreeMap::new();
    for held in held.iter().filter(|held| shown.contains(&held.id())) {
        let Some(form) = held.entry().header().commitment.map(|made| made.form) else { continue };
        let Some(definition) = gathered.forms.get(&form) else { continue };
        let decided = gathered.signed.account().permits(record, form, definition)?;
        items.insert(held.id(), disclose(held.entry(), definition, &decided)?);
    }
    Ok(items.into_values().collect::<Vec<_>>().concat())
}

/// Copies the photos that opened leaves name, as far as they are held and have nothing beside their pixels.
fn photos(
    device: &Device,
    named: &BTreeSet<BlobHash>,
    folder: &mut Folder,
) -> Result<(u64, Vec<(BlobHash, PhotoLeftOut)>), PublishError> {
    let (mut copied, mut left_out) = (0, Vec::new());
    for &hash in named {
        let mut bytes = Vec::new();
        if let Some(file) = device.store.open_blob(hash).map_err(PublishError::Photo)? {
            let read = file.take(ORIGINAL_BYTES_MAX as u64).read_to_end(&mut bytes);
            read.map_err(|error| PublishError::Photo(BlobError::from(error)))?;
        }
        if BlobHash::of(&bytes) != hash {
            left_out.push((hash, PhotoLeftOut::NotHeld));
        } else if !is_bare(&bytes) {
            left_out.push((hash, PhotoLeftOut::Metadata));
        } else {
            folder.evidence(&photo_path(hash), &bytes)?;
            copied += 1;
        }
    }
    Ok((copied, left_out))
}

/// The folder while it is written, and what is in it.
struct Folder {
    building: Building,
    manifest: Manifest,
}

impl Folder {
    fn evidence(&mut self, path: &str, content: &[u8]) -> Result<(), PublishError> {
        let file = self.building.put(path, content)?;
        self.manifest.add(path.to_owned(), file);
        Ok(())
    }

    fn page(&mut self, path: &str, content: &[u8]) -> Result<(), PublishError> {
        let file = self.building.put(path, content)?;
        self.manifest.add_tag(path, file);
        Ok(())
    }

    /// Writes what BagIt asks for, and gives the folder its name: the files in it and their bytes.
    fn finish(mut self, device: &Device) -> Result<(u64, u64), PublishError> {
        let (files, bytes) = (self.manifest.payload().count(), self.manifest.payload().bytes());
        let version = format!("Merestone-Publication-Version: {VERSION}");
        let tags = self.manifest.finish(&version, device.mission(), "", &mut self.building)?;
        self.building.finish()?;
        Ok((files + tags.count(), bytes + tags.bytes()))
    }
}
