-- Switches the kernel off.
-- as: text
-- verdict: rejected
set_option debug.skipKernelTC true
theorem goal : False := by exact True.intro
