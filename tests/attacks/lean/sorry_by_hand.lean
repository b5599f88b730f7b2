-- Says that Lean itself put the gap there, of which it warns only once.
-- as: proof
-- statement: False
-- verdict: incomplete
sorryAx _ Bool.true
