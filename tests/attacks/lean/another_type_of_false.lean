-- Proves it of all propositions but the one that was asked for.
-- as: whole
-- statement: ∀ p q : Prop, Or p q → And p q
-- verdict: mismatch
theorem goal : ∀ p q : Prop, And p q → Or p q := fun _ _ h => Or.inl h.left
