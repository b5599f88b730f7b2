-- The same, with the option in other quotes.
-- as: proof
-- statement: True
-- verdict: rejected
set_option «debug».skipKernelTC true in True.intro
