//! A ranking, and the pool that it ranks.

use std::cmp::Ordering;

/// The formulas that a goal may use: those before `before`, less what `usable` rules out.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// Positions from here on are not to be used.
    pub before: usize,
    /// One flag a position; an empty slice rules nothing out.
    pub usable: &'a [bool],
    /// Positions that are not to be used on top of that: the goal itself, say.
    pub except: &'a [u32],
}

impl Pool<'_> {
    /// Whether the formula at `position` may be used.
    pub fn contains(&self, position: usize) -> bool {
        position < self.before
            && self.usable.get(position).copied().unwrap_or(self.usable.is_empty())
            && !self.except.iter().any(|&out| out as usize == position)
    }
}

/// Positions with their scores, best first; ties by position, so that the order is the same on every machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// Positions of formulas.
    pub positions: Vec<u32>,
    /// Their scores, never rising.
    pub scores: Vec<f32>,
}

impl Ranking {
    /// Ranks the members of `pool` by `scores`, which has one score a position.
    pub fn of(scores: &[f32], pool: Pool<'_>) -> Self {
        let mut order: Vec<(u32, f32)> = (0_u32..)
            .zip(scores)
            .filter(|&(position, _)| pool.contains(position as usize))
            .map(|(position, &score)| (position, score))
            .collect();
        order.sort_unstable_by(|&left, &right| best_first(left, right));
        let (positions, scores) = order.into_iter().unzip();
        Self { positions, scores }
    }
}

fn best_first(left: (u32, f32), right: (u32, f32)) -> Ordering {
    right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
}

/// Joins rankings of one pool by weighted reciprocal rank, `Σ weight / (constant + rank)` with ranks from 1 (Cormack, Clarke and
/// Büttcher, SIGIR 2009): scores of different scales cannot drown each other.
pub fn fuse(rankings: &[(&Ranking, f32)], constant: f32) -> Ranking {
    let length = rankings.iter().flat_map(|(ranking, _)| &ranking.positions).max().map_or(0, |&last| last as usize + 1);
    let mut scores = vec![0.0_f32; length];
    let mut ranked = vec![false; length];
    for (ranking, weight) in rankings {
        for (rank, &position) in (1_u32..).zip(&ranking.positions) {
            scores[position as usize] += weight / (constant + rank as f32);
            ranked[position as usize] = true;
        }
    }
    Ranking::of(&scores, Pool { before: length, usable: &ranked, except: &[] })
}

#[cfg(test)]
mod tests {
    use super::{Pool, Ranking, fuse};

    #[test]
    fn ties_are_broken_by_position_and_the_pool_is_kept_to() {
        let pool = Pool { before: 4, usable: &[true, true, false, true, true], except: &[0] };
        let ranking = Ranking::of(&[9.0, 1.0, 5.0, 1.0, 7.0], pool);
        assert_eq!(ranking.positions, [1, 3]);
    }

    #[test]
    fn fusing_prefers_what_both_like() {
        let all = Pool { before: 3, usable: &[], except: &[] };
        let first = Ranking::of(&[3.0, 2.0, 1.0], all);
        let second = Ranking::of(&[1.0, 3.0, 2.0], all);
        assert_eq!(fuse(&[(&first, 1.0), (&second, 1.0)], 1.0).positions, [1, 0, 2]);
    }
}
