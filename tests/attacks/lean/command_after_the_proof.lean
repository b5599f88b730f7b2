-- Goes on with commands after the proof, without any parenthesis.
-- as: proof
-- statement: True
-- verdict: rejected
by exact True.intro
theorem other : True := True.intro
