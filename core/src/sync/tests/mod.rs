//! What two joined sessions must do, and what one must refuse.

mod blobs;
mod forks;
mod hostile;
mod meeting;
mod second;
mod standing;
