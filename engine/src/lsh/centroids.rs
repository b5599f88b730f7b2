//! The centres of clusters, and which of them are nearest to a query.

use super::code::encode;
use super::list::{Buffers, List, ListView};
use super::query::{Bytes, Prepared};
use super::rotation::Rotation;

/// How many more centroids than are wanted are compared exactly, as the estimates do not quite rank them.
const SPARE: usize = 16;

/// The centres of clusters in memory.
#[derive(Clone, Debug)]
pub(crate) struct Centroids {
    /// Their mean.
    pub(crate) mean: Vec<f32>,
    /// All of them, one behind the other, in bytes.
    pub(crate) bytes: Vec<u8>,
    /// What one stands for in the bytes of each.
    pub(crate) scales: Vec<f32>,
    pub(crate) list: List,
    /// Half the square of the length of each.
    pub(crate) half_squares: Vec<f32>,
}

/// The same, in memory or in a mapped file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CentroidsView<'a> {
    pub(crate) mean: &'a [f32],
    pub(crate) bytes: &'a [u8],
    pub(crate) scales: &'a [f32],
    pub(crate) list: ListView<'a>,
    pub(crate) half_squares: &'a [f32],
}

/// A cluster that may hold what is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Probe {
    pub(crate) cluster: u32,
    /// The product of the query with its centroid.
    pub(crate) product: f32,
    /// How far the query is from its centroid.
    pub(crate) distance: f32,
}

impl Centroids {
    /// The centroids nearest to `vectors` whose numbers are bytes: four times as many of them fit into a cache.
    #[allow(clippy::cast_possible_truncation, reason = "there are fewer clusters than rows")]
    pub(crate) fn new(rotation: &Rotation, vectors: &[Vec<f32>]) -> Self {
        let bytes: Vec<Bytes> = vectors.iter().map(|vector| Bytes::new(vector)).collect();
        let vectors: Vec<Vec<f32>> = bytes.iter().map(Bytes::vector).collect();
        let mean = mean(rotation.dimension(), &vectors);
        let rotated_mean = rotation.rotate(&mean);
        let half_squares: Vec<f32> = vectors.iter().map(|vector| 0.5 * square(vector)).collect();
        let mut list = List::new(rotation.bits());
        let mut residual = vec![0.0; rotation.bits()];
        for (cluster, (vector, half_square)) in vectors.iter().zip(&half_squares).enumerate() {
            let mut factors = encode(&rotation.rotate(vector), &rotated_mean, &mut residual);
            // The estimate is then of what makes a centroid near: the product less half its square.
            factors.offset -= half_square;
            list.push(&residual, factors, cluster as u32);
        }
        let scales = bytes.iter().map(|bytes| bytes.scale).collect();
        let bytes = bytes.iter().flat_map(|bytes| &bytes.numbers).map(|number| number.cast_unsigned()).collect();
        Self { mean, bytes, scales, list, half_squares }
    }

    /// The bytes of all parts, as a sealed index has them.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let words = |numbers: &[f32]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let mut bytes = words(&self.mean);
        bytes.extend(&self.bytes);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(words(&self.scales));
        bytes.extend(words(&self.half_squares));
        self.list.parts().iter().for_each(|part| bytes.extend(*part));
        bytes
    }

    pub(crate) fn view(&self) -> CentroidsView<'_> {
        let Self { mean, bytes, scales, list, half_squares } = self;
        CentroidsView { mean, bytes, scales, list: list.view(), half_squares }
    }
}

impl CentroidsView<'_> {
    /// The centroid of a cluster.
    pub(crate) fn vector(&self, cluster: usize) -> Vec<f32> {
        let dimension = self.mean.len();
        let bytes = &self.bytes[cluster * dimension..][..dimension];
        bytes.iter().map(|byte| f32::from(byte.cast_signed()) * self.scales[cluster]).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.half_squares.len()
    }

    /// The `wanted` clusters nearest to the query, the nearest first.
    pub(crate) fn nearest(
        &self,
        rotation: &Rotation,
        query: &Prepared,
        wanted: usize,
        buffers: &mut Buffers,
    ) -> Vec<Probe> {
        let routines = rotation.routines();
        let wanted = wanted.min(self.len());
        let shift = product(&query.vector, self.mean);
        let scan = query.scan(shift, 0.0, f32::INFINITY);
        let estimates = self.list.estimates(routines, &scan, self.len(), buffers);
        let clusters = leading(estimates, wanted + wanted / 2 + SPARE);
        let mut sums = vec![0; clusters.len()];
        routines.dot_i8_rows(&query.bytes.numbers, self.bytes, &clusters, &mut sums);
        let half_square = |cluster: u32| self.half_squares[cluster as usize];
        let mut ranked: Vec<(f32, u32, f32)> = clusters
            .iter()
            .zip(sums)
            .map(|(&cluster, sum)| {
                let product = sum as f32 * (query.bytes.scale * self.scales[cluster as usize]);
                (product - half_square(cluster), cluster, product)
            })
            .collect();
        let order = |left: &(f32, u32, f32), right: &(f32, u32, f32)| nearer((left.0, left.1), (right.0, right.1));
        if wanted < ranked.len() {
            ranked.select_nth_unstable_by(wanted, order);
            ranked.truncate(wanted);
        }
        ranked.sort_unstable_by(order);
        let half_query = 0.5 * square(&query.vector);
        ranked
            .into_iter()
            .map(|(_, cluster, product)| {
                let half_distance = half_query + half_square(cluster) - product;
                Probe { cluster, product, distance: (2.0 * half_distance).max(0.0).sqrt() }
            })
            .collect()
    }
}

/// Where fewer than one of so many is wanted, each is compared with the last of the picked; else all are parted.
const FEW: usize = 32;
const LANES: usize = 16;

/// The numbers of the `count` greatest estimates, in any order; of equal ones, the lower numbers.
fn leading(estimates: &[f32], count: usize) -> Vec<u32> {
    let numbered = || estimates.iter().copied().zip(0..);
    if count >= estimates.len() {
        return (0..).take(estimates.len()).collect();
    }
    if count * FEW > estimates.len() {
        let mut all: Vec<(f32, u32)> = numbered().collect();
        all.select_nth_unstable_by(count, |left, right| nearer(*left, *right));
        return all[..count].iter().map(|&(_, number)| number).collect();
    }
    // Sorted, the greatest first. Most blocks have none that is greater than the last.
    let mut picked: Vec<(f32, u32)> = Vec::with_capacity(count + 1);
    let mut bar = f32::NEG_INFINITY;
    for (block, first) in estimates.chunks(LANES).zip((0..).step_by(LANES)) {
        if picked.len() == count
            && block.iter().fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most }) <= bar
        {
            continue;
        }
        for one in block.iter().copied().zip(first..) {
            if picked.len() < count || one.0 > bar {
                picked.insert(picked.partition_point(|other| nearer(*other, one).is_lt()), one);
                picked.truncate(count);
                bar = picked[picked.len() - 1].0;
            }
        }
    }
    picked.into_iter().map(|(_, number)| number).collect()
}

/// The greater first; of equal ones, the lower number.
fn nearer(left: (f32, u32), right: (f32, u32)) -> std::cmp::Ordering {
    right.0.total_cmp(&left.0).then(left.1.cmp(&right.1))
}

fn mean(dimension: usize, vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dimension];
    for vector in vectors {
        sums.iter_mut().zip(vector).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let count = vectors.len().max(1) as f64;
    #[allow(clippy::cast_possible_truncation, reason = "f64 is only for the sum")]
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// The product of two vectors in memory.
pub(crate) fn product(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest = left_rest.iter().zip(right_rest).map(|(x, y)| x * y).sum::<f32>();
    sums.iter().sum::<f32>() + rest
}

/// The product of a vector with itself.
pub(crate) fn square(vector: &[f32]) -> f32 {
    product(vector, vector)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_leading_estimates_are_the_first_of_all_sorted(
            estimates in prop::collection::vec((-50_i8..50).prop_map(f32::from), 0..300),
            count in 1_usize..120,
        ) {
            let mut expected: Vec<(f32, u32)> = estimates.iter().copied().zip(0..).collect();
            expected.sort_by(|left, right| nearer(*left, *right));
            let mut expected: Vec<u32> = expected.iter().take(count).map(|&(_, number)| number).collect();
            let mut found = leading(&estimates, count);
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
