//! Making bytes durable: SQLite and blobs in one folder.
