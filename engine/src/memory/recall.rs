//! Recall: the views of a query, each a ranking, and how they are joined.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use super::error::{MemoryError, Result};
use super::filter::Filter;
use super::indexer::{Task, threads};
use super::keyword::{self, Column};
use super::reader::Reader;
use super::record::{RecordId, check_vector};
use super::{Memory, segment};
use crate::features;
use crate::lsh::{Trouble, Workers};
use crate::words::words;

/// The constant of reciprocal rank fusion (Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual
/// Rank Learning Methods, SIGIR 2009).
const FUSION_CONSTANT: f32 = 60.0;
/// How many records each of several views puts forward, for each that is asked for.
const DEPTH: usize = 4;
const LEAST_DEPTH: usize = 50;
/// How often a recall begins anew because an index was found to be damaged.
const RETRIES: u32 = 10;

words! {
    /// A way to look at records.
    View, "view" {
        /// By their vectors.
        Dense = "dense",
        /// By the symbols of formulas, and short walks down their terms.
        Symbols = "symbols",
        /// By their words.
        Words = "words",
    }
}

/// The share of the nearest records that a recall finds when nothing else is asked for.
pub const RECALL: f32 = 0.99;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// A formula or any other text.
    pub text: Option<&'a str>,
    /// Its vector; the built-in embedders make one of the text.
    pub vector: Option<&'a [f32]>,
    /// Which views are asked; several are fused by reciprocal rank.
    pub views: &'a [View],
    /// How many records are wanted.
    pub k: usize,
    /// The share of the nearest records that the dense view has to find, in the mean of queries: from 0 to 1, which is exact.
    pub recall: f32,
}

/// A record that was recalled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which.
    pub id: RecordId,
    /// The cosine between it and the query, if the dense view was asked alone; else the sum of its reciprocal ranks.
    pub score: f32,
}

/// What a recall found.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// The generation of the memory that was searched.
    pub snapshot: i64,
    /// Best first; equal scores in the order of their numbers.
    pub hits: Vec<Hit>,
}

impl Memory {
    /// The `k` records nearest to `vector` by cosine, exactly. The zero vector is near to nothing.
    pub fn recall(&self, vector: &[f32], k: usize) -> Result<Recall> {
        let query = Query { text: None, vector: Some(vector), views: &[View::Dense], k, recall: 1.0 };
        self.search(&query, &Filter::default())
    }

    /// The records that pass `filter` and are best for `query`.
    pub fn search(&self, query: &Query<'_>, filter: &Filter) -> Result<Recall> {
        check_recall(query.recall)?;
        let vector = self.query_vector(query)?;
        if query.views.iter().any(|&view| view != View::Dense) {
            self.index_words();
        }
        for _ in 0..RETRIES {
            if let Some(recall) = self.search_once(query, vector.as_deref(), filter)? {
                return Ok(recall);
            }
        }
        Err(MemoryError::Locked { path: self.directory.clone(), waited: self.options.timeout })
    }

    /// The `k` records nearest to each of many vectors, on all cores, of one generation.
    ///
    /// `vectors` holds them one behind the other.
    pub fn search_many(&self, vectors: &[f32], k: usize, recall: f32, filter: &Filter) -> Result<Vec<Recall>> {
        let recalls = self.answer_many(vectors, k, recall, filter)?;
        let view = self.read(Reader::view)?;
        vectors.chunks(self.options.dimension as usize).for_each(|vector| {
            self.indexer.saw(vector, &view, || Task::new(&self.directory, &self.options));
        });
        Ok(recalls)
    }

    /// The same, without notice of what was asked.
    pub(super) fn answer_many(&self, vectors: &[f32], k: usize, recall: f32, filter: &Filter) -> Result<Vec<Recall>> {
        check_recall(recall)?;
        let dimension = self.options.dimension as usize;
        if !vectors.len().is_multiple_of(dimension) {
            return Err(MemoryError::Input(format!("{} numbers are not {dimension} for each vector", vectors.len())));
        }
        vectors.chunks(dimension).try_for_each(|vector| check_vector(vector, dimension))?;
        let vectors: Vec<&[f32]> = vectors.chunks(dimension).collect();
        let never = AtomicBool::new(false);
        for _ in 0..RETRIES {
            let (view, admitted) = self.read(|reader| reader.look(filter))?;
            let setting = view.setting(k, recall, admitted.as_deref());
            let snapshot = filter.at.unwrap_or(view.state.generation);
            let workers = Workers { threads: threads().min(vectors.len()).max(1), cancel: &never };
            // Whatever can be done for each query is done here: what one thread does alone, the others wait for.
            let answers = workers.map(vectors.len(), |place| {
                view.nearest(&segment::unit(vectors[place]), k, setting, admitted.as_deref())
            });
            let answers: std::result::Result<Vec<_>, Trouble> = answers.unwrap_or_default().into_iter().collect();
            match answers {
                Ok(answers) => return Ok(answers.into_iter().map(|hits| Recall { snapshot, hits }).collect()),
                Err(trouble) => self.trouble(&view, &trouble)?,
            }
        }
        Err(MemoryError::Locked { path: self.directory.clone(), waited: self.options.timeout })
    }

    /// One attempt; `None` if an index was found to be damaged, which is done without from then on.
    fn search_once(&self, query: &Query<'_>, vector: Option<&[f32]>, filter: &Filter) -> Result<Option<Recall>> {
        let alone = query.views.len() == 1;
        let depth = if alone { query.k } else { query.k.saturating_mul(DEPTH).max(LEAST_DEPTH) };
        let (view, admitted, mut rankings) = self.read(|reader| match query.text {
            Some(text) if vector.is_none() || !alone => {
                reader.look_with(filter, |catalog, _| text_rankings(catalog, query.views, text, filter, depth))
            }
            None if vector.is_none() || !alone => Err(MemoryError::input("the views symbols and words need a text")),
            _ => reader.look(filter).map(|(view, admitted)| (view, admitted, Vec::new())),
        })?;
        let mut nearest = Vec::new();
        if let Some(vector) = vector {
            self.indexer.saw(vector, &view, || Task::new(&self.directory, &self.options));
            // The search holds no lock: what a view has never changes.
            let setting = view.setting(depth, query.recall, admitted.as_deref());
            nearest = match view.nearest(vector, depth, setting, admitted.as_deref()) {
                Ok(nearest) => nearest,
                Err(trouble) => return self.trouble(&view, &trouble).map(|()| None),
            };
            rankings.insert(0, nearest.iter().map(|hit| hit.id).collect());
        }
        let mut hits = if alone && vector.is_some() { nearest } else { fuse(&rankings) };
        hits.truncate(query.k);
        Ok(Some(Recall { snapshot: filter.at.unwrap_or(view.state.generation), hits }))
    }

    /// Reports a damaged row; a damaged index is done without from now on.
    pub(super) fn trouble(&self, view: &super::view::View, trouble: &Trouble) -> Result<()> {
        self.read(|reader| match trouble {
            Trouble::Row(row) => Err(view.damaged_row(*row)),
            Trouble::Index(_) => {
                reader.discard_index(view);
                Ok(())
            }
        })
    }

    /// The unit vector that the dense view looks for; `None` if it is not asked.
    fn query_vector(&self, query: &Query<'_>) -> Result<Option<Vec<f32>>> {
        if query.views.is_empty() {
            return Err(MemoryError::input("a recall needs at least one view"));
        }
        if !query.views.contains(&View::Dense) {
            return Ok(None);
        }
        let vector = match (query.vector, query.text) {
            (Some(vector), _) => {
                check_vector(vector, self.options.dimension as usize)?;
                segment::unit(vector)
            }
            (None, Some(text)) => self.embed(text)?,
            (None, None) => return Err(MemoryError::input("a recall needs a text or a vector")),
        };
        Ok(Some(vector))
    }

    /// The vector of `text`, by the built-in embedder that the memory was made with.
    pub(super) fn embed(&self, text: &str) -> Result<Vec<f32>> {
        features::embed_by(&self.options.embedder, text).ok_or_else(|| {
            MemoryError::Input(format!(
                "the embedder {} is not built in: hand over a vector too",
                self.options.embedder
            ))
        })
    }

    /// Brings the full-text index up to date, if this handle can write and nobody else is writing.
    fn index_words(&self) {
        let behind = self.read(|reader| keyword::behind(&reader.connection)).unwrap_or(0);
        if behind > 0 && !self.options.read_only {
            // What is not indexed is searched all the same, only slower: so no error of this is worth failing a recall for.
            let _ = self.maintain(|write| keyword::catch_up(&write.transaction));
        }
    }
}

fn text_rankings(
    connection: &rusqlite::Connection,
    views: &[View],
    text: &str,
    filter: &Filter,
    depth: usize,
) -> Result<Vec<Vec<RecordId>>> {
    let columns = views.iter().filter_map(|view| match view {
        View::Dense => None,
        View::Symbols => Some(Column::Symbols),
        View::Words => Some(Column::Words),
    });
    columns.map(|column| keyword::search(connection, column, text, filter, depth)).collect()
}

pub(super) fn check_recall(recall: f32) -> Result<()> {
    if (0.0..=1.0).contains(&recall) {
        return Ok(());
    }
    Err(MemoryError::Input(format!("recall={recall}: expected a share from 0 to 1")))
}

/// Joins rankings by the sums of reciprocal ranks.
fn fuse(rankings: &[Vec<RecordId>]) -> Vec<Hit> {
    let mut scores: HashMap<RecordId, f32> = HashMap::new();
    for ranking in rankings {
        for (rank, &id) in ranking.iter().enumerate() {
            *scores.entry(id).or_default() += 1.0 / (FUSION_CONSTANT + 1.0 + rank as f32);
        }
    }
    let mut hits: Vec<Hit> = scores.into_iter().map(|(id, score)| Hit { id, score }).collect();
    hits.sort_unstable_by(|left, right| right.score.total_cmp(&left.score).then_with(|| left.id.cmp(&right.id)));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_views_put_forward_comes_first() {
        let [a, b, c] = [1, 2, 3].map(RecordId);
        let hits = fuse(&[vec![a, b], vec![b, c]]);
        assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [b, a, c]);
    }

    #[test]
    fn equal_sums_come_in_the_order_of_their_numbers() {
        let hits = fuse(&[vec![RecordId(9)], vec![RecordId(2)]]);
        assert_eq!(hits.iter().map(|hit| hit.id.0).collect::<Vec<_>>(), [2, 9]);
    }
}
