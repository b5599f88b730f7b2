//! The clauses of a formula and of a proof, found by place, by number and by their literals.

use std::collections::HashMap;

/// Numbers in front of the literals of a clause: its number and its length.
const HEADER: usize = 2;
const NONE: u32 = u32::MAX;

/// Where a clause stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub u32);

/// Clauses side by side. None is ever removed; whether one counts is its state.
#[derive(Debug, Default)]
pub struct Clauses {
    numbers: Vec<u32>,
    places: Vec<u32>,
    /// Whether the clause is there at the present step.
    active: Vec<bool>,
    /// Whether the empty clause needs it.
    core: Vec<bool>,
    /// For each clause, the one before it with the same hash.
    before: Vec<u32>,
    last: HashMap<u64, u32>,
}

impl Clauses {
    /// Adds a clause, without the literals that stand in it twice; `None` where there is no room.
    pub fn add(&mut self, literals: &[u32]) -> Option<u32> {
        let number = u32::try_from(self.places.len()).ok()?;
        self.places.push(u32::try_from(self.numbers.len()).ok().filter(|&place| place < NONE)?);
        self.numbers.extend_from_slice(&[number, 0]);
        let start = self.numbers.len();
        for &literal in literals {
            if !self.numbers[start..].contains(&literal) {
                self.numbers.push(literal);
            }
        }
        self.numbers[start - 1] = u32::try_from(self.numbers.len() - start).ok()?;
        self.active.push(true);
        self.core.push(false);
        let before = self.last.insert(hash(&self.numbers[start..]), number);
        self.before.push(before.unwrap_or(NONE));
        Some(number)
    }

    /// The last clause that is there and has exactly these literals.
    pub fn find(&self, literals: &[u32]) -> Option<u32> {
        let mut wanted = literals.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut number = *self.last.get(&hash(&wanted))?;
        while number != NONE {
            let found = self.literals(self.place(number));
            if self.active[number as usize] && found.len() == wanted.len() {
                let mut found = found.to_vec();
                found.sort_unstable();
                if found == wanted {
                    return Some(number);
                }
            }
            number = self.before[number as usize];
        }
        None
    }

    /// Where the clause stands.
    pub fn place(&self, number: u32) -> Place {
        Place(self.places[number as usize])
    }

    /// The number of the clause that stands there.
    #[inline]
    pub fn number(&self, place: Place) -> u32 {
        self.numbers[place.0 as usize]
    }

    /// Its literals, the first two of which are watched.
    #[inline]
    pub fn literals(&self, place: Place) -> &[u32] {
        let start = place.0 as usize + HEADER;
        &self.numbers[start..start + self.numbers[start - 1] as usize]
    }

    /// The same, to be put into another order.
    #[inline]
    pub fn literals_mut(&mut self, place: Place) -> &mut [u32] {
        let start = place.0 as usize + HEADER;
        let length = self.numbers[start - 1] as usize;
        &mut self.numbers[start..start + length]
    }

    /// How many clauses there are.
    #[allow(clippy::cast_possible_truncation, reason = "they were numbered")]
    pub fn len(&self) -> u32 {
        self.places.len() as u32
    }

    /// Whether the clause is there.
    pub fn is_active(&self, number: u32) -> bool {
        self.active[number as usize]
    }

    /// Says whether the clause is there.
    pub fn set_active(&mut self, number: u32, active: bool) {
        self.active[number as usize] = active;
    }

    /// Whether the empty clause needs it.
    #[inline]
    pub fn is_core(&self, number: u32) -> bool {
        self.core[number as usize]
    }

    /// Notes that the empty clause needs it.
    pub fn set_core(&mut self, number: u32) {
        self.core[number as usize] = true;
    }

    /// How many numbers all clauses take.
    pub const fn extent(&self) -> usize {
        self.numbers.len()
    }
}

/// The same for any order of the literals.
fn hash(literals: &[u32]) -> u64 {
    let mix = |literal: u32| {
        (u64::from(literal) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    literals.iter().fold(0, |sum: u64, &literal| sum.wrapping_add(mix(literal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_found_in_any_order_while_it_is_there() {
        let mut clauses = Clauses::default();
        let [one, two, _] = [&[2, 4, 2][..], &[4, 2], &[6]].map(|literals| clauses.add(literals).unwrap());
        assert_eq!(clauses.literals(clauses.place(one)), [2, 4]);
        assert_eq!(clauses.find(&[2, 4, 4]), Some(two));
        clauses.set_active(two, false);
        assert_eq!(clauses.find(&[4, 2]), Some(one));
        clauses.set_active(one, false);
        assert_eq!((clauses.find(&[4, 2]), clauses.find(&[8]), clauses.len()), (None, None, 3));
    }
}
