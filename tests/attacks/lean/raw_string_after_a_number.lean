-- Hides a parenthesis: Lean reads a number and a raw string, others read a name and a string that goes on.
-- as: proof
-- statement: True
-- verdict: rejected
f 0xFr"\" ) axiom absurd : False theorem other : False := (absurd -- "
