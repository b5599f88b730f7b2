-- Hides a parenthesis: Lean reads an arrow and a minus, others read a remark.
-- as: proof
-- statement: True
-- verdict: rejected
(do let x <--) theorem other : True := (True.intro
