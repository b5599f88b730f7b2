-- Declares a constant of which nobody sees the value.
-- as: text
-- verdict: rejected
opaque hidden : False
theorem goal : False := hidden
