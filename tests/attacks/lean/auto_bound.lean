-- Has the variables of its statement bound as it likes.
-- as: whole
-- statement: ∀ p : Prop, p
-- verdict: mismatch
set_option autoImplicit true
theorem goal (h : Not q) : Not q := h
