//! Frames on their way out: of each class at most one waits for the link, so that nothing urgent queues behind it.

use merestone_core::sync::Class;
use merestone_link::Connection;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;

use super::answer::link_class;

/// One lane for each class. Dropping it ends its tasks.
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    freed: UnboundedReceiver<usize>,
    /// The lanes' tasks, ended with them.
    _senders: JoinSet<()>,
}

struct Lane {
    class: Class,
    frames: mpsc::Sender<Vec<u8>>,
    is_free: bool,
}

impl Lanes {
    pub(super) fn open(connection: &Connection) -> Self {
        // Unbounded, and bounded by the number of lanes.
        let (tell, freed) = mpsc::unbounded_channel();
        let mut senders = JoinSet::new();
        let mut lanes = Vec::with_capacity(Class::ALL.len());
        for (index, class) in Class::ALL.into_iter().enumerate() {
            let (frames, mut waiting) = mpsc::channel::<Vec<u8>>(1);
            let (connection, tell) = (connection.clone(), tell.clone());
            senders.spawn(async move {
                while let Some(frame) = waiting.recv().await {
                    if connection.send(link_class(class), frame).await.is_err() || tell.send(index).is_err() {
                        break;
                    }
                }
            });
            lanes.push(Lane { class, frames, is_free: true });
        }
        Self { lanes, freed, _senders: senders }
    }

    /// Gives the link one frame, of the most urgent class that takes one and has one. Whether there was one.
    pub(super) fn feed(&mut self, mut next_frame: impl FnMut(Class) -> Option<Vec<u8>>) -> bool {
        for lane in self.lanes.iter_mut().filter(|lane| lane.is_free) {
            if let Some(frame) = next_frame(lane.class) {
                // A lane whose task is gone has a link that is gone; the link says so itself.
                lane.is_free = lane.frames.try_send(frame).is_err();
                return true;
            }
        }
        false
    }

    /// Waits until the link takes more. Dropping the future loses nothing.
    pub(super) async fn freed(&mut self) {
        match self.freed.recv().await {
            Some(index) => self.lanes[index].is_free = true,
            // All lanes ended with the link, which says so itself.
            None => std::future::pending().await,
        }
    }
}
