//! The clauses that are alive, side by side in one array, each with its time of life.

use super::index::Index;
use super::steps::Flaw;

/// Numbers in front of the literals: id, birth, death, length.
const HEADER: usize = 4;
/// The death of a clause that lives.
const ALIVE: u32 = u32::MAX;
/// Dead numbers that are not worth moving the others for.
const SLACK: usize = 1 << 16;

/// All clauses that a step of the present piece of the proof may use.
///
/// A clause that is deleted stays until [`sweep`](Self::sweep), with the time of its death, so that steps before its deletion can be
/// checked after it was read.
#[derive(Debug, Default)]
pub struct Store {
    numbers: Vec<u32>,
    index: Index,
    dying: Vec<u32>,
    garbage: usize,
    last_id: u32,
    /// The number of the last step; the clauses of the formula are born at 0.
    now: u32,
}

impl Store {
    /// The number of the last step.
    pub const fn now(&self) -> u32 {
        self.now
    }

    /// The next step begins; returns its number.
    pub fn tick(&mut self) -> u32 {
        self.now += 1;
        self.now
    }

    /// Adds a clause that is born now: later steps can use it.
    pub fn add(&mut self, id: u32, literals: &[u32]) -> Result<(), Flaw> {
        if id <= self.last_id {
            return Err(Flaw::new("id_order", "the id is not above those before it").about(id));
        }
        let place = u32::try_from(self.numbers.len()).ok().filter(|&place| place < u32::MAX);
        let (Some(place), Ok(length)) = (place, u32::try_from(literals.len())) else {
            return Err(Flaw::new("budget", "more literals are alive than can be numbered"));
        };
        self.last_id = id;
        self.numbers.extend_from_slice(&[id, self.now, ALIVE, length]);
        self.numbers.extend_from_slice(literals);
        self.index.insert(id, place);
        Ok(())
    }

    /// Ends the life of a clause now: later steps cannot use it.
    pub fn delete(&mut self, id: u32) -> Result<(), Flaw> {
        let place = self.index.get(id).ok_or_else(|| unknown(id))?;
        let death = &mut self.numbers[place as usize + 2];
        if *death != ALIVE {
            return Err(Flaw::new("clause_deleted", "the clause was deleted before").about(id));
        }
        *death = self.now;
        self.dying.push(place);
        Ok(())
    }

    /// The literals of the clause `id`, if step `now` sees it.
    #[inline]
    pub fn get(&self, id: u32, now: u32) -> Option<&[u32]> {
        let (header, rest) = self.numbers.get(self.index.get(id)? as usize..)?.split_first_chunk::<HEADER>()?;
        let &[_, birth, death, length] = header;
        if birth < now && now < death { rest.get(..length as usize) } else { None }
    }

    /// Why step `now` does not see the clause `id`.
    #[cold]
    pub fn missing(&self, id: u32, now: u32) -> Flaw {
        match self.index.get(id) {
            Some(place) if self.numbers[place as usize + 1] >= now => {
                Flaw::new("clause_later", "the clause is added by this step or a later one").about(id)
            }
            Some(_) => Flaw::new("clause_deleted", "the clause was deleted before").about(id),
            None => unknown(id),
        }
    }

    /// Every clause that step `now` sees, with its id.
    pub fn visible(&self, now: u32) -> impl Iterator<Item = (u32, &[u32])> {
        let mut rest = &self.numbers[..];
        std::iter::from_fn(move || {
            while let &[id, birth, death, length, ..] = rest {
                let (clause, behind) = rest[HEADER..].split_at(length as usize);
                rest = behind;
                if birth < now && now < death {
                    return Some((id, clause));
                }
            }
            None
        })
    }

    /// How many numbers a look at all clauses takes.
    pub const fn extent(&self) -> usize {
        self.numbers.len()
    }

    /// Removes what is dead. No step before now may be checked after this.
    pub fn sweep(&mut self) {
        for place in self.dying.drain(..) {
            let place = place as usize;
            self.index.remove(self.numbers[place]);
            self.garbage += HEADER + self.numbers[place + 3] as usize;
        }
        let young = self.now > u32::MAX / 2;
        if young || self.garbage > SLACK + self.numbers.len() / 2 {
            self.compact();
        }
    }

    /// Moves the living together and makes all of them older than any step.
    fn compact(&mut self) {
        let (mut from, mut to) = (0, 0);
        while from < self.numbers.len() {
            let size = HEADER + self.numbers[from + 3] as usize;
            if self.numbers[from + 2] == ALIVE {
                self.numbers.copy_within(from..from + size, to);
                self.numbers[to + 1] = 0;
                #[allow(clippy::cast_possible_truncation, reason = "below a place that was numbered")]
                self.index.relocate(self.numbers[to], to as u32);
                to += size;
            }
            from += size;
        }
        self.numbers.truncate(to);
        if self.numbers.capacity() / 4 > to + SLACK {
            self.numbers.shrink_to(2 * to + SLACK);
        }
        self.garbage = 0;
        self.now = 0;
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        4 * (self.numbers.capacity() + self.dying.capacity()) + self.index.bytes()
    }
}

const fn unknown(id: u32) -> Flaw {
    Flaw::new("clause_unknown", "no clause that is alive has this id").about(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_live_from_after_their_birth_to_before_their_death() {
        let mut store = Store::default();
        store.add(1, &[2, 4]).unwrap();
        let [one, two, three] = [(); 3].map(|()| store.tick());
        store.now = two;
        store.add(5, &[6]).unwrap();
        store.now = three;
        store.delete(1).unwrap();
        assert_eq!((store.get(1, one), store.get(5, three)), (Some(&[2, 4][..]), Some(&[6][..])));
        for (id, now, code) in [(1, three, "clause_deleted"), (5, two, "clause_later"), (2, three, "clause_unknown")] {
            assert_eq!((store.get(id, now), store.missing(id, now).code.0), (None, code));
        }
        assert_eq!(store.visible(two).map(|(id, _)| id).collect::<Vec<_>>(), [1]);
        assert_eq!(store.delete(1).unwrap_err().code.0, "clause_deleted");
        assert_eq!(store.add(5, &[]).unwrap_err().code.0, "id_order");
    }

    #[test]
    fn the_dead_are_swept_and_the_living_found_again() {
        let mut store = Store::default();
        for id in 1..=100_000 {
            store.tick();
            store.add(id, &[id, id + 1]).unwrap();
            if id % 10 != 0 {
                store.delete(id).unwrap();
            }
        }
        store.sweep();
        let now = store.tick();
        assert_eq!((store.get(70, now), store.get(71, now)), (Some(&[70, 71][..]), None));
        assert_eq!(store.visible(now).count(), 10_000);
        assert_eq!(store.extent(), 60_000);
    }

    #[test]
    fn time_begins_anew_before_it_runs_out() {
        let mut store = Store { now: u32::MAX / 2, ..Store::default() };
        store.tick();
        store.add(7, &[2]).unwrap();
        store.sweep();
        let now = store.tick();
        assert_eq!(now, 1);
        assert_eq!(store.get(7, now), Some(&[2][..]));
    }
}
