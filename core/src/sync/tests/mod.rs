//! What two joined sessions must do, and what one must refuse.

mod blobs;
mod bodies;
mod forks;
mod hostile;
mod later;
mod meeting;
mod receipts;
mod second;
mod standing;
mod withheld;
