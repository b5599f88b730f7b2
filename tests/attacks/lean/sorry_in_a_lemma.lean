-- Leaves the gap in another theorem.
-- as: whole
-- statement: False
-- verdict: incomplete
theorem helper : False := by exact sorry
theorem goal : False := by exact helper
