//! Finding good centroids: k-means (Lloyd, 1982) on a sample, with nearest centroids found through their own codes.

use super::centroids::Centroids;
use super::list::Buffers;
use super::query::Prepared;
use super::rotation::Rotation;
use super::workers::{Cancelled, Workers};

/// How often centroids move; more moves hardly change the recall.
const ITERATIONS: usize = 6;

/// The centroids of `count` clusters of the vectors that `sample` gives, of which there are `size`.
pub(crate) fn train(
    rotation: &Rotation,
    count: usize,
    size: usize,
    sample: impl Fn(usize) -> Vec<f32> + Sync,
    workers: &Workers<'_>,
) -> Result<Centroids, Cancelled> {
    // The sample is in random order, so its first vectors are as good a start as any.
    let mut vectors: Vec<Vec<f32>> = (0..count).map(&sample).collect();
    for _ in 0..ITERATIONS {
        let centroids = Centroids::new(rotation, &vectors);
        let nearest = assign(rotation, &centroids, size, &sample, workers)?;
        vectors = means(&vectors, &nearest, &sample, workers)?;
    }
    Ok(Centroids::new(rotation, &vectors))
}

/// The cluster of each of `size` vectors.
pub(crate) fn assign(
    rotation: &Rotation,
    centroids: &Centroids,
    size: usize,
    sample: impl Fn(usize) -> Vec<f32> + Sync,
    workers: &Workers<'_>,
) -> Result<Vec<u32>, Cancelled> {
    workers.map(size, |one| {
        let query = Prepared::new(rotation, &sample(one));
        centroids.view().nearest(rotation, &query, 1, &mut Buffers::default())[0].cluster
    })
}

/// The mean of the vectors of each cluster.
#[allow(clippy::cast_possible_truncation, reason = "f64 is only for the sum")]
fn means(
    old: &[Vec<f32>],
    nearest: &[u32],
    sample: impl Fn(usize) -> Vec<f32> + Sync,
    workers: &Workers<'_>,
) -> Result<Vec<Vec<f32>>, Cancelled> {
    let mut members = vec![Vec::new(); old.len()];
    nearest.iter().enumerate().for_each(|(one, &cluster)| members[cluster as usize].push(one));
    // An empty cluster takes half of the largest one.
    for cluster in 0..members.len() {
        if members[cluster].is_empty() {
            let largest = (0..members.len()).max_by_key(|&other| members[other].len()).unwrap_or(cluster);
            members[cluster] = split_off(&mut members[largest]);
        }
    }
    workers.map(old.len(), |cluster| {
        let Some(&first) = members[cluster].first() else {
            return old[cluster].clone();
        };
        let mut sums = vec![0.0_f64; sample(first).len()];
        for &one in &members[cluster] {
            sums.iter_mut().zip(sample(one)).for_each(|(sum, x)| *sum += f64::from(x));
        }
        sums.iter().map(|sum| (sum / members[cluster].len() as f64) as f32).collect()
    })
}

fn split_off(members: &mut Vec<usize>) -> Vec<usize> {
    let half = members.len() / 2;
    members.split_off(members.len() - half)
}
