-- The same, with a function that says nothing of how it ends.
-- as: text
-- verdict: rejected
partial def loop (n : Nat) : False := loop n
theorem goal : False := loop .zero
