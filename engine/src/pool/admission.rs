//! Which places are taken, how much memory stands behind each, who may come in, and who has to go.

use std::collections::BTreeMap;

use porism_native::process::Cancel;

/// What may be taken at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    pub(super) workers: usize,
    pub(super) memory_bytes: Option<u64>,
}

/// What a worker in its place does.
#[derive(Debug)]
pub(super) enum Stage {
    Starting,
    Idle,
    /// Leased; the token ends what it is asked.
    Busy(Cancel),
    /// It is not to be used again; it is ended by whoever holds it.
    Ending,
}

/// A place that is taken: by a worker from before its start until after its end.
pub(super) struct Place<M> {
    pub(super) stage: Stage,
    pub(super) since_ns: u64,
    pub(super) meter: Option<M>,
    /// What it was expected to need when it was let in.
    pub(super) reserved: u64,
    /// Its size when it was read last.
    pub(super) bytes: Option<u64>,
    /// Its largest size during this use.
    pub(super) peak: Option<u64>,
    /// It drove the pool over its memory, and has been told to stop.
    pub(super) condemned: bool,
}

impl<M> Place<M> {
    fn counted(&self) -> u64 {
        self.reserved.max(self.bytes.unwrap_or(0))
    }

    /// How much larger it is than it was expected to be.
    fn excess(&self) -> u64 {
        self.bytes.unwrap_or(0).saturating_sub(self.reserved)
    }

    pub(super) fn measured(&mut self, bytes: u64) {
        self.bytes = Some(bytes);
        self.peak = self.peak.max(Some(bytes));
    }

    /// Whether its memory stays taken.
    fn stays(&self) -> bool {
        !self.condemned && !matches!(self.stage, Stage::Ending)
    }
}

/// All places that are taken, by number.
pub(super) struct Ledger<M> {
    pub(super) places: BTreeMap<u64, Place<M>>,
    next: u64,
}

impl<M> Ledger<M> {
    pub(super) fn new() -> Self {
        Self { places: BTreeMap::new(), next: 0 }
    }

    /// Takes a place for a worker that is about to start.
    pub(super) fn enter(&mut self, reserved: u64, now_ns: u64) -> u64 {
        self.next += 1;
        let place = Place {
            stage: Stage::Starting,
            since_ns: now_ns,
            meter: None,
            reserved,
            bytes: None,
            peak: None,
            condemned: false,
        };
        self.places.insert(self.next, place);
        self.next
    }

    /// Which of the `idle` (the first ones first) have to end so that a worker of `need` bytes can start; `None`: it has to wait. A worker
    /// that would be alone may always start, whatever it is thought to need.
    pub(super) fn room(&self, caps: &Caps, need: u64, idle: &[u64]) -> Option<Vec<u64>> {
        let mut taken: u64 = self.places.values().fold(0, |sum, place| sum.saturating_add(place.counted()));
        let mut going = 0;
        let full = self.places.len() >= caps.workers;
        loop {
            let fits = caps.memory_bytes.is_none_or(|cap| taken.saturating_add(need) <= cap);
            let alone = going == self.places.len();
            if (fits || alone) && !(full && going == 0) {
                return Some(idle[..going].to_vec());
            }
            taken = taken.saturating_sub(self.places.get(idle.get(going)?)?.counted());
            going += 1;
        }
    }

    /// Condemns workers until the others are within the memory: the one that is furthest above what was expected, if that alone explains
    /// the excess or it is more than twice as large. Else the expectations were wrong, and `idle` ones go (the first ones first), then
    /// the one that is furthest above. Gives the numbers of their places.
    pub(super) fn relieve(&mut self, caps: &Caps, idle: &[u64]) -> Vec<u64> {
        let Some(cap) = caps.memory_bytes else { return Vec::new() };
        let mut condemned = Vec::new();
        loop {
            let staying = || self.places.iter().filter(|(_, place)| place.stays());
            let total = staying().fold(0_u64, |sum, (_, place)| sum.saturating_add(place.bytes.unwrap_or(0)));
            let over = total.saturating_sub(cap);
            let furthest = staying().filter(|(_, place)| place.bytes.is_some()).max_by_key(|(_, place)| place.excess());
            let Some((&furthest, place)) = furthest.filter(|_| over > 0) else { return condemned };
            let is_monster = place.excess() >= over || place.excess() > place.reserved;
            let idle = idle.iter().find(|number| staying().any(|(staying, _)| staying == *number));
            let number = if is_monster { furthest } else { idle.copied().unwrap_or(furthest) };
            if let Some(place) = self.places.get_mut(&number) {
                place.condemned = true;
            }
            condemned.push(number);
        }
    }

    /// The memory in use as far as it is known, and the memory that is kept for workers, in bytes.
    pub(super) fn memory(&self) -> (u64, u64) {
        self.places.values().fold((0, 0), |(used, kept), place| {
            (u64::saturating_add(used, place.bytes.unwrap_or(0)), u64::saturating_add(kept, place.counted()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places with (reserved, used) bytes each, all idle.
    fn ledger(places: &[(u64, u64)]) -> Ledger<()> {
        let mut ledger = Ledger::new();
        for &(reserved, bytes) in places {
            let number = ledger.enter(reserved, 0);
            let place = ledger.places.get_mut(&number).unwrap();
            place.stage = Stage::Idle;
            place.measured(bytes);
        }
        ledger
    }

    fn caps(workers: usize, memory_bytes: u64) -> Caps {
        Caps { workers, memory_bytes: Some(memory_bytes) }
    }

    #[test]
    fn room_is_by_number_and_by_the_larger_of_expected_and_used() {
        let ledger = ledger(&[(10, 5), (10, 30)]);
        assert_eq!(ledger.room(&caps(3, 100), 60, &[1, 2]), Some(vec![]));
        assert_eq!(ledger.room(&caps(3, 100), 61, &[1, 2]), Some(vec![1]));
        assert_eq!(ledger.room(&caps(3, 100), 61, &[]), None);
        assert_eq!(ledger.room(&caps(2, 100), 1, &[2]), Some(vec![2]));
        assert_eq!(ledger.room(&caps(2, 100), 1, &[]), None);
        assert_eq!(ledger.room(&caps(3, 100), 200, &[1]), None);
        assert_eq!(ledger.room(&caps(3, 100), 200, &[1, 2]), Some(vec![1, 2]), "alone it may always start");
    }

    #[test]
    fn the_one_that_explains_the_excess_goes_and_no_neighbour() {
        assert!(ledger(&[(40, 40), (40, 60)]).relieve(&caps(9, 100), &[1, 2]).is_empty());
        assert_eq!(ledger(&[(40, 45), (40, 60)]).relieve(&caps(9, 100), &[1]), [2]);
        assert_eq!(ledger(&[(10, 10), (10, 500), (10, 600)]).relieve(&caps(9, 100), &[1]), [3, 2]);
    }

    #[test]
    fn where_all_are_too_large_idle_ones_go_first() {
        let mut ledger = ledger(&[(20, 40), (20, 40), (20, 41)]);
        assert_eq!(ledger.relieve(&caps(9, 100), &[]), [3], "21 are enough alone");
        let mut ledger = self::ledger(&[(20, 30), (20, 30), (20, 30), (20, 30)]);
        assert_eq!(ledger.relieve(&caps(9, 75), &[2]), [2, 4]);
    }

    #[test]
    fn who_was_condemned_before_is_not_counted_again() {
        let mut ledger = ledger(&[(10, 10), (10, 500)]);
        assert_eq!(ledger.relieve(&caps(9, 100), &[]), [2]);
        assert!(ledger.relieve(&caps(9, 100), &[]).is_empty());
    }
}
