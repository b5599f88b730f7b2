-- Assumes what is to be proved.
-- as: whole
-- statement: False
-- verdict: incomplete
axiom absurd : False
theorem goal : False := absurd
