-- Proves something else under the right name.
-- as: whole
-- statement: False
-- verdict: mismatch
theorem goal : True := True.intro
