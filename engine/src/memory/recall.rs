//! Recall: the views of a query, each a ranking, and how they are joined.

use std::collections::HashMap;

use super::error::{MemoryError, Result};
use super::filter::Filter;
use super::keyword::{self, Column};
use super::record::{RecordId, check_vector};
use super::words::words;
use super::{Memory, lock, rows, segment};
use crate::features;

/// The constant of reciprocal rank fusion (Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual
/// Rank Learning Methods, SIGIR 2009).
const FUSION_CONSTANT: f32 = 60.0;
/// How many records each of several views puts forward, for each that is asked for.
const DEPTH: usize = 4;
const LEAST_DEPTH: usize = 50;
/// How often a recall begins anew because the memory was compacted meanwhile.
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
    /// The `k` records nearest to `vector` by cosine. The zero vector is near to nothing.
    pub fn recall(&self, vector: &[f32], k: usize) -> Result<Recall> {
        let query = Query { text: None, vector: Some(vector), views: &[View::Dense], k };
        self.search(&query, &Filter::default())
    }

    /// The records that pass `filter` and are best for `query`.
    pub fn search(&self, query: &Query<'_>, filter: &Filter) -> Result<Recall> {
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

    /// One attempt; `None` if the rows were renumbered meanwhile.
    fn search_once(&self, query: &Query<'_>, vector: Option<&[f32]>, filter: &Filter) -> Result<Option<Recall>> {
        let alone = query.views.len() == 1;
        let depth = if alone { query.k } else { query.k.saturating_mul(DEPTH).max(LEAST_DEPTH) };
        let (snapshot, segment, rows, admitted, mut rankings) = self.read(|reader| {
            let mut view = reader.view()?;
            let admitted = view.admitted(filter)?;
            let rankings = match query.text {
                Some(text) => text_rankings(&view.transaction, query.views, text, filter, depth)?,
                None if vector.is_some() && alone => Vec::new(),
                None => return Err(MemoryError::input("the views symbols and words need a text")),
            };
            Ok((view.state.generation, view.state.segment, view.rows, admitted, rankings))
        })?;
        let mut cosines = Vec::new();
        if let Some(vector) = vector.filter(|vector| vector.iter().any(|&x| x != 0.0)) {
            // The scan holds no lock: rows that were mapped never change.
            let found = rows::nearest(&rows, vector, depth, admitted.as_deref());
            let ids = lock(&self.reader).ids(segment, &rows, &found).map_err(|error| self.complete(error))?;
            let Some(ids) = ids else {
                return Ok(None);
            };
            cosines = ids.iter().zip(&found).map(|(&id, scored)| Hit { id, score: scored.score }).collect();
            rankings.insert(0, ids);
        }
        let dense_alone = alone && vector.is_some();
        let mut hits = if dense_alone { cosines } else { fuse(&rankings) };
        hits.truncate(query.k);
        Ok(Some(Recall { snapshot: filter.at.unwrap_or(snapshot), hits }))
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
