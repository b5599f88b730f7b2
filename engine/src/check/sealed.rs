//! Input that is hashed as it is read.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// Passes on what `from` yields, and keeps its hash.
#[derive(Debug)]
pub struct Sealed<R> {
    from: R,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<R: Read> Sealed<R> {
    /// Nothing is read yet.
    pub fn new(from: R) -> Self {
        Self { from, hasher: blake3::Hasher::new(), bytes: 0 }
    }

    /// Reads to the end, unless it is called off; returns the BLAKE3 hash of everything in hexadecimal, and its length.
    pub fn finish(mut self, cancel: &AtomicBool) -> io::Result<Option<(String, u64)>> {
        let mut buffer = vec![0; 1 << 16];
        while self.read(&mut buffer)? > 0 {
            if cancel.load(Ordering::Relaxed) {
                return Ok(None);
            }
        }
        Ok(Some((self.hasher.finalize().to_hex().to_string(), self.bytes)))
    }
}

impl<R: Read> Read for Sealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(buffer) {
                Ok(read) => {
                    self.hasher.update(&buffer[..read]);
                    self.bytes += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_all_bytes_whoever_read_them() {
        let text = b"some bytes".repeat(20_000);
        let mut sealed = Sealed::new(&text[..]);
        sealed.read_exact(&mut [0; 1234]).unwrap();
        let (hash, bytes) = sealed.finish(&AtomicBool::new(false)).unwrap().unwrap();
        assert_eq!((hash, bytes), (crate::hash::content_hash(&text), 200_000));
    }
}
