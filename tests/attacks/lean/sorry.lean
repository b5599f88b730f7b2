-- Leaves the gap open.
-- as: proof
-- statement: False
-- verdict: incomplete
sorry
