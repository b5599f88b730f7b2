//! The transaction of a write. That of `rusqlite` parses its two statements again for each, which costs as much as an insert.

use std::ops::Deref;

use rusqlite::Connection;

use super::error::Result;

/// A transaction that holds the write lock. Dropped, it is rolled back.
#[derive(Debug)]
pub(super) struct WriteTransaction<'a>(&'a Connection);

impl<'a> WriteTransaction<'a> {
    /// Begins one, after those of all other writers. The connection is borrowed for as long as it lasts.
    pub(super) fn begin(connection: &'a mut Connection) -> Result<Self> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self(connection))
    }

    /// Makes it true.
    pub(super) fn commit(self) -> Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Deref for WriteTransaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for WriteTransaction<'_> {
    fn drop(&mut self) {
        // Nothing is left to roll back after a commit, nor after an error that has done so. If it fails, `SQLite` does it when the
        // connection is used or closed.
        if !self.0.is_autocommit() {
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}
