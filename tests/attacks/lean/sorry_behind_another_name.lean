-- Gives the gap a name that says nothing.
-- as: text
-- verdict: incomplete
noncomputable abbrev obviously := @sorryAx
theorem goal : False := obviously _ Bool.true
