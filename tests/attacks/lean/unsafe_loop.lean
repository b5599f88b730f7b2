-- Proves it by running for ever.
-- as: text
-- verdict: rejected
unsafe def loop : False := loop
theorem goal : False := loop
