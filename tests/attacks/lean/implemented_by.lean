-- Has something else run in the place of what was proved. It does not prove more.
-- as: text
-- verdict: rejected
unsafe def other (_ : True) : False := other .intro
@[implemented_by other] def convert (h : True) : False := h
theorem goal : False := convert .intro
