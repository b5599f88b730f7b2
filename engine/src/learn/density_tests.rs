//! The laws of sketches, and how well a density of 64 tables tells dense from rare.

use porism_native::isa::Isa;
use porism_native::simd::Routines;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::family::Family;
use super::{Cells, Chance, Count, Density, Local, Sketch, Strength};

const SEED: u64 = 7;
const DAY_MS: i64 = 86_400_000;
const HALF_LIFE_MS: i64 = 30 * DAY_MS;

fn vector(chance: &mut Chance, dimension: usize) -> Vec<f32> {
    #[allow(clippy::cast_possible_truncation, reason = "vectors are of f32")]
    (0..dimension).map(|_| chance.normal() as f32).collect()
}

fn family() -> &'static Family {
    static FAMILY: OnceLock<Family> = OnceLock::new();
    FAMILY.get_or_init(|| Family::new(64, SEED).unwrap())
}

fn cells(seed: u64) -> Cells {
    family().cells(&vector(&mut Chance::new(seed), 64)).unwrap()
}

/// Entries: which vector, with what weight, when. The times span less than 32 half-lives.
fn entries() -> impl Strategy<Value = Vec<(u64, f64, i64)>> {
    let time = 1_600_000_000_000..1_600_000_000_000 + 30 * HALF_LIFE_MS;
    prop::collection::vec((0_u64..8, -4.0..4.0, time), 0..30)
}

fn sketch(entries: &[(u64, f64, i64)], half_life_ms: Option<i64>) -> Sketch {
    let mut sketch = Sketch::new(SEED, half_life_ms);
    entries.iter().for_each(|&(which, weight, at)| sketch.add(&cells(which), weight, at));
    sketch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn insert_after_delete_is_the_identity(base in entries(), more in entries(), fades: bool) {
        let half_life = fades.then_some(HALF_LIFE_MS);
        let before = sketch(&base, half_life);
        let mut after = before.clone();
        more.iter().for_each(|&(which, weight, at)| after.add(&cells(which), weight, at));
        more.iter().for_each(|&(which, weight, at)| after.add(&cells(which), -weight, at));
        let now = 1_600_000_000_000 + 31 * HALF_LIFE_MS;
        for which in 0..8 {
            let near = [&before, &after].map(|one| one.near(&cells(which), now));
            prop_assert_eq!(near[0].to_bits(), near[1].to_bits());
        }
    }

    #[test]
    fn a_merge_is_the_union_in_any_order(one in entries(), other in entries(), fades: bool) {
        let half_life = fades.then_some(HALF_LIFE_MS);
        let mut merged = sketch(&one, half_life);
        merged.merge(&sketch(&other, half_life)).unwrap();
        let mut all = [one.clone(), other.clone()].concat();
        all.reverse();
        prop_assert_eq!(&merged, &sketch(&all, half_life));
        merged.subtract(&sketch(&other, half_life)).unwrap();
        let now = 1_600_000_000_000 + 31 * HALF_LIFE_MS;
        let alone = sketch(&one, half_life);
        for which in 0..8 {
            prop_assert_eq!(merged.near(&cells(which), now).to_bits(), alone.near(&cells(which), now).to_bits());
        }
    }

    #[test]
    fn half_of_it_is_left_after_a_half_life(entries in entries(), later in 0_i64..20) {
        let sketch = sketch(&entries, Some(HALF_LIFE_MS));
        let now = 1_600_000_000_000 + 30 * HALF_LIFE_MS + 12_345;
        let fresh = sketch.near(&cells(3), now);
        let faded = sketch.near(&cells(3), now + later * HALF_LIFE_MS);
        prop_assert_eq!(faded.to_bits(), (fresh / 2.0_f64.powi(i32::try_from(later).unwrap())).to_bits());
    }

    #[test]
    fn every_instruction_set_gives_the_same_cells(seed: u64, dimension in 1_usize..400) {
        let vector = vector(&mut Chance::new(seed), dimension);
        let all = Isa::available().into_iter().filter_map(Routines::of);
        let cells: Vec<_> = all.map(|routines| Family::with(dimension, SEED, routines).cells(&vector)).collect();
        prop_assert!(cells.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn no_time_and_no_weight_does_harm(at: i64, weight: f64, now: i64) {
        let mut sketch = Sketch::new(SEED, Some(HALF_LIFE_MS));
        sketch.add(&cells(1), weight, at);
        sketch.add(&cells(1), 1.0, 0);
        prop_assert!(!sketch.near(&cells(1), now).is_nan());
    }
}

#[test]
fn sketches_that_count_otherwise_are_not_joined() {
    let mut sketch = Sketch::new(SEED, None);
    assert!(sketch.merge(&Sketch::new(SEED + 1, None)).is_err());
    assert!(sketch.merge(&Sketch::new(SEED, Some(1))).is_err());
}

#[test]
fn the_zero_vector_is_near_to_nothing() {
    assert_eq!(family().cells(&[0.0; 64]), None);
}

#[test]
fn weights_long_past_fade_away_and_stay_countable() {
    let mut sketch = Sketch::new(SEED, Some(HALF_LIFE_MS));
    sketch.add(&cells(1), 1.0, 0);
    sketch.add(&cells(1), 1.0, 200 * HALF_LIFE_MS);
    assert!((sketch.near(&cells(1), 200 * HALF_LIFE_MS) - 1.0).abs() < 1e-9);
}

/// 5,000 points in 64 places around 40 centres of skewed size; queries near them, and queries near none.
struct World {
    points: Vec<Vec<f32>>,
    known: Vec<Vec<f32>>,
    novel: Vec<Vec<f32>>,
}

fn world(seed: u64) -> World {
    let mut chance = Chance::new(seed);
    let centres: Vec<_> = (0..40).map(|_| vector(&mut chance, 64)).collect();
    let weights: Vec<f64> = (1..=40).map(|rank| 1.0 / f64::from(rank)).collect();
    let total: f64 = weights.iter().sum();
    let near = |chance: &mut Chance| {
        let mut left = chance.share() * total;
        let centre = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        let around = vector(chance, 64);
        unit(centres[centre.unwrap_or(0)].iter().zip(around).map(|(centre, noise)| centre + 0.5 * noise).collect())
    };
    let points = (0..5000).map(|_| near(&mut chance)).collect();
    let known = (0..150).map(|_| near(&mut chance)).collect();
    World { points, known, novel: (0..50).map(|_| unit(vector(&mut chance, 64))).collect() }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}

/// What the density estimates, of unit vectors, computed plainly.
fn kernel_sum(points: &[Vec<f32>], query: &[f32]) -> f64 {
    let cosine = |point: &[f32]| f64::from(point.iter().zip(query).map(|(x, y)| x * y).sum::<f32>().clamp(-1.0, 1.0));
    points.iter().map(|point| (1.0 - cosine(point).acos() / std::f64::consts::PI).powi(8)).sum()
}

/// How often a value of `high` is above one of `low`.
fn area_under_curve(high: &[f64], low: &[f64]) -> f64 {
    let wins: f64 = high
        .iter()
        .flat_map(|x| {
            low.iter().map(move |y| {
                if x > y {
                    1.0
                } else if x < y {
                    0.0
                } else {
                    0.5
                }
            })
        })
        .sum();
    wins / (high.len() * low.len()) as f64
}

#[test]
fn dense_places_are_told_from_rare_ones() {
    let world = world(1);
    let family = family();
    let mut sketch = Sketch::new(SEED, None);
    world.points.iter().for_each(|point| sketch.add(&family.cells(point).unwrap(), 1.0, 0));
    let estimate = |query: &Vec<f32>| sketch.near(&family.cells(query).unwrap(), 0);
    let known: Vec<f64> = world.known.iter().map(estimate).collect();
    let novel: Vec<f64> = world.novel.iter().map(estimate).collect();
    let truth: Vec<f64> = world.known.iter().map(|query| kernel_sum(&world.points, query)).collect();

    let mut errors: Vec<f64> = known.iter().zip(&truth).map(|(found, truth)| (found / truth - 1.0).abs()).collect();
    errors.sort_by(f64::total_cmp);
    assert!(errors[75] <= 0.1, "the median error is {}", errors[75]);
    // The sums themselves, of which these are estimates, tell 95 % of the pairs apart.
    let exact: Vec<f64> = world.novel.iter().map(|query| kernel_sum(&world.points, query)).collect();
    let [area, best] = [area_under_curve(&known, &novel), area_under_curve(&truth, &exact)];
    assert!(area >= 0.9 && best - area <= 0.05, "the area under the curve is {area}, of the exact sums {best}");
}

#[test]
fn estimates_are_right_in_the_mean_of_seeds() {
    let world = world(2);
    let query = &world.known[0];
    let estimates: Vec<f64> = (0..24)
        .map(|seed| {
            let family = Family::new(64, seed * 1000).unwrap();
            let mut sketch = Sketch::new(family.seed(), None);
            world.points[..200].iter().for_each(|point| sketch.add(&family.cells(point).unwrap(), 1.0, 0));
            sketch.near(&family.cells(query).unwrap(), 0)
        })
        .collect();
    let mean = estimates.iter().sum::<f64>() / 24.0;
    let spread = (estimates.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 23.0 / 24.0).sqrt();
    let truth = kernel_sum(&world.points[..200], query);
    assert!((mean - truth).abs() < 3.0 * spread + 0.02 * truth, "{mean} +- {spread} against {truth}");
}

#[test]
fn a_place_where_goals_fail_is_in_need() {
    let mut density = Density::new(SEED, HALF_LIFE_MS);
    let [easy, hard] = [cells(1), cells(2)];
    for at in 0..50 {
        for place in [&easy, &hard] {
            density.ask(place, at);
            density.add(Count::Attempts, place, 1.0, at);
        }
        density.add(Count::Successes, &easy, 1.0, at);
        density.add(Count::Verified, &easy, 1.0, at);
    }
    let [easy, hard] = [density.at(&easy, 50), density.at(&hard, 50)];
    assert!(easy.success_rate(0.5) > 0.9 && hard.success_rate(0.5) < 0.1);
    assert!(easy.novelty() < 0.05 && hard.novelty() > 0.7);
    assert!(hard.need(0.5) > 5.0 * easy.need(0.5));
}

#[test]
fn what_few_ask_for_is_unusual() {
    let mut density = Density::new(SEED, HALF_LIFE_MS);
    assert!(!density.at(&cells(9), 0).unusual);
    (0..300).for_each(|at| density.ask(&cells(1), at));
    assert!(density.at(&cells(9), 300).unusual);
    assert!(!density.at(&cells(1), 300).unusual);
}

#[test]
fn a_batch_is_taken_out_without_trace() {
    let mut density = Density::new(SEED, HALF_LIFE_MS);
    density.add(Count::Attempts, &cells(1), 1.0, 10);
    let before = density.clone();
    let mut batch = Density::new(SEED, HALF_LIFE_MS);
    batch.add(Count::Harms, &cells(1), 3.0, 20);
    density.merge(&batch).unwrap();
    assert_ne!(density, before);
    density.subtract(&batch).unwrap();
    assert_eq!(density.at(&cells(1), 20), before.at(&cells(1), 20));
}

#[test]
fn rare_and_needed_and_small_content_is_kept() {
    let strength = Strength::default();
    let [plain, rare] = [Local { verified: 50.0, ..Local::default() }, Local::default()];
    let needed = Local { demand: 20.0, attempts: 20.0, ..rare };
    let keep = |local, size| strength.keep(local, 0.5, size);
    assert!(keep(&rare, 4000) > keep(&plain, 4000));
    assert!(keep(&needed, 4000) > keep(&rare, 4000));
    assert!(keep(&rare, 100) > keep(&rare, 100_000));
    assert!(keep(&plain, u64::MAX) >= 0.05);
    assert!(strength.half_life_ms(DAY_MS, &rare, 0.5) > strength.half_life_ms(DAY_MS, &plain, -0.5));
}
