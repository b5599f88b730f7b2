//! The search: estimates for the rows of the nearest clusters, products for those that may be among the best.

use porism_native::simd::prefetch;

use super::calibration::{Reach, Setting};
use super::centroids::{Probe, product, square};
use super::exact::{exact, score};
use super::list::{Buffers, ListView};
use super::query::Prepared;
use super::rows::{Best, RowSet, Rows, Scored};
use super::sealed::{Damage, Sealed};
use super::tail::Tail;

/// How many products are computed before the bound is looked at again.
const AT_ONCE: usize = 16;
/// How many rows are fetched ahead of time, at most.
const FETCHED: usize = 48;
/// What an exact product of any row costs, in estimates of rows that lie side by side.
const COST_OF_PRODUCT: usize = 50;

/// By how many times (a fraction) rarer than anywhere the rows that may be found have to seem around a query before more clusters are
/// looked at: a share of few rows is not quite that of all.
const RARER: (u128, u128) = (5, 4);

/// What is searched.
#[derive(Debug)]
pub struct Scope<'a, R> {
    /// The index of the first rows, if there is one.
    pub sealed: Option<&'a Sealed>,
    /// The codes of all rows behind it.
    pub tail: &'a Tail,
    /// The rows themselves.
    pub rows: &'a R,
    /// The rows that may be found; `None`: all.
    pub admitted: Option<&'a RowSet>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The best first.
    pub best: Vec<Scored>,
    /// How many rows were estimated.
    pub estimated: usize,
    /// Of how many the product was computed.
    pub compared: usize,
}

/// Why a search could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This row is not what was stored.
    Row(u32),
    /// The index is damaged.
    Index(Damage),
}

impl From<Damage> for Trouble {
    fn from(damage: Damage) -> Self {
        Self::Index(damage)
    }
}

/// A row that may be among the best: its product is not above `upper`, most likely.
struct Candidate {
    row: u32,
    upper: f32,
}

/// Candidates so far, and what is surely reached by the best of them.
struct Candidates<'a> {
    list: Vec<Candidate>,
    lower: Best,
    admitted: Option<&'a RowSet>,
    width: f32,
    buffers: Buffers,
    estimated: usize,
    /// How many rows seemed near enough, and how many of them may be found.
    near: (usize, usize),
}

impl Candidates<'_> {
    /// How many clusters it takes instead of `probes`, if `admitted` of all `rows` may be found, and they are rarer around the query.
    fn probes_among(&self, probes: u32, admitted: usize, rows: usize) -> u32 {
        let (all, near) = self.near;
        let (expected, found) = (all as u128 * admitted as u128, rows as u128 * near.max(1) as u128);
        if expected * RARER.1 < found * RARER.0 {
            return 0;
        }
        u32::try_from(u128::from(probes) * expected / found.max(1)).unwrap_or(u32::MAX)
    }

    /// Adds what a list has; its centre has a `product` with the query and lies a `distance` away.
    fn add(&mut self, tail: &Tail, query: &Prepared, list: ListView<'_>, rows: usize, product: f32, distance: f32) {
        let width = self.width * distance;
        let scan = query.scan(product, width, self.lower.bar());
        self.estimated += rows;
        let Self { list: candidates, lower, admitted, buffers, near, .. } = self;
        list.scan(tail.rotation.routines(), &scan, buffers, |place, estimate| {
            let row = list.number(place);
            near.0 += 1;
            if admitted.is_none_or(|admitted| admitted.contains(row as usize)) {
                near.1 += 1;
                let error = list.error(place) * width;
                candidates.push(Candidate { row, upper: estimate + error });
                lower.push(Scored { row, score: estimate - error });
            }
        });
    }
}

/// The `k` rows with the greatest product with `query`, a unit vector: most of them, as `setting` was measured to find.
///
/// There are fewer only where fewer rows may be found.
pub fn search<R: Rows>(
    scope: &Scope<'_, R>,
    query: &[f32],
    k: usize,
    reach: impl Into<Reach>,
) -> Result<Found, Trouble> {
    let Reach { setting, most } = reach.into();
    let tail = scope.tail;
    let rows = tail.end() as usize;
    let admitted = scope.admitted.filter(|admitted| admitted.len() < rows);
    let wanted = admitted.map_or(rows, RowSet::len);
    if k == 0 || wanted == 0 {
        return Ok(Found::default());
    }
    let mut probes = scope.sealed.map_or(0, |sealed| setting.probes.min(sealed.clusters()));
    let prepared = Prepared::new(&tail.rotation, query);
    loop {
        if wanted * COST_OF_PRODUCT <= expected_estimates(scope, probes) {
            let best = exact(tail.rotation.routines(), scope.rows, query, k, admitted)?;
            return Ok(Found { best, estimated: 0, compared: wanted });
        }
        let all = scope.sealed.map_or(0, Sealed::clusters);
        let reach = Reach { setting: Setting { probes, ..setting }, most: most.min(all) };
        let candidates = gather(scope, &prepared, k, reach, admitted)?;
        let found = rank(scope, query, k, candidates)?;
        // What may be found can lie in few clusters, far from the query.
        if found.best.len() >= k.min(wanted) || probes >= all {
            return Ok(found);
        }
        probes = probes.saturating_mul(4).min(all);
    }
}

/// The rows in the nearest clusters and in the tail that may be among the best.
fn gather<'a, R: Rows>(
    scope: &Scope<'a, R>,
    query: &Prepared,
    k: usize,
    Reach { setting, most }: Reach,
    admitted: Option<&'a RowSet>,
) -> Result<Candidates<'a>, Trouble> {
    let tail = scope.tail;
    let mut candidates = Candidates {
        list: Vec::new(),
        lower: Best::new(k),
        admitted,
        width: setting.width,
        buffers: Buffers::default(),
        estimated: 0,
        near: (0, 0),
    };
    if let Some(sealed) = scope.sealed {
        let (mut probes, mut seen) = (setting.probes, RowSet::none(0));
        loop {
            let nearest = sealed.centroids().nearest(&tail.rotation, query, probes as usize, &mut candidates.buffers);
            let fresh: Vec<Probe> =
                nearest.iter().filter(|probe| !seen.contains(probe.cluster as usize)).copied().collect();
            look_into(sealed, tail, query, &fresh, &mut candidates)?;
            let wanted =
                admitted.map_or(0, |set| candidates.probes_among(setting.probes, set.len(), tail.end() as usize));
            if wanted == 0 || probes >= most {
                break;
            }
            // Where they are rarer still the further one looks, this goes on, in steps that are worth it.
            probes = wanted.max(probes.saturating_add(probes / 4 + 1)).min(most);
            seen.grow(sealed.clusters() as usize, false);
            nearest.iter().for_each(|probe| seen.set(probe.cluster.into(), true));
        }
    }
    if !tail.is_empty() {
        let shift = product(&query.vector, &tail.centre);
        let square = square(&query.vector) + square(&tail.centre) - 2.0 * shift;
        candidates.add(tail, query, tail.list.view(), tail.len(), shift, square.max(0.0).sqrt());
    }
    Ok(candidates)
}

/// Adds what clusters have.
fn look_into(
    sealed: &Sealed,
    tail: &Tail,
    query: &Prepared,
    probes: &[Probe],
    candidates: &mut Candidates<'_>,
) -> Result<(), Trouble> {
    for (place, probe) in probes.iter().enumerate() {
        if let Some(next) = probes.get(place + 1) {
            prefetch(sealed.start_of(next.cluster));
        }
        let (list, rows) = (sealed.cluster(probe.cluster)?, sealed.cluster_len(probe.cluster));
        candidates.add(tail, query, list, rows, probe.product, probe.distance);
    }
    Ok(())
}

/// Computes the products of the candidates, the most promising first, until no other can be among the best.
fn rank<R: Rows>(scope: &Scope<'_, R>, query: &[f32], k: usize, candidates: Candidates<'_>) -> Result<Found, Trouble> {
    let Candidates { mut list, lower, estimated, .. } = candidates;
    let bar = lower.bar();
    list.retain(|candidate| candidate.upper >= bar);
    // Most of what is left will be compared: it comes from afar while the rest is sorted.
    let (bytes, stride) = (scope.rows.bytes(), size_of_val(query));
    for candidate in list.iter().take(FETCHED) {
        prefetch(&bytes[candidate.row as usize * stride..][..stride]);
    }
    list.sort_unstable_by(|left, right| right.upper.total_cmp(&left.upper).then(left.row.cmp(&right.row)));
    let mut best = Best::new(k);
    let mut compared = 0;
    let (mut chunk, mut scores) = (Vec::with_capacity(AT_ONCE), [0.0; AT_ONCE]);
    for candidates in list.chunks(AT_ONCE) {
        let bar = best.bar();
        chunk.clear();
        chunk.extend(candidates.iter().filter(|candidate| candidate.upper >= bar).map(|candidate| candidate.row));
        if chunk.is_empty() {
            break;
        }
        score(scope.tail.rotation.routines(), scope.rows, query, &chunk, &mut scores)?;
        chunk.iter().zip(scores).for_each(|(&row, score)| best.push(Scored { row, score }));
        compared += chunk.len();
    }
    Ok(Found { best: best.into_sorted(), estimated, compared })
}

/// How many rows a search with so many probes estimates.
fn expected_estimates<R>(scope: &Scope<'_, R>, probes: u32) -> usize {
    let share = |sealed: &Sealed| u64::from(sealed.rows()) * u64::from(probes) / u64::from(sealed.clusters());
    let sealed = scope.sealed.map_or(0, share);
    usize::try_from(sealed).unwrap_or(usize::MAX) + scope.tail.len()
}
