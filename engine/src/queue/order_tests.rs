//! The rules of the order, against plain twins and on generated requests.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::request::Weight;
use super::scheduler::{Item, Name, Scheduler};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    seq: u64,
    rank: i64,
    wanted: bool,
}

impl Item for Piece {
    fn seq(&self) -> u64 {
        self.seq
    }

    fn is_wanted(&self) -> bool {
        self.wanted
    }
}

fn name(tenant: u8) -> Name {
    (tenant > 0).then(|| Arc::from(format!("tenant {tenant}")))
}

fn pieces(ranks: &[(i64, bool)]) -> Vec<Piece> {
    ranks.iter().zip(0..).map(|(&(rank, wanted), seq)| Piece { seq, rank, wanted }).collect()
}

fn pop_all(scheduler: &mut Scheduler<Piece>) -> Vec<Piece> {
    std::iter::from_fn(|| scheduler.pop(1)).collect()
}

proptest! {
    /// One tenant: the least rank first, then the first submitted; what nobody wants is skipped.
    #[test]
    fn within_a_tenant_the_order_is_a_stable_sort(
        ranks in prop::collection::vec((-3_i64..3, prop::bool::weighted(0.8)), 0..200), sweep: bool,
    ) {
        let mut scheduler = Scheduler::new(HashMap::new());
        let mut expected = pieces(&ranks);
        expected.iter().for_each(|piece| scheduler.push(&None, piece.rank, *piece));
        expected.retain(|piece| piece.wanted);
        expected.sort_by_key(|piece| piece.rank);
        if sweep {
            scheduler.sweep();
            prop_assert_eq!(scheduler.len(), expected.len());
        }
        prop_assert_eq!(pop_all(&mut scheduler), expected);
        prop_assert_eq!(scheduler.len(), 0);
    }

    /// Whatever was pushed comes out once, whoever it belongs to.
    #[test]
    fn nothing_is_lost_or_doubled(pushes in prop::collection::vec((0_u8..5, -9_i64..9, 0_usize..3), 0..200)) {
        let mut scheduler = Scheduler::new(HashMap::new());
        let mut seen = Vec::new();
        for (&(tenant, rank, pops), seq) in pushes.iter().zip(0..) {
            scheduler.push(&name(tenant), rank, Piece { seq, rank, wanted: true });
            seen.extend((0..pops).filter_map(|_| scheduler.pop(1_000)).map(|piece| piece.seq));
        }
        seen.extend(pop_all(&mut scheduler).iter().map(|piece| piece.seq));
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..pushes.len() as u64).collect::<Vec<_>>());
    }

    /// While two tenants always have work, neither gets more than its share beyond one piece of work, however the costs vary.
    #[test]
    fn shares_are_fair_to_within_one_piece(
        costs in prop::collection::vec((1_u64..1_000, 1_u64..1_000), 400), weight in 1_u8..5,
    ) {
        let mut scheduler = Scheduler::new(HashMap::from([(name(1).unwrap(), Weight::new(f64::from(weight)).unwrap())]));
        let count = costs.len() as u64;
        for seq in 0..2 * count {
            let tenant = if seq < count { 1 } else { 2 };
            scheduler.push(&name(tenant), 0, Piece { seq, rank: 0, wanted: true });
        }
        let mut used = [0.0, 0.0];
        for (charged, took) in costs {
            let piece = scheduler.pop(charged).unwrap();
            let tenant = usize::from(piece.seq >= count);
            scheduler.correct(&name(if tenant == 0 { 1 } else { 2 }), charged, took);
            used[tenant] += took as f64 / if tenant == 0 { f64::from(weight) } else { 1.0 };
            // Charges are rounded down to whole nanoseconds.
            prop_assert!((used[0] - used[1]).abs() <= 1_000.0 + 2.0 * count as f64, "{used:?}");
        }
    }

    /// The estimate is exact for one tenant with few waiting.
    #[test]
    fn few_that_are_ahead_are_counted(ranks in prop::collection::vec(-5_i64..5, 0..64), rank in -5_i64..5) {
        let mut scheduler = Scheduler::new(HashMap::new());
        for (&rank, seq) in ranks.iter().zip(0..) {
            scheduler.push(&None, rank, Piece { seq, rank, wanted: true });
        }
        prop_assert_eq!(scheduler.ahead(&None, rank), ranks.iter().filter(|&&other| other <= rank).count());
    }
}

#[test]
fn many_that_are_ahead_are_estimated() {
    let mut scheduler = Scheduler::new(HashMap::new());
    for seq in 0..100_000_u64 {
        // A permutation, so that the heap is not filled in order.
        let rank = (seq * 7_919 % 100_000).cast_signed();
        scheduler.push(&None, rank, Piece { seq, rank, wanted: true });
    }
    for rank in [0, 10_000, 50_000, 90_000] {
        let estimate = scheduler.ahead(&None, rank);
        assert!(estimate.abs_diff(usize::try_from(rank).unwrap()) < 25_000, "{estimate} for {rank}");
    }
}

#[test]
fn a_tenant_with_one_request_does_not_wait_for_another_ones_thousands() {
    let mut scheduler = Scheduler::new(HashMap::new());
    (0..5_000).for_each(|seq| scheduler.push(&name(1), 0, Piece { seq, rank: 0, wanted: true }));
    (0..100).for_each(|_| assert!(scheduler.pop(1_000).is_some()));
    assert_eq!(scheduler.ahead(&name(2), i64::MAX), 1);
    scheduler.push(&name(2), i64::MAX, Piece { seq: 9_999, rank: 0, wanted: true });
    let next: Vec<_> = (0..2).map(|_| scheduler.pop(1_000).unwrap().seq).collect();
    assert!(next.contains(&9_999), "{next:?}");
}

#[test]
fn a_tenant_that_was_away_has_saved_nothing_up() {
    let mut scheduler = Scheduler::new(HashMap::new());
    (0..100).for_each(|seq| scheduler.push(&name(1), 0, Piece { seq, rank: 0, wanted: true }));
    (0..50).for_each(|_| assert!(scheduler.pop(1_000).is_some()));
    (100..200).for_each(|seq| scheduler.push(&name(2), 0, Piece { seq, rank: 0, wanted: true }));
    let first: Vec<_> = (0..10).map(|_| scheduler.pop(1_000).unwrap().seq).collect();
    assert!(first.iter().filter(|&&seq| seq < 100).count() >= 4, "{first:?}");
}

#[test]
fn tenants_that_have_gone_are_forgotten() {
    let mut scheduler = Scheduler::new(HashMap::new());
    for seq in 0..10_000_u64 {
        scheduler.push(&Some(Arc::from(seq.to_string())), 0, Piece { seq, rank: 0, wanted: true });
        assert!(scheduler.pop(1).is_some());
        assert!(scheduler.pop(1).is_none());
    }
    assert!(format!("{scheduler:?}").len() < 100_000);
}
