//! Which records are meant.

use rusqlite::types::Value;

use super::record::{Kind, RecordId, Status};

/// Which records are meant. Nothing set means all that are alive now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of one of these kinds; none given means any.
    pub kinds: Vec<Kind>,
    /// Those of one of these statuses; none given means any.
    pub statuses: Vec<Status>,
    /// Those of this name.
    pub name: Option<String>,
    /// Those from this source.
    pub source: Option<String>,
    /// Those in this namespace.
    pub namespace: Option<String>,
    /// Those first inserted at this time or later, in Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Those first inserted before this time, in Unix milliseconds.
    pub before_ms: Option<i64>,
    /// Those among these; `None` means any.
    pub ids: Option<Vec<RecordId>>,
    /// Those that were alive at this generation, with the status that they had then.
    pub at: Option<i64>,
    /// The dead as well.
    pub dead: bool,
}

impl Filter {
    /// Whether it lets through whatever is alive now.
    pub(super) fn is_plain(&self) -> bool {
        let Self { kinds, statuses, name, source, namespace, since_ms, before_ms, ids, at, dead } = self;
        let no_text = name.is_none() && source.is_none() && namespace.is_none();
        let no_number = since_ms.is_none() && before_ms.is_none() && at.is_none() && ids.is_none();
        kinds.is_empty() && statuses.is_empty() && no_text && no_number && !dead
    }

    /// The condition on the table `record`, and the values of its parameters.
    pub(super) fn condition(&self) -> (String, Vec<Value>) {
        // One condition for each value that was given, so that the index for it can be used.
        let mut conditions = vec!["true".to_owned()];
        let mut values = Vec::new();
        let mut add = |condition: &str, value: Value| {
            conditions.push(condition.to_owned());
            values.push(value);
        };
        for (column, text) in [("name", &self.name), ("source", &self.source), ("namespace", &self.namespace)] {
            if let Some(text) = text {
                add(&format!("record.{column} = ?"), text.clone().into());
            }
        }
        let words = |words: Vec<&str>| Value::from(serde_json::json!(words).to_string());
        if !self.kinds.is_empty() {
            let kinds = self.kinds.iter().map(|kind| kind.as_str()).collect();
            add("record.kind IN (SELECT value FROM json_each(?))", words(kinds));
        }
        if !self.statuses.is_empty() {
            let statuses = self.statuses.iter().map(|status| status.as_str()).collect();
            add(&format!("{} IN (SELECT value FROM json_each(?))", status_at(self.at)), words(statuses));
        }
        if let Some(since) = self.since_ms {
            add("record.created_ms >= ?", since.into());
        }
        if let Some(before) = self.before_ms {
            add("record.created_ms < ?", before.into());
        }
        if let Some(ids) = &self.ids {
            let ids = super::catalog::list(ids.iter().map(|id| id.0));
            add("record.id IN (SELECT value FROM json_each(?))", ids.into());
        }
        match self.at {
            Some(at) => conditions.push(alive_at(at, self.dead)),
            None if self.dead => {}
            None => conditions.push("record.died IS NULL".to_owned()),
        }
        (conditions.join(" AND "), values)
    }
}

/// The expression for the status of a record, now or at a generation.
pub(super) fn status_at(at: Option<i64>) -> String {
    match at {
        None => "record.status".to_owned(),
        // What a later rise says of the status before it was true then.
        Some(at) => format!(
            "coalesce((SELECT detail FROM change WHERE change.record = record.id AND action = 'raised' AND generation > {at}
                       ORDER BY generation, id LIMIT 1), record.status)"
        ),
    }
}

fn alive_at(at: i64, dead_too: bool) -> String {
    let born = format!("record.born <= {at}");
    if dead_too {
        return born;
    }
    // Of each record's comings and goings up to then, the last one counts.
    format!(
        "{born} AND record.id NOT IN (
             SELECT record FROM (SELECT record, action, max(id) FROM change
                                 WHERE generation <= {at} AND action IN ('forgotten', 'merged', 'restored')
                                 GROUP BY record)
             WHERE action <> 'restored')"
    )
}
