-- Switches the kernel off in the middle of a term.
-- as: proof
-- statement: True
-- verdict: rejected
set_option debug.skipKernelTC true in True.intro
