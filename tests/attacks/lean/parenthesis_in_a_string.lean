-- Hides a parenthesis: in a string with braces Lean reads terms, in which a quote mark may stand.
-- as: proof
-- statement: True
-- verdict: rejected
s!"{'"'}" ) theorem other : True := (True.intro -- "
