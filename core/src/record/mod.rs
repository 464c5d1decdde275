//! Records: from the entries held to what is applied (`spec/record.md`).

#[cfg(test)]
pub(crate) mod testing;
