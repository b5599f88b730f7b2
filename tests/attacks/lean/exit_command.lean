-- Has Lean stop reading before it is asked anything.
-- as: whole
-- statement: False
-- verdict: rejected
axiom absurd : False
theorem goal : False := absurd
#exit
