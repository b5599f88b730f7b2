//! The promise of a recall, and what it takes to keep it: measured when an index is made.

use std::collections::HashSet;

use super::exact::exact_many;
use super::list::Buffers;
use super::query::Prepared;
use super::rows::{Rows, Scored};
use super::sealed::{Damage, Sealed};
use super::workers::{Cancelled, Workers};

/// How a search is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// How many clusters are looked at.
    pub probes: u32,
    /// How many deviations wide the bound of an estimate is taken.
    pub width: f32,
}

/// How far a search goes where not every row may be found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// What it takes if the rows that may be found lie as close around the query as anywhere.
    pub setting: Setting,
    /// How many clusters are looked at, at most, if there are fewer of them around the query.
    pub most: u32,
}

impl From<Setting> for Reach {
    fn from(setting: Setting) -> Self {
        Self { setting, most: setting.probes }
    }
}

/// What it takes to find a share of the nearest rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Promise {
    /// For up to so many rows.
    pub k: u32,
    /// The share of the nearest rows that is found, in the mean of queries.
    pub recall: f32,
    /// How.
    pub setting: Setting,
    /// The share that was found on the sample of queries.
    pub measured: f32,
    /// How many queries the sample had.
    pub queries: u32,
}

impl Promise {
    pub(crate) fn from_fields([k, recall, probes, width, measured, queries]: [u32; 6]) -> Self {
        let [recall, width, measured] = [recall, width, measured].map(f32::from_bits);
        Self { k, recall, setting: Setting { probes, width }, measured, queries }
    }

    /// Whether it can be one of an index of so many clusters. A search that looks at none would look for ever.
    pub(crate) fn is_possible(&self, clusters: u32) -> bool {
        let Setting { probes, width } = self.setting;
        let shares = [self.recall, self.measured].iter().all(|share| (0.0..=1.0).contains(share));
        self.k > 0 && shares && (1..=clusters).contains(&probes) && width > 0.0 && width.is_finite()
    }
}

/// The recalls that can be asked for without paying for more.
const RECALLS: [f32; 4] = [0.9, 0.95, 0.99, 0.999];
/// For how many rows they are measured.
const DEPTHS: [u32; 4] = [1, 10, 100, 1000];
/// By how much a bound is wider for a number of rows that was not measured.
const SPARE_WIDTH: f32 = 1.25;
/// So many rows to be found tell enough: the deeper, the fewer queries.
const ENOUGH: usize = 100_000;
/// How wide the bounds are taken, in deviations: beyond the last, nothing was ever missed.
const WIDTHS: [f32; 6] = [0.8, 1.2, 1.6, 2.0, 2.5, 3.5];
const WIDEST: f32 = 4.5;
/// What an exact product costs, in estimates, when its row is not in the cache.
const COST_OF_PRODUCT: f64 = 100.0;
/// What a cluster costs beside its rows.
const COST_OF_PROBE: f64 = 60.0;

/// The setting that keeps the promise `recall` for `k` rows.
pub struct Promises<'a>(pub &'a [Promise]);

impl Promises<'_> {
    /// The setting; without a measurement of such a recall, everything is looked at.
    pub fn setting(&self, k: usize, recall: f32) -> Setting {
        let k = u32::try_from(k).unwrap_or(u32::MAX);
        let depths = || self.0.iter().map(|promise| promise.k);
        let deepest = depths().max().unwrap_or(0);
        // The deeper, the more clusters. How wide the bounds have to be is another matter, so that between two depths the wider one of
        // both is taken.
        let above = depths().filter(|&depth| depth >= k).min().unwrap_or(deepest);
        let below = depths().filter(|&depth| depth <= k).max().unwrap_or(above);
        let (Some(deep), Some(shallow)) = (self.at(above, recall), self.at(below, recall)) else {
            return Setting { probes: u32::MAX, width: width_alone(recall) };
        };
        // Between two depths nothing was measured, so that the bounds are a little wider than at either.
        let spare = if above == below { 1.0 } else { SPARE_WIDTH };
        // More rows than were ever measured lie in more clusters, in proportion as far as anybody knows.
        Setting { width: deep.width.max(shallow.width) * spare, ..deep }
            .in_proportion(k.max(above).into(), above.into())
    }

    /// The setting for `k` of `admitted` rows among `rows`.
    pub fn setting_among(&self, k: usize, recall: f32, admitted: usize, rows: usize) -> Reach {
        // If any row of ten may be found, the nearest ten of these lie among the nearest hundred of all. If they lie together, far
        // from the query, there is only the proportion to go by: the search itself notices.
        let here = self.setting(k, recall).in_proportion(rows as u64, admitted as u64);
        let admitted = admitted.max(1);
        let deeper = self.setting(k.saturating_mul(rows).saturating_add(admitted / 2) / admitted, recall);
        let setting = Setting { width: here.width.max(deeper.width), ..deeper };
        Reach { setting, most: here.probes.max(deeper.probes) }
    }

    /// The cheapest setting that was measured at a depth and keeps `recall`.
    fn at(&self, depth: u32, recall: f32) -> Option<Setting> {
        let kept = self.0.iter().filter(|promise| promise.k == depth && promise.recall >= recall);
        kept.min_by(|left, right| left.recall.total_cmp(&right.recall)).map(|promise| promise.setting)
    }
}

impl Setting {
    /// As many clusters more as there are `more` than `few`.
    fn in_proportion(self, more: u64, few: u64) -> Self {
        let probes = (u64::from(self.probes).saturating_mul(more)).div_ceil(few.max(1));
        Self { probes: u32::try_from(probes).unwrap_or(u32::MAX), ..self }
    }
}

/// How wide the bounds must be where every row is estimated: the share of rows that a bound loses is that of a normal distribution
/// beyond it, and this is above what was ever measured.
pub(crate) fn width_alone(recall: f32) -> f32 {
    match recall {
        r if r <= 0.9 => 1.6,
        r if r <= 0.95 => 2.0,
        r if r <= 0.99 => 2.5,
        r if r <= 0.999 => 3.5,
        _ => WIDEST,
    }
}

/// What a search for one query comes to, whatever the setting.
struct Trace {
    /// How many rows the nearest clusters have together, one cluster after the other.
    sizes: Vec<u32>,
    /// The rows that must be found.
    wanted: Vec<Seen>,
    /// All rows that are compared exactly, with the widest bound.
    compared: Vec<Seen>,
}

/// When a row is seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// In the cluster that is looked at after so many others.
    rank: u32,
    /// With a bound that is so wide.
    width: f32,
}

impl Seen {
    fn by(self, setting: Setting) -> bool {
        self.rank < setting.probes && self.width <= setting.width
    }
}

/// The cheapest setting that keeps each promise, as measured on `queries`.
///
/// `own` names the rows of the index that the queries were taken from, if they were: these are not to be found. Each query is searched
/// once, in all clusters; from what was seen when, the outcome of every setting follows.
pub(crate) fn calibrate(
    sealed: &Sealed,
    rows: &impl Rows,
    queries: &[Vec<f32>],
    own: Option<&[u32]>,
    workers: &Workers<'_>,
) -> Result<Vec<Promise>, Cancelled> {
    let routines = sealed.rotation().routines();
    let deepest = DEPTHS[DEPTHS.len() - 1] as usize;
    let mut truth = exact_many(routines, rows, queries, deepest + 1, workers)?;
    if let Some(own) = own {
        truth.iter_mut().zip(own).for_each(|(nearest, own)| nearest.retain(|scored| scored.row != *own));
    }
    let mut promises = Vec::new();
    for depth in DEPTHS {
        let asked = queries.len().min(ENOUGH / depth as usize);
        let traces = workers.map(asked, |place| {
            let nearest = &truth[place][..truth[place].len().min(depth as usize)];
            trace(sealed, &queries[place], nearest, own.map(|own| own[place]))
        })?;
        // A damaged index makes no promise; it is found out again by whoever opens it.
        let traces: Vec<Trace> = traces.into_iter().flatten().collect();
        let settings = ladder(sealed.clusters()).flat_map(|probes| WIDTHS.map(|width| Setting { probes, width }));
        let tried: Vec<(Setting, Outcome)> = settings.map(|setting| (setting, outcome(&traces, setting))).collect();
        for recall in RECALLS {
            let kept = tried.iter().filter(|(_, outcome)| outcome.surely >= recall);
            if let Some((setting, outcome)) = kept.min_by(|left, right| left.1.cost.total_cmp(&right.1.cost)) {
                let queries = u32::try_from(traces.len()).unwrap_or(u32::MAX);
                promises.push(Promise { k: depth, recall, setting: *setting, measured: outcome.mean, queries });
            }
        }
    }
    Ok(promises)
}

/// Numbers of clusters to try, each about a tenth above the last.
fn ladder(clusters: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(1), move |&probes: &u32| {
        (probes < clusters).then(|| (probes + probes / 10 + 1).min(clusters))
    })
}

/// Searches all clusters, the nearest first, for what may be as good as the last of the rows `wanted`.
fn trace(sealed: &Sealed, query: &[f32], wanted: &[Scored], own: Option<u32>) -> Result<Trace, Damage> {
    let (rotation, mut buffers) = (sealed.rotation(), Buffers::default());
    let prepared = Prepared::new(rotation, query);
    let bar = wanted.last().map_or(f32::INFINITY, |last| last.score);
    let wanted: HashSet<u32> = wanted.iter().map(|scored| scored.row).collect();
    let mut trace = Trace { sizes: Vec::new(), wanted: Vec::new(), compared: Vec::new() };
    let mut rows = 0;
    let probes = sealed.centroids().nearest(rotation, &prepared, sealed.clusters() as usize, &mut buffers);
    for (rank, probe) in (0..).zip(probes) {
        let list = sealed.cluster(probe.cluster)?;
        rows += u32::try_from(sealed.cluster_len(probe.cluster)).unwrap_or(u32::MAX);
        trace.sizes.push(rows);
        let scan = prepared.scan(probe.product, WIDTHS[WIDTHS.len() - 1] * probe.distance, bar);
        list.scan(rotation.routines(), &scan, &mut buffers, |place, estimate| {
            let row = list.number(place);
            let error = list.error(place) * probe.distance;
            let width = if estimate >= bar { 0.0 } else { (bar - estimate) / error };
            let seen = Seen { rank, width };
            if wanted.contains(&row) {
                trace.wanted.push(seen);
            }
            if Some(row) != own {
                trace.compared.push(seen);
            }
        });
    }
    // One that no bound reaches is never seen.
    trace.wanted.resize(wanted.len(), Seen { rank: u32::MAX, width: f32::INFINITY });
    Ok(trace)
}

/// What a setting comes to.
struct Outcome {
    mean: f32,
    /// The mean, less what it may be too high by (one-sided, 95 %).
    surely: f32,
    cost: f64,
}

fn outcome(traces: &[Trace], setting: Setting) -> Outcome {
    let count = traces.len().max(1) as f64;
    let seen = |rows: &[Seen]| rows.iter().filter(|row| row.by(setting)).count() as f64;
    let (mut sum, mut squares, mut cost) = (0.0, 0.0, COST_OF_PROBE * f64::from(setting.probes));
    for trace in traces {
        let recall = seen(&trace.wanted) / trace.wanted.len().max(1) as f64;
        sum += recall;
        squares += recall * recall;
        let estimated = trace.sizes[(setting.probes as usize).min(trace.sizes.len()) - 1];
        cost += (f64::from(estimated) + COST_OF_PRODUCT * seen(&trace.compared)) / count;
    }
    let mean = sum / count;
    let error = ((squares / count - mean * mean).max(0.0) / count).sqrt();
    #[allow(clippy::cast_possible_truncation, reason = "shares")]
    Outcome { mean: mean as f32, surely: (mean - 1.64 * error) as f32, cost }
}
