//! The exact search: the product of every row.

use porism_native::simd::Routines;

use super::rows::{Best, RowSet, Rows, Scored};
use super::search::Trouble;
use super::workers::{Cancelled, Workers};

/// How many products are computed at once.
const AT_ONCE: usize = 64;

/// The `k` rows among those `admitted` (`None`: all) with the greatest product with `query`, best first.
pub fn exact(
    routines: &Routines,
    rows: &impl Rows,
    query: &[f32],
    k: usize,
    admitted: Option<&RowSet>,
) -> Result<Vec<Scored>, Trouble> {
    match admitted {
        Some(admitted) => among(routines, rows, query, k, admitted.iter()),
        None => among(routines, rows, query, k, 0..rows.bytes().len() / (query.len() * 4)),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the number of a row fits into 32 bits")]
fn among(
    routines: &Routines,
    rows: &impl Rows,
    query: &[f32],
    k: usize,
    wanted: impl Iterator<Item = usize>,
) -> Result<Vec<Scored>, Trouble> {
    let mut best = Best::new(k);
    let mut wanted = wanted.map(|row| row as u32).peekable();
    let (mut chunk, mut scores) = (Vec::with_capacity(AT_ONCE), [0.0; AT_ONCE]);
    while wanted.peek().is_some() {
        chunk.clear();
        chunk.extend(wanted.by_ref().take(AT_ONCE));
        score(routines, rows, query, &chunk, &mut scores)?;
        chunk.iter().zip(scores).for_each(|(&row, score)| best.push(Scored { row, score }));
    }
    Ok(best.into_sorted())
}

/// Writes the products of `query` with the rows `wanted` to `scores`.
pub(crate) fn score(
    routines: &Routines,
    rows: &impl Rows,
    query: &[f32],
    wanted: &[u32],
    scores: &mut [f32],
) -> Result<(), Trouble> {
    if let Some(&damaged) = wanted.iter().find(|&&row| !rows.sound(row)) {
        return Err(Trouble::Row(damaged));
    }
    routines.dot_rows(query, rows.bytes(), wanted, &mut scores[..wanted.len()]);
    Ok(())
}

/// The exact answers to many queries, on several cores.
pub(crate) fn exact_many(
    routines: &Routines,
    rows: &impl Rows,
    queries: &[Vec<f32>],
    k: usize,
    workers: &Workers<'_>,
) -> Result<Vec<Vec<Scored>>, Cancelled> {
    let Some(dimension) = queries.first().map(Vec::len) else {
        return Ok(Vec::new());
    };
    // Each row is read once for all queries of a worker, which stay in its cache.
    let answers = workers.split(queries.len(), |part| {
        let mut best: Vec<Best> = part.clone().map(|_| Best::new(k)).collect();
        for (row, bytes) in (0..).zip(rows.bytes().chunks_exact(dimension * 4)) {
            if row % 1024 == 0 {
                workers.check()?;
            }
            for (query, best) in queries[part.clone()].iter().zip(&mut best) {
                best.push(Scored { row, score: routines.dot(query, bytes) });
            }
        }
        Ok(best.into_iter().map(Best::into_sorted).collect::<Vec<_>>())
    })?;
    Ok(answers.into_iter().flatten().collect())
}
