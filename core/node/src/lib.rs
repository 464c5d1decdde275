//! One device's whole life: key, store, link, media, forms.

pub mod answer;
pub mod authority;
pub mod bag;
pub mod capture;
pub mod clock;
pub mod device;
pub mod draft;
mod durable;
pub mod enrolment;
pub mod forms;
pub mod office;
pub mod qr;
pub mod records;
pub mod replica;
pub mod vault;

pub use answer::Answer;
pub use device::Device;
pub use merestone_core::id::RecordId;
pub use merestone_core::key::PublicKey;
pub use merestone_store::StoreKey;
