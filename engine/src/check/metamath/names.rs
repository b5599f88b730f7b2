//! A table from names to numbers that can live in a file.

/// The slot that holds no number.
const EMPTY: u32 = u32::MAX;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A fast hash of `name`, keyed so that nobody can prepare names that collide.
#[inline]
pub(super) fn hash(seed: u64, name: &[u8]) -> u64 {
    let (words, rest) = name.as_chunks::<8>();
    let mut state = seed ^ (name.len() as u64).wrapping_mul(MULTIPLIER);
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), seed | 1);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(fold(state ^ u64::from_le_bytes(last), seed.rotate_left(32) | 1), MULTIPLIER)
}

/// Both halves of the product, mixed.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "both halves are kept")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// A seed that an author of names does not know.
pub(super) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

/// The number of `name` in `slots`, of which there is a power of two; `name_of` tells the name of a number.
#[inline]
pub(super) fn find<'a>(slots: &[u32], seed: u64, name: &[u8], name_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
    let slots = slots.as_chunks::<2>().0;
    let mask = slots.len().wrapping_sub(1);
    let (start, tag) = split(hash(seed, name));
    let mut at = start & mask;
    // A table from a file may have no empty slot.
    for _ in 0..slots.len() {
        let &[number, known] = slots.get(at)?;
        if number == EMPTY {
            return None;
        }
        if known == tag && name_of(number) == name {
            return Some(number);
        }
        at = (at + 1) & mask;
    }
    None
}

/// Where the search begins, and what tells most names apart without a look at them.
#[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
fn split(hash: u64) -> (usize, u32) {
    (hash as usize, (hash >> 32) as u32)
}

/// A table that grows. A slot is a number and the tag of its name.
#[derive(Clone, Debug)]
pub(super) struct Names {
    slots: Vec<[u32; 2]>,
    seed: u64,
    count: usize,
}

impl Names {
    pub(super) fn new(seed: u64) -> Self {
        Self { slots: vec![[EMPTY; 2]; 1024], seed, count: 0 }
    }

    /// The number of `name`, which becomes `next` if it has none yet; and whether it had one.
    pub(super) fn intern<'a>(&mut self, name: &[u8], next: u32, name_of: impl Fn(u32) -> &'a [u8]) -> (u32, bool) {
        if (self.count + 1) * 2 > self.slots.len() {
            self.grow(&name_of);
        }
        let mask = self.slots.len() - 1;
        let (start, tag) = split(hash(self.seed, name));
        let mut at = start & mask;
        loop {
            match self.slots[at] {
                [EMPTY, _] => {
                    self.slots[at] = [next, tag];
                    self.count += 1;
                    return (next, false);
                }
                [number, known] if known == tag && name_of(number) == name => return (number, true),
                _ => at = (at + 1) & mask,
            }
        }
    }

    pub(super) fn find<'a>(&self, name: &[u8], name_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        find(self.slots.as_flattened(), self.seed, name, name_of)
    }

    /// The slots, to be searched with [`find`] and the same seed.
    pub(super) fn into_slots(self) -> Vec<u32> {
        self.slots.into_flattened()
    }

    fn grow<'a>(&mut self, name_of: &impl Fn(u32) -> &'a [u8]) {
        let mask = self.slots.len() * 2 - 1;
        let mut slots = vec![[EMPTY; 2]; mask + 1];
        for &[number, tag] in self.slots.iter().filter(|[number, _]| *number != EMPTY) {
            let mut at = split(hash(self.seed, name_of(number))).0 & mask;
            while slots[at][0] != EMPTY {
                at = (at + 1) & mask;
            }
            slots[at] = [number, tag];
        }
        self.slots = slots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers_while_the_table_grows() {
        let names: Vec<String> = (0..5000).map(|number| format!("name.{number}")).collect();
        let name_of = |number: u32| names[number as usize].as_bytes();
        let mut table = Names::new(seed());
        for number in 0..5000 {
            assert_eq!(table.intern(name_of(number), number, name_of), (number, false));
        }
        assert_eq!(table.intern(b"name.77", 9999, name_of), (77, true));
        assert_eq!(table.find(b"name.4999", name_of), Some(4999));
        assert_eq!(table.find(b"name.5000", name_of), None);
    }

    #[test]
    fn a_full_table_from_a_file_does_not_trap_the_search() {
        assert_eq!(find(&[0; 8], 7, b"x", |_| b"y"), None);
        assert_eq!(find(&[], 7, b"x", |_| b"y"), None);
    }
}
