-- Hides a parenthesis: Lean reads a sign and a character in quotes, others read a name that ends in a prime.
-- as: proof
-- statement: True
-- verdict: rejected
(λ'(' => True.intro) 'x') theorem other : True := (True.intro
