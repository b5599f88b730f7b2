-- Believes the compiler.
-- as: proof
-- statement: False
-- verdict: rejected
by native_decide
