//! What two joined sessions must do, and what one must refuse.

mod blobs;
mod forks;
mod hostile;
mod meeting;
mod receipts;
mod second;
mod standing;
