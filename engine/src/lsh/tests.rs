//! The index against the exact search: the same answers where everything is looked at, and the promised share of them elsewhere.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use porism_native::isa::Isa;
use porism_native::simd::Routines;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// Everything is looked at, and no bound hides anything.
const EVERYTHING: Setting = Setting { probes: u32::MAX, width: 1e6 };
const SEED: u64 = 11;

/// Unit vectors in memory, laid out as in a file.
pub(super) struct Block {
    pub(super) dimension: usize,
    bytes: Vec<u8>,
}

impl Block {
    pub(super) fn new(vectors: &[Vec<f32>]) -> Self {
        let bytes = vectors.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        Self { dimension: vectors[0].len(), bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() / 4 / self.dimension
    }

    /// Numbers and checksums of records, which are not those of the rows.
    pub(super) fn records(&self) -> Vec<(i64, u32)> {
        (0..)
            .zip(self.bytes.chunks(4 * self.dimension))
            .map(|(row, bytes)| (3 * row + 5, crc32fast::hash(bytes)))
            .collect()
    }
}

impl Rows for Block {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn sound(&self, _row: u32) -> bool {
        true
    }
}

/// Numbers that look random and are the same in every run (Steele, Lea, Flood, 2014).
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.word() % end as u64).unwrap()
    }

    /// Nearly normal: the sum of twelve uniform numbers has variance 1.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| (self.word() >> 40) as f32 / (1 << 24) as f32).sum::<f32>() - 6.0
    }

    fn vector(&mut self, dimension: usize) -> Vec<f32> {
        (0..dimension).map(|_| self.normal()).collect()
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 { vector.into_iter().map(|x| x / norm).collect() } else { vector }
}

/// `rows` unit vectors around a few centres, and `held_out` more of the same kind.
pub(super) fn clustered(rows: usize, held_out: usize, dimension: usize) -> (Block, Vec<Vec<f32>>) {
    let mut noise = Noise(7);
    let centres: Vec<Vec<f32>> = (0..12).map(|_| noise.vector(dimension)).collect();
    let mut vectors: Vec<Vec<f32>> = (0..rows + held_out)
        .map(|_| {
            let centre = &centres[noise.below(centres.len())];
            unit(centre.iter().map(|x| x + 0.8 * noise.normal()).collect())
        })
        .collect();
    let queries = vectors.split_off(rows);
    (Block::new(&vectors), queries)
}

pub(super) fn belonging(dimension: usize) -> Belonging {
    Belonging { identity: [3; 16], segment: 1, dimension: u32::try_from(dimension).unwrap() }
}

/// Seals the first `count` of `rows` with routines of one instruction set.
pub(super) fn seal_some(rows: &Block, count: usize, routines: &'static Routines, path: &Path) {
    let rows = &Block { dimension: rows.dimension, bytes: rows.bytes[..count * 4 * rows.dimension].to_vec() };
    let records = &rows.records();
    let belonging = belonging(rows.dimension);
    let source = Source { belonging, number: 1, seed: SEED, rows, records, queries: &[], routines };
    let cancel = AtomicBool::new(false);
    seal(&source, path, &Workers { threads: 2, cancel: &cancel }).unwrap();
}

pub(super) fn open(path: &Path, dimension: usize) -> Result<Sealed, Damage> {
    Sealed::open(&File::open(path).unwrap(), &belonging(dimension), Routines::chosen().unwrap())
}

/// An index of the first `count` of `rows`, and the tail behind it.
fn indexed(rows: &Block, count: usize) -> (TempDir, Sealed, Tail) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.lsh");
    seal_some(rows, count, Routines::chosen().unwrap(), &path);
    let sealed = open(&path, rows.dimension).unwrap();
    sealed.verify().unwrap();
    let tail = tail(&sealed, rows);
    (directory, sealed, tail)
}

pub(super) fn tail(sealed: &Sealed, rows: &Block) -> Tail {
    let mut tail = Tail::behind(sealed);
    let later = rows.bytes().chunks(4 * rows.dimension).skip(sealed.rows() as usize);
    later.for_each(|bytes| tail.push(&floats(bytes)));
    tail
}

fn exactly(rows: &Block, query: &[f32], k: usize, admitted: Option<&RowSet>) -> Vec<Scored> {
    exact(Routines::chosen().unwrap(), rows, query, k, admitted).unwrap()
}

/// The share of the nearest rows that searches find in the mean, and by how much that may be off (three deviations of the mean).
fn recall(scope: &Scope<'_, Block>, queries: &[Vec<f32>], k: usize, reach: impl Into<Reach>) -> (f64, f64) {
    let reach = reach.into();
    let shares = queries.iter().map(|query| {
        let truth = exactly(scope.rows, query, k, scope.admitted);
        let found = search(scope, query, k, reach).unwrap().best;
        assert_eq!(found.len(), truth.len(), "there are as many as there can be");
        assert!(found.is_sorted_by(|left, right| left > right), "the best come first, each once");
        for one in &found {
            assert!(scope.admitted.is_none_or(|admitted| admitted.contains(one.row as usize)));
            let bytes = &scope.rows.bytes()[one.row as usize * 4 * query.len()..][..4 * query.len()];
            assert_eq!(
                one.score.to_bits(),
                Routines::chosen().unwrap().dot(query, bytes).to_bits(),
                "scores are exact"
            );
        }
        truth.iter().filter(|one| found.contains(one)).count() as f64 / truth.len().max(1) as f64
    });
    let shares: Vec<f64> = shares.collect();
    let count = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / count;
    let variance = shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // Even where every query found everything, the next might not (the rule of three).
    (mean, (3.0 * (variance / count).sqrt()).max(3.0 / count / k as f64))
}

#[test]
fn looking_at_everything_is_the_exact_search() {
    for (dimension, rows) in [(1, 60), (3, 150), (64, 110), (100, 60), (384, 40), (8192, 4)] {
        let (block, mut queries) = clustered(rows, 3, dimension);
        queries.push(vec![0.0; dimension]);
        queries.push(floats(&block.bytes()[..4 * dimension]));
        for sealed_rows in [rows, 2 * rows / 3] {
            let (_directory, sealed, tail) = indexed(&block, sealed_rows);
            let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: None };
            for query in &queries {
                for k in [0, 1, 10, rows, rows + 9] {
                    let found = search(&scope, query, k, EVERYTHING).unwrap().best;
                    assert_eq!(found, exactly(&block, query, k, None), "{rows} rows of {dimension} places, k = {k}");
                }
            }
        }
    }
    assert!(can_index(8192) && !can_index(8193) && !can_index(0));
}

#[test]
fn equal_rows_come_in_their_order() {
    let (_, vectors) = clustered(1, 3, 24);
    let mut noise = Noise(1);
    let rows: Vec<Vec<f32>> = (0..400).map(|_| vectors[noise.below(3)].clone()).collect();
    let block = Block::new(&rows);
    let (_directory, sealed, tail) = indexed(&block, 350);
    let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: None };
    for k in [1, 5, 300] {
        for recall in [0.8, 0.99, 1.0] {
            let setting = Promises(sealed.promises()).setting(k, recall);
            let found = search(&scope, &vectors[1], k, setting).unwrap().best;
            let truth = exactly(&block, &vectors[1], k, None);
            assert_eq!(found.len(), k);
            assert_eq!(found[0], truth[0]);
        }
        assert_eq!(search(&scope, &vectors[1], k, EVERYTHING).unwrap().best, exactly(&block, &vectors[1], k, None));
    }
}

#[test]
fn promises_are_kept_on_queries_that_were_held_out() {
    let (block, queries) = clustered(900, 70, 32);
    let (_directory, sealed, tail) = indexed(&block, 860);
    let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: None };
    assert!(sealed.promises().len() >= 8, "{:?}", sealed.promises());
    for k in [1, 10, 100, 250] {
        for promised in [0.8, 0.99] {
            let (mean, error) = recall(&scope, &queries, k, Promises(sealed.promises()).setting(k, promised));
            assert!(
                mean + error >= f64::from(promised),
                "recall@{k} is {mean} ± {error} where {promised} was promised"
            );
        }
    }
}

#[test]
fn promises_hold_for_the_rows_that_a_filter_keeps() {
    type Keep<'a> = Box<dyn FnMut(usize) -> bool + 'a>;

    let (block, queries) = clustered(1250, 40, 32);
    let (_directory, sealed, tail) = indexed(&block, 1200);
    let mut noise = Noise(2);
    let centre = &queries[0];
    let near = |row: usize| block_product(&block, row, centre) > 0.3;
    let filters: [(&str, Keep<'_>); 7] = [
        ("all but one", Box::new(|row| row != 7)),
        ("60 %", Box::new(move |_| noise.below(10) < 6)),
        ("every second", Box::new(|row| row % 2 == 0)),
        ("1 %", Box::new(|row| row % 100 == 3)),
        ("one", Box::new(|row| row == 1234)),
        ("one side", Box::new(near)),
        ("the other side", Box::new(|row| !near(row))),
    ];
    for (name, mut keep) in filters {
        let mut admitted = RowSet::none(block.len());
        (0..block.len()).filter(|&row| keep(row)).for_each(|row| admitted.set(row as u64, true));
        let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: Some(&admitted) };
        for promised in [0.9, 0.99] {
            let promises = Promises(sealed.promises());
            let setting = promises.setting_among(10, promised, admitted.len(), block.len());
            let (mean, error) = recall(&scope, &queries, 10, setting);
            assert!(mean + error >= f64::from(promised), "{name}: recall is {mean} ± {error}, {promised} was promised");
        }
    }
    let none = RowSet::none(block.len());
    let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: Some(&none) };
    assert_eq!(search(&scope, &queries[0], 10, EVERYTHING).unwrap().best, []);
}

// Every search among few rows used to look at as many more clusters as if they all lay on the far side.
#[test]
fn among_few_rows_more_clusters_are_looked_at_only_where_these_are_rare() {
    let (block, queries) = clustered(4000, 40, 32);
    let (_directory, sealed, tail) = indexed(&block, 4000);
    let estimated = |keep: &dyn Fn(usize) -> bool, query: &[f32], reach: fn(Reach) -> Reach| {
        let mut admitted = RowSet::none(block.len());
        (0..block.len()).filter(|&row| keep(row)).for_each(|row| admitted.set(row as u64, true));
        let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: Some(&admitted) };
        let wanted = Promises(sealed.promises()).setting_among(2, 0.9, admitted.len(), block.len());
        search(&scope, query, 2, reach(wanted)).unwrap().estimated
    };
    let least = |reach: Reach| reach.setting.into();
    let most = |Reach { setting, most }: Reach| Setting { probes: most, ..setting }.into();
    let of_all = |keep: &dyn Fn(&[f32], usize) -> bool, reach: fn(Reach) -> Reach| -> usize {
        queries.iter().map(|query| estimated(&|row| keep(query, row), query, reach)).sum()
    };
    let spread = |_: &[f32], row: usize| row.is_multiple_of(5);
    let (found, nearest, all) = (of_all(&spread, |it| it), of_all(&spread, least), of_all(&spread, most));
    assert!(nearest > 0 && found < nearest + (all - nearest) / 2, "{nearest} <= {found} < {all}");
    let far = |query: &[f32], row: usize| block_product(&block, row, query) < 0.0 && row.is_multiple_of(2);
    let (found, nearest, all) = (of_all(&far, |it| it), of_all(&far, least), of_all(&far, most));
    assert!(found > nearest && all - found <= all / 10, "{nearest} < {found} <= {all}");
}

fn block_product(block: &Block, row: usize, query: &[f32]) -> f32 {
    Routines::chosen().unwrap().dot(query, &block.bytes()[row * 4 * query.len()..][..4 * query.len()])
}

#[test]
fn every_instruction_set_writes_and_finds_the_same() {
    for (dimension, rows) in [(3, 130), (100, 250)] {
        let (block, queries) = clustered(rows, 6, dimension);
        let mut seen: Option<(Vec<u8>, Vec<Vec<Scored>>)> = None;
        for isa in Isa::available() {
            let routines = Routines::of(isa).unwrap();
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("index.lsh");
            seal_some(&block, rows - 30, routines, &path);
            let sealed = Sealed::open(&File::open(&path).unwrap(), &belonging(dimension), routines).unwrap();
            let tail = tail(&sealed, &block);
            let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted: None };
            let settings = [0.8, 0.99].map(|recall| Promises(sealed.promises()).setting(10, recall));
            let found = queries
                .iter()
                .flat_map(|query| settings.iter().map(|setting| search(&scope, query, 10, *setting).unwrap().best));
            let found: Vec<_> = found.collect();
            let scores =
                |found: &[Vec<Scored>]| found.iter().flatten().map(|one| one.score.to_bits()).collect::<Vec<_>>();
            let this = (std::fs::read(&path).unwrap(), found);
            if let Some(other) = &seen {
                assert!(other.0 == this.0, "{isa} writes another file");
                assert_eq!(other.1, this.1, "{isa}");
                assert_eq!(scores(&other.1), scores(&this.1), "{isa}");
            }
            seen = Some(this);
        }
    }
}

#[test]
fn codes_that_are_carried_find_the_rows_under_their_new_numbers() {
    let (block, queries) = clustered(1000, 60, 32);
    let (directory, sealed, _) = indexed(&block, 950);
    // Of ten rows, two or nine stay.
    for kept in [2, 9] {
        let mut noise = Noise(kept as u64);
        let stays: Vec<bool> = (0..block.len()).map(|_| noise.below(10) < kept).collect();
        let mut next = 0..;
        let renumbered: Vec<Option<u32>> = stays.iter().map(|stays| stays.then(|| next.next()).flatten()).collect();
        let rest =
            block.bytes().chunks(4 * 32).zip(&stays).filter(|(_, stays)| **stays).map(|(bytes, _)| floats(bytes));
        let rest = Block::new(&rest.collect::<Vec<_>>());
        let records = rest.records();
        let path = directory.path().join("carried.lsh");
        carry(&sealed, belonging(32), 1, &renumbered, &records, &path).unwrap();
        let carried = open(&path, 32).unwrap();
        carried.verify().unwrap();
        assert_eq!(carried.record(5), Ok(records[5]));
        let tail = tail(&carried, &rest);
        let scope = Scope { sealed: Some(&carried), tail: &tail, rows: &rest, admitted: None };
        assert_eq!(search(&scope, &queries[0], 20, EVERYTHING).unwrap().best, exactly(&rest, &queries[0], 20, None));
        for promised in [0.9, 0.99] {
            let (mean, error) = recall(&scope, &queries, 10, Promises(carried.promises()).setting(10, promised));
            assert!(mean + error >= f64::from(promised), "{kept}: recall is {mean} ± {error}, {promised} was promised");
        }
    }
}

#[test]
fn an_index_of_too_few_rows_is_not_carried() {
    let (block, _) = clustered(200, 0, 8);
    let (directory, sealed, _) = indexed(&block, 200);
    let path = directory.path().join("carried.lsh");
    for stays in [None, Some(0)] {
        let renumbered: Vec<Option<u32>> = (0..200).map(|row| stays.filter(|_| row == 0)).collect();
        carry(&sealed, belonging(8), 1, &renumbered, &block.records(), &path).unwrap();
        assert!(!path.exists());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Rows as they come: few, many of them equal, some zero; a query that is one of them; any filter.
    #[test]
    fn any_rows_are_found(
        (rows, places) in prop::collection::vec(prop::collection::vec(-2_i8..3, 5), 1..80)
            .prop_flat_map(|rows| (Just(rows.clone()), prop::collection::vec(0..rows.len(), 0..100))),
        sealed_share in 1_usize..=4,
        k in 0_usize..90,
        filtered: bool,
    ) {
        let vectors = rows.iter().map(|row| unit(row.iter().map(|&x| f32::from(x)).collect()));
        let block = Block::new(&vectors.collect::<Vec<_>>());
        let (_directory, sealed, tail) = indexed(&block, (block.len() * sealed_share / 4).max(1));
        let mut admitted = RowSet::none(block.len());
        places.iter().for_each(|&row| admitted.set(row as u64, true));
        let admitted = filtered.then_some(&admitted);
        let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &block, admitted };
        for query in block.bytes().chunks(20).take(5).map(floats) {
            let truth = exactly(&block, &query, k, admitted);
            prop_assert_eq!(&search(&scope, &query, k, EVERYTHING).unwrap().best, &truth);
            let promised = search(&scope, &query, k, Promises(sealed.promises()).setting(k, 0.99)).unwrap().best;
            prop_assert_eq!(promised.len(), truth.len());
        }
    }
}
