-- Proves something else under a name of its own that reads the same.
-- as: whole
-- statement: False
-- verdict: mismatch
private theorem goal : True := True.intro
