//! One device's whole life: its keys, what a person writes on it, what it knows of everybody else's records.
//!
//! An app, a command or a test that does something on a device does it through here. This crate composes the rooms below it
//! (store, link, media, forms, and the rules of `merestone-core`) and decides nothing that they decide: no format but the
//! key file's, no SQL.
//!
//! # The parts, in the order in which a person meets them
//!
//! - **A device** is one installation for one mission: [`Device::create`] makes it of the charter that all parties signed,
//!   [`Device::open`] opens it. Time and random bytes come from the [`System`](device::System) it is given, so that a test
//!   or a replay can choose them.
//! - **An observer** has a key of their own on the device, also when several share it. The key rests in a
//!   [`Vault`](vault::Vault): a file that a passphrase wraps, or a keystore of the platform.
//!   [Enrolment](enrolment) carries a request to an officer and a certificate back, as text or QR code,
//!   with six words to compare by voice. [`PartyOffice`](office::PartyOffice) is the officer's side.
//! - **A [draft](draft)** is what a person has begun. It is kept at every change and there again after a kill.
//! - **Saving** turns a draft into one signed entry, and the draft is gone in the same commit: [`Device::save`].
//!   An edit writes only what differs from what its screen showed, and it replaces only values that the screen showed:
//!   what came in meanwhile stays beside it as a conflict. What a form finds wrong is shown and never keeps
//!   anything from being saved.
//! - **Photos** are kept as they came, byte for byte; small pictures are made once, here, and signed with them:
//!   [`Device::attach`].
//! - **[Records](records)** are what the entries say: lists and searches, one record with every value and its standing,
//!   its history entry by entry, and who else holds a copy.
//! - **A [replica](replica)** carries the store to peers and base camp: [`Device::replica`]. [Where they answer](nearby)
//!   is said by a ticket, or found on the local network; where no network reaches, a [courier] carries a file. **A [bag](bag)** carries it to
//!   auditors, and a **[publication](publish)** shows everybody what a party decided to show.
//!
//! # Saved means saved
//!
//! When a call that keeps something returns, it survives a kill and a power cut. A call that fails changed nothing.
//! Nothing is signed twice at one place of a log: a device that was restored from a backup finds its install marker missing
//! and begins logs of its own, and so does one that hears from a peer of entries that it signed and lost.
//!
//! # What is worked out
//!
//! Lists, views and histories are made of the entries when they are asked for, a whole record at a time; none of it is
//! evidence. Saving does not wait for it: the list catches up when it is shown.
//!
//! # Example
//!
//! ```
//! use merestone_core::key::SigningKey;
//! use merestone_core::roster::Role;
//! use merestone_forms::{Form, standard};
//! use merestone_node::device::{Home, System};
//! use merestone_node::office::{MissionPlan, PartyOffice};
//! use merestone_node::records::RecordFilter;
//! use merestone_node::vault::{KeyFiles, Passphrase, UnlockCost};
//! use merestone_node::{Answer, Device};
//! use merestone_store::StoreKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let system = System::real(180)?;
//!
//! // A party founds a mission. Usually there are several, each with its key on a machine of its own.
//! let root = SigningKey::from_seed(&[1; 32]);
//! let office = PartyOffice::new(&root);
//! let form = Form::read_tables(standard::INSPECTION)?.definition().hash()?;
//! let plan = MissionPlan {
//!     name: "Border mission".into(),
//!     parties: vec![("State A".into(), *root.public())],
//!     scopes: vec!["North".into()],
//!     forms: vec![form],
//!     ledger: None,
//!     quorum: 1,
//! };
//! let charter = office.found(&plan.charter(&*system.entropy)?)?.complete()?;
//! let scope = charter.charter().scopes[0].id;
//!
//! // A phone joins. The passphrase costs little to try here so that the example is quick.
//! let home = Home::new(folder.path());
//! let phone = Device::create(&home, StoreKey::from_bytes([0; 32]), charter.as_bytes(), system)?;
//! let passphrase = Passphrase::new("correct horse battery staple".into()).ok_or("nothing typed")?;
//! let vault = KeyFiles::with_cost(&home.keys(), passphrase, UnlockCost { memory_kib: 8, passes: 1, lanes: 1 });
//! let enrolment = phone.request(&vault, "Олена Коваленко", "Phone 3")?;
//! let seen = office.read_request(&charter, &enrolment.text)?;
//! assert_eq!(seen.words, enrolment.words, "read aloud by one, compared by the other");
//! let certificate = office.certify(&charter, &seen.request, Role::Observer, &[scope])?;
//! let olena = phone.accept(&certificate.to_text())?.key;
//!
//! // She writes down what she sees, saves it, and corrects it.
//! let draft = phone.keep(phone.begin(&olena, scope, form)?)?;
//! phone.put(draft.id, "post", "Гоптівка")?;
//! let draft = phone.put(draft.id, "queue_best", 40)?;
//! let saved = phone.save(&draft)?;
//! let draft = phone.keep(phone.begin_edit(&olena, saved.record)?)?;
//! phone.save(&phone.put(draft.id, "queue_best", 45)?)?;
//!
//! // Anybody can see what it says now, and how it came to that.
//! let filter = RecordFilter { text: Some("гоптів".into()), ..RecordFilter::default() };
//! let found = phone.list(&filter, None, 20)?;
//! assert_eq!(found.lines[0].id, saved.record);
//! let history = phone.history(saved.record)?;
//! assert_eq!(history[1].changes[0].before, [(saved.entry, Answer::Int(40))]);
//! assert_eq!(history[1].changes[0].after, Answer::Int(45));
//! # Ok(())
//! # }
//! ```

pub mod authority;
pub mod bag;
pub mod capture;
pub mod clock;
pub mod courier;
pub mod device;
pub mod draft;
mod durable;
pub mod enrolment;
pub mod filling;
pub mod forms;
pub mod mirror;
pub mod nearby;
pub mod new_file;
pub mod office;
pub mod place;
pub mod publish;
pub mod qr;
pub mod records;
pub mod redaction;
pub mod replica;
pub mod succession;
pub mod vault;

pub use device::Device;
pub use merestone_core::id::RecordId;
pub use merestone_core::key::PublicKey;
pub use merestone_forms::Answer;
pub use merestone_store::{DraftId, OpenError, PageKey, ReadError, StoreKey, Threads};
