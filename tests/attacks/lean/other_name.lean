-- Proves something else under another name.
-- as: whole
-- statement: False
-- verdict: mismatch
theorem goal' : True := True.intro
