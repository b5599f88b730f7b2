-- Assumes what is to be proved, in a line before.
-- as: whole
-- statement: False
-- verdict: mismatch
variable (h : False)
include h
theorem goal : False := h
