//! From the id of a clause to its place.
//!
//! Ids ascend, and mostly by one, so the places stand in an array that is cut into pages: pages of ids that are all gone are used
//! again, and the array stays as large as the clauses that are alive. Ids that lie too far apart for that go into a table.

use std::collections::HashMap;

/// How many ids have their places in one page, as a power of two.
const PAGE_BITS: u32 = 10;
const PAGE: usize = 1 << PAGE_BITS;
/// No page, or no place.
const NONE: u32 = u32::MAX;
/// How many pages there may be without a reason, and how many clauses are a reason for one more.
const FREE_PAGES: usize = 64;
const CLAUSES_A_PAGE: usize = 8;

/// Where each clause that is alive stands.
#[derive(Debug, Default)]
pub struct Index {
    /// For each `PAGE` ids, which page.
    directory: Vec<u32>,
    places: Vec<u32>,
    /// How many places a page has.
    counts: Vec<u32>,
    /// Pages without places.
    unused: Vec<u32>,
    /// The places that no page has.
    scattered: HashMap<u32, u32>,
    alive: usize,
}

impl Index {
    /// The place of clause `id`.
    #[inline]
    pub fn get(&self, id: u32) -> Option<u32> {
        let page = self.directory.get((id >> PAGE_BITS) as usize).copied().unwrap_or(NONE);
        let place = if page == NONE { NONE } else { self.places[slot(page, id)] };
        if place == NONE { self.scattered(id) } else { Some(place) }
    }

    #[cold]
    fn scattered(&self, id: u32) -> Option<u32> {
        if self.scattered.is_empty() { None } else { self.scattered.get(&id).copied() }
    }

    /// Notes a new clause.
    pub fn insert(&mut self, id: u32, place: u32) {
        self.alive += 1;
        let group = (id >> PAGE_BITS) as usize;
        if self.directory.get(group).is_none_or(|&page| page == NONE) && !self.page(group) {
            self.scattered.insert(id, place);
            return;
        }
        let page = self.directory[group];
        self.places[slot(page, id)] = place;
        self.counts[page as usize] += 1;
    }

    /// Gives `group` a page, unless there are too many for the clauses that are alive.
    fn page(&mut self, group: usize) -> bool {
        let page = if let Some(page) = self.unused.pop() {
            page
        } else if self.counts.len() < FREE_PAGES + self.alive / CLAUSES_A_PAGE {
            self.places.resize(self.places.len() + PAGE, NONE);
            self.counts.push(0);
            #[allow(clippy::cast_possible_truncation, reason = "ids have 32 bits, so pages have fewer")]
            let page = (self.counts.len() - 1) as u32;
            page
        } else {
            return false;
        };
        if self.directory.len() <= group {
            self.directory.resize(group + 1, NONE);
        }
        self.directory[group] = page;
        true
    }

    /// Notes that a clause which is alive has moved.
    pub fn relocate(&mut self, id: u32, place: u32) {
        match self.slot_of(id) {
            Some(slot) => self.places[slot] = place,
            None => drop(self.scattered.insert(id, place)),
        }
    }

    /// Forgets a clause which is alive.
    pub fn remove(&mut self, id: u32) {
        self.alive -= 1;
        let Some(slot) = self.slot_of(id) else {
            self.scattered.remove(&id);
            return;
        };
        self.places[slot] = NONE;
        let group = (id >> PAGE_BITS) as usize;
        let page = self.directory[group];
        self.counts[page as usize] -= 1;
        if self.counts[page as usize] == 0 {
            self.directory[group] = NONE;
            self.unused.push(page);
        }
    }

    /// Where a page holds the place of clause `id`.
    fn slot_of(&self, id: u32) -> Option<usize> {
        let page = self.directory.get((id >> PAGE_BITS) as usize).copied().filter(|&page| page != NONE)?;
        Some(slot(page, id)).filter(|&slot| self.places[slot] != NONE)
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        4 * (self.directory.capacity() + self.places.capacity())
            + 8 * self.counts.capacity()
            + 16 * self.scattered.capacity()
    }
}

#[inline]
const fn slot(page: u32, id: u32) -> usize {
    page as usize * PAGE + (id as usize & (PAGE - 1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(jumps in prop::collection::vec((1..5_u32, 0..28_u32, any::<bool>()), 0..400)) {
            let (mut index, mut map, mut id) = (Index::default(), BTreeMap::new(), 0_u32);
            for (place, (step, jump, remove)) in jumps.into_iter().enumerate() {
                let place = u32::try_from(place).unwrap();
                id = id.saturating_add(step << if jump > 20 { jump } else { 0 });
                if id < NONE && map.insert(id, place).is_none() {
                    index.insert(id, place);
                    index.relocate(id, place);
                }
                if remove && let Some((&first, _)) = map.iter().nth(map.len() / 2) {
                    map.remove(&first);
                    index.remove(first);
                }
            }
            for (&id, &place) in &map {
                prop_assert_eq!(index.get(id), Some(place));
                prop_assert_eq!(index.get(id + 1), map.get(&(id + 1)).copied());
            }
        }
    }

    #[test]
    fn ids_that_are_gone_take_no_memory() {
        let mut index = Index::default();
        for id in 1..1_000_000 {
            index.insert(id, id);
            if id > 1000 {
                index.remove(id - 1000);
            }
        }
        assert!(index.bytes() < 64 << 10, "{}", index.bytes());
    }

    #[test]
    fn ids_far_apart_take_little_memory() {
        let mut index = Index::default();
        for id in (0..100_000).map(|number| number * 40_000) {
            index.insert(id, 1);
        }
        assert!(index.bytes() < 100_000 * 1200, "{}", index.bytes());
        assert_eq!((index.get(40_000), index.get(40_001)), (Some(1), None));
    }
}
