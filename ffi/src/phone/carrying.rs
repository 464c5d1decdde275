//! A phone whose evidence travels as files.

use std::path::Path;

use merestone_node::bag;

use super::Phone;
use crate::carried::{BagLine, CourierLine, CourierOrderLine, CourierReadLine, CourierWrittenLine};
use crate::error::PhoneError;
use crate::ids;

#[uniffi::export]
impl Phone {
    /// Writes what this phone holds, of the scopes that the observer's certificate grants, as one new file. No key needs to be
    /// unlocked. Where it fails there is no file.
    pub async fn write_courier(
        &self,
        observer: String,
        order: CourierOrderLine,
    ) -> Result<CourierWrittenLine, PhoneError> {
        self.call(move |open| {
            let observer = open.observer(&observer)?;
            let path = order.path.clone();
            Ok(open.device.write_courier(&observer, Path::new(&path), &order.order())?.into())
        })
        .await
    }

    /// Looks through a bundle without taking anything. Reads the whole file.
    pub async fn inspect_courier(&self, path: String) -> Result<CourierLine, PhoneError> {
        self.call(move |open| Ok(open.device.inspect_courier(Path::new(&path))?.into())).await
    }

    /// Takes what a bundle brings, judged as if a peer had sent it. What was taken before a failure stays; reading it again
    /// changes nothing that is held.
    pub async fn read_courier(&self, observer: String, path: String) -> Result<CourierReadLine, PhoneError> {
        self.call(move |open| {
            let replica = open.replica(&open.observer(&observer)?)?;
            Ok(open.device.read_courier(&replica, Path::new(&path))?.into())
        })
        .await
    }

    /// Writes the evidence of `scopes`, or of all, to a bag for auditors: a folder that is not there or empty. It is there whole
    /// or not at all.
    pub async fn write_bag(&self, path: String, scopes: Option<Vec<String>>) -> Result<BagLine, PhoneError> {
        self.call(move |open| {
            let scopes = scopes.map(|scopes| ids::each(&scopes, ids::scope)).transpose()?;
            let (store, authority) = (open.device.store(), open.device.authority());
            Ok(bag::write(store, authority, scopes.as_deref(), Path::new(&path))?.into())
        })
        .await
    }
}
