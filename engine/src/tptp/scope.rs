//! Which binder a variable belongs to, for writers that rename variables.

use std::collections::HashMap;

use super::ast::Symbol;

/// The binders around a place in a formula, in time independent of their number.
#[derive(Default)]
pub(super) struct Scope<'f> {
    levels: HashMap<&'f str, Vec<usize>>,
    depth: usize,
}

impl<'f> Scope<'f> {
    /// Enters the scope of these variables. They are numbered from the returned level on: binders count from the outside.
    pub(super) fn bind(&mut self, variables: impl IntoIterator<Item = &'f Symbol>) -> usize {
        let first = self.depth;
        for variable in variables {
            self.levels.entry(variable).or_default().push(self.depth);
            self.depth += 1;
        }
        first
    }

    /// Leaves the scope entered last, which bound these variables.
    pub(super) fn unbind(&mut self, variables: &[Symbol]) {
        for variable in variables {
            if let Some(levels) = self.levels.get_mut(&**variable) {
                levels.pop();
            }
        }
        self.depth -= variables.len();
    }

    /// The level of the innermost binder of this variable; nothing if it is free.
    pub(super) fn level(&self, variable: &str) -> Option<usize> {
        self.levels.get(variable)?.last().copied()
    }
}
