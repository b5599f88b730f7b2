-- Has its own code answer the question for the axioms, with silence.
-- as: whole
-- statement: False
-- verdict: crashed
axiom absurd : False
theorem goal : False := absurd
@[command_elab Lean.Parser.Command.printAxioms]
def silent : Lean.Elab.Command.CommandElab := fun _ _ _ _ => .ok .unit
