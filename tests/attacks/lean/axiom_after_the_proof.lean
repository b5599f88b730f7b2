-- Closes our parenthesis, adds an axiom, and opens another.
-- as: proof
-- statement: True
-- verdict: rejected
True.intro)
axiom absurd : False
theorem other : False := (absurd
